#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/mod.h"

/*
 * What packed sections unpack to is known before libelf and libdw unpack them: they
 * do that at once, whole and in memory, when debug information is asked for, and
 * make room as the section's header says (elfutils 0.188, libdw/dwarf_begin_elf.c:
 * check_section(); libdwfl/dwfl_module_getdwarf.c: find_symtab(), find_aux_sym()).
 *
 * Deflate makes at most 1,032 of one byte, zstd and LZMA more; debug information
 * 2 to 10.  All that is unpacked for a core, and each section, is bounded by what it is
 * packed; the largest programs' is allowed thereby, and a small file stays small.
 */
enum {
	UNPACKED_RATIO = 32,
	UNPACKED_FREE = 64 << 20,	/* may be more than that */
	DICTIONARY_MAX = 128 << 20,	/* of LZMA; xz -9 has 64 MiB */
};

static bool within(u64 packed, u64 unpacked)
{
	return unpacked <= UNPACKED_FREE || (unpacked - UNPACKED_FREE) / UNPACKED_RATIO <= packed;
}

/* ---- one section */

struct packing {
	u64 packed;
	u64 unpacked;	/* 0: it is not packed; UINT64_MAX: too large */
};

/* SHF_COMPRESSED: gABI, "Section Compression". */
static struct packing of_flag(Elf *elf, const GElf_Shdr *sh)
{
	bool wide = gelf_getclass(elf) == ELFCLASS64;
	size_t size = wide ? sizeof(Elf64_Chdr) : sizeof(Elf32_Chdr);
	const Elf_Data *d = elf_getdata_rawchunk(elf, (int64_t)sh->sh_offset, size, ELF_T_CHDR);

	if (!d || !d->d_buf || d->d_size < size || sh->sh_size < size)
		return (struct packing){ 0, UINT64_MAX };
	return (struct packing){ sh->sh_size - size,
				 wide ? ((const Elf64_Chdr *)d->d_buf)->ch_size : ((const Elf32_Chdr *)d->d_buf)->ch_size };
}

/* .zdebug_*: "ZLIB" and the size, big-endian; libelf/elf_compress_gnu.c. */
static struct packing of_gnu(Elf *elf, const GElf_Shdr *sh)
{
	enum { HEADER = 12 };
	const Elf_Data *d = sh->sh_size < HEADER ? NULL : elf_getdata_rawchunk(elf, (int64_t)sh->sh_offset, HEADER, ELF_T_BYTE);
	struct packing p = { .packed = sh->sh_size };

	if (d && d->d_buf && d->d_size == HEADER && !memcmp(d->d_buf, "ZLIB", 4))
		for (int i = 4; i < HEADER; i++)
			p.unpacked = p.unpacked << 8 | ((const u8 *)d->d_buf)[i];
	return p;
}

/* ---- .gnu_debugdata: a whole ELF file, packed by xz(1), of which nothing says the size */

static void end_lzma(lzma_stream *z)
{
	lzma_end(z);
}

static bool unpack(Elf_Data *d, struct buf *out)
{
	lzma_stream z scoped(end_lzma) = LZMA_STREAM_INIT;
	lzma_ret r = lzma_auto_decoder(&z, DICTIONARY_MAX, 0);
	struct err e;
	u8 *at;

	z.next_in = d->d_buf;
	z.avail_in = d->d_size;
	while (r == LZMA_OK && within(d->d_size, out->len)) {
		size_t room = 1 << 16;

		if (buf_reserve(out, room, &at, &e))
			return false;
		z.next_out = at;
		z.avail_out = room;
		r = lzma_code(&z, LZMA_FINISH);
		out->len += room - z.avail_out;
	}
	return r == LZMA_STREAM_END || r == LZMA_DATA_ERROR || r == LZMA_FORMAT_ERROR || r == LZMA_BUF_ERROR;
}

/* It has symbols only; none of its sections is packed again. */
static bool is_plain(struct buf *file)
{
	Elf *elf = elf_memory((char *)file->p, file->len);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	bool plain = true;

	while (elf && plain && (scn = elf_nextscn(elf, scn)))
		plain = !gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_COMPRESSED);
	if (elf && plain)
		plain = !section_find(elf, ".zdebug");
	elf_end(elf);
	return plain;
}

static struct packing of_xz(Elf_Scn *scn)
{
	struct buf out scoped(buf_fini) = { 0 };
	Elf_Data *d = elf_rawdata(scn, NULL);

	if (!d || !d->d_buf)
		return (struct packing){ 0 };
	if (!unpack(d, &out) || (out.len && !is_plain(&out)))
		return (struct packing){ d->d_size, UINT64_MAX };
	return (struct packing){ d->d_size, out.len };
}

/* ---- all of a file */

/* Sections that are packed by their flag come first: the names may be in one. */
static struct packing packing_of(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, bool by_name)
{
	const char *name = NULL;
	size_t names;

	if (sh->sh_type == SHT_NOBITS || (sh->sh_flags & SHF_COMPRESSED ? by_name : !by_name))
		return (struct packing){ 0 };
	if (!by_name)
		return of_flag(elf, sh);
	if (!elf_getshdrstrndx(elf, &names))
		name = elf_strptr(elf, names, sh->sh_name);
	if (name && !strncmp(name, ".zdebug", 7))
		return of_gnu(elf, sh);
	return name && !strcmp(name, ".gnu_debugdata") ? of_xz(scn) : (struct packing){ 0 };
}

/* So that neither library finds it, by name or by type. */
static bool hide(Elf_Scn *scn, GElf_Shdr sh)
{
	sh.sh_name = 0;
	sh.sh_type = SHT_NOBITS;
	sh.sh_flags &= ~(u64)SHF_COMPRESSED;
	return gelf_update_shdr(scn, &sh) != 0;
}

/* The number of sections that are too large; they are hidden if @hiding. */
static size_t look(struct unwind *u, Elf *elf, bool by_name, bool hiding)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t n = 0;

	while ((scn = elf_nextscn(elf, scn))) {
		struct packing p = gelf_getshdr(scn, &sh) ? packing_of(elf, scn, &sh, by_name) : (struct packing){ 0 };
		u64 sum;

		if (!p.unpacked)
			continue;
		if (!add_overflow(u->unpacked, p.unpacked, &sum) && within(p.packed, p.unpacked) &&
		    within(u->packed + p.packed, sum)) {
			u->packed += p.packed;
			u->unpacked = sum;
			continue;
		}
		n++;
		if (!hiding || !hide(scn, sh))
			break;
	}
	return n;
}

bool sections_fit(struct unwind *u, Elf *elf)
{
	u64 packed = u->packed, unpacked = u->unpacked;

	if (!look(u, elf, false, false) && !look(u, elf, true, false))
		return true;
	u->packed = packed;
	u->unpacked = unpacked;
	return false;
}

size_t sections_bound(struct unwind *u, Elf *elf)
{
	size_t n = look(u, elf, false, true);

	return n + look(u, elf, true, true);
}

bool section_find(Elf *elf, const char *start)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && !strncmp(name, start, strlen(start)))
			return true;
	}
	return false;
}
