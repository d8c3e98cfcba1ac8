/* proc_file.h - a target's files under /proc: opened with clear reasons, read line by line. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

#define PROC_PATH_MAX 64

/*
 * 0, or why nothing can be asked of /proc: it is not mounted, or it is that of
 * another PID namespace, where our numbers are those of other processes.
 */
int proc_mounted(struct err *e) must_check;
/* Returns ERR_GONE, or why the process is not to be seen though it may be there. */
int proc_no_process(pid_t pid, struct err *e);

/* Which process, through which of its threads, and what file of it: for messages. */
struct proc_file {
	int fd;
	pid_t pid;
	pid_t tid;
	char path[PROC_PATH_MAX];
};

/*
 * Opens /proc/PID/task/TID/@name for reading.  The thread's own directory is
 * used because /proc/PID/maps of a process whose leader has exited is empty.
 * ERR_GONE: there is no such thread, or no memory of it; ERR_UNSUPPORTED: this
 * kernel has no such file.
 */
int proc_file_open(struct proc_file *f, pid_t pid, pid_t tid, const char *name,
		   struct err *e) must_check;
/* Accepts a zeroed one, and therefore leaves descriptor 0 open. */
void proc_file_close(struct proc_file *f);
/*
 * Returns ERR_GONE, having found out why the target has no memory, for files that
 * came up empty; another error where that cannot be found out.
 */
int proc_file_gone(const struct proc_file *f, struct err *e);

/*
 * The lines of such a file, a buffer's worth at a time, never the whole text.
 * @line_no counts from 1.
 */
struct proc_lines {
	struct proc_file file;
	char *buf;
	size_t cap;
	size_t pos;		/* of the next line */
	size_t len;		/* bytes read into buf */
	size_t line_len;	/* of the line peeked at, if @peeked */
	u64 line_no;
	bool peeked;
	bool eof;
};

/*
 * The next line, NUL-terminated, without its newline, again and again until
 * it is skipped; it lives until the peek after that.  1, or 0 at the end of
 * the text, or ERR_GONE when it ended because the target's memory went away.
 */
int proc_lines_peek(struct proc_lines *l, char **line, size_t *len, struct err *e) must_check;
void proc_lines_skip(struct proc_lines *l);
int proc_lines_rewind(struct proc_lines *l, struct err *e) must_check;
void proc_lines_close(struct proc_lines *l);
