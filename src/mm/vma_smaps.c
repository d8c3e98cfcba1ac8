#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "mm/vma_backend.h"

/* "Anonymous:       12 kB" */
static int key_size(const char *value, u64 *out)
{
	u64 kb = 0;

	value += strspn(value, " ");
	const char *p = value;
	for (; *p >= '0' && *p <= '9'; p++)
		if (mul_overflow(kb, 10, &kb) || add_overflow(kb, (u64)(*p - '0'), &kb))
			return ERR_INPUT;
	if (p == value || strcmp(p, " kB") || mul_overflow(kb, 1024, out))
		return ERR_INPUT;
	return 0;
}

static int key_anon(const char *value, struct vma *v)
{
	return key_size(value, &v->anon);
}

static int key_swap(const char *value, struct vma *v)
{
	return key_size(value, &v->swap);
}

/* Pages of hugetlb, which are not among Anonymous: one of two keys says who else has them mapped. */
static int key_huge(const char *value, struct vma *v)
{
	u64 size;

	return key_size(value, &size) || add_overflow(v->huge, size, &v->huge) ? ERR_INPUT : 0;
}

/* fs/proc/task_mmu.c: show_smap_vma_flags(); codes we have no use for are passed over. */
static int key_flags(const char *value, struct vma *v)
{
	for (size_t len; *(value += strspn(value, " ")); value += len) {
		len = strcspn(value, " ");
		v->flags |= len == 2 ? vma_flag_of(value) : 0;
	}
	v->flags |= VM_KNOWN;
	return 0;
}

static const struct smaps_key {
	const char *name;
	int (*take)(const char *value, struct vma *v);
} keys[] = {
	{ "Anonymous:", key_anon },
	{ "Swap:", key_swap },
	{ "Private_Hugetlb:", key_huge },
	{ "Shared_Hugetlb:", key_huge },
	{ "VmFlags:", key_flags },
};

static int take_key(const char *line, struct vma *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *name = keys[i].name;

		/* Most of some 25 lines an area are none of ours. */
		if (*line == *name && !strncmp(line, name, strlen(name)))
			return keys[i].take(line + strlen(name), v);
	}
	return strchr(line, ':') ? 0 : ERR_INPUT;
}

/* Keys begin with a capital, the line of the next area with a hexadecimal digit in lower case. */
static bool is_key(const char *line)
{
	return *line >= 'A' && *line <= 'Z';
}

/* Keeps the name: the lines that follow its own move the buffer. */
static int keep_name(struct vma_text *t, struct vma *v, struct err *e)
{
	if (!v->name)
		return 0;
	size_t size = strlen(v->name) + 1;
	if (size > t->name_cap) {
		char *name = realloc(t->name, 2 * size);

		if (!name)
			return err_set(e, -ENOMEM, "read %s", t->lines.file.path);
		t->name = name;
		t->name_cap = 2 * size;
	}
	v->name = memcpy(t->name, v->name, size);
	return 0;
}

static int take_keys(struct vma_text *t, struct vma *v, struct err *e)
{
	char *line;
	size_t len;
	int r;

	while ((r = proc_lines_peek(&t->lines, &line, &len, e)) > 0 && is_key(line)) {
		if (take_key(line, v) < 0)
			return err_set(e, ERR_INPUT, "%s: line %llu: not a key and its value: \"%.60s\"",
				       t->lines.file.path,
				       (unsigned long long)t->lines.line_no, line);
		proc_lines_skip(&t->lines);
	}
	return r < 0 ? r : 0;
}

static int smaps_next(struct vma_text *t, struct vma *out, struct err *e)
{
	struct vma v;
	int r = vma_text_area(t, &v, e);

	if (r <= 0)
		return r;
	if ((r = keep_name(t, &v, e)) < 0 || (r = take_keys(t, &v, e)) < 0)
		return r;
	/* Before v3.8 (commit 834f82e2aa9a) there are no VmFlags: then nothing is known. */
	if (!(v.flags & VM_KNOWN))
		v.anon = v.swap = v.huge = 0;
	*out = v;
	return 1;
}

const struct mm_ops vma_smaps_ops = {
	.name = "smaps",
	.find = vma_text_find,
	.close = vma_text_close,
};

int vma_smaps_open_file(struct mm *mm, struct proc_file *file, struct err *e)
{
	return vma_text_open(mm, &vma_smaps_ops, file, smaps_next, e);
}

int vma_smaps_open(struct mm *mm, pid_t pid, pid_t tid, struct err *e)
{
	struct proc_file file;
	int r = proc_file_open(&file, pid, tid, "smaps", e);

	return r < 0 ? r : vma_smaps_open_file(mm, &file, e);
}
