#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"
#include "core/core_priv.h"
#include "core/unpack.h"

int unpacker_open(struct unpacker **out, const struct unpacker_ops *ops, struct core_file *file, u64 pos, u64 end,
		  struct err *e)
{
	struct unpacker *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_set(e, -ENOMEM, "%s", ops->name);
	*u = (struct unpacker){ .ops = ops, .file = file, .pos = pos, .end = end };
	r = ops->open(u, e);
	if (r) {
		free(u);
		return r;
	}
	*out = u;
	return 0;
}

static int cancelled(const struct unpacker *u, struct err *e)
{
	const volatile sig_atomic_t *cancel = u->file->cancel;

	return cancel && *cancel ? err_set(e, ERR_CANCELLED, "interrupted while unpacking") : 0;
}

int unpacker_read(struct unpacker *u, u8 *buf, size_t len, size_t *n, struct err *e)
{
	/* Here, too: little input may become much. */
	int r = cancelled(u, e);

	*n = 0;
	return r ? r : u->ops->read(u, buf, len, n, e);
}

void unpacker_close(struct unpacker **u)
{
	if (!*u)
		return;
	(*u)->ops->close(*u);
	free(*u);
	*u = NULL;
}

int unpack_more(struct unpacker *u, struct err *e)
{
	struct core_file *f = u->file;
	size_t want, n = 0;
	int r;

	if (u->at < u->len || u->pos >= u->end)
		return 0;
	want = (size_t)min((u64)sizeof(u->buf), u->end - u->pos);
	r = cancelled(u, e);
	if (!r)
		r = f->ops->read_at(f, u->pos, u->buf, want, &n, e);
	if (r)
		return r;
	/* It became shorter: that is its end. */
	if (n < want)
		u->end = u->pos + n;
	u->at = 0;
	u->len = n;
	return 0;
}

void unpack_advance(struct unpacker *u, size_t n)
{
	u->at += n;
	u->pos += n;
}

int unpack_truncated(const struct unpacker *u, struct err *e)
{
	return err_at(e, ERR_TRUNCATED, u->pos, "the %s data end in the middle", u->ops->name);
}

int unpack_bad_table(struct err *out, u64 off)
{
	return err_at(out, ERR_INPUT, off, "the seek table does not agree with the frames, and is not used");
}

int unpack_index_add(struct unpack_index *x, struct unpack_frame frame, u64 size, struct err *e)
{
	int r = array_grow((void **)&x->frames, x->n_frames, &x->cap, sizeof(*x->frames), "read core", e);

	if (r)
		return r;
	frame.off = x->size;
	x->frames[x->n_frames++] = frame;
	x->size += size;
	x->largest = max(x->largest, size);
	return 0;
}

void unpack_index_fini(struct unpack_index *x)
{
	free(x->frames);
	*x = (struct unpack_index){ 0 };
}
