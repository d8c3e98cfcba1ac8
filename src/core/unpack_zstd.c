#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/util.h"
#include "core/unpack.h"

struct zstd {
	ZSTD_DStream *d;
	bool inside;	/* of a frame: the file must not end here */
};

static int zstd_open(struct unpacker *u, struct err *e)
{
	struct zstd *z = calloc(1, sizeof(*z));

	if (z)
		z->d = ZSTD_createDStream();
	if (!z || !z->d) {
		free(z);
		return err_set(e, -ENOMEM, "zstd");
	}
	u->state = z;
	return 0;
}

static void zstd_close(struct unpacker *u)
{
	struct zstd *z = u->state;

	ZSTD_freeDStream(z->d);
	free(z);
}

static int zstd_error(const struct unpacker *u, size_t code, struct err *e)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		return err_set(e, -ENOMEM, "unpack zstd");
	case ZSTD_error_frameParameter_windowTooLarge:
		/* ZSTD_d_windowLogMax has the library's default: 128 MiB, as zstd(1). */
		return err_at(e, ERR_UNSUPPORTED, u->pos,
			      "unpacking takes more memory than 128 MiB: unpack it first with zstd -d --long=31");
	case ZSTD_error_dictionary_wrong:
		return err_at(e, ERR_UNSUPPORTED, u->pos, "it was packed with a dictionary: unpack it first with zstd -d -D");
	default:
		return err_at(e, ERR_INPUT, u->pos, "the zstd data are damaged: %s", ZSTD_getErrorName(code));
	}
}

static int zstd_read(struct unpacker *u, u8 *buf, size_t len, size_t *n, struct err *e)
{
	struct zstd *z = u->state;
	ZSTD_outBuffer out = { .dst = buf, .size = len };

	while (out.pos < len) {
		int r = unpack_more(u, e);
		ZSTD_inBuffer in = { .src = u->buf, .size = u->len, .pos = u->at };
		size_t had = out.pos, hint;

		if (r)
			return r;
		if (u->at == u->len && !z->inside)
			return 0;
		hint = ZSTD_decompressStream(z->d, &out, &in);
		*n = out.pos;
		if (ZSTD_isError(hint))
			return zstd_error(u, hint, e);
		/* Without input it gives out what it holds, until there is no more. */
		if (u->at == u->len && out.pos == had)
			return unpack_truncated(u, e);
		unpack_advance(u, in.pos - u->at);
		z->inside = hint != 0;
	}
	return 0;
}

const struct unpacker_ops unpacker_zstd_ops = {
	.name = "zstd",
	.magic = { 0x28, 0xb5, 0x2f, 0xfd },
	.magic_len = 4,
	.open = zstd_open,
	.read = zstd_read,
	.close = zstd_close,
	.index = zstd_index,
	.agrees = zstd_agrees,
};
