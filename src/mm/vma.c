#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "mm/vma.h"

void mm_close(struct mm *mm)
{
	if (mm->ops && mm->ops->close)
		mm->ops->close(mm);
	*mm = (struct mm){ 0 };
}

int mm_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	return mm->ops->find(mm, addr, out, e);
}

bool vma_is_special(const struct vma *v)
{
	/* What may be in brackets and is memory of the process; [mpx] is of Linux 3.19 to 5.5. */
	static const char *const own[] = { "[heap]", "[stack", "[anon", "[mpx]" };

	if (!v->name || v->name[0] != '[' || v->ino)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strncmp(v->name, own[i], strlen(own[i])))
			return false;
	return true;
}

bool vma_is_vvar(const struct vma *v)
{
	return vma_is_special(v) && !strncmp(v->name, "[vvar", 5);
}

bool vma_is_secret(const struct vma *v)
{
	return v->flags & VM_SHARED && v->flags & VM_DONTDUMP && v->name && !strcmp(v->name, "/secretmem (deleted)");
}

bool vma_is_anon(const struct vma *v)
{
	if (v->ino || v->dev_major || v->dev_minor)
		return false;
	return !v->name || (v->name[0] == '[' && !vma_is_special(v));
}

static bool iter_failed(const struct vma_iter *vmi)
{
	return vmi->err.code != 0;
}

/* Keeps the error, also one that a backend returned without a message. */
static struct vma *iter_fail(struct vma_iter *vmi, int code)
{
	if (!vmi->err.code)
		err_set(&vmi->err, code, "walk areas by %s", vmi->mm->ops->name);
	return NULL;
}

/* No more areas in this direction: the place is @addr. */
static struct vma *iter_stop(struct vma_iter *vmi, u64 addr)
{
	vmi->addr = addr;
	vmi->prev_end = addr;
	return NULL;
}

static struct vma *iter_visit(struct vma_iter *vmi, const struct vma *v)
{
	vmi->vma = *v;
	vmi->addr = v->end;
	vmi->visited = v->end;
	vmi->prev_end = v->start;
	return &vmi->vma;
}

/* A backend reads what others wrote; whatever it says, a walk goes on or ends. */
static bool area_is_sane(const struct vma *v, u64 addr)
{
	return v->end > addr && v->end > v->start;
}

/* The target may have enlarged an area over what was already visited: the rest of it is new. */
static void area_cut(struct vma *v, u64 visited)
{
	if (v->start >= visited)
		return;
	if (!vma_is_anon(v))
		v->pgoff += visited - v->start;
	v->start = visited;
}

struct vma *vma_next_range(struct vma_iter *vmi, u64 end)
{
	struct vma v;

	if (vmi->done || iter_failed(vmi) || vmi->addr >= end)
		return NULL;
	int r = mm_find(vmi->mm, vmi->addr, &v, &vmi->err);
	if (r < 0)
		return iter_fail(vmi, r);
	if (r == 0) {
		vmi->done = true;
		return iter_stop(vmi, UINT64_MAX);
	}
	if (!area_is_sane(&v, vmi->addr)) {
		err_set(&vmi->err, ERR_INPUT, "%s: area 0x%llx-0x%llx in answer to 0x%llx",
			vmi->mm->ops->name, (unsigned long long)v.start,
			(unsigned long long)v.end, (unsigned long long)vmi->addr);
		return NULL;
	}
	area_cut(&v, vmi->visited);
	/* No area is before @end: going on from there never asks for a lower address than the last time. */
	if (v.start >= end)
		return iter_stop(vmi, end);
	return iter_visit(vmi, &v);
}

struct vma *vma_next(struct vma_iter *vmi)
{
	return vma_next_range(vmi, UINT64_MAX);
}

struct vma *vma_next_mte(struct vma_iter *vmi)
{
	struct vma *v;

	while ((v = vma_next(vmi)) && !vma_is_mte(v))
		;
	return v;
}

/* The start of the last area that begins below @addr: one pass from address 0. */
static int prev_scan(struct mm *mm, u64 addr, u64 *start, struct err *e)
{
	struct vma v;
	u64 at = 0;
	int r, found = 0;

	while ((r = mm_find(mm, at, &v, e)) > 0 && v.start < addr) {
		if (!area_is_sane(&v, at))
			return err_set(e, ERR_INPUT, "%s: area 0x%llx-0x%llx in answer to 0x%llx",
				       mm->ops->name, (unsigned long long)v.start,
				       (unsigned long long)v.end, (unsigned long long)at);
		*start = v.start;
		found = 1;
		at = v.end;
	}
	return r < 0 ? r : found;
}

/* mm_ops.prev for a backend without: a pass to find the place, another for the area itself. */
static int prev_by_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	for (;;) {
		u64 start = 0;
		int r = prev_scan(mm, addr, &start, e);

		if (r <= 0)
			return r;
		r = mm_find(mm, start, out, e);
		if (r < 0 || (r && out->start < addr))
			return r;
		/* It has gone meanwhile; look below it, so that this ends. */
		addr = start;
	}
}

struct vma *vma_prev(struct vma_iter *vmi)
{
	struct vma v;

	if (iter_failed(vmi))
		return NULL;
	const struct mm_ops *ops = vmi->mm->ops;
	int r = (ops->prev ? ops->prev : prev_by_find)(vmi->mm, vmi->prev_end, &v, &vmi->err);
	if (r < 0)
		return iter_fail(vmi, r);
	vmi->done = false;
	if (r == 0) {
		vmi->visited = 0;
		return iter_stop(vmi, 0);
	}
	return iter_visit(vmi, &v);
}

void vma_iter_set(struct vma_iter *vmi, u64 addr)
{
	vmi->addr = addr;
	vmi->prev_end = addr;
	vmi->visited = 0;
	vmi->done = false;
}

int vma_iter_end(struct vma_iter *vmi, struct err *e)
{
	if (iter_failed(vmi) && e)
		*e = vmi->err;
	return vmi->err.code;
}
