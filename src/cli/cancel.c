/* cancel.c - signals that end a command, in order or at once. */
#include <signal.h>

#include "base/util.h"
#include "cli/cmds.h"

volatile sig_atomic_t cli_cancelled;

static void on_cancel(int sig)
{
	cli_cancelled = sig;
}

static const int cancel_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* nohup(1) and background jobs of a shell ignore them: that stays. */
static void handle_cancel(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler }, old;

	for (size_t i = 0; i < ARRAY_SIZE(cancel_signals); i++)
		if (!sigaction(cancel_signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(cancel_signals[i], &sa, NULL);
}

/* Write errors are to come back as errors, not as signals; a wish to stop is to be obeyed in order. */
void cli_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	handle_cancel(on_cancel);
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL);
}

void cli_end_by_signal(void)
{
	handle_cancel(SIG_DFL);
	/* Before that, the handler has taken it; after, it has ended us: none is lost. */
	if (cli_cancelled)
		raise((int)cli_cancelled);
}
