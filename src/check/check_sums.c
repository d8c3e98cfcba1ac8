#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "check/checks.h"
#include "core/core_sums.h"
#include "elf/elffmt.h"

#define ull unsigned long long

/* What of a file is in [start, end). */
struct contents {
	const struct core *core;
	u64 start, end;
	bool headers, notes, tags;
	u64 first, last;	/* addresses of memory that is there */
	size_t n;		/* in so many segments */
};

static bool overlaps(const struct contents *w, u64 off, u64 len)
{
	return len && off < w->end && range_end(off, len) > w->start;
}

static void add_memory(struct contents *w, const GElf_Phdr *p)
{
	u64 from = max(w->start, p->p_offset) - p->p_offset, to = min(w->end - p->p_offset, p->p_filesz);

	if (!w->n++) {
		w->first = p->p_vaddr + from;
		w->last = p->p_vaddr + to - 1;
	}
	w->first = min(w->first, p->p_vaddr + from);
	w->last = max(w->last, p->p_vaddr + to - 1);
}

static void look(struct contents *w)
{
	const struct core *c = w->core;

	w->headers = overlaps(w, 0, elffmt_ehdr_size(c->fmt)) ||
		     overlaps(w, c->ehdr.e_phoff, c->n_segs * elffmt_phdr_size(c->fmt));
	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		if (p->p_type == PT_NULL || !overlaps(w, p->p_offset, p->p_filesz))
			continue;
		w->notes |= p->p_type == PT_NOTE;
		w->tags |= core_is_memtag(c, p);
		if (p->p_type == PT_LOAD)
			add_memory(w, p);
	}
}

/* "headers, notes, memory of 2 areas from 0x1000 to 0x5000" */
static void describe(const struct contents *w, char *out, size_t size)
{
	char memory[96] = "", text[160];
	const char *comma = "";

	if (w->n == 1)
		snprintf(memory, sizeof(memory), "memory 0x%llx-0x%llx", (ull)w->first, (ull)w->last + 1);
	else if (w->n)
		snprintf(memory, sizeof(memory), "memory of %zu areas from 0x%llx to 0x%llx", w->n, (ull)w->first,
			 (ull)w->last + 1);
	*text = 0;
	for (size_t i = 0; i < 4; i++) {
		const char *const words[] = { w->headers ? "headers" : "", w->notes ? "notes" : "", w->tags ? "memory tags" : "",
					      memory };
		size_t at = strlen(text);

		if (!*words[i])
			continue;
		snprintf(text + at, sizeof(text) - at, "%s%s", comma, words[i]);
		comma = ", ";
	}
	snprintf(out, size, "%s", *text ? text : "padding");
}

/* Those that are not listed are only counted: to look up what each has would take as long as there are segments. */
static void report(struct check_ctx *x, const struct core_damage *d)
{
	struct contents w = { .core = x->core, .start = d->start, .end = d->end };
	char what[192] = "";

	if (check_is_listed(x)) {
		look(&w);
		describe(&w, what, sizeof(what));
	}
	check_found(x, d->start, "bytes 0x%llx-0x%llx %s (%s)", (ull)d->start, (ull)d->end,
		    d->unread ? "cannot be unpacked" : "are not what was written", what);
}

void check_tagcore_sums(struct check_ctx *x)
{
	struct core_damages damages scoped(core_damages_fini) = { 0 };
	struct core_sums sums scoped(core_sums_fini) = { 0 };
	struct err e = { 0 };
	int r = core_sums_find(x->core, &sums, &e);

	if (r == ERR_INPUT)
		check_found(x, e.off, "the CHECKSUMS note cannot be used: %s", err_sentence(&e));
	else if (!r && core_sums_lost(x->core))
		check_found(x, x->core->ehdr.e_phoff, "the CHECKSUMS note that the dump wrote is not found: what else is damaged is "
			    "not known");
	else if (r == 1)
		r = core_sums_check(x->core, &sums.note, &damages, &e);
	if (r && r != ERR_INPUT) {
		x->oom = r;
		x->why = e;
	}
	for (size_t i = 0; i < damages.n; i++)
		report(x, &damages.v[i]);
}
