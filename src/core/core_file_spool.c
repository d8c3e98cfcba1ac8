/*
 * core_file_spool.c - a packed core unpacked from its beginning, as far as anybody reads, into a temporary file.
 *
 * The file has no name and is sparse: pages of zeros, of which most cores mainly
 * consist, take no room.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/scope.h"
#include "base/temp.h"
#include "base/text.h"
#include "base/util.h"
#include "core/core_file_packed.h"

enum {
	PAGE = 4096,			/* the grain of holes */
	ROOM_STEP = 1 << 20,		/* bytes written between looks at the room */
};

/* Fails while some disk space is left, with a message that says what to do. */
static int look_for_room(struct packed *p, size_t len, struct err *e)
{
	char size[TEXT_SIZE_MAX];
	u64 room;

	p->unchecked += len;
	if (p->unchecked < ROOM_STEP)
		return 0;
	p->unchecked = 0;
	if (temp_has_room(p->temp, 0, &room))
		return 0;
	return err_set(e, ERR_LIMIT, "unpacking filled the temporary directory but for %s: set TMPDIR to a larger one",
		       text_size(room, size));
}

static int spool_write(struct packed *p, const u8 *from, size_t len, u64 off, struct err *e)
{
	int r = packed_charge(p, 0, p->kept + len, e);

	if (!r)
		r = look_for_room(p, len, e);
	p->kept += len;
	return r ? r : io_pwrite_full(p->temp, from, len, off, "the temporary file (in TMPDIR)", e);
}

/* Runs of pages that are not zero; the size of the file alone says that there are others. */
static int spool_store(struct packed *p, size_t len, struct err *e)
{
	size_t from = 0, at = 0;
	int r = 0;

	while (!r && at < len) {
		size_t n = min((size_t)PAGE, len - at);

		if (mem_is_zero(p->piece + at, n)) {
			r = spool_write(p, p->piece + from, at - from, p->have + from, e);
			from = at + n;
		}
		at += n;
	}
	if (!r)
		r = spool_write(p, p->piece + from, len - from, p->have + from, e);
	if (!r && ftruncate(p->temp, (off_t)(p->have + len)))
		r = err_set(e, -errno, "make the temporary file larger");
	return r;
}

/*
 * What was unpacked before an error is kept; a fault of the packed file is the end.
 * So is a full disk: data that could not be stored are not unpacked again.
 */
static int spool_step(struct packed *p, struct err *e)
{
	struct err full = { 0 };
	size_t n = 0;
	int got = unpacker_read(p->u, p->piece, PACKED_PIECE, &n, &p->why);
	int r = n ? packed_charge(p, p->have + n, 0, &full) : 0;

	if (!r && n)
		r = spool_store(p, n, &full);
	if (r) {
		p->ended = true;
		p->why = full;
		return unpack_err(e, &full);
	}
	p->have += n;
	if (!got && n < PACKED_PIECE) {
		p->ended = true;
		if (p->index.has_size && p->have != p->index.size)
			err_set(&p->why, ERR_INPUT, "%llu bytes came out of the %s data, which tell of %llu",
				(unsigned long long)p->have, p->unpacker->name, (unsigned long long)p->index.size);
	}
	p->ended |= unpack_is_fault(got);
	return got && !p->ended ? unpack_err(e, &p->why) : 0;
}

static int spool_fill(struct core_file *f, u64 until, struct err *e)
{
	struct packed *p = f->priv;
	int r = 0;

	p->in.cancel = f->cancel;
	while (!r && !p->ended && p->have < until)
		r = spool_step(p, e);
	return r;
}

static int spool_read_at(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	struct packed *p = f->priv;
	u64 end;
	int r;

	if (off >= f->size) {
		*n = 0;
		return 0;
	}
	len = (size_t)min((u64)len, f->size - off);
	end = off + len;
	r = spool_fill(f, end, e);
	if (r)
		return r;
	if (p->have < end) {
		if (unpack_is_fault(p->why.code))
			p->info.good_to = min(p->info.good_to, p->have);
		return unpack_err(e, &p->why);
	}
	return io_pread_full(p->temp, buf, len, off, n, "the temporary file", e);
}

/* Bytes of the first @len of the piece in pages that are not zero. */
static u64 count_kept(const struct packed *p, size_t len)
{
	u64 kept = 0;

	for (size_t at = 0, n; at < len; at += n) {
		n = min((size_t)PAGE, len - at);
		kept += mem_is_zero(p->piece + at, n) ? 0 : n;
	}
	return kept;
}

/* A second pass, which stores nothing: the temporary file need not hold it all.  The limits are the same. */
static int spool_verify(struct core_file *f, struct err *e)
{
	struct packed *p = f->priv;
	struct unpacker *u scoped(unpacker_close) = NULL;
	struct err why = { 0 };
	u64 total = 0, kept = 0;
	size_t n = 1;
	int r = unpacker_open(&u, p->unpacker, &p->in, 0, p->in.size, e);

	if (r)
		return r;
	p->in.cancel = f->cancel;
	while (!r && n) {
		r = unpacker_read(u, p->piece, PACKED_PIECE, &n, &why);
		total += n;
		kept += count_kept(p, n);
		if (!r)
			r = packed_charge(p, total, kept, &why);
	}
	if (r && !unpack_is_fault(r))
		return unpack_err(e, &why);
	if (!r && total != p->index.size)
		r = err_set(&why, ERR_INPUT, "%llu bytes came out of the %s data, which tell of %llu",
			    (unsigned long long)total, p->unpacker->name, (unsigned long long)p->index.size);
	return r ? packed_fault(p, &why, e) : 0;
}

static const struct core_file_ops spool_ops = {
	.name = "spool",
	.read_at = spool_read_at,
	.verify = spool_verify,
	.close = packed_close,
};

int packed_start_spool(struct core_file *f, struct err *e)
{
	struct packed *p = f->priv;
	int r = p->temp < 0 ? unpack_err(e, &p->no_temp) : 0;

	if (!r)
		r = unpacker_open(&p->u, p->unpacker, &p->in, 0, p->in.size, e);
	if (!r && !p->index.has_size)
		r = spool_fill(f, UINT64_MAX, e);
	if (r)
		return r;
	f->ops = &spool_ops;
	f->size = p->index.has_size ? p->index.size : p->have;
	/* Unpacked to the end: nothing more can be found out. */
	p->verified = p->ended;
	return p->ended && p->why.code ? packed_fault(p, &p->why, e) : 0;
}
