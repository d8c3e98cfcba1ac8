/* A file that becomes shorter while it is read: an error that says so, at whichever read it happens. */
#include "corebuild.h"

#include "base/util.h"
#include "check/check.h"
#include "core/modules.h"

struct shrinking {
	struct buf file;
	size_t reads;	/* so far */
	size_t at;	/* the read that finds it shrunk */
	u64 size;	/* to this */
};

static int read_at(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	struct shrinking *s = f->priv;
	u64 size = s->reads++ < s->at ? s->file.len : s->size;

	(void)e;
	*n = off < size ? (size_t)min((u64)len, size - off) : 0;
	if (*n)
		memcpy(buf, s->file.p + off, *n);
	return 0;
}

static void no_close(struct core_file *f)
{
	(void)f;
}

static const struct core_file_ops ops = { .name = "shrinking", .read_at = read_at, .close = no_close };

static int no_module(const struct core_module *m, void *arg, struct err *e)
{
	(void)m;
	(void)arg;
	(void)e;
	return 0;
}

static int no_run(const struct core_tag_run *run, void *arg, struct err *e)
{
	(void)run;
	(void)arg;
	(void)e;
	return 0;
}

static int read_areas(struct core *c, struct err *e)
{
	u8 buf[2 * CB_PAGE];

	for (size_t i = 0; i < c->n_areas; i++) {
		enum mem_state state;
		size_t n;
		int r = core_read(c, c->areas[i].start, buf, sizeof(buf), &state, &n, e);

		if (r)
			return r;
		for (size_t k = 0; state == MEM_PRESENT && k < n; k++)
			assert_int_equal(buf[k], cb_byte(c->areas[i].start + k));
	}
	return 0;
}

/* All that reads the file. */
static int use(struct shrinking *s, struct err *e)
{
	struct core_file file = { .ops = &ops, .priv = s, .size = s->file.len };
	struct findings l = { 0 };
	struct core core;
	int r;

	s->reads = 0;
	r = core_open_file(&core, &file, "it", e);
	if (r)
		return r;
	r = read_areas(&core, e);
	if (!r)
		r = core_tag_runs(&core, 0, UINT64_MAX, no_run, NULL, e);
	if (!r)
		r = core_modules(&core, no_module, NULL, e);
	if (!r)
		r = check_core(&core, &l, e);
	findings_fini(&l);
	core_close(&core);
	return r;
}

static void make(struct buf *file)
{
	struct cb cb;

	cb_good_mte(&cb, CB_LE64);
	cb_layout(&cb);
	cb_write(&cb, file);
	cb_fini(&cb);
}

static void any_read_may_find_it_shorter(void **state)
{
	struct shrinking s = { .at = SIZE_MAX };
	struct err e = { 0 };
	size_t reads, failed = 0;

	(void)state;
	make(&s.file);
	cb_ok(use(&s, &e), &e);
	reads = s.reads;
	assert_true(reads > 8);
	for (s.at = 0; s.at < reads; s.at++)
		for (s.size = 0; s.size < s.file.len; s.size += 777) {
			int r;

			e = (struct err){ 0 };
			r = use(&s, &e);
			if (!r)
				continue;
			failed++;
			assert_int_equal(r, ERR_TRUNCATED);
			assert_non_null(strstr(e.msg, "became shorter while it was read"));
		}
	/* Each read finds some of the sizes too short; an empty file is too short for every one. */
	assert_true(failed >= reads);
	buf_fini(&s.file);
}

/* The same of a file of the system's, which a mapping would make a SIGBUS of. */
static void truncated_while_open(void **state)
{
	struct buf file = { 0 };
	enum mem_state mem;
	struct core core;
	struct err e = { 0 };
	char path[32];
	u8 byte;
	size_t n;
	int fd;

	(void)state;
	make(&file);
	fd = cb_file_of(&file, path);
	cb_ok(core_open(&core, path, &e), &e);
	cb_ok(core_read(&core, CB_STACK, &byte, 1, &mem, &n, &e), &e);
	assert_int_equal(mem, MEM_PRESENT);
	assert_int_equal(byte, cb_byte(CB_STACK));
	assert_int_equal(ftruncate(fd, CB_PAGE), 0);
	assert_int_equal(core_read(&core, CB_STACK, &byte, 1, &mem, &n, &e), ERR_TRUNCATED);
	assert_non_null(strstr(e.msg, "became shorter while it was read"));
	core_close(&core);
	close(fd);
	buf_fini(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_read_may_find_it_shorter),
		cmocka_unit_test(truncated_while_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
