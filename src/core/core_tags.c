#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/search.h"
#include "base/uapi.h"
#include "base/util.h"
#include "core/core_priv.h"
#include "elf/tags.h"

enum { PIECE = 256 * 1024 };	/* bytes of tags read at a time: 8 MiB of memory */

bool core_is_memtag(const struct core *c, const GElf_Phdr *p)
{
	return c->ehdr.e_machine == EM_AARCH64 &&
	       (p->p_type == PT_AARCH64_MEMTAG_MTE || p->p_type == CORE_PT_MEMTAG_OLD);
}

u64 core_untag(const struct core *c, u64 addr)
{
	return arch_untag(&c->layout, addr);
}

static int tagged_cmp(const void *a, const void *b)
{
	const struct core_tagged *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->seg < y->seg ? -1 : x->seg > y->seg;
}

/* As areas_make_disjoint(): sorted, and what a lower segment covers is cut off. */
static void tagged_make_disjoint(struct core *c)
{
	u64 end = 0;
	size_t n = 0;

	if (c->n_tagged)
		qsort(c->tagged, c->n_tagged, sizeof(*c->tagged), tagged_cmp);
	for (size_t i = 0; i < c->n_tagged; i++) {
		struct core_tagged t = c->tagged[i];

		t.start = max(t.start, end);
		if (t.start >= t.end)
			continue;
		t.have_end = max(t.start, min(t.have_end, t.end));
		end = t.end;
		c->tagged[n++] = t;
	}
	c->n_tagged = n;
}

static struct core_tagged tagged_of(const struct core *c, size_t seg)
{
	const GElf_Phdr *p = &c->segs[seg];
	return (struct core_tagged){
		.start = p->p_vaddr,
		.end = range_end(p->p_vaddr, p->p_memsz),
		.have_end = range_end(p->p_vaddr, mul_clip(core_seg_in_file(c, seg), TAG_BYTE_SPAN)),
		.seg = (u32)seg,
	};
}

/* First tagged range that ends above @addr, or NULL. */
static const struct core_tagged *tagged_find(const struct core *c, u64 addr)
{
	size_t at = search_first(i, 0, c->n_tagged, c->tagged[i].end > addr);

	return at < c->n_tagged ? &c->tagged[at] : NULL;
}

int core_load_tags(struct core *c, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_segs; i++)
		n += core_is_memtag(c, &c->segs[i]);
	c->tagged = calloc(n ? n : 1, sizeof(*c->tagged));
	if (!c->tagged)
		return err_set(e, -ENOMEM, "%zu tag segments", n);
	for (size_t i = 0; i < c->n_segs; i++)
		if (core_is_memtag(c, &c->segs[i]))
			c->tagged[c->n_tagged++] = tagged_of(c, i);
	tagged_make_disjoint(c);
	for (size_t i = 0; i < c->n_areas; i++) {
		const struct core_tagged *t = tagged_find(c, c->areas[i].start);

		c->areas[i].mte = t && t->start < c->areas[i].end;
	}
	return 0;
}

/* The state at @addr, in [addr, *until); @t is the range with its tag unless TAG_NONE. */
static enum tag_state state_at(const struct core *c, u64 addr, u64 *until, const struct core_tagged **t)
{
	const struct core_tagged *in = tagged_find(c, addr);
	const struct core_missing *m;

	*t = in;
	if (!in || in->start > addr) {
		*until = in ? in->start : UINT64_MAX;
		return TAG_NONE;
	}
	*until = in->end;
	if (addr >= in->have_end)
		return TAG_ABSENT;
	m = core_missing_tags_find(c, addr);
	if (m && m->start <= addr) {
		*until = min(m->end, in->end);
		return TAG_ABSENT;
	}
	*until = m ? min(m->start, in->have_end) : in->have_end;
	return TAG_KNOWN;
}

/* A walk; @run is what was found last and may still grow. */
struct tag_walk {
	struct core *core;
	int (*fn)(const struct core_tag_run *run, void *arg, struct err *e);
	void *arg;
	struct core_tag_run run;
	u8 piece[PIECE];
};

static int flush(struct tag_walk *w, struct err *e)
{
	struct core_tag_run run = w->run;

	w->run = (struct core_tag_run){ 0 };
	return run.start < run.end ? w->fn(&run, w->arg, e) : 0;
}

static int add(struct tag_walk *w, u64 start, u64 end, enum tag_state state, u8 tag, struct err *e)
{
	int r = 0;

	if (w->run.end != start || w->run.state != state || w->run.tag != tag) {
		r = flush(w, e);
		w->run = (struct core_tag_run){ .start = start, .state = state, .tag = tag };
	}
	w->run.end = end;
	return r;
}

/* The first granule from @g on, below @n, whose tag is another one than @g's; or @n. */
static size_t run_end(const u8 *packed, size_t g, size_t n)
{
	u8 tag = tags_get(packed, g);
	u64 same = tag * 0x1111111111111111ull, word;

	g++;
	if (g & 1 && g < n) {
		if (tags_get(packed, g) != tag)
			return g;
		g++;
	}
	/* Sixteen at a time: most of a large area has one tag. */
	for (; n - g >= 16; g += 16) {
		memcpy(&word, packed + g / 2, sizeof(word));
		if (word != same)
			break;
	}
	while (g < n && tags_get(packed, g) == tag)
		g++;
	return g;
}

static u64 granule_addr(u64 base, size_t granule)
{
	return range_end(base, (u64)granule * TAG_GRANULE);
}

