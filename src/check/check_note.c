#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "check/checks.h"

#define ull unsigned long long

bool check_has_all_notes(const struct core *c)
{
	for (size_t i = 0; i < c->n_note_segs; i++)
		if (c->note_segs[i].malformed ||
		    c->note_segs[i].data.len < c->segs[c->note_segs[i].seg].p_filesz)
			return false;
	return check_has_all_segs(c) && !c->notes_cut;
}

void check_note_none(struct check_ctx *x)
{
	if (x->core->phnum && check_has_all_segs(x->core) && !x->core->n_note_segs)
		check_found(x, x->core->ehdr.e_phoff, "no PT_NOTE segment: no threads, no signal, no files");
}

/* 0 when every note fits, else negative and where the one that does not begins. */
static int walk(const struct core *c, const struct core_note_seg *s, u64 align, u64 *off, struct err *e)
{
	struct note_iter it;
	struct note n;
	int r;

	note_iter_init(&it, s->data, c->fmt, align);
	while ((r = note_next(&it, &n, e)) > 0)
		;
	*off = s->data.off + it.at;
	return r;
}

void check_note_malformed(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 0; i < c->n_note_segs; i++) {
		const struct core_note_seg *s = &c->note_segs[i];
		u64 align = c->segs[s->seg].p_align, other = align == 8 ? 4 : 8, off, end;
		struct err e = { 0 };

		/* Where the segment is cut, the note at the cut is no news. */
		if (s->data.len < c->segs[s->seg].p_filesz || !walk(c, s, align, &off, &e))
			continue;
		if (!walk(c, s, other, &end, NULL))
			check_found(x, off, "%s; the notes are padded to %llu, and their segment's alignment is %llu", e.msg,
				    (ull)other, (ull)align);
		else
			check_found(x, off, "%s; the rest of the segment cannot be read", e.msg);
	}
}

struct bytes check_note_raw(const struct core *c, const struct core_note *n)
{
	struct bytes seg = c->note_segs[n->seg].data;
	size_t at = (size_t)(n->note.off - seg.off);

	return (struct bytes){ .p = seg.p + at, .len = seg.len - at, .off = n->note.off };
}

static bool all_zero(struct bytes b, u64 from, u64 to)
{
	to = min(to, (u64)b.len);
	return from >= to || mem_is_zero(b.p + from, (size_t)(to - from));
}

/* How many notes from @i on are nothing but a header of zeros. */
static size_t zero_notes(const struct core *c, size_t i)
{
	size_t n = 0;

	while (i + n < c->n_notes && all_zero(check_note_raw(c, &c->notes[i + n]), 0, 12))
		n++;
	return n;
}

void check_note_owner(struct check_ctx *x)
{
	const struct core *c = x->core;
	char owner[CORE_OWNER_MAX];

	for (size_t i = 0; i < c->n_notes; i++) {
		struct bytes raw = check_note_raw(c, &c->notes[i]);
		u64 namesz = uint_get(c->fmt, raw.p, 4);
		size_t zeros = zero_notes(c, i);

		if (zeros) {
			check_found(x, raw.off, "%zu note%s of zeros, the first is %zu: what stood before was made shorter",
				    zeros, zeros == 1 ? "" : "s", i);
			i += zeros - 1;
		} else if (c->notes[i].adopted) {
			core_note_owner(c, &c->notes[i], owner);
			check_found(x, raw.off, "note %zu has %s%s; by its type it is taken for one of %s", i,
				    *owner ? "the unknown owner " : "no owner", owner, c->notes[i].note.owner);
		} else if (!namesz || raw.p[12 + namesz - 1]) {
			/* The iterator saw that header and name are there. */
			check_found(x, raw.off, "note %zu: its owner is not a string", i);
		}
	}
}

void check_note_padding(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 0; i < c->n_note_segs; i++) {
		u64 align = c->segs[c->note_segs[i].seg].p_align;

		if (align > 1 && align != 4 && align != 8)
			check_found(x, core_phdr_off(c, c->note_segs[i].seg), "notes aligned to %llu, which is neither "
				    "4 nor 8", (unsigned long long)align);
	}
	for (size_t i = 0; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];
		struct bytes raw = check_note_raw(c, n);
		u64 name_end = 12 + uint_get(c->fmt, raw.p, 4);
		u64 desc = n->note.desc.off - raw.off, desc_end = desc + n->note.desc.len;

		if (!all_zero(raw, name_end, desc) || !all_zero(raw, desc_end, align_up(desc_end, 4)))
			check_found(x, raw.off, "note %zu: its padding is not zero", i);
	}
}

static size_t expected_size(const struct core *c, const struct note *n)
{
	if (strcmp(n->owner, "CORE"))
		return 0;
	switch (n->type) {
	case NT_PRSTATUS:	return c->arch ? prstatus_size(c->arch) : 0;
	case NT_PRPSINFO:	return c->arch ? prpsinfo_size(c->arch) : 0;
	case NT_SIGINFO:	return 128;	/* SI_MAX_SIZE, include/uapi/asm-generic/siginfo.h */
	}
	return 0;
}

