#include "base/util.h"
#include "unwind/arm/exidx.h"

/* Finds what .ARM.exidx says of an address: EHABI, sections 6 and 7. */

enum { ENTRY_SIZE = 8, CANTUNWIND = 1 };
/* Bit 31: a description in words, and not a place. */
static const u64 INLINE = 0x80000000;

/* The address that the word at @addr gives as a signed offset of 31 bits from itself. */
static bool read_prel31(struct unwind *u, u64 addr, u64 *out)
{
	u64 v;

	if (!space_uint(u, addr, 4, &v))
		return false;
	*out = (u32)(addr + (v & 0x7fffffff) - ((v & 0x40000000) << 1));
	return true;
}

/* Where an entry's function begins, without the mark of Thumb code that some assemblers put in. */
static bool read_start(struct unwind *u, u64 entry, u64 *out)
{
	if (!read_prel31(u, entry, out))
		return false;
	*out &= ~1ull;
	return true;
}

/* ---- a description */

/* The bytes of a word, the highest first; but its first @skip. */
static void put_word(struct exidx *x, u64 word, unsigned skip)
{
	for (unsigned i = skip; i < 4; i++)
		x->ops[x->n_ops++] = (u8)(word >> (24 - 8 * i));
}

/* @n words at @addr: at most 255. */
static bool put_words(struct unwind *u, u64 addr, unsigned n, struct exidx *x)
{
	u64 word;

	for (unsigned i = 0; i < n; i++) {
		if (!space_uint(u, addr + 4 * (u64)i, 4, &word))
			return false;
		put_word(x, word, 0);
	}
	return true;
}

/*
 * A word whose first bytes name one of the three ways of the ABI (EHABI, 7.3 and
 * 9.3): 0 has three bytes there, 1 and 2 have a count of words that follow at
 * @more, which is 0 where none can.
 */
static bool put_compact(struct unwind *u, u64 word, u64 more, struct exidx *x)
{
	unsigned index = word >> 24 & 0xf;

	if (word >> 28 != 8 || index > 2 || (index && !more))
		return false;
	put_word(x, word, index ? 2 : 1);
	return !index || put_words(u, more, word >> 16 & 0xff, x);
}

/*
 * A description in .ARM.extab.  What a personality routine other than the ABI's
 * has there is its own affair (EHABI, 7.2), but those of GCC and LLVM all have the
 * same: a count of words in the first byte.  That others refuse shows when the
 * bytes are run.
 */
static bool read_extab(struct unwind *u, u64 addr, struct exidx *x)
{
	u64 word;

	if (!space_uint(u, addr, 4, &word))
		return false;
	if (word & INLINE)
		return put_compact(u, word, addr + 4, x);
	if (!space_uint(u, addr + 4, 4, &word))
		return false;
	put_word(x, word, 1);
	return put_words(u, addr + 8, (unsigned)(word >> 24), x);
}

static bool read_entry(struct unwind *u, u64 entry, struct exidx *x)
{
	u64 word, extab;

	if (!read_start(u, entry, &x->start) || !space_uint(u, entry + 4, 4, &word))
		return false;
	x->cantunwind = word == CANTUNWIND;
	if (x->cantunwind)
		return true;
	if (word & INLINE)
		return put_compact(u, word, 0, x);
	return read_prel31(u, entry + 4, &extab) && read_extab(u, extab, x);
}

/* ---- the table */

/* The last entry that begins at @at or before.  In an unsorted table the search ends, too; what it finds is checked. */
bool exidx_search(struct unwind *u, u64 table, u64 n, u64 at, struct exidx *out)
{
	u64 lo = 0, hi = n, start;

	while (lo < hi) {
		u64 mid = lo + (hi - lo) / 2;

		if (!read_start(u, table + mid * ENTRY_SIZE, &start))
			return false;
		if (start <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	*out = (struct exidx){ .end = UINT64_MAX };
	if (!lo || !read_entry(u, table + (lo - 1) * ENTRY_SIZE, out) ||
	    (lo < n && !read_start(u, table + lo * ENTRY_SIZE, &out->end)))
		return false;
	return out->start <= at && at < out->end;
}

bool exidx_find(struct unwind *u, u64 at, struct exidx *out)
{
	struct module *m = module_at(u, at);
	Elf *elf = m && u->core->ehdr.e_machine == EM_ARM ? module_elf(u, m) : NULL;
	size_t n = 0;
	GElf_Phdr p;

	if (!elf || elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_ARM_EXIDX)
			return exidx_search(u, (u32)(p.p_vaddr + m->bias), p.p_memsz / ENTRY_SIZE, at, out);
	return false;
}
