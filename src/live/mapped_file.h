/* mapped_file.h - a file that a process maps, as a thread of its own sees it (files.h): all that may wait for its server. */
#pragma once

#include <sys/types.h>

#include "base/worker.h"
#include "live/area.h"
#include "live/target.h"

/* How far looking at it has come: which server is the one that does not answer. */
enum mapped_file_stage {
	FILE_BY_LINK,	/* it is being opened or read: its own */
	FILE_BY_NAME,	/* a way to it is looked for: any */
	FILE_KNOWN,	/* its name is looked at; @flags and what follows there are known */
};

struct mapped_file {
	struct worker_job job;
	pid_t reader;		/* of the process: /proc/READER */
	u64 map_start, map_end;
	u64 ino;
	dev_t dev;
	bool here;		/* it is looked for by the kernel's link alone, in the thread that asks */
	enum mapped_file_stage stage;	/* both threads use it */
	/* Found by opening and looking. */
	pid_t thread;		/* that has the descriptors */
	int found;		/* it, by O_PATH, or -1 */
	bool linked;		/* by the kernel's link */
	int fd;			/* to be read, or -1 */
	u32 flags;		/* enum area_file */
	u64 size, allocated;	/* bytes */
	/* What is asked for, and the answer. */
	u64 off, end;
	size_t len;
	u8 *buf;		/* MAPPED_FILE_PIECE bytes, or NULL */
	ssize_t n;
	char name[];		/* as in maps; "" */
};

/* What it takes to find or open it, they do. */
void mapped_file_run_look(struct worker_job *job);
void mapped_file_run_magic(struct worker_job *job);	/* is it an ELF file? */
void mapped_file_run_open(struct worker_job *job);
void mapped_file_run_next(struct worker_job *job);	/* [off, end) becomes the next that is no hole */
void mapped_file_run_read(struct worker_job *job);	/* @len bytes at @off into @buf */
void mapped_file_run_memory(struct worker_job *job);	/* the same of @reader's memory */
