#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "fuzz.h"
#include "live/proc_text.h"
#include "mm/vma_backend.h"

static void with_areas(const char *text, size_t size, bool smaps)
{
	struct proc_file file = { .pid = getpid(), .tid = getpid(), .path = "areas" };
	struct mm mm scoped(mm_close) = { 0 };
	struct err e = { 0 };
	struct vma *v;
	u64 last = 0;
	int r;

	file.fd = memfd_create("proc", MFD_CLOEXEC);
	if (file.fd < 0)
		return;
	must(write(file.fd, text, size) == (ssize_t)size && !lseek(file.fd, 0, SEEK_SET), "memfd");
	r = smaps ? vma_smaps_open_file(&mm, &file, &e) : vma_maps_open_file(&mm, &file, &e);
	must(!r || (e.code == r && *e.msg), "open: %d", r);
	if (r)
		return;
	VMA_ITERATOR(vmi, &mm, 0);
	for_each_vma(vmi, v) {
		must(v->start < v->end && v->start >= last, "area %llx after %llx", (unsigned long long)v->start,
		     (unsigned long long)last);
		last = v->end;
	}
	r = vma_iter_end(&vmi, &e);
	must(!r || (e.code == r && *e.msg), "areas: %d", r);
}

static void with_maps(char *text, size_t size) { with_areas(text, size, false); }
static void with_smaps(char *text, size_t size) { with_areas(text, size, true); }

static void with_stat(char *text, size_t size)
{
	struct proc_stat s;

	(void)size;
	must(!proc_text_stat(text, &s) || strnlen(s.comm, sizeof(s.comm)) < sizeof(s.comm), "the name has no end");
}

static void with_status(char *text, size_t size)
{
	struct proc_status s;

	(void)size;
	must(!proc_text_status(text, &s) || s.tgid > 0, "tgid %d", s.tgid);
}

static void with_syscall(char *text, size_t size)
{
	u64 call[4];

	(void)size;
	(void)proc_text_syscall(text, call);
}

static const struct { const char *name; void (*parse)(char *text, size_t size); } files[] = {
	{ "maps\n", with_maps }, { "smaps\n", with_smaps }, { "stat\n", with_stat }, { "status\n", with_status },
	{ "syscall\n", with_syscall },
};

void fuzz_proc(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t n = strlen(files[i].name);
		char *text;

		if (size < n || memcmp(data, files[i].name, n) != 0)
			continue;
		text = malloc(size - n + 1);
		must(text, "memory");
		memcpy(text, data + n, size - n);
		text[size - n] = 0;
		files[i].parse(text, size - n);
		free(text);
	}
}
