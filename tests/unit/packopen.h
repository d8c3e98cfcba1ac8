/* packopen.h - a packed core, built, written and opened as a file. */
#pragma once

#include "packbuild.h"

#include "core/core_file_packed.h"

struct packed_core {
	struct buf plain;
	struct buf packed;
	struct core_file file;
	char path[32];
	int fd;
};

cb_unused static void good_core(struct buf *out, void (*change)(struct cb *cb))
{
	struct cb cb;

	cb_good(&cb, EM_X86_64, CB_LE64);
	cb.ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	if (change)
		change(&cb);
	cb_layout(&cb);
	cb_write(&cb, out);
	cb_fini(&cb);
}

/* 0 or what opening or starting said. */
cb_unused static int try_open(struct packed_core *c, struct err *e)
{
	int r;

	c->fd = cb_file_of(&c->packed, c->path);
	r = core_file_open(&c->file, c->path, e);
	return r ? r : core_file_start(&c->file, e);
}

cb_unused static void shut(struct packed_core *c)
{
	core_file_close(&c->file);
	if (c->fd > 0)
		close(c->fd);
	c->fd = 0;
}

cb_unused static void done(struct packed_core *c)
{
	shut(c);
	buf_fini(&c->plain);
	buf_fini(&c->packed);
}

cb_unused static void open_packed(struct packed_core *c, void (*pack)(const struct buf *in, struct buf *out))
{
	struct err e = { 0 };

	*c = (struct packed_core){ 0 };
	good_core(&c->plain, NULL);
	pack(&c->plain, &c->packed);
	cb_ok(try_open(c, &e), &e);
}

cb_unused static struct packed *inside(struct packed_core *c)
{
	assert_non_null(c->file.packing);
	return c->file.priv;
}

/* The whole file is as the plain one, up to @size. */
cb_unused static void same_up_to(struct packed_core *c, u64 size)
{
	u8 *got = malloc(c->plain.len);
	struct err e = { 0 };

	assert_true(size <= c->plain.len);
	cb_ok(core_file_read(&c->file, 0, got, size, &e), &e);
	assert_memory_equal(got, c->plain.p, size);
	free(got);
}

cb_unused static void expect_faults(struct packed_core *c, size_t n, int code)
{
	struct err e = { 0 };

	cb_ok(core_file_verify(&c->file, &e), &e);
	assert_int_equal(c->file.packing->n_faults, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(c->file.packing->faults[i].code, code);
}

cb_unused static unsigned roll(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}
