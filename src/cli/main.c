#include <libgen.h>
#include <poll.h>
#include <stdio.h>
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
	const struct cmd *program = argc > 0 ? cmds_program(basename(argv[0])) : NULL;
	int r;

	cli_signals();
	r = program ? program->run(argc, argv, &e) : cmds_run(argc, argv, &e);
	if (r < 0) {
		if (*e.msg)
			message(program ? program->name : "tagcore", "%s", e.msg);
		r = EXIT_TROUBLE;
	}
	if (fflush(stdout) || ferror(stdout)) {
		if (!reader_gone())
			message("tagcore", "standard output cannot be written");
		r = EXIT_TROUBLE;
	}
	return r;
}
