/* fuzz_api.c - any bytes as a core by the public interface: all that it hands out is read. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"
#include "cli/cmds.h"
#include "fuzz.h"

#include <tagcore/tagcore.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

enum { MOST = 512 };	/* of anything that one call goes through */

struct seen {
	size_t n;
	uint64_t end;
	unsigned sum;	/* of what was read */
};

static void read_bytes(struct seen *s, const void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s->sum += ((const uint8_t *)p)[i];
}

static void read_text(struct seen *s, const char *text)
{
	if (text)
		read_bytes(s, text, strlen(text));
}

static void failed(const char *what, int r, const struct tagcore_error *e)
{
	must(r >= 0 || (e->code == r && *e->message), "%s: %d", what, r);
}

static int next(struct seen *s)
{
	return ++s->n < MOST ? 0 : 1;
}

static int on_missing(const struct tagcore_missing *m, void *arg)
{
	must(!m->has_range || m->start < m->end, "an empty range is missing");
	read_text(arg, m->reason);
	return next(arg);
}

static int on_module(const struct tagcore_module *m, void *arg)
{
	read_text(arg, m->path);
	read_bytes(arg, m->build_id, m->build_id_size);
	return next(arg);
}

static int on_tags(const struct tagcore_tag_run *run, void *arg)
{
	must(run->start < run->end && run->tag < 16, "tags 0x%llx", (unsigned long long)run->start);
	return next(arg);
}

static int on_register(const struct tagcore_register *reg, void *arg)
{
	must(reg->size, "%s of no size", reg->name);
	read_text(arg, reg->name);
	read_bytes(arg, reg->bytes, reg->size);
	return next(arg);
}

static int on_run(const struct tagcore_area *a, const struct tagcore_page_run *r, void *arg)
{
	must(r->start >= a->start && r->end <= a->end && r->start < r->end && r->flags, "a run that is not in its area");
	return next(arg);
}

static void walk_areas(struct tagcore_core *core, struct seen *s)
{
	static const struct tagcore_page_walk_ops ops = { .size = sizeof(ops), .run = on_run };
	const struct tagcore_area *a;
	struct tagcore_error e;
	uint64_t end = 0;
	size_t n = 0;
	int r;

	TAGCORE_AREA_ITER(it, tagcore_core_mm(core), 0);
	while (n++ < MOST && (a = tagcore_area_next(&it))) {
		must(a->start >= end && a->start < a->end, "areas overlap");
		end = a->end;
		read_text(s, a->name);
	}
	failed("areas", tagcore_area_iter_end(&it, &e), &e);
	r = tagcore_page_walk(tagcore_core_mm(core), tagcore_core_pages(core), 0, UINT64_MAX, &ops, s, &e);
	failed("pages", r, &e);
}

static void walk_threads(struct tagcore_core *core, struct seen *s)
{
	const struct tagcore_thread *t;
	struct tagcore_error e;

	for (size_t i = 0; i < MOST && (t = tagcore_core_thread(core, i)); i++) {
		read_text(s, t->name);
		tagcore_tag_control_of(core, t);
		failed("registers", tagcore_registers_each(core, t, NULL, on_register, s, &e), &e);
	}
}

static int on_entry(uint64_t type, uint64_t value, void *arg)
{
	struct seen *s = arg;

	s->sum += (unsigned)(type ^ value);
	return next(s);
}

static void walk_lists(struct tagcore_core *core, struct seen *s)
{
	const struct tagcore_note *n;
	const struct tagcore_file *f;

	for (size_t i = 0; i < MOST && (n = tagcore_core_note(core, i)); i++) {
		read_text(s, n->owner);
		read_bytes(s, n->data, n->size);
	}
	for (size_t i = 0; i < MOST && tagcore_core_segment(core, i); i++)
		;
	for (size_t i = 0; i < MOST && (f = tagcore_core_file(core, i)); i++)
		read_text(s, f->path);
	tagcore_auxv_each(core, on_entry, s);
}

static void walk_core(struct tagcore_core *core)
{
	const struct tagcore_core_info *info = tagcore_core_get_info(core);
	struct tagcore_error e;
	struct seen s = { 0 };

	read_text(&s, info->kind_name);
	read_text(&s, info->machine);
	read_text(&s, info->maker);
	read_text(&s, info->command);
	read_text(&s, info->arguments);
	read_text(&s, info->signal_name);
	walk_areas(core, &s);
	walk_threads(core, &s);
	walk_lists(core, &s);
	failed("missing", tagcore_missing_each(core, on_missing, &s, &e), &e);
	failed("modules", tagcore_modules_each(core, on_module, &s, &e), &e);
	failed("tags", tagcore_tags_each(core, 0, UINT64_MAX, on_tags, &s, &e), &e);
}

void fuzz_api(const uint8_t *data, size_t size)
{
	const struct tagcore_open_options o = { .size = sizeof(o), .cancel = &cli_cancelled };
	int fd auto_close = memfd_create("core", MFD_CLOEXEC);
	struct tagcore_core *core;
	struct tagcore_error e;
	int r;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory file");
	r = tagcore_core_open_fd(&core, fd, NULL, &o, &e);
	failed("tagcore_core_open_fd", r, &e);
	if (r)
		return;
	walk_core(core);
	tagcore_core_close(core);
}

#ifdef __clang__
#pragma clang attribute pop
#endif
