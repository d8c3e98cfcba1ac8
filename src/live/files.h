/* files.h - the files that a process maps, asked for in a thread of their own: their servers may never answer. */
#pragma once

#include "base/worker.h"
#include "live/area.h"
#include "live/fuse.h"

/* How long a file is waited for, unless the user says otherwise: see struct worker. */
enum { FILES_TIMEOUT_MS = 10000 };

/* What is known of all files of a device, as it is in maps: AREA_FILE_MEMORY and what follows there. */
struct file_server {
	u32 major, minor;
	u32 flags;
};

/*
 * What is asked for of a target's files.  A server that did not answer is not asked again: that is known by the
 * device; nor, while the target is stopped, one that the target is itself.
 */
struct files {
	struct worker worker;
	struct file_server *servers;
	size_t n, cap;
	struct fuse_served served;
	bool looked;	/* what it serves is known */
};
#define FILES_INIT ((struct files){ .worker.limit_ns = FILES_TIMEOUT_MS * 1000000ull })
void files_fini(struct files *f);

/* Before the stop: which file systems @t serves.  Only ERR_CANCELLED and -ENOMEM are errors. */
int files_find_served(struct files *f, const struct target *t, struct err *e) must_check;

/* What a->file is to be, and a->allocated.  Only ERR_CANCELLED and -ENOMEM are errors. */
int files_look(struct files *f, const struct target *t, struct area *a, struct err *e) must_check;

/* For a file that has not been opened for that: is it an ELF file? */
int files_look_inside(struct files *f, const struct target *t, struct area *a, struct err *e) must_check;

/* AREA_FILE_MEMORY and so on of what @v maps, as known by now. */
u32 files_server(const struct files *f, const struct vma *v);

/*
 * A file of @t's, to be opened when it is first asked for.  Here and below, ERR_TIMEOUT: its server does not
 * answer, nor is it asked again; ERR_CANCELLED.
 */
struct mapped_file;
struct mapped_file *mapped_file_make(const struct target *t, const struct area *a, struct err *e) must_check;
/*
 * *fd: to be read in the calling thread, and its to close; or -1: only by the functions below.  The former are files in
 * memory, and those of a file system on a disk of this machine that answered, which the kernel's own link leads to.
 */
int mapped_file_open(struct files *f, struct mapped_file **file, int *fd, u64 *size, u64 *allocated,
		     struct err *e) must_check;
/* See backing_next(), which is this where the file is not to be waited for. */
int mapped_file_next(struct files *f, struct mapped_file **file, u64 off, u64 end, u64 *data, u64 *hole,
		     struct err *e) must_check;
/* As pread(2), at most MAPPED_FILE_PIECE bytes; *n: -1 where it fails. */
int mapped_file_read(struct files *f, struct mapped_file **file, u64 off, void *p, size_t len, ssize_t *n,
		     struct err *e) must_check;
/* As target_read(), of memory that may not be there any more, so that the file would be read; *n: 0, too, where it cannot. */
int mapped_file_memory(struct files *f, struct mapped_file **file, u64 addr, void *p, size_t len, size_t *n,
		       struct err *e) must_check;
/* The same of any memory. */
int files_read_memory(const struct target *t, u64 addr, void *p, size_t len, size_t *n, struct err *e) must_check;
void mapped_file_close(struct files *f, struct mapped_file **file);
enum { MAPPED_FILE_PIECE = 256 << 10 };

/* [*data, *hole): the next bytes of @fd in [off, end) that are no hole; see backing_next(). */
void file_next_data(int fd, u64 off, u64 end, u64 *data, u64 *hole);
