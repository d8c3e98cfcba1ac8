#include <endian.h>
#include <elf.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"

bool mem_is_zero(const u8 *p, size_t len)
{
	/* Equal to itself one byte on: all bytes are the first. */
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

int bytes_sub(struct bytes b, u64 at, u64 len, struct bytes *out, struct err *e)
{
	u64 end;

	if (add_overflow(at, len, &end) || end > b.len)
		return err_at(e, ERR_TRUNCATED, b.off + min(at, (u64)b.len),
			      "%llu bytes wanted, %llu are there", (unsigned long long)len,
			      (unsigned long long)(at < b.len ? b.len - at : 0));
	*out = (struct bytes){ .p = b.p + at, .len = (size_t)len, .off = b.off + at };
	return 0;
}

int bytes_uint(struct bytes b, struct elffmt fmt, u64 at, unsigned size, u64 *out, struct err *e)
{
	struct bytes w = { 0 };
	int r = bytes_sub(b, at, size, &w, e);

	if (!r)
		*out = uint_get(fmt, w.p, size);
	return r;
}

int bytes_str(struct bytes b, u64 at, const char **out, size_t *len, struct err *e)
{
	const u8 *nul = at < b.len ? memchr(b.p + at, 0, b.len - (size_t)at) : NULL;

	if (!nul)
		return err_at(e, ERR_TRUNCATED, b.off + min(at, (u64)b.len), "string without an end");
	*out = (const char *)b.p + at;
	*len = (size_t)(nul - (b.p + at));
	return 0;
}

u64 uint_get(struct elffmt fmt, const u8 *p, unsigned size)
{
	bool big = fmt.data == ELFDATA2MSB;
	u64 v = 0;
	u32 w;

	/* Words, of which whole stacks are read. */
	if (size == sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		return big ? be64toh(v) : le64toh(v);
	}
	if (size == sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		return big ? be32toh(w) : le32toh(w);
	}
	for (unsigned i = 0; i < size; i++)
		v = v << 8 | p[big ? i : size - 1 - i];
	return v;
}

void uint_put(struct elffmt fmt, u8 *p, unsigned size, u64 value)
{
	for (unsigned i = 0; i < size; i++, value >>= 8)
		p[fmt.data == ELFDATA2MSB ? size - 1 - i : i] = (u8)value;
}
