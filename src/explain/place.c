#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/crash.h"

/* What is at an address, in words. */

const struct core_area *place_above(const struct crash *c, u64 addr)
{
	const struct core_area *a = core_area_find(c->core, addr);

	return a && a->start >= addr ? a : NULL;
}

const struct core_area *place_below(const struct crash *c, u64 addr)
{
	const struct core_area *v = c->core->areas;
	size_t lo = 0, hi = c->core->n_areas;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ends_above(v[mid].end, addr))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo ? &v[lo - 1] : NULL;
}

bool place_is_canonical(const struct crash *c, u64 addr)
{
	/* Five-level tables have 57 bits, and only for programs that ask for addresses above 47. */
	return c->core->ehdr.e_machine != EM_X86_64 || addr >> 47 == 0 || addr >> 47 == 0x1ffff;
}

/* The thread whose stack pointer is in the area, or NULL. */
static const struct core_thread *stack_of(const struct crash *c, const struct core_area *a)
{
	enum { THREADS_MAX = 4096 };	/* for a bound: only a name depends on it */
	u64 sp;

	if (c->sp >= a->start && c->sp < a->end)
		return c->thread;
	for (size_t i = 0; i < min(c->core->n_threads, (size_t)THREADS_MAX); i++)
		if (!core_thread_sp(c->core, &c->core->threads[i], &sp, NULL) && sp >= a->start && sp < a->end)
			return &c->core->threads[i];
	return NULL;
}

static bool is_vdso(const struct crash *c, const struct core_area *a)
{
	u64 start;

	return core_auxv(c->core, AT_SYSINFO_EHDR, &start) && start >= a->start && start < a->end;
}

static void name_file(const struct core_map *m, struct place *out)
{
	out->path = m->name;
	out->is_file = true;
	out->pgoff = m->pgoff + (out->start - m->start);
	core_text_copy(m->name, out->name, sizeof(out->name));
}

static void name_it(struct crash *c, struct place *out)
{
	const struct core_map *m = core_map_at(c->core, out->start);
	const struct core_noted_area *n = core_noted_area_at(c->core, out->start);
	const struct core_thread *t = stack_of(c, out->area);

	out->is_stack = t && !m && (out->prot & PF_W || !out->prot_known);
	out->tid = out->is_stack ? t->tid : 0;
	if (m && m->name.len)
		name_file(m, out);
	else if (out->is_stack)
		put_fmt(out->name, sizeof(out->name), "the stack of thread %d", t->tid);
	else if (n && n->name.len)
		core_text_copy(n->name, out->name, sizeof(out->name));
	else
		put_fmt(out->name, sizeof(out->name), is_vdso(c, out->area) ? "[vdso]" : "anonymous memory");
}

void place_at(struct crash *c, u64 addr, struct place *out)
{
	const struct core_area *a = core_area_find(c->core, addr);

	*out = (struct place){ .name = "nothing" };
	if (!a || a->start > addr)
		return;
	out->area = a;
	out->start = a->start;
	out->end = a->end;
	out->prot = core_area_prot(c->core, a, &out->prot_known);
	name_it(c, out);
}

const char *place_text(const struct place *p, char *out, size_t size)
{
	char rwx[4];

	if (!p->area)
		put_fmt(out, size, "nothing is mapped there");
	else
		put_fmt(out, size, "%s %s, 0x%" PRIx64 "-0x%" PRIx64,
			 p->prot_known ? text_rwx(p->prot & PF_R, p->prot & PF_W, p->prot & PF_X, rwx) : "???", p->name,
			 p->start, p->end);
	return out;
}

bool place_section(struct crash *c, u64 addr, char *out, size_t size)
{
	enum { SECTIONS_MAX = 4096 };
	struct module *m = module_at(c->u, addr);
	Elf *elf = m ? module_elf(c->u, m) : NULL;
	Elf_Scn *s = NULL;
	GElf_Shdr sh;
	size_t names;

	if (!elf || m->image || elf_getshdrstrndx(elf, &names))
		return false;
	for (unsigned n = 0; n < SECTIONS_MAX && (s = elf_nextscn(elf, s)); n++) {
		const char *name;

		if (!gelf_getshdr(s, &sh) || !(sh.sh_flags & SHF_ALLOC) || addr - m->bias < sh.sh_addr ||
		    addr - m->bias - sh.sh_addr >= sh.sh_size)
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (name)
			put_fmt(out, size, "%.60s", name);
		return name != NULL;
	}
	return false;
}

void place_is_object(struct crash *c, const struct place *p, const char *state)
{
	c->v->object = (struct object){ .is_set = true, .start = p->start, .end = p->end, .offset = (s64)(c->addr - p->start) };
	put_fmt(c->v->object.state, sizeof(c->v->object.state), "%s", state);
}

bool place_is_refused(struct crash *c, u64 addr, enum access_type type)
{
	struct place p;
	u32 need = type == ACCESS_WRITE ? PF_W : type == ACCESS_FETCH ? PF_X : PF_R;

	place_at(c, core_untag(c->core, addr), &p);
	/* Code that was not changed may be in a file alone. */
	if (!p.area && type == ACCESS_FETCH && module_at(c->u, addr))
		return false;
	return !p.area || (p.prot_known && !(p.prot & need));
}
