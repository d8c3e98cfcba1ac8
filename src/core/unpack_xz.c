#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "core/unpack.h"

enum {
	XZ_MEM_MAX = 160 << 20,		/* xz -9 takes 65 MiB */
	XZ_INDEX_MEM_MAX = 32 << 20,	/* of which liblzma counts 16 bytes for a block */
};

static int xz_open(struct unpacker *u, struct err *e)
{
	lzma_stream *s = calloc(1, sizeof(*s));

	if (!s || lzma_stream_decoder(s, XZ_MEM_MAX, LZMA_CONCATENATED) != LZMA_OK) {
		free(s);
		return err_set(e, -ENOMEM, "xz");
	}
	u->state = s;
	return 0;
}

static void xz_close(struct unpacker *u)
{
	lzma_end(u->state);
	free(u->state);
}

static int xz_error(const struct unpacker *u, lzma_ret code, struct err *e)
{
	lzma_stream *s = u->state;

	switch (code) {
	case LZMA_MEM_ERROR:
		return err_set(e, -ENOMEM, "unpack xz");
	case LZMA_MEMLIMIT_ERROR:
		return err_at(e, ERR_UNSUPPORTED, u->pos, "unpacking takes %llu MiB of memory: unpack it first with xz -d",
			      (unsigned long long)lzma_memusage(s) >> 20);
	case LZMA_OPTIONS_ERROR:
		return err_at(e, ERR_UNSUPPORTED, u->pos, "the xz data use what this liblzma does not know");
	case LZMA_BUF_ERROR:
		return unpack_truncated(u, e);
	default:
		return err_at(e, ERR_INPUT, u->pos, "the xz data are damaged");
	}
}

static int xz_read(struct unpacker *u, u8 *buf, size_t len, size_t *n, struct err *e)
{
	lzma_stream *s = u->state;

	s->next_out = buf;
	s->avail_out = len;
	while (s->avail_out) {
		lzma_ret code;
		int r = unpack_more(u, e);
		size_t have = u->len - u->at;

		if (r)
			return r;
		s->next_in = u->buf + u->at;
		s->avail_in = have;
		code = lzma_code(s, have ? LZMA_RUN : LZMA_FINISH);
		unpack_advance(u, have - s->avail_in);
		*n = len - s->avail_out;
		if (code == LZMA_STREAM_END)
			return 0;
		if (code != LZMA_OK)
			return xz_error(u, code, e);
	}
	return 0;
}

/* The index at the end of each stream: only its sum is of interest. */
static int xz_index(const struct unpacker_ops *self, struct core_file *in, struct unpack_index *out, struct err *e)
{
	lzma_stream s scoped(lzma_end) = LZMA_STREAM_INIT;
	lzma_index *index = NULL;
	lzma_ret code = lzma_file_info_decoder(&s, &index, XZ_INDEX_MEM_MAX, in->size);
	u8 buf[4096];
	u64 pos = 0;

	(void)self;
	while (code == LZMA_OK || code == LZMA_SEEK_NEEDED) {
		size_t n = 0;
		int r;

		if (code == LZMA_SEEK_NEEDED) {
			pos = s.seek_pos;
			s.avail_in = 0;
		}
		if (!s.avail_in) {
			if (in->cancel && *in->cancel)
				return err_set(e, ERR_CANCELLED, "interrupted");
			r = in->ops->read_at(in, pos, buf, sizeof(buf), &n, e);
			if (r)
				return r;
			s.next_in = buf;
			s.avail_in = n;
			pos += n;
		}
		code = lzma_code(&s, s.avail_in ? LZMA_RUN : LZMA_FINISH);
	}
	/* Anything else: without a valid index the size is known only after unpacking. */
	if (code == LZMA_STREAM_END) {
		out->has_size = true;
		out->size = lzma_index_uncompressed_size(index);
		lzma_index_end(index, NULL);
	}
	return 0;
}

const struct unpacker_ops unpacker_xz_ops = {
	.name = "xz",
	.magic = { 0xfd, '7', 'z', 'X', 'Z', 0 },
	.magic_len = 6,
	.open = xz_open,
	.read = xz_read,
	.close = xz_close,
	.index = xz_index,
};
