#include <stddef.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "repair/repairs.h"

#define ull unsigned long long

static bool is_certain(const struct core *c)
{
	struct bytes first;

	if (c->n_segs != c->phnum || c->xnum == CORE_XNUM_LOST || !c->n_threads || !c->n_areas)
		return false;
	first = c->notes[c->threads[0].note].note.desc;
	return !c->arch || first.len == prstatus_size(c->arch);
}

bool repair_try(struct overlay *o, const void *p, size_t len)
{
	struct overlay changed scoped(overlay_fini) = { 0 };
	struct core core scoped(core_close) = { 0 };
	struct core_file below, file;

	overlay_file(o, &below);
	overlay_init(&changed, &below, below.size);
	if (overlay_put(&changed, 0, p, len, NULL) || overlay_commit(&changed, NULL))
		return false;
	overlay_file(&changed, &file);
	return !core_open_file(&core, &file, "trial", NULL) && is_certain(&core);
}

/* Where the two classes have what a core's header cannot do without; gABI, ELF Header. */
enum { TYPE_AT = offsetof(Elf64_Ehdr, e_type) };

static size_t phentsize_at(const u8 *header)
{
	return header[EI_CLASS] == ELFCLASS32 ? offsetof(Elf32_Ehdr, e_phentsize) : offsetof(Elf64_Ehdr, e_phentsize);
}

static struct elffmt fmt_of(const u8 *header)
{
	return (struct elffmt){ .class = header[EI_CLASS], .data = header[EI_DATA] };
}

static void make_core(u8 *header, struct elffmt fmt)
{
	static const u8 magic[] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3 };

	memcpy(header, magic, sizeof(magic));
	header[EI_CLASS] = fmt.class;
	header[EI_DATA] = fmt.data;
	uint_put(fmt, header + TYPE_AT, 2, ET_CORE);
	uint_put(fmt, header + phentsize_at(header), 2, elffmt_phdr_size(fmt));
}

/* A class or byte order that there is, is not doubted. */
static bool is_possible(const u8 *header, struct elffmt fmt)
{
	bool class_known = header[EI_CLASS] == ELFCLASS32 || header[EI_CLASS] == ELFCLASS64;
	bool data_known = header[EI_DATA] == ELFDATA2LSB || header[EI_DATA] == ELFDATA2MSB;

	return (!class_known || header[EI_CLASS] == fmt.class) && (!data_known || header[EI_DATA] == fmt.data);
}

static int read_header(struct overlay *o, u8 header[REPAIR_HEADER_MAX], struct err *e)
{
	struct core_file file;

	overlay_file(o, &file);
	return core_file_read(&file, 0, header, REPAIR_HEADER_MAX, e);
}

bool repair_find_header(struct overlay *o, u8 header[REPAIR_HEADER_MAX])
{
	static const struct elffmt fmts[] = {
		{ ELFCLASS64, ELFDATA2LSB }, { ELFCLASS64, ELFDATA2MSB },
		{ ELFCLASS32, ELFDATA2LSB }, { ELFCLASS32, ELFDATA2MSB },
	};
	u8 is[REPAIR_HEADER_MAX], may_be[REPAIR_HEADER_MAX];
	int n = 0;

	if (read_header(o, is, NULL))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		memcpy(may_be, is, sizeof(is));
		make_core(may_be, fmts[i]);
		if (!is_possible(is, fmts[i]) || !repair_try(o, may_be, sizeof(may_be)))
			continue;
		memcpy(header, may_be, sizeof(may_be));
		n++;
	}
	return n == 1;
}

/* Puts @len bytes of @header at @at back.  *put when they were others, which are then in @was. */
static int put_back(struct repair_ctx *x, const u8 *header, size_t at, size_t len, u8 *was, bool *put,
		    struct err *e)
{
	u8 is[REPAIR_HEADER_MAX];
	int r = read_header(x->out->overlay, is, e);

	*put = false;
	if (r || !memcmp(is + at, header + at, len))
		return r;
	memcpy(was, is + at, len);
	*put = true;
	return repair_put(x, at, header + at, len, e);
}

int repair_ident(struct repair_ctx *x, const u8 *header, struct err *e)
{
	enum { LEN = EI_DATA + 1 };
	u8 was[LEN] = { 0 };
	bool put;
	int r = put_back(x, header, 0, LEN, was, &put, e);

	return r || !put ? r : repair_did(x, e, 0, "the file began %02x %02x %02x %02x, class %u, byte order %u; only as "
					  "ELF of class %u and byte order %u it is a core", was[0], was[1], was[2], was[3],
					  was[EI_CLASS], was[EI_DATA], header[EI_CLASS], header[EI_DATA]);
}

/* The same for a number of two bytes. */
static int put_number(struct repair_ctx *x, const u8 *header, size_t at, const char *what, struct err *e)
{
	struct elffmt fmt = fmt_of(header);
	u8 was[2] = { 0 };
	bool put;
	int r = put_back(x, header, at, sizeof(was), was, &put, e);

	return r || !put ? r : repair_did(x, e, at, "%s was %llu, is %llu: so the file is a core, with threads and memory",
					  what, (ull)uint_get(fmt, was, 2), (ull)uint_get(fmt, header + at, 2));
}

int repair_type(struct repair_ctx *x, const u8 *header, struct err *e)
{
	return put_number(x, header, TYPE_AT, "the file's type", e);
}

int repair_phentsize(struct repair_ctx *x, const u8 *header, struct err *e)
{
	return put_number(x, header, phentsize_at(header), "the size of a program header", e);
}
