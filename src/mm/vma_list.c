#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/search.h"
#include "base/util.h"
#include "mm/vma.h"

/* Names never move, for the areas point at them: blocks, each filled from its beginning. */
struct names {
	struct names *next;
	size_t used;
	size_t cap;
	char text[];
};
#define NAMES_BLOCK 65536

static char *names_room(struct vma_list *l, size_t size)
{
	struct names *block = l->names;

	if (!block || block->cap - block->used < size) {
		size_t cap = max((size_t)NAMES_BLOCK, size);

		block = malloc(sizeof(*block) + cap);
		if (!block)
			return NULL;
		*block = (struct names){ .next = l->names, .cap = cap };
		l->names = block;
	}
	block->used += size;
	return block->text + block->used - size;
}

/* Neighbours of one file share its name. */
static int list_name(struct vma_list *l, const char *name, const char **out, struct err *e)
{
	const char *last = l->n ? l->v[l->n - 1].name : NULL;

	if (!name || (last && !strcmp(last, name))) {
		*out = name ? last : NULL;
		return 0;
	}
	size_t size = strlen(name) + 1;
	char *copy = names_room(l, size);
	if (!copy)
		return err_set(e, -ENOMEM, "keep the name of an area");
	*out = memcpy(copy, name, size);
	return 0;
}

int vma_list_add(struct vma_list *l, const struct vma *v, struct err *e)
{
	u64 floor = l->n ? l->v[l->n - 1].end : 0;
	struct vma copy = *v;

	if (v->end <= v->start || v->start < floor)
		return err_set(e, ERR_INPUT, "area 0x%llx-0x%llx is empty or not above 0x%llx",
			       (unsigned long long)v->start, (unsigned long long)v->end,
			       (unsigned long long)floor);
	int r = array_grow((void **)&l->v, l->n, &l->cap, sizeof(*l->v), "keep areas", e);
	if (!r)
		r = list_name(l, v->name, &copy.name, e);
	if (!r)
		l->v[l->n++] = copy;
	return r;
}

void vma_list_fini(struct vma_list *l)
{
	for (struct names *block = l->names, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(l->v);
	*l = (struct vma_list){ 0 };
}

int vma_snapshot(struct mm *mm, struct vma_list *out, struct err *e)
{
	struct vma_list list scoped(vma_list_fini) = { 0 };
	struct vma *v;
	int r;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, v) {
		r = vma_list_add(&list, v, e);
		if (r < 0)
			return r;
	}
	r = vma_iter_end(&vmi, e);
	if (r < 0)
		return r;
	*out = list;
	list = (struct vma_list){ 0 };
	return 0;
}

/* Index of the first area that ends above @addr. */
static size_t list_above(const struct vma_list *l, u64 addr)
{
	return search_first(i, 0, l->n, l->v[i].end > addr);
}

static int list_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	const struct vma_list *l = mm->priv;
	size_t i = list_above(l, addr);

	(void)e;
	if (i == l->n)
		return 0;
	*out = l->v[i];
	return 1;
}

static int list_prev(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	const struct vma_list *l = mm->priv;
	size_t i = list_above(l, addr);

	(void)e;
	/* The first that ends above @addr may begin below it; else it is the one before. */
	if (i < l->n && l->v[i].start < addr)
		i++;
	if (i == 0)
		return 0;
	*out = l->v[i - 1];
	return 1;
}

const struct mm_ops vma_list_ops = {
	.name = "list",
	.find = list_find,
	.prev = list_prev,
};

void mm_open_list(struct mm *mm, const struct vma_list *l)
{
	*mm = (struct mm){ .ops = &vma_list_ops, .priv = (void *)l };
}
