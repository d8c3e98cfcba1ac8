#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "cli/json.h"
#include "cli/reader.h"
#include "repair/repair.h"

enum { OPT_FORCE = 1, OPT_LIST, OPT_JSON, OPT_UNPACK_LIMIT };
const struct opt repair_opts[] = {
	{ "force", 0, NULL, "replace an existing output file", OPT_FORCE },
	{ "list", 0, NULL, "list every repair, the checks that find its damage, and its source", OPT_LIST },
	{ READER_UNPACK_LIMIT, OPT_UNPACK_LIMIT },
	{ "json", 0, NULL, "print one JSON document", OPT_JSON },
	{ 0 }
};

struct job {
	bool force;
	bool list;
	bool json;
	u64 unpack_limit;
	const char *in;
	const char *out;
};

/* ---- --list */

static void list_one_json(struct json_list *rows, const struct repair *r)
{
	struct json_object *o = json_object_new_object(), *found_by = json_object_new_array();

	json_put_text(o, "id", r->id);
	json_object_object_add(o, "cures", found_by);
	for (const char *const *id = r->found_by; id && *id; id++)
		json_object_array_add(found_by, json_object_new_string(*id));
	json_put_text(o, "what", r->what);
	json_put_text(o, "reference", r->reference);
	json_list_add(rows, o);
}

static void list_one(const struct repair *r)
{
	printf("%-14s (", r->id);
	for (const char *const *id = r->found_by; id && *id; id++)
		printf("%s%s", id == r->found_by ? "" : ", ", *id);
	printf("%s) %s. [%s]\n", r->found_by ? "" : "no check", r->what, r->reference);
}

static void list_repairs(bool json)
{
	struct json_list rows = { .out = stdout };

	if (json)
		rows = json_list_begin(stdout);
	for (size_t i = 0; i < n_repairs; i++)
		if (json)
			list_one_json(&rows, &repairs[i]);
		else
			list_one(&repairs[i]);
	if (json)
		json_list_end(&rows);
}

/* ---- what was done, and what is left */

static void print_text(const struct repaired *r)
{
	for (size_t i = 0; i < r->n_changes; i++) {
		printf("%s at 0x%" PRIx64 ": ", r->changes[i].repair->id, r->changes[i].off);
		text_puts(stdout, r->changes[i].msg);
		putchar('\n');
	}
	if (!r->n_changes)
		puts("nothing to repair");
	for (size_t i = 0; i < r->left.n; i++) {
		const struct finding *f = &r->left.f[i];

		if (f->severity == CHECK_INFO)
			continue;
		printf("left: %s %s at 0x%" PRIx64 ": ", check_severity_name(f->severity), f->check->id, f->off);
		text_puts(stdout, f->msg);
		putchar('\n');
	}
}

static void print_json(const struct job *j, const struct repaired *r)
{
	struct json_object *o = json_object_new_object(), *done = json_object_new_array(), *left = json_object_new_array();

	json_put_text(o, "file", j->in);
	json_put_text(o, "output", j->out);
	json_object_object_add(o, "repairs", done);
	json_object_object_add(o, "left", left);
	for (size_t i = 0; i < r->n_changes; i++) {
		struct json_object *row = json_object_new_object();

		json_put_text(row, "id", r->changes[i].repair->id);
		json_put_u64(row, "offset", r->changes[i].off);
		json_put_text(row, "message", r->changes[i].msg);
		json_object_array_add(done, row);
	}
	for (size_t i = 0; i < r->left.n; i++) {
		struct json_object *row = json_object_new_object();

		json_put_text(row, "id", r->left.f[i].check->id);
		json_put_text(row, "severity", check_severity_name(r->left.f[i].severity));
		json_put_u64(row, "offset", r->left.f[i].off);
		json_put_text(row, "message", r->left.f[i].msg);
		json_object_array_add(left, row);
	}
	json_print(stdout, o);
}

/* ---- the work */

/* The input must stay as it is, by whatever name the output has it; and a device is not to be replaced by a file. */
static int check_output(const struct job *j, struct err *e)
{
	struct stat in, out;

	if (stat(j->out, &out))
		return 0;
	if (!stat(j->in, &in) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return err_set(e, ERR_USAGE, "%s is %s: repair never changes its input", j->out, j->in);
	if (S_ISDIR(out.st_mode))
		return err_set(e, -EISDIR, "create %s", j->out);
	if (!S_ISREG(out.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "%s is not a regular file: repair writes one", j->out);
	return 0;
}

/* What is read and written by a process that is locked in: it prints, too, and its parent gives the file its name. */
struct repair_run {
	const struct job *job;
	struct core_file file;
	struct writer w;
};

static int repair_locked(void *arg, u64 *size, struct err *e)
{
	struct repaired rep scoped(repair_close) = { 0 };
	struct repair_run *m = arg;
	int r;

	reader_lock();
	r = repair_open(&rep, &m->file, m->job->in, &cli_cancelled, e);
	if (!r)
		r = repair_write(&rep, &m->w, e);
	if (r)
		return r;
	*size = m->w.off;
	if (m->job->json)
		print_json(m->job, &rep);
	else
		print_text(&rep);
	return findings_count(&rep.left, CHECK_ERROR) ? EXIT_FINDINGS : EXIT_GOOD;
}

/* The bytes are there: only the size, and the name, are the parent's to give. */
static int repair_apart(struct repair_run *m, struct err *e)
{
	u64 size;
	int r = reader_apart(repair_locked, m, &size, e), err;

	if (r < 0)
		return r;
	err = writer_skip_to(&m->w, size, e);
	if (!err)
		err = writer_finish(&m->w, e);
	return err ? err : r;
}

static int run(const struct job *j, struct err *e)
{
	struct repair_run m = { .job = j, .file = { .cancel = &cli_cancelled, .unpack_limit = j->unpack_limit } };
	int r = check_output(j, e);

	if (!r)
		r = core_file_open(&m.file, j->in, e);
	if (r)
		return r;
	r = writer_open_file(&m.w, j->out, j->force, e);
	if (!r)
		r = repair_apart(&m, e);
	core_file_close(&m.file);
	writer_close(&m.w);
	return r;
}

int cmd_repair(int argc, char **argv, struct err *e)
{
	struct job j = { 0 };
	struct opts_iter it;
	int r;

	opts_begin(&it, repair_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		j.force |= r == OPT_FORCE;
		j.list |= r == OPT_LIST;
		j.json |= r == OPT_JSON;
		if (r == OPT_UNPACK_LIMIT && reader_unpack_limit(it.arg, &j.unpack_limit, e))
			return ERR_USAGE;
	}
	if (r)
		return r;
	if (j.list) {
		list_repairs(j.json);
		return EXIT_GOOD;
	}
	if (argc - it.operand != 2)
		return err_set(e, ERR_USAGE, "repair needs two files: tagcore repair IN OUT");
	j.in = argv[it.operand];
	j.out = argv[it.operand + 1];
	return run(&j, e);
}
