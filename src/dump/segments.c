#include <errno.h>
#include <stdlib.h>

#include "base/uapi.h"
#include "dump/dump_priv.h"

static u32 elf_flags(const struct vma *v)
{
	return (v->flags & VM_READ ? PF_R : 0) | (v->flags & VM_WRITE ? PF_W : 0) | (v->flags & VM_EXEC ? PF_X : 0);
}

int dump_layout(struct dump *d, struct err *e)
{
	size_t n = 0;

	d->segs = calloc(d->areas.n + 2, sizeof(*d->segs));
	if (!d->segs)
		return err_set(e, -ENOMEM, "%zu program headers", d->areas.n + 2);
	d->segs[n++] = (struct segment){ .type = PT_NOTE, .filesz = d->notes.len };
	for (size_t i = 0; i < d->areas.n; i++) {
		const struct vma *v = d->areas.v[i].vma;

		d->segs[n++] = (struct segment){
			.type = PT_LOAD, .flags = elf_flags(v), .vaddr = v->start, .memsz = vma_len(v),
			.filesz = d->plan.v[i].filesz,
		};
	}
	d->segs[n++] = (struct segment){ .type = PT_NOTE, .filesz = MISSING_NOTE_SIZE };
	d->n_segs = n;
	return layout_make(d->target.arch->fmt, d->page_size, d->segs, n, &d->layout, e);
}