/* What the sizes say of PRSTATUS, or "". */
static const char *whose_layout(const struct core *c, const struct note *n, char out[160])
{
	const struct arch *host = n->type == NT_PRSTATUS ? prstatus_host(c->arch, n->desc.len) : NULL;

	out[0] = 0;
	if (host)
		snprintf(out, 160, ": it has the layout of %s, where gdb ran; registers that have no room in it are missing",
			 host->name);
	return out;
}

void check_note_size(struct check_ctx *x)
{
	const struct core *c = x->core;
	char whose[160];

	for (size_t i = 0; i < c->n_notes; i++) {
		const struct note *n = &c->notes[i].note;
		const struct note_kind *k = note_kind_find(n->owner, n->type);
		size_t want = expected_size(c, n);

		if (want && n->desc.len != want)
			check_found(x, n->off, "%s of %zu bytes, this machine's has %zu%s", k ? k->name : "note",
				    n->desc.len, want, whose_layout(c, n, whose));
	}
}

void check_note_regset_size(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 0; c->arch && i < c->n_notes; i++) {
		const struct note *n = &c->notes[i].note;
		const struct regset *set = arch_regset(c->arch, n->owner, n->type);

		if (set && set->size && n->desc.len != set->size)
			check_found(x, n->off, "register set %s of %zu bytes, this machine's has %u", set->name,
				    n->desc.len, set->size);
	}
}

/* The kernel writes a thread's register sets in the order of its table, the process's notes in this order. */
static const u32 process_order[] = { NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE };

/* Where the note belongs among those of its thread, or of the process; 0: anywhere. */
static size_t note_rank(const struct core *c, const struct core_note *n)
{
	const struct regset *set = c->arch ? arch_regset(c->arch, n->note.owner, n->note.type) : NULL;

	if (set)
		return (size_t)(set - c->arch->sets) + 1;
	for (size_t i = 0; i < ARRAY_SIZE(process_order); i++)
		if (n->note.type == process_order[i] && !strcmp(n->note.owner, "CORE"))
			return i + 1;
	return 0;
}

/* One finding for the file: who does it once, does it for every thread. */
void check_note_order(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t of_process = 0, of_thread = 0;
	u32 seen = 0;
	s32 thread = -1;

	for (size_t i = 0; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];
		bool is_set = c->arch && arch_regset(c->arch, n->note.owner, n->note.type);
		size_t *last = is_set ? &of_thread : &of_process, rank = note_rank(c, n);
		const struct note_kind *k;

		if (is_set && n->thread != thread) {
			of_thread = 0;
			thread = n->thread;
		}
		/* If a kind occurs again (gdb writes each thread's SIGINFO), the first one counts. */
		if (!rank || (!is_set && seen >> rank & 1))
			continue;
		seen |= is_set ? 0 : 1U << rank;
		if (rank < *last) {
			k = note_kind_find(n->note.owner, n->note.type);
			check_found(x, n->note.off, "note %zu, %s, is not at its place in the kernel's order", i,
				    k ? k->name : n->note.owner);
			return;
		}
		*last = rank;
	}
}

void check_prpsinfo_once(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *first = core_note_find(c, 0, "CORE", NT_PRPSINFO);
	const struct core_note *second = first ? core_note_find(c, (size_t)(first - c->notes) + 1, "CORE",
								NT_PRPSINFO) : NULL;

	if (!first && c->n_notes && check_has_all_notes(c))
		check_found(x, c->notes[0].note.off, "no PRPSINFO note: the command is not known");
	if (second)
		check_found(x, second->note.off, "a second PRPSINFO note");
}

void check_auxv_missing(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->n_notes && check_has_all_notes(c) && !core_note_find(c, 0, "CORE", NT_AUXV))
		check_found(x, c->notes[0].note.off, "no AUXV note: a debugger cannot find the executable's place");
}

void check_auxv_end(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_AUXV);
	unsigned w = c->layout.word;
	u64 type;

	if (!n)
		return;
	for (u64 at = 0; at + 2 * w <= n->note.desc.len; at += 2 * w)
		if (!bytes_uint(n->note.desc, c->fmt, at, w, &type, NULL) && type == AT_NULL)
			return;
	check_found(x, n->note.off, "the auxiliary vector has no AT_NULL at its end");
}

static const struct {
	const char *name;
	u64 type;
} placed[] = {
	{ "AT_PHDR", AT_PHDR }, { "AT_ENTRY", AT_ENTRY }, { "AT_BASE", AT_BASE },
	{ "AT_SYSINFO_EHDR", AT_SYSINFO_EHDR },
};

void check_auxv_address(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_AUXV);
	u64 addr;

	if (!n || !c->n_areas || !check_has_all_segs(c))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(placed); i++) {
		const struct core_area *a;

		/* 0: no such address, as AT_BASE of a static program. */
		if (!core_auxv(c, placed[i].type, &addr) || !addr)
			continue;
		a = core_area_find(c, addr);
		if (a && a->start <= addr)
			continue;
		/* A process may unmap or move its vdso; the kernel's copy of the vector stays as it was. */
		if (placed[i].type == AT_SYSINFO_EHDR)
			check_found_info(x, n->note.off, "AT_SYSINFO_EHDR 0x%llx is in no area: the vdso is no longer "
					 "there", (unsigned long long)addr);
		else
			check_found(x, n->note.off, "%s 0x%llx is in no area", placed[i].name,
				    (unsigned long long)addr);
	}
}