/* Runs of [start, end), whose tags are @len bytes at w->piece, the first that of @base. */
static int piece_runs(struct tag_walk *w, u64 base, size_t len, u64 start, u64 end, struct err *e)
{
	size_t g = (size_t)((start - base) / TAG_GRANULE);
	int r = 0;

	while (!r && g < 2 * len && granule_addr(base, g) < end) {
		size_t stop = run_end(w->piece, g, 2 * len);

		r = add(w, max(start, granule_addr(base, g)), min(end, granule_addr(base, stop)), TAG_KNOWN,
			tags_get(w->piece, g), e);
		g = stop;
	}
	return r;
}

/*
 * Where the tags of @base on, at @off in the file, are a hole: its zeros are not
 * read, as they may be gigabytes.  @start moves to where data go on, up to @end.
 */
static int skip_hole(struct tag_walk *w, u64 off, u64 base, u64 *start, u64 end, struct err *e)
{
	u64 data = core_file_next_data(&w->core->file, off), len, from = *start;

	if (data <= off || mul_overflow(data - off, (u64)TAG_BYTE_SPAN, &len))
		return 0;
	*start = min(end, range_end(base, len));
	return add(w, from, *start, TAG_KNOWN, 0, e);
}

/* [start, end) is in @t, and all its tags are in the file. */
static int known_runs(struct tag_walk *w, const struct core_tagged *t, u64 start, u64 end, struct err *e)
{
	const GElf_Phdr *p = &w->core->segs[t->seg];
	int r = 0;

	while (!r && start < end) {
		u64 at = (start - p->p_vaddr) / TAG_BYTE_SPAN;
		u64 bytes = (end - 1 - p->p_vaddr) / TAG_BYTE_SPAN - at + 1;
		size_t len = (size_t)min(bytes, (u64)PIECE);
		u64 base = p->p_vaddr + at * TAG_BYTE_SPAN;
		u64 until = min(end, range_end(base, (u64)len * TAG_BYTE_SPAN));

		if (w->core->cancel && *w->core->cancel)
			return err_set(e, ERR_CANCELLED, "interrupted");
		u64 from = start;

		r = skip_hole(w, p->p_offset + at, base, &start, end, e);
		if (r || start != from)
			continue;
		r = core_file_read(&w->core->file, p->p_offset + at, w->piece, len, e);
		if (r)
			return err_wrap(e, "memory tags at 0x%llx", (unsigned long long)start);
		r = piece_runs(w, base, len, start, until, e);
		start = until;
	}
	return r;
}

int core_tag_runs(struct core *c, u64 start, u64 end,
		  int (*fn)(const struct core_tag_run *run, void *arg, struct err *e), void *arg, struct err *e)
{
	struct tag_walk *w auto_free = malloc(sizeof(*w));
	const struct core_tagged *t, *last = NULL;
	u64 until;
	int r = 0;

	if (!w)
		return err_set(e, -ENOMEM, "memory tags");
	w->core = c;
	w->fn = fn;
	w->arg = arg;
	w->run = (struct core_tag_run){ 0 };
	for (u64 at = start; !r && at < end; at = until) {
		enum tag_state s = state_at(c, at, &until, &t);

		until = min(until, end);
		if (s == TAG_NONE)
			continue;
		if (t != last)
			r = flush(w, e);
		last = t;
		if (!r && s == TAG_KNOWN)
			r = known_runs(w, t, at, until, e);
		else if (!r)
			r = add(w, at, until, TAG_ABSENT, 0, e);
	}
	return r ? r : flush(w, e);
}

int core_tag_at(struct core *c, u64 addr, enum tag_state *state, u8 *tag, struct err *e)
{
	const struct core_tagged *t;
	u64 until;
	/* Of the whole granule: so that *until is above its address even for the last one. */
	enum tag_state s = state_at(c, align_down(addr, TAG_GRANULE), &until, &t);
	u8 byte;

	if (s == TAG_KNOWN) {
		const GElf_Phdr *p = &c->segs[t->seg];
		u64 granule = (addr - p->p_vaddr) / TAG_GRANULE;
		int r = core_file_read(&c->file, p->p_offset + granule / 2, &byte, 1, e);

		if (r)
			return err_wrap(e, "memory tag at 0x%llx", (unsigned long long)addr);
		*tag = tags_get(&byte, granule & 1);
	}
	*state = s;
	return 0;
}

/* Linux 6.17, include/uapi/linux/prctl.h: PR_TAGGED_ADDR_ENABLE, PR_MTE_TCF_*, _TAG_MASK, _STORE_ONLY. */
int core_tag_ctrl(const struct core *c, const struct core_thread *t, struct core_tag_ctrl *out, struct err *e)
{
	const struct core_note *n = core_thread_note(c, t, "LINUX", NT_ARM_TAGGED_ADDR_CTRL);
	u64 v;
	int r;

	/* The number is arm64's: other machines may give it to another set. */
	if (!n || c->ehdr.e_machine != EM_AARCH64)
		return err_set(e, ERR_INPUT, "thread %d has no TAGGED_ADDR_CTRL note", t->tid);
	r = bytes_uint(n->note.desc, c->fmt, 0, c->layout.word, &v, e);
	if (r)
		return err_wrap(e, "TAGGED_ADDR_CTRL");
	*out = (struct core_tag_ctrl){
		.tagged_addresses = v & 1,
		.sync = v >> 1 & 1,
		.async = v >> 2 & 1,
		.store_only = v >> 19 & 1,
		.include_mask = (u16)(v >> 3),
	};
	return 0;
}
