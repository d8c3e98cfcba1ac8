#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "cli/view.h"

static const struct view {
	const char *name;
	const char *help;
	int (*run)(struct view_ctx *v, struct err *e);
} views[] = {
	{ "summary", "what it is of, who made it, how it ended (default)", view_summary },
	{ "headers", "the ELF header and every segment", view_headers },
	{ "notes", "every note, with what it says in a line", view_notes },
	{ "threads", "threads, with name, signal, pc and sp", view_threads },
	{ "maps", "the areas of memory, and how much of each is saved", view_maps },
	{ "missing", "what is not in the file, and why", view_missing },
};

enum { OPT_JSON = 1 };
const struct opt inspect_opts[] = {
	{ "json", 0, NULL, "print one JSON document", OPT_JSON },
	{ 0 }
};

void inspect_help_views(FILE *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		fprintf(f, "  %-10s %s\n", views[i].name, views[i].help);
}

static const struct view *view_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (!strcmp(views[i].name, name))
			return &views[i];
	return NULL;
}

/* [VIEW] CORE: one operand is the core, whatever it is called. */
static int operands(char **argv, int n, const struct view **view, const char **path, struct err *e)
{
	if (n < 1)
		return err_set(e, ERR_USAGE, "inspect needs a core file: tagcore inspect [VIEW] CORE");
	if (n > 2)
		return err_set(e, ERR_USAGE, "inspect takes a view and one core file, not %d operands", n);
	*view = n == 2 ? view_find(argv[0]) : &views[0];
	if (!*view)
		return err_set(e, ERR_USAGE, "inspect has no view %s; see tagcore help inspect", argv[0]);
	*path = argv[n - 1];
	if (n == 1 && view_find(argv[0]) && access(argv[0], F_OK) < 0)
		return err_set(e, ERR_USAGE, "inspect %s: the core file is missing", argv[0]);
	return 0;
}

int cmd_inspect(int argc, char **argv, struct err *e)
{
	struct view_ctx v = { .out = stdout };
	struct core core scoped(core_close) = { 0 };
	const struct view *view = NULL;
	struct opts_iter it;
	int r;

	opts_begin(&it, inspect_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0)
		v.json |= r == OPT_JSON;
	if (!r)
		r = operands(argv + it.operand, argc - it.operand, &view, &v.path, e);
	if (!r)
		r = core_open(&core, v.path, e);
	if (r)
		return r;
	v.core = &core;
	r = view->run(&v, e);
	return r < 0 ? r : EXIT_GOOD;
}
