#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "live/target.h"

SAME(TAGCORE_AREA_READ, VM_READ);
SAME(TAGCORE_AREA_WRITE, VM_WRITE);
SAME(TAGCORE_AREA_EXEC, VM_EXEC);
SAME(TAGCORE_AREA_SHARED, VM_SHARED);
SAME(TAGCORE_AREA_KNOWN, VM_KNOWN);
SAME(TAGCORE_AREA_DONTDUMP, VM_DONTDUMP);
SAME(TAGCORE_AREA_IO, VM_IO);
SAME(TAGCORE_AREA_PFNMAP, VM_PFNMAP);
SAME(TAGCORE_AREA_MIXEDMAP, VM_MIXEDMAP);
SAME(TAGCORE_AREA_HUGETLB, VM_HUGETLB);
SAME(TAGCORE_AREA_MTE, VM_MTE);
SAME(TAGCORE_AREA_DONTCOPY, VM_DONTCOPY);
SAME(TAGCORE_AREA_WIPEONFORK, VM_WIPEONFORK);
SAME(TAGCORE_AREA_GROWSDOWN, VM_GROWSDOWN);
SAME(TAGCORE_AREA_UFFD_MISSING, VM_UFFD_MISSING);
SAME(TAGCORE_AREA_SHADOW_STACK, VM_SHADOW_STACK);
SAME(TAGCORE_AREA_UFFD_MINOR, VM_UFFD_MINOR);
SAME(TAGCORE_AREA_UFFD_RWP, VM_UFFD_RWP);
/* The caller's structure has room for ours. */
_Static_assert(sizeof(struct vma_iter) <= sizeof(((struct tagcore_area_iter *)0)->state), "area_iter");
_Static_assert(sizeof(struct tagcore_area) <= sizeof(((struct tagcore_area_iter *)0)->current.area_room), "area");

struct tagcore_mm *tagcore_core_mm(struct tagcore_core *core)
{
	return &core->mm;
}

int tagcore_mm_open_pid(struct tagcore_mm **mm, pid_t pid, const char *backend, struct tagcore_error *error)
{
	struct tagcore_mm *m = calloc(1, sizeof(*m));
	struct err e = { 0 };
	pid_t tid = 0;
	int r;

	if (!m)
		return api_fail(error, -ENOMEM, "address space");
	r = target_reader(&pid, &tid, &e);
	if (!r)
		r = mm_open_pid(&m->mm, pid, tid, backend, &e);
	if (r) {
		free(m);
		return api_error(error, r, &e);
	}
	*mm = m;
	return 0;
}

void tagcore_mm_close(struct tagcore_mm *mm)
{
	if (!mm)
		return;
	mm_close(&mm->mm);
	free(mm);
}

const char *tagcore_mm_backend(const struct tagcore_mm *mm)
{
	return mm->mm.ops->name;
}

void api_area(const struct vma *v, struct tagcore_area *out)
{
	*out = (struct tagcore_area){
		.start = v->start, .end = v->end, .offset = v->pgoff, .inode = v->ino, .dev_major = v->dev_major,
		.dev_minor = v->dev_minor, .flags = v->flags, .name = v->name, .anonymous = v->anon, .swapped = v->swap,
	};
}

/*
 * The iterator of vma.h in the caller's structure.  It is copied out and in, for the caller may
 * have moved it; what one step hands out does not point into it.
 */
static void load(struct vma_iter *vmi, const struct tagcore_area_iter *it)
{
	memcpy(vmi, it->state, sizeof(*vmi));
}

static const struct tagcore_area *store(struct tagcore_area_iter *it, const struct vma_iter *vmi, const struct vma *v)
{
	memcpy(it->state, vmi, sizeof(*vmi));
	if (!v)
		return NULL;
	api_area(v, &it->current.area);
	return &it->current.area;
}

struct tagcore_area_iter tagcore_area_iter_at(struct tagcore_mm *mm, uint64_t addr)
{
	VMA_ITERATOR(vmi, &mm->mm, addr);
	struct tagcore_area_iter it = { 0 };

	store(&it, &vmi, NULL);
	return it;
}

const struct tagcore_area *tagcore_area_next(struct tagcore_area_iter *it)
{
	struct vma_iter vmi;

	load(&vmi, it);
	return store(it, &vmi, vma_next(&vmi));
}

const struct tagcore_area *tagcore_area_next_range(struct tagcore_area_iter *it, uint64_t end)
{
	struct vma_iter vmi;

	load(&vmi, it);
	return store(it, &vmi, vma_next_range(&vmi, end));
}

const struct tagcore_area *tagcore_area_next_tagged(struct tagcore_area_iter *it)
{
	struct vma_iter vmi;

	load(&vmi, it);
	return store(it, &vmi, vma_next_mte(&vmi));
}

const struct tagcore_area *tagcore_area_prev(struct tagcore_area_iter *it)
{
	struct vma_iter vmi;

	load(&vmi, it);
	return store(it, &vmi, vma_prev(&vmi));
}

void tagcore_area_iter_set(struct tagcore_area_iter *it, uint64_t addr)
{
	struct vma_iter vmi;

	load(&vmi, it);
	vma_iter_set(&vmi, addr);
	store(it, &vmi, NULL);
}

int tagcore_area_iter_end(const struct tagcore_area_iter *it, struct tagcore_error *error)
{
	struct err e = { 0 };
	struct vma_iter vmi;
	int r;

	load(&vmi, it);
	r = vma_iter_end(&vmi, &e);
	return r ? api_error(error, r, &e) : 0;
}
