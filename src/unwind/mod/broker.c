#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/broker.h"
#include "unwind/mod/mod.h"

/*
 * The names come from a process that a hostile core may have taken over: what is decided here
 * depends on the options alone, and on nothing that this process has said before.
 */
struct broker {
	struct unwind u;	/* its options and directories: allowed.c goes by these alone */
};

int broker_make(struct broker **out, const struct unwind_opts *opts, struct err *e)
{
	struct broker *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_set(e, -ENOMEM, "names of files");
	b->u.opts = *opts;
	b->u.opts.open_file = NULL;
	r = dirs_open(&b->u, e);
	if (r)
		broker_free(b);
	else
		*out = b;
	return r;
}

void broker_free(struct broker *b)
{
	if (!b)
		return;
	dirs_close(&b->u);
	free(b);
}

const struct unwind *broker_dirs(const struct broker *b)
{
	return &b->u;
}

int broker_open(struct broker *b, const char *path, struct err *e)
{
	if (strlen(path) >= PATH_MAX)
		return err_set(e, -ENAMETOOLONG, "open a file");
	if (path[0] != '/' && (!b->u.opts.exe || strcmp(path, b->u.opts.exe) != 0))
		return err_set(e, ERR_INPUT, "%s is no absolute name", path);
	return modfile_open(&b->u, path, e);
}
