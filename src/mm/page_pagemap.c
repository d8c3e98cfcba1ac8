#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/util.h"
#include "mm/page_backend.h"

/* One read's worth: 512 KiB for 256 MiB of 4 KiB pages. */
#define WORDS_MAX 65536

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PRESENT (1ULL << 63)
#define PM_SWAP (1ULL << 62)
#define PM_FILE (1ULL << 61)
#define PM_UFFD (1ULL << 57)	/* write-protected by userfaultfd(2), or since v7.3 against reading */
#define PM_GUARD (1ULL << 58)	/* since v6.15, commit a516403787e0; always 0 before */

struct pagemap {
	struct proc_file file;
	u64 page_size;
	struct page_place place;
	u64 first;	/* page number of words[0] */
	size_t n;	/* words that are read */
	u64 words[WORDS_MAX];
};

int pagemap_alive(const struct proc_file *f, struct err *e)
{
	u64 word;
	size_t n;
	int r = io_pread_full(f->fd, &word, sizeof(word), 0, &n, f->path, e);

	/* Without memory it reads as an empty file (Linux 6.12, fs/proc/task_mmu.c: pagemap_read()). */
	if (r == -ESRCH || (!r && n == 0))
		return proc_file_gone(f, e);
	return r;
}

int pagemap_open(struct proc_file *f, pid_t pid, pid_t tid, struct err *e)
{
	int r = proc_file_open(f, pid, tid, "pagemap", e);

	if (r < 0)
		return r;
	r = pagemap_alive(f, e);
	if (r < 0)
		proc_file_close(f);
	return r;
}

/*
 * A guard page is stored as a special swap entry, so the kernel sets PM_SWAP,
 * too.  The zero word is by far the most frequent.
 */
static u32 word_flags(u64 word)
{
	u32 flags = 0;

	if (!(word & (PM_PRESENT | PM_SWAP)))
		return word & PM_GUARD ? PAGE_GUARD : 0;
	if (word & PM_GUARD)
		return PAGE_GUARD;
	if (word & PM_PRESENT)
		flags |= PAGE_PRESENT;
	if (word & PM_SWAP)
		flags |= PAGE_SWAPPED;
	if (word & PM_FILE)
		flags |= PAGE_FILE;
	if (word & PM_UFFD)
		flags |= PAGE_WATCHED;
	return flags;
}

/* Reads words from page number @page on.  1, or 0 above the end of the address space. */
static int words_fill(struct pagemap *p, u64 page, u64 last, struct err *e)
{
	size_t want = (size_t)min(last - page, (u64)WORDS_MAX), bytes;
	int r = io_pread_full(p->file.fd, p->words, want * sizeof(u64), page * sizeof(u64), &bytes,
			      p->file.path, e);

	p->first = page;
	p->n = 0;
	if (r == -ESRCH)
		return proc_file_gone(&p->file, e);
	if (r < 0)
		return r;
	p->n = bytes / sizeof(u64);
	return p->n ? 1 : pagemap_alive(&p->file, e);
}

/* The run that begins with word @i, as far as the words go; pages before @last. */
static u64 run_end(const struct pagemap *p, size_t i, u64 last, u32 flags)
{
	size_t n = (size_t)min((u64)p->n, last - p->first);

	while (i < n && word_flags(p->words[i]) == flags)
		i++;
	return p->first + i;
}

static int pagemap_next(struct page_source *src, u64 start, u64 end, struct page_run *out,
			struct err *e)
{
	struct pagemap *p = src->priv;

	if (start >= end)
		return 0;
	if (!page_place_is(&p->place, start, end))
		p->n = 0;
	u64 last = (end - 1) / p->page_size + 1, stop;
	for (u64 page = start / p->page_size; page < last; page = stop) {
		if (page - p->first >= p->n) {
			int r = words_fill(p, page, last, e);

			if (r <= 0)
				return r;
		}
		size_t i = (size_t)(page - p->first);
		u32 flags = word_flags(p->words[i]);

		stop = run_end(p, i, last, flags);
		if (!flags)
			continue;
		*out = (struct page_run){
			.start = max(start, page * p->page_size),
			.end = stop == last ? end : stop * p->page_size,
			.flags = flags,
		};
		p->place = (struct page_place){ out->end, end };
		return 1;
	}
	return 0;
}

static void pagemap_close(struct page_source *src)
{
	struct pagemap *p = src->priv;

	proc_file_close(&p->file);
	free(p);
}

const struct page_source_ops page_pagemap_ops = {
	.name = "pagemap",
	.next = pagemap_next,
	.close = pagemap_close,
};

int page_pagemap_open(struct page_source *src, pid_t pid, pid_t tid, struct err *e)
{
	struct proc_file file;
	int r = pagemap_open(&file, pid, tid, e);

	if (r < 0)
		return r;
	struct pagemap *p = malloc(sizeof(*p));
	if (!p) {
		proc_file_close(&file);
		return err_set(e, -ENOMEM, "read %s", file.path);
	}
	p->file = file;
	p->page_size = (u64)sysconf(_SC_PAGESIZE);
	p->place = (struct page_place){ 0 };
	p->first = 0;
	p->n = 0;
	*src = (struct page_source){ .ops = &page_pagemap_ops, .priv = p };
	return 0;
}
