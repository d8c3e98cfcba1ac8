#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

enum { NAME_MAX_BYTES = 4 * 4096 + 1 };	/* PATH_MAX, each byte a newline */

struct vma_core {
	struct core *core;
	char name[NAME_MAX_BYTES];
};

/* As seq_path(m, path, "\n") in fs/proc/task_mmu.c: only newlines are escaped. */
static const char *name_escape(struct core_text t, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t.len && n + 5 < NAME_MAX_BYTES; i++) {
		if (t.p[i] == '\n') {
			memcpy(out + n, "\\012", 4);
			n += 4;
		} else {
			out[n++] = t.p[i];
		}
	}
	out[n] = 0;
	return n ? out : NULL;
}

static u32 prot_flags(const struct core *c, const struct core_area *a)
{
	bool known;
	u32 prot = core_area_prot(c, a, &known);

	return (prot & PF_R ? VM_READ : 0) | (prot & PF_W ? VM_WRITE : 0) | (prot & PF_X ? VM_EXEC : 0);
}

/* AREAS knows most (offset, flags, names of areas without a file); NT_FILE is next. */
static void fill_origin(struct vma_core *vc, u64 addr, struct vma *v)
{
	const struct core_noted_area *noted = core_noted_area_at(vc->core, addr);
	const struct core_map *m = core_map_at(vc->core, addr);

	if (noted) {
		v->flags |= noted->flags;
		v->pgoff = noted->pgoff + (addr - noted->start);
		if (noted->name.len)
			v->name = core_text_copy(noted->name, vc->name, sizeof(vc->name));
	} else if (m) {
		v->pgoff = m->pgoff + (addr - m->start);
		v->name = name_escape(m->name, vc->name);
	}
}

static int core_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	struct vma_core *vc = mm->priv;
	const struct core_area *a = core_area_find(vc->core, addr);

	(void)e;
	if (!a || addr == UINT64_MAX)
		return 0;
	*out = (struct vma){ .start = a->start, .end = a->end,
			     .flags = prot_flags(vc->core, a) | (a->mte ? VM_MTE : 0) |
				      (a->shadow_stack ? VM_SHADOW_STACK : 0) };
	fill_origin(vc, a->start, out);
	return 1;
}

static void core_mm_close(struct mm *mm)
{
	free(mm->priv);
}

const struct mm_ops vma_core_ops = {
	.name = "core",
	.find = core_find,
	.close = core_mm_close,
};

int mm_open_core(struct mm *mm, struct core *core, struct err *e)
{
	struct vma_core *vc = malloc(sizeof(*vc));

	if (!vc)
		return err_set(e, -ENOMEM, "areas of the core");
	vc->core = core;
	*mm = (struct mm){ .ops = &vma_core_ops, .priv = vc };
	return 0;
}
