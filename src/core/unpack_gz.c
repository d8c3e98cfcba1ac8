#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/util.h"
#include "core/unpack.h"

/* GZIP: RFC 1952.  A file is one member after another; their lengths stand nowhere beforehand. */
struct gz {
	z_stream z;
	bool inside;	/* of a member */
};

static int gz_open(struct unpacker *u, struct err *e)
{
	struct gz *g = calloc(1, sizeof(*g));

	/* 16: gzip's header and checksum, and no other's. */
	if (!g || inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {
		free(g);
		return err_set(e, -ENOMEM, "gzip");
	}
	g->inside = true;
	u->state = g;
	return 0;
}

static void gz_close(struct unpacker *u)
{
	struct gz *g = u->state;

	inflateEnd(&g->z);
	free(g);
}

/* Between members: the next one, or the end, which may be padded with zeros (as tapes and gzip(1) have it). */
static int gz_next_member(struct unpacker *u, bool *end, struct err *e)
{
	struct gz *g = u->state;

	for (;;) {
		int r = unpack_more(u, e);

		if (r)
			return r;
		*end = u->at == u->len;
		if (*end)
			return 0;
		if (u->buf[u->at])
			break;
		unpack_advance(u, 1);
	}
	g->inside = true;
	if (inflateReset(&g->z) != Z_OK)
		return err_set(e, -EINVAL, "gzip");
	return 0;
}

static int gz_step(struct unpacker *u, u8 *to, size_t len, size_t *made, struct err *e)
{
	struct gz *g = u->state;
	size_t have = u->len - u->at;
	int r;

	g->z.next_in = u->buf + u->at;
	g->z.avail_in = (uInt)have;
	g->z.next_out = to;
	g->z.avail_out = (uInt)min(len, (size_t)1 << 30);
	*made = g->z.avail_out;
	r = inflate(&g->z, Z_NO_FLUSH);
	*made -= g->z.avail_out;
	unpack_advance(u, have - g->z.avail_in);
	switch (r) {
	case Z_STREAM_END:
		g->inside = false;
		return 0;
	case Z_OK:
		return 0;
	case Z_BUF_ERROR:	/* no progress */
		return have ? 0 : unpack_truncated(u, e);
	case Z_MEM_ERROR:
		return err_set(e, -ENOMEM, "unpack gzip");
	default:
		return err_at(e, ERR_INPUT, u->pos, "the gzip data are damaged: %s", g->z.msg ? g->z.msg : "no reason given");
	}
}

static int gz_read(struct unpacker *u, u8 *buf, size_t len, size_t *n, struct err *e)
{
	struct gz *g = u->state;

	while (*n < len) {
		bool end = false;
		size_t made = 0;
		int r = g->inside ? unpack_more(u, e) : gz_next_member(u, &end, e);

		if (r || end)
			return r;
		r = gz_step(u, buf + *n, len - *n, &made, e);
		*n += made;
		if (r)
			return r;
	}
	return 0;
}

const struct unpacker_ops unpacker_gz_ops = {
	.name = "gzip",
	.magic = { 0x1f, 0x8b, 8 },
	.magic_len = 3,
	.open = gz_open,
	.read = gz_read,
	.close = gz_close,
};
