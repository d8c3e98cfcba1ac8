#include <errno.h>
#include <stdlib.h>

#include "mm/maps_line.h"
#include "mm/vma_backend.h"

int vma_text_area(struct vma_text *t, struct vma *out, struct err *e)
{
	char *line;
	size_t len;
	int r = proc_lines_peek(&t->lines, &line, &len, e);

	if (r <= 0)
		return r;
	/* The bytes stay where they are until the next peek. */
	proc_lines_skip(&t->lines);
	r = maps_line_parse(line, len, out, e);
	if (r < 0) {
		err_wrap(e, "%s: line %llu", t->lines.file.path,
			 (unsigned long long)t->lines.line_no);
		return r;
	}
	return 1;
}

static int text_rewind(struct vma_text *t, struct err *e)
{
	t->have = false;
	return proc_lines_rewind(&t->lines, e);
}

int vma_text_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	struct vma_text *t = mm->priv;

	if (t->begun && addr <= t->asked) {
		int r = text_rewind(t, e);

		if (r < 0)
			return r;
	}
	t->begun = true;
	t->asked = addr;
	while (!t->have || t->cur.end <= addr) {
		t->have = false;
		int r = t->next(t, &t->cur, e);

		if (r <= 0)
			return r;
		t->have = true;
	}
	*out = t->cur;
	return 1;
}

void vma_text_close(struct mm *mm)
{
	struct vma_text *t = mm->priv;

	proc_lines_close(&t->lines);
	free(t->name);
	free(t);
}

/* An empty text is not an empty address space: the process has no memory. */
static int text_probe(struct vma_text *t, struct err *e)
{
	char *line;
	size_t len;
	int r = proc_lines_peek(&t->lines, &line, &len, e);

	if (r < 0)
		return r;
	return r ? 0 : proc_file_gone(&t->lines.file, e);
}

int vma_text_open(struct mm *mm, const struct mm_ops *ops, struct proc_file *file,
		  int (*next)(struct vma_text *, struct vma *, struct err *), struct err *e)
{
	struct vma_text *t = calloc(1, sizeof(*t));

	if (!t) {
		proc_file_close(file);
		return err_set(e, -ENOMEM, "open %s", file->path);
	}
	t->lines.file = *file;
	t->next = next;
	struct mm open = { .ops = ops, .priv = t };
	int r = text_probe(t, e);
	if (r < 0) {
		vma_text_close(&open);
		return r;
	}
	*mm = open;
	return 0;
}
