#include "base/uapi.h"
#include "base/util.h"
#include "elf/tags.h"
#include "repair/repairs.h"

#define ull unsigned long long

/* Each changes the header of a tag segment; true when it did. */
typedef bool (*change_fn)(GElf_Phdr *p);

static int change_all(struct repair_ctx *x, change_fn change, const char *what, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_segs; i++) {
		GElf_Phdr p = c->segs[i];

		if (!core_is_memtag(c, &p) || !change(&p))
			continue;
		r = repair_put_phdr(x, i, &p, e);
		if (!r)
			r = repair_did(x, e, core_phdr_off(c, i), "segment %zu, tags of 0x%llx: %s", i,
				       (ull)c->segs[i].p_vaddr, what);
	}
	return r;
}

static bool change_type(GElf_Phdr *p)
{
	bool old = p->p_type == CORE_PT_MEMTAG_OLD;

	p->p_type = PT_AARCH64_MEMTAG_MTE;
	return old;
}

int repair_mte_type(struct repair_ctx *x, struct err *e)
{
	return change_all(x, change_type, "its type was 0x70000001, is 0x70000002", e);
}

static bool change_empty(GElf_Phdr *p)
{
	bool empty = !p->p_memsz;

	*p = (GElf_Phdr){ .p_type = PT_NULL };
	return empty;
}

int repair_mte_empty(struct repair_ctx *x, struct err *e)
{
	return change_all(x, change_empty, "it covered nothing, and is no more", e);
}

static bool change_size(GElf_Phdr *p)
{
	u64 most = p->p_memsz / TAG_BYTE_SPAN + !!(p->p_memsz % TAG_BYTE_SPAN);
	bool more = p->p_filesz > most;

	p->p_filesz = most;
	return more;
}

int repair_mte_size(struct repair_ctx *x, struct err *e)
{
	return change_all(x, change_size, "it had more tags than its memory, and has as many", e);
}

static bool change_fields(GElf_Phdr *p)
{
	bool any = p->p_flags || p->p_paddr || p->p_align;

	p->p_flags = 0;
	p->p_paddr = 0;
	p->p_align = 0;
	return any;
}

int repair_mte_fields(struct repair_ctx *x, struct err *e)
{
	return change_all(x, change_fields, "its p_flags, p_paddr and p_align are 0", e);
}
