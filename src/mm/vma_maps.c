#include "mm/vma_backend.h"

const struct mm_ops vma_maps_ops = {
	.name = "maps",
	.find = vma_text_find,
	.close = vma_text_close,
};

int vma_maps_open_file(struct mm *mm, struct proc_file *file, struct err *e)
{
	return vma_text_open(mm, &vma_maps_ops, file, vma_text_area, e);
}

int vma_maps_open(struct mm *mm, pid_t pid, pid_t tid, struct err *e)
{
	struct proc_file file;
	int r = proc_file_open(&file, pid, tid, "maps", e);

	return r < 0 ? r : vma_maps_open_file(mm, &file, e);
}
