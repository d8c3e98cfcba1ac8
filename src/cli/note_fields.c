#include "cli/note_fields.h"

#include <string.h>

#include "base/util.h"

u64 note_take(struct note_cursor *c, unsigned size)
{
	u64 v = 0;

	c->at = align_up(c->at, size);
	c->bad |= bytes_uint(c->b, c->fmt, c->at, size, &v, NULL) != 0;
	c->at += size;
	return v;
}

s64 note_take_signed(struct note_cursor *c, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	return (s64)(note_take(c, size) << unused) >> unused;
}

struct core_text note_take_text(struct note_cursor *c, size_t len)
{
	struct bytes b;

	if (bytes_sub(c->b, c->at, len, &b, NULL)) {
		c->bad = true;
		return (struct core_text){ 0 };
	}
	c->at += len;
	return (struct core_text){ .p = (const char *)b.p, .len = strnlen((const char *)b.p, len) };
}

static unsigned width(const struct note_ctx *n, const struct note_field *f)
{
	return f->size != NOTE_LONG ? f->size : n->core->layout.word;
}

u64 note_fields_size(const struct note_ctx *n, const struct note_field *f, size_t count)
{
	u64 at = 0;

	for (size_t i = 0; i < count; i++) {
		if (f[i].how != NOTE_TEXT)
			at = align_up(at, width(n, &f[i]));
		at += width(n, &f[i]);
	}
	return at;
}

int note_fields_show(struct note_ctx *n, const struct note_field *f, size_t count)
{
	struct note_cursor c = { .b = n->note->desc, .fmt = n->core->fmt };

	if (c.b.len < note_fields_size(n, f, count))
		return 0;
	for (size_t i = 0; i < count; i++)
		switch (f[i].how) {
		case NOTE_U:	show_u64(n->s, f[i].name, note_take(&c, width(n, &f[i]))); break;
		case NOTE_S:	show_s64(n->s, f[i].name, note_take_signed(&c, width(n, &f[i]))); break;
		case NOTE_X:	show_hex(n->s, f[i].name, note_take(&c, width(n, &f[i]))); break;
		case NOTE_TEXT:	show_text(n->s, f[i].name, note_take_text(&c, f[i].size)); break;
		}
	return 1;
}
