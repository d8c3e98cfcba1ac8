#include <errno.h>
#include <stdlib.h>

#include "base/uapi.h"
#include "dump/dump_priv.h"
#include "elf/sums.h"
#include "elf/tags.h"

bool dump_has_segment(const struct dump *d, size_t i)
{
	return !d->opts->stacks || d->plan.v[i].action != PLAN_OMIT;
}

static size_t count_tagged(const struct areas *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += vma_is_mte(a->v[i].vma);
	return n;
}

/*
 * One for each tagged area, after all PT_LOADs, with exactly its PT_LOAD's addresses;
 * p_flags is 0.  arch/arm64/kernel/elfcore.c: elf_core_write_extra_phdrs().
 */
static size_t add_tag_segments(struct dump *d, size_t n)
{
	for (size_t i = 0; i < d->areas.n; i++) {
		const struct vma *v = d->areas.v[i].vma;

		if (vma_is_mte(v) && dump_has_segment(d, i))
			d->segs[n++] = (struct segment){
				.type = PT_AARCH64_MEMTAG_MTE, .vaddr = v->start, .memsz = vma_len(v),
				.filesz = d->plan.v[i].filesz / TAG_BYTE_SPAN,
			};
	}
	return n;
}

/*
 * The last segment ends with the checksums of all that comes before them; how many there are depends on where that is,
 * which does not depend on how many there are.
 */
static int add_sums(struct dump *d, struct err *e)
{
	struct segment *last = &d->segs[d->n_segs - 1];

	last->filesz += sums_note_size(last->off + last->filesz, d->sums_block);
	last->off = 0;
	return layout_make(d->target.arch->fmt, d->page_size, d->segs, d->n_segs, &d->layout, e);
}

int dump_layout(struct dump *d, u64 notes_len, struct err *e)
{
	size_t n = 0, most = d->areas.n + count_tagged(&d->areas) + 2;
	int r;

	free(d->segs);
	d->segs = calloc(most, sizeof(*d->segs));
	if (!d->segs)
		return err_set(e, -ENOMEM, "%zu program headers", most);
	d->segs[n++] = (struct segment){ .type = PT_NOTE, .filesz = notes_len };
	for (size_t i = 0; i < d->areas.n; i++) {
		const struct vma *v = d->areas.v[i].vma;

		if (dump_has_segment(d, i))
			d->segs[n++] = (struct segment){
				.type = PT_LOAD, .flags = vma_seg_flags(v->flags), .vaddr = v->start, .memsz = vma_len(v),
				.filesz = d->plan.v[i].filesz,
			};
	}
	n = add_tag_segments(d, n);
	d->missing_room = dump_missing_room(d);
	d->segs[n++] = (struct segment){ .type = PT_NOTE, .filesz = d->missing_room + PAUSE_NOTE_ROOM };
	d->n_segs = n;
	if (d->pre.on)
		places_assign(&d->pre.places, d);
	r = layout_make(d->target.arch->fmt, d->page_size, d->segs, n, &d->layout, e);
	return r || !d->sums_block ? r : add_sums(d, e);
}
