#include <string.h>

#include "base/util.h"
#include "elf/elffmt.h"
#include "elf/linkmap.h"

/* Bounds on what a damaged list can make us read. */
enum {
	LINKS_MAX = 4096,
	DYNS_MAX = 512,
	PHDRS_MAX = 128,
	NAME_LEN = 4096,
	NAMES_MAX = 1 << 20,	/* bytes, of all names: 256 for each entry */
};

static bool read_word(const struct linkmap_reader *r, u64 addr, u64 *out)
{
	u8 raw[8];

	if (!r->read(r->arg, addr, raw, r->word))
		return false;
	*out = uint_get(r->fmt, raw, r->word);
	return true;
}

/* The program's own dynamic section: PT_DYNAMIC, moved as far as PT_PHDR was. */
static bool find_dynamic(const struct linkmap_reader *r, u64 phdr, u64 phnum, u64 *out)
{
	size_t size = elffmt_phdr_size(r->fmt);
	u64 dynamic = 0, self = phdr;

	for (u64 i = 0; i < min(phnum, (u64)PHDRS_MAX); i++) {
		u8 raw[sizeof(Elf64_Phdr)];
		GElf_Phdr p = { 0 };

		if (!r->read(r->arg, phdr + i * size, raw, size) ||
		    elffmt_get_phdr(r->fmt, (struct bytes){ .p = raw, .len = size }, &p, NULL))
			return false;
		if (p.p_type == PT_PHDR)
			self = p.p_vaddr;
		if (p.p_type == PT_DYNAMIC)
			dynamic = p.p_vaddr;
	}
	*out = dynamic + (phdr - self);
	return dynamic;
}

/*
 * DT_DEBUG: where the dynamic linker has left the address of its struct r_debug.
 * MIPS's dynamic section cannot be written to: there it is in a word that
 * DT_MIPS_RLD_MAP is the address of, or DT_MIPS_RLD_MAP_REL the distance to, from
 * the entry (glibc 2.36, sysdeps/mips/dl-machine.h: ELF_MACHINE_DEBUG_SETUP).
 * Other machines have other tags of those numbers, but DT_DEBUG, too, and before.
 */
static bool find_r_debug(const struct linkmap_reader *r, u64 at, u64 *out)
{
	u64 tag, value, map = 0;

	*out = 0;
	for (int i = 0; i < DYNS_MAX && !*out; i++, at += 2 * r->word) {
		if (!read_word(r, at, &tag) || !read_word(r, at + r->word, &value) || tag == DT_NULL)
			break;
		if (tag == DT_DEBUG)
			*out = value;
		if (tag == DT_MIPS_RLD_MAP)
			map = value;
		if (tag == DT_MIPS_RLD_MAP_REL)
			map = at + value;
	}
	return *out || (map && read_word(r, map, out) && *out);
}

/* In pieces that end at multiples of 64 bytes, so that none is in two pages, of which the second may be absent. */
static bool read_name(const struct linkmap_reader *r, u64 addr, char out[NAME_LEN], u64 *left)
{
	for (u64 n = 0, len; n < NAME_LEN; n += len) {
		len = min((u64)NAME_LEN - n, 64 - (addr + n) % 64);
		if (*left < len || !r->read(r->arg, addr + n, &out[n], (size_t)len))
			return false;
		*left -= len;
		if (memchr(&out[n], 0, (size_t)len))
			return true;
	}
	return false;
}

struct list {
	const struct linkmap_reader *r;
	u64 at;		/* the next entry, or 0 */
	u64 mark;	/* one that was met, see is_circle() */
	u64 left;	/* bytes of names */
	char name[NAME_LEN];
};

/* In words: l_addr, l_name, l_ld, l_next. */
static bool read_link(struct list *w, struct link *l)
{
	const struct linkmap_reader *r = w->r;
	u64 at = w->at, addr;

	l->name = w->name;
	l->at = at;
	if (!read_word(r, at, &l->base) || !read_word(r, at + r->word, &addr) ||
	    !read_word(r, at + 2 * r->word, &l->ld) || !read_word(r, at + 3 * r->word, &w->at))
		return false;
	/* The program's "" is glibc's constant, which cores do not have: the list goes on after it. */
	if (!read_name(r, addr, w->name, &w->left))
		w->name[0] = 0;
	return true;
}

/* Entry number @i was here before: the mark goes on to every entry whose number is a power of two (R. P. Brent, 1980). */
static bool is_circle(struct list *w, u64 i)
{
	if (i && w->at == w->mark)
		return true;
	if (!(i & (i - 1)))
		w->mark = w->at;
	return false;
}

int linkmap_walk(const struct linkmap_reader *r, u64 phdr, u64 phnum,
		 int (*fn)(const struct link *l, void *arg, struct err *e), void *arg, struct err *e)
{
	struct list w = { .r = r, .left = NAMES_MAX };
	u64 dynamic, r_debug;
	struct link l;
	int ret = 0;

	/* In words: r_version, r_map. */
	if (!find_dynamic(r, phdr, phnum, &dynamic) || !find_r_debug(r, dynamic, &r_debug) ||
	    !read_word(r, r_debug + r->word, &w.at))
		return 0;
	for (u64 i = 0; !ret && w.at && i < LINKS_MAX && !is_circle(&w, i) && read_link(&w, &l); i++)
		ret = fn(&l, arg, e);
	return ret;
}
