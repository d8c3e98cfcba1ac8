/* repairbuild.h - a good core with a named damage, repaired and compared with what it was. */
#pragma once

#include "corebuild.h"

#include "base/scope.h"
#include "base/util.h"
#include "check/check.h"
#include "repair/repair.h"

/*
 * A good core plus one named damage: @check finds it, @repair repairs it, and what
 * is found then was found before, or is @then.  notes: before the places are given;
 * late: headers; bytes: the file.  mte: the core has memory tags, of aarch64.
 */
struct damage {
	const char *repair;
	const char *check;	/* NULL: no check finds it */
	const char *what;
	void (*notes)(struct cb *cb);
	void (*late)(struct cb *cb);
	void (*bytes)(struct cb *cb, struct buf *b);
	bool mte;
	const char *then;
	u32 other_note;		/* of this type: what is in it changes */
	bool lossy;		/* something is lost, which is recorded; a thread's stack may be among it */
	bool hides;		/* the damage hides notes: to be compared with the core without it */
};

cb_unused static void rb_build(const struct damage *d, struct cb *cb, struct buf *b)
{
	if (d->mte)
		cb_good_mte(cb, CB_LE64);
	else
		cb_good(cb, EM_X86_64, CB_LE64);
	/* Without a note of the owner LINUX, LLDB would not know. */
	cb->ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	if (d->notes)
		d->notes(cb);
	cb_layout(cb);
	if (d->late)
		d->late(cb);
	cb_write(cb, b);
	if (d->bytes)
		d->bytes(cb, b);
}

/* @b as a file without a name; -1 and why when it cannot be repaired. */
cb_unused static int rb_repair(const struct buf *b, struct repaired *rep, struct err *e)
{
	struct core_file file = { 0 };
	char path[32];
	int fd auto_close = cb_file_of(b, path);
	int r;

	cb_ok(core_file_open(&file, path, e), e);
	r = repair_open(rep, &file, path, NULL, e);
	assert_null(file.ops);
	return r;
}

cb_unused static void rb_write_out(struct repaired *rep, struct buf *out)
{
	struct writer w = { 0 };
	int fd auto_close = memfd_create("out", MFD_CLOEXEC);
	struct err e = { 0 };
	u8 *to;

	assert_true(fd >= 0);
	cb_ok(writer_open_stream(&w, fd, "out", &e), &e);
	cb_ok(repair_write(rep, &w, &e), &e);
	cb_ok(writer_finish(&w, &e), &e);
	writer_close(&w);
	cb_ok(buf_reserve(out, rep->size, &to, &e), &e);
	assert_int_equal(pread(fd, to, rep->size + 1, 0), rep->size);
	out->len = rep->size;
}

cb_unused static void rb_open_bytes(const struct buf *b, struct core *core)
{
	char path[32];
	int fd auto_close = cb_file_of(b, path);
	struct err e = { 0 };

	cb_ok(core_open(core, path, &e), &e);
}

cb_unused static bool rb_has_finding(const struct findings *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->f[i].check->id, id))
			return true;
	return false;
}

cb_unused static void rb_check_bytes(const struct buf *b, struct findings *l)
{
	char path[32];
	int fd auto_close = cb_file_of(b, path);
	struct err e = { 0 };

	cb_ok(check_file(path, l, &e), &e);
}

/* What @was has of the good core's memory, @is has, too; and nothing else. */
cb_unused static void rb_same_memory(struct core *was, struct core *is)
{
	static const u64 pages[] = { CB_TEXT, CB_TEXT + CB_PAGE, CB_HEAP, CB_HEAP + CB_PAGE, CB_STACK, CB_STACK + CB_PAGE };

	for (size_t i = 0; i < ARRAY_SIZE(pages) * CB_PAGE; i++) {
		u64 addr = pages[i / CB_PAGE] + i % CB_PAGE, until;
		enum mem_state a = core_mem_state(was, addr, &until), b = core_mem_state(is, addr, &until);
		size_t n;
		struct err e;
		u8 byte, old;

		if (a == MEM_PRESENT)
			assert_int_equal(b, MEM_PRESENT);
		if (a != MEM_PRESENT || i % 61)
			continue;
		cb_ok(core_read(is, addr, &byte, 1, &b, &n, &e), &e);
		cb_ok(core_read(was, addr, &old, 1, &a, &n, &e), &e);
		assert_int_equal(byte, old);
	}
}

/* Index of the first note from @i on that is not the record of what is lost. */
static inline size_t rb_other_note(const struct core *c, size_t i)
{
	while (i < c->n_notes && c->notes[i].note.type == NT_TAGCORE_MISSING)
		i++;
	return i;
}

/* Every note of @is is one of @was, in the same order, but for what may change. */
cb_unused static void rb_same_notes(const struct core *was, const struct core *is, u32 other)
{
	size_t k = rb_other_note(was, 0);

	for (size_t i = rb_other_note(is, 0); i < is->n_notes;
	     i = rb_other_note(is, i + 1), k = rb_other_note(was, k + 1)) {
		const struct note *a = &was->notes[k].note, *b = &is->notes[i].note;

		assert_true(k < was->n_notes);

		assert_string_equal(a->owner, b->owner);
		assert_int_equal(a->type, b->type);
		if (b->type == other)
			continue;
		assert_int_equal(a->desc.len, b->desc.len);
		assert_memory_equal(a->desc.p, b->desc.p, b->desc.len);
	}
}

cb_unused static void rb_repairs_nothing_more(const struct buf *b)
{
	struct repaired again = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	cb_ok(rb_repair(b, &again, &e), &e);
	if (again.n_changes)
		fail_msg("repaired again: %s: %s", again.changes[0].repair->id, again.changes[0].msg);
	rb_write_out(&again, &out);
	assert_int_equal(out.len, b->len);
	assert_memory_equal(out.p, b->p, b->len);
	repair_close(&again);
	buf_fini(&out);
}
