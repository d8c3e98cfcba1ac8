#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "check/check.h"
#include "cli/cmds.h"
#include "cli/json.h"
#include "cli/reader.h"

enum { OPT_JSON = 1, OPT_STRICT, OPT_LIST, OPT_UNPACK_LIMIT, OPT_ALL };
const struct opt validate_opts[] = {
	{ "strict", 0, NULL, "warnings count as errors", OPT_STRICT },
	{ "all", 0, NULL, "a line for each finding, also for those that repeat", OPT_ALL },
	{ "list", 0, NULL, "list every check, its severity and source", OPT_LIST },
	{ READER_UNPACK_LIMIT, OPT_UNPACK_LIMIT },
	{ "json", 0, NULL, "print one JSON document", OPT_JSON },
	{ 0 }
};

struct validate {
	bool json;
	bool strict;
	bool list;
	bool all;
	u64 unpack_limit;
	struct json_list rows;
};

static void list_checks(struct validate *v)
{
	for (size_t i = 0; i < n_checks; i++) {
		const struct check *c = &checks[i];
		struct json_object *o;

		if (!v->json) {
			printf("%-24s %-8s %s. [%s]\n", c->id, check_severity_name(c->severity), c->what,
			       c->reference);
			continue;
		}
		o = json_object_new_object();
		json_put_text(o, "id", c->id);
		json_put_text(o, "severity", check_severity_name(c->severity));
		json_put_text(o, "what", c->what);
		json_put_text(o, "reference", c->reference);
		json_list_add(&v->rows, o);
	}
}

/* The finding, without an end of line. */
static void print_one(const char *path, const struct finding *f)
{
	text_puts(stdout, path);
	printf(": %s %s at 0x%" PRIx64 ": ", check_severity_name(f->severity), f->check->id, f->off);
	text_puts(stdout, f->msg);
}

static bool is_same(const struct finding *a, const struct finding *b)
{
	return a->check == b->check && a->severity == b->severity;
}

/* True when the finding was printed with an earlier one: those of a check are adjacent. */
static bool is_printed(const struct findings *l, size_t i)
{
	for (size_t k = i; k && l->f[k - 1].check == l->f[i].check; k--)
		if (is_same(&l->f[k - 1], &l->f[i]))
			return true;
	return false;
}

/* How many more the check has of that severity, and where the first of them are. */
static void print_more(const struct findings *l, size_t i)
{
	enum { PLACES = 3 };
	size_t n = 0;

	for (size_t k = i + 1; k < l->n && l->f[k].check == l->f[i].check; k++)
		if (is_same(&l->f[k], &l->f[i]))
			n += l->f[k].unlisted ? l->f[k].unlisted : 1;
	if (!n)
		return;
	printf(" (and %zu more, at", n);
	for (size_t k = i + 1, printed = 0; k < l->n && printed < min(n, (size_t)PLACES); k++) {
		if (!is_same(&l->f[k], &l->f[i]))
			continue;
		printf("%s 0x%" PRIx64, printed ? "," : "", l->f[k].off);
		printed++;
	}
	fputs(n > PLACES ? ", ...)" : ")", stdout);
}

static void print_text(const char *path, const struct findings *l, bool all)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!all && is_printed(l, i))
			continue;
		print_one(path, &l->f[i]);
		if (!all)
			print_more(l, i);
		putchar('\n');
	}
}

static void print_json(struct validate *v, const char *path, const struct findings *l, bool valid)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_put_text(o, "file", path);
	json_put_bool(o, "valid", valid);
	json_object_object_add(o, "findings", list);
	for (size_t i = 0; i < l->n; i++) {
		struct json_object *f = json_object_new_object();

		json_put_text(f, "id", l->f[i].check->id);
		json_put_text(f, "severity", check_severity_name(l->f[i].severity));
		json_put_u64(f, "offset", l->f[i].off);
		json_put_text(f, "message", l->f[i].msg);
		json_object_array_add(list, f);
	}
	json_list_add(&v->rows, o);
}

/* One file, in a process that may read that one only from here on. */
struct job {
	struct validate *v;
	const char *path;
};

static int validate_one(void *arg, u64 *unused, struct err *e)
{
	const struct job *job = arg;
	struct validate *v = job->v;
	struct core_file file = { .cancel = &cli_cancelled, .unpack_limit = v->unpack_limit };
	struct findings l scoped(findings_fini) = { .max = v->all ? CHECK_FINDINGS_ALL : CHECK_FINDINGS_MAX };
	int r = core_file_open(&file, job->path, e);
	bool valid;

	(void)unused;
	if (r)
		return r;
	reader_lock();
	r = check_open_file(&file, job->path, &l, e);
	if (r)
		return r;
	valid = !findings_count(&l, CHECK_ERROR) && !(v->strict && findings_count(&l, CHECK_WARNING));
	if (v->json)
		print_json(v, job->path, &l, valid);
	else
		print_text(job->path, &l, v->all);
	return valid ? EXIT_GOOD : EXIT_FINDINGS;
}

/*
 * Every file is looked at, also after one that cannot be read; the first of several
 * errors is reported.  Each has a process of its own: a sandboxed process cannot open a
 * second file, and a core that takes over its reader cannot affect the others.
 */
static int validate_all(struct validate *v, char **paths, int n, struct err *e)
{
	int result = 0, trouble = 0;

	for (int i = 0; i < n && trouble != ERR_CANCELLED; i++) {
		struct job job = { .v = v, .path = paths[i] };
		struct err mine = { 0 };
		int r = n > 1 ? reader_apart(validate_one, &job, NULL, &mine) :
			  validate_one(&job, NULL, &mine);

		if (r < 0 && !trouble) {
			trouble = r;
			*e = mine;
		}
		v->rows.any |= r >= 0;
		result = max(result, r);
	}
	return trouble ? trouble : result;
}

int cmd_validate(int argc, char **argv, struct err *e)
{
	struct validate v = { 0 };
	struct opts_iter it;
	int r;

	opts_begin(&it, validate_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		v.json |= r == OPT_JSON;
		v.strict |= r == OPT_STRICT;
		v.list |= r == OPT_LIST;
		v.all |= r == OPT_ALL;
		if (r == OPT_UNPACK_LIMIT && reader_unpack_limit(it.arg, &v.unpack_limit, e))
			return ERR_USAGE;
	}
	if (r)
		return r;
	if (!v.list && it.operand == argc)
		return err_set(e, ERR_USAGE, "validate needs a core file: tagcore validate CORE...");
	if (v.json)
		v.rows = json_list_begin(stdout);
	if (v.list)
		list_checks(&v);
	else
		r = validate_all(&v, argv + it.operand, argc - it.operand, e);
	if (v.json)
		json_list_end(&v.rows);
	return r;
}
