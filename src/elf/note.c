#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "elf/note.h"

enum { NHDR_SIZE = 12 };	/* three words, in either class: elf(5) */

void note_iter_init(struct note_iter *it, struct bytes seg, struct elffmt fmt, u64 p_align)
{
	*it = (struct note_iter){ .seg = seg, .fmt = fmt, .align = p_align == 8 ? 8 : 4 };
}

static void copy_owner(struct bytes name, char out[32])
{
	size_t n = 0;

	for (; n < name.len && n < 31 && name.p[n]; n++)
		out[n] = name.p[n] >= 0x20 && name.p[n] < 0x7f ? (char)name.p[n] : '?';
	out[n] = 0;
}

int note_next(struct note_iter *it, struct note *out, struct err *e)
{
	struct bytes hdr, name, desc;
	u64 namesz, descsz, desc_at;

	if (it->at >= it->seg.len)
		return 0;
	if (bytes_sub(it->seg, it->at, NHDR_SIZE, &hdr, e))
		return err_wrap(e, "note header");
	namesz = uint_get(it->fmt, hdr.p, 4);
	descsz = uint_get(it->fmt, hdr.p + 4, 4);
	if (bytes_sub(it->seg, it->at + NHDR_SIZE, namesz, &name, e))
		return err_wrap(e, "note name");
	/* Four-byte sizes: the sums cannot overflow 64 bits. */
	desc_at = align_up(it->at + NHDR_SIZE + namesz, it->align);
	if (bytes_sub(it->seg, desc_at, descsz, &desc, e))
		return err_wrap(e, "note descriptor");
	*out = (struct note){ .type = (u32)uint_get(it->fmt, hdr.p + 8, 4), .desc = desc,
			      .off = it->seg.off + it->at };
	copy_owner(name, out->owner);
	it->at = align_up(desc_at + descsz, it->align);
	return 1;
}

int note_put(struct buf *b, struct elffmt fmt, const char *owner, u32 type, const void *desc,
	     size_t len, struct err *e)
{
	return note_put_aligned(b, fmt, 4, owner, type, desc, len, e);
}

int note_put_aligned(struct buf *b, struct elffmt fmt, size_t align, const char *owner, u32 type, const void *desc,
		     size_t len, struct err *e)
{
	u8 hdr[NHDR_SIZE];
	size_t namesz = strlen(owner) + 1;
	int r;

	if (len > UINT32_MAX)
		return err_set(e, ERR_UNSUPPORTED, "note %s 0x%x of %zu bytes", owner, type, len);
	uint_put(fmt, hdr, 4, namesz);
	uint_put(fmt, hdr + 4, 4, len);
	uint_put(fmt, hdr + 8, 4, type);
	r = buf_add(b, hdr, sizeof(hdr), e);
	if (!r)
		r = buf_add(b, owner, namesz, e);
	if (!r)
		r = buf_align(b, align, e);
	if (!r)
		r = buf_add(b, desc, len, e);
	return r ? r : buf_align(b, align, e);
}
