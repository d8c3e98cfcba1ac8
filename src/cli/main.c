#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/message.h"

/* EPIPE, as in "tagcore inspect ... | head", is not reported. */
static bool reader_gone(void)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1 && fd.revents & POLLERR;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	bool is_gcore = argc > 0 && !strcmp(basename(argv[0]), "gcore");
	int r;

	cli_signals();
	r = is_gcore ? cmd_gcore(argc, argv, &e) : cmds_run(argc, argv, &e);
	if (r < 0) {
		if (*e.msg)
			message(is_gcore ? "gcore" : "tagcore", "%s", e.msg);
		r = EXIT_TROUBLE;
	}
	if (fflush(stdout) || ferror(stdout)) {
		if (!reader_gone())
			message("tagcore", "standard output cannot be written");
		r = EXIT_TROUBLE;
	}
	return r;
}
