/* coreopen.h - a core with memory tags, built, written and opened. */
#pragma once

#include "corebuild.h"

struct opened {
	struct cb cb;
	struct core core;
	char path[32];
	int fd;
};

cb_unused static void reopen(struct opened *o)
{
	struct err e = { 0 };

	core_close(&o->core);
	cb_ok(core_open(&o->core, o->path, &e), &e);
}

cb_unused static void open_built(struct opened *o)
{
	struct buf file = { 0 };

	o->core = (struct core){ 0 };
	cb_layout(&o->cb);
	cb_write(&o->cb, &file);
	o->fd = cb_file_of(&file, o->path);
	buf_fini(&file);
	reopen(o);
}

cb_unused static void fini(struct opened *o)
{
	core_close(&o->core);
	close(o->fd);
	cb_fini(&o->cb);
}

cb_unused static enum tag_state at(struct opened *o, u64 addr, u8 *tag)
{
	enum tag_state s = 99;
	struct err e = { 0 };

	*tag = 77;
	cb_ok(core_tag_at(&o->core, addr, &s, tag, &e), &e);
	return s;
}

cb_unused static void expect_at(struct opened *o, u64 addr, enum tag_state want, u8 want_tag)
{
	u8 tag;

	assert_int_equal(at(o, addr, &tag), want);
	assert_int_equal(tag, want == TAG_KNOWN ? want_tag : 77);
}
