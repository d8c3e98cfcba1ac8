#include <inttypes.h>

#include "base/text.h"
#include "base/uapi.h"
#include "base/util.h"
#include "cli/view.h"

static const struct {
	u32 type;
	const char *name;
} seg_types[] = {
	{ PT_NULL, "NULL" }, { PT_LOAD, "LOAD" }, { PT_DYNAMIC, "DYNAMIC" }, { PT_INTERP, "INTERP" },
	{ PT_NOTE, "NOTE" }, { PT_SHLIB, "SHLIB" }, { PT_PHDR, "PHDR" }, { PT_TLS, "TLS" },
	{ PT_GNU_EH_FRAME, "GNU_EH_FRAME" }, { PT_GNU_STACK, "GNU_STACK" }, { PT_GNU_RELRO, "GNU_RELRO" },
};

enum { TYPE_MAX = 16 };
static const char *type_name(const struct core *c, const GElf_Phdr *p, char out[TYPE_MAX])
{
	const char *name = NULL;

	if (core_is_memtag(c, p))
		name = p->p_type == CORE_PT_MEMTAG_OLD ? "MEMTAG_OLD" : "MEMTAG_MTE";
	for (size_t i = 0; !name && i < ARRAY_SIZE(seg_types); i++)
		if (seg_types[i].type == p->p_type)
			name = seg_types[i].name;
	if (name)
		snprintf(out, TYPE_MAX, "%s", name);
	else
		snprintf(out, TYPE_MAX, "0x%x", p->p_type);
	return out;
}

static struct json_object *seg_json(const struct core *c, size_t i)
{
	const GElf_Phdr *p = &c->segs[i];
	struct json_object *o = json_object_new_object();
	char type[TYPE_MAX], flags[4];

	json_put_u64(o, "index", i);
	json_put_text(o, "type", type_name(c, p, type));
	json_put_text(o, "flags", view_seg_flags(p, flags));
	json_put_u64(o, "offset", p->p_offset);
	json_put_hex(o, "vaddr", p->p_vaddr);
	json_put_hex(o, "paddr", p->p_paddr);
	json_put_u64(o, "filesz", p->p_filesz);
	json_put_u64(o, "memsz", p->p_memsz);
	json_put_u64(o, "align", p->p_align);
	return o;
}

/* The header's keys, left open for the list of segments. */
static void header_json(struct view_ctx *v)
{
	const struct core *c = v->core;
	char machine[CORE_MACHINE_MAX];

	fprintf(v->out, "{ \"machine\": \"%s\", \"class\": %d, \"byte_order\": \"%s\", \"type\": %u,"
		" \"version\": %u, \"osabi\": %u, \"flags\": %u, \"phoff\": %" PRIu64 ", \"phnum\": %" PRIu64
		", \"shoff\": %" PRIu64 ", \"shnum\": %u, \"segments\": ",
		core_machine(c, machine), c->fmt.class == ELFCLASS32 ? 32 : 64,
		c->fmt.data == ELFDATA2LSB ? "little" : "big", c->ehdr.e_type, c->ehdr.e_version,
		c->ehdr.e_ident[EI_OSABI], c->ehdr.e_flags, (u64)c->ehdr.e_phoff, c->phnum,
		(u64)c->ehdr.e_shoff, c->ehdr.e_shnum);
}

static void print_json(struct view_ctx *v)
{
	struct json_list l;

	header_json(v);
	l = json_list_begin(v->out);
	for (size_t i = 0; i < v->core->n_segs; i++)
		json_list_add(&l, seg_json(v->core, i));
	json_list_end(&l);
	fputs("}\n", v->out);
}

static void header_text(struct view_ctx *v)
{
	const struct core *c = v->core;
	char machine[CORE_MACHINE_MAX];

	fprintf(v->out, "ELF%d %s-endian, core of %s (machine %u), version %u, OS ABI %u, flags 0x%x\n",
		c->fmt.class == ELFCLASS32 ? 32 : 64, c->fmt.data == ELFDATA2LSB ? "little" : "big",
		core_machine(c, machine), c->ehdr.e_machine, c->ehdr.e_version,
		c->ehdr.e_ident[EI_OSABI], c->ehdr.e_flags);
	fprintf(v->out, "%" PRIu64 " program headers at 0x%" PRIx64 "%s", c->phnum, (u64)c->ehdr.e_phoff,
		c->xnum == CORE_XNUM_NONE ? "" : c->xnum == CORE_XNUM_GOOD ? " (PN_XNUM)" :
		" (PN_XNUM, and the count is lost: a guess)");
	if (c->n_segs < c->phnum)
		fprintf(v->out, ", %zu of them in the file", c->n_segs);
	fprintf(v->out, "; %u section headers\n\n", c->ehdr.e_shnum);
}

static bool has_physical(const struct core *c)
{
	for (size_t i = 0; i < c->n_segs; i++)
		if (c->segs[i].p_paddr)
			return true;
	return false;
}

static void print_text(struct view_ctx *v)
{
	const struct core *c = v->core;
	int w = c->fmt.class == ELFCLASS32 ? 10 : 18;
	bool physical = has_physical(c);
	char type[TYPE_MAX], flags[4];

	header_text(v);
	fprintf(v->out, "%6s  %-12s %-5s %14s %*s %14s %14s %6s", "NUMBER", "TYPE", "FLAGS", "OFFSET", w,
		"ADDRESS", "IN FILE", "IN MEMORY", "ALIGN");
	if (physical)
		fprintf(v->out, " %*s", w, "PHYSICAL");
	fputc('\n', v->out);
	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		fprintf(v->out, "%6zu  %-12s %-5s %#14" PRIx64 " %#*" PRIx64 " %#14" PRIx64 " %#14" PRIx64
			" %#6" PRIx64, i, type_name(c, p, type), view_seg_flags(p, flags), (u64)p->p_offset, w,
			(u64)p->p_vaddr, (u64)p->p_filesz, (u64)p->p_memsz, (u64)p->p_align);
		if (physical)
			fprintf(v->out, " %#*" PRIx64, w, (u64)p->p_paddr);
		fputc('\n', v->out);
	}
}

int view_headers(struct view_ctx *v, struct err *e)
{
	(void)e;
	if (v->json)
		print_json(v);
	else
		print_text(v);
	return 0;
}
