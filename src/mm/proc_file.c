#include "mm/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"

/* A page of seq_file text at a time is what the kernel gives; several save parsing's restarts. */
#define LINES_BUF 65536
/* A name may be deeper than PATH_MAX, but not without end. */
#define LINES_BUF_MAX (16 << 20)
#define STAT_MAX 8192

int proc_mounted(struct err *e)
{
	char self[32];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	if (n < 0)
		return err_set(e, ERR_UNSUPPORTED, "there is no /proc here, by which a process is read: mount -t proc proc /proc");
	self[n] = 0;
	/* Linux, fs/proc/self.c: proc_self_get_link(): our number in the namespace that it was mounted for. */
	if (atoi(self) != getpid())
		return err_set(e, ERR_UNSUPPORTED, "/proc is that of another PID namespace: mount -t proc proc /proc in this one");
	return 0;
}

int proc_no_process(pid_t pid, struct err *e)
{
	int r = proc_mounted(e);

	if (r)
		return r;
	/* proc(5), hidepid: others' directories are not there; kill(2) knows of them all the same. */
	if (!kill(pid, 0) || errno == EPERM)
		return err_set(e, -EPERM, "process %d is not to be seen in /proc (mounted with hidepid): run as its user or as root",
			       pid);
	return err_set(e, ERR_GONE, "no process %d", pid);
}

/* The thread may be there and only the file not: smaps and pagemap need CONFIG_PROC_PAGE_MONITOR. */
static int no_file(const struct proc_file *f, struct err *e)
{
	char dir[PROC_PATH_MAX];

	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", f->pid, f->tid);
	if (access(dir, F_OK))
		return proc_file_gone(f, e);
	return err_set(e, ERR_UNSUPPORTED, "this kernel has no %s", f->path);
}

int proc_file_open(struct proc_file *f, pid_t pid, pid_t tid, const char *name, struct err *e)
{
	struct proc_file file = { .pid = pid, .tid = tid };

	snprintf(file.path, sizeof(file.path), "/proc/%d/task/%d/%s", pid, tid, name);
	file.fd = io_open(file.path, O_RDONLY, e);
	/* pagemap of a task without memory: ESRCH from open, since v6.12 or so. */
	if (file.fd == -ESRCH)
		return proc_file_gone(&file, e);
	if (file.fd == -ENOENT)
		return no_file(&file, e);
	if (file.fd == -EACCES || file.fd == -EPERM)
		err_wrap(e, "may not look into process %d (be its user, or have CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)",
			 pid);
	if (file.fd < 0)
		return file.fd;
	*f = file;
	return 0;
}

void proc_file_close(struct proc_file *f)
{
	if (f->fd > 0)
		close(f->fd);
	f->fd = 0;
}

/* The state letter of proc_pid_stat(5): after the last ')', for the name may hold any; 0: there is no such thread. */
static int task_state(pid_t pid, pid_t tid, char *state, struct err *e)
{
	struct buf text scoped(buf_fini) = { 0 };
	char path[PROC_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	r = io_slurp(path, &text, STAT_MAX, e);
	*state = 0;
	if (r)
		return r == -ENOENT || r == -ESRCH ? 0 : r;
	const char *paren = text.len ? memrchr(text.p, ')', text.len) : NULL;
	if (!paren || (const char *)text.p + text.len - paren < 3)
		return err_set(e, ERR_INPUT, "%s cannot be understood", path);
	*state = paren[2];
	return 0;
}

int proc_file_gone(const struct proc_file *f, struct err *e)
{
	char dir[PROC_PATH_MAX], state;
	int r;

	snprintf(dir, sizeof(dir), "/proc/%d", f->pid);
	if (access(dir, F_OK))
		return errno == ENOENT ? proc_no_process(f->pid, e) : err_set(e, -errno, "look at %s", dir);
	r = task_state(f->pid, f->tid, &state, e);
	if (r)
		return r;
	if (!state)
		return err_set(e, ERR_GONE, "process %d has no thread %d", f->pid, f->tid);
	if (state == 'Z' || state == 'X')
		return err_set(e, ERR_GONE, "thread %d of process %d has exited and has no memory",
			       f->tid, f->pid);
	return err_set(e, ERR_GONE, "process %d has no memory to read: "
		       "a kernel thread, or it has just executed another program", f->pid);
}

/*
 * The text ended.  When the memory goes away under an open file it ends early
 * and without an error, so look whether its beginning is still there.
 */
static int lines_at_end(struct proc_lines *l, struct err *e)
{
	char c;
	ssize_t n = pread(l->file.fd, &c, 1, 0);

	l->eof = true;
	if (n > 0)
		return 0;
	if (n < 0 && errno != ESRCH)
		return err_set(e, -errno, "read %s", l->file.path);
	return proc_file_gone(&l->file, e);
}

/* Makes room after the unread rest, which moves to the front. */
static int lines_make_room(struct proc_lines *l, struct err *e)
{
	if (l->pos) {
		memmove(l->buf, l->buf + l->pos, l->len - l->pos);
		l->len -= l->pos;
		l->pos = 0;
	}
	if (l->len < l->cap)
		return 0;
	size_t cap = l->cap ? 2 * l->cap : LINES_BUF;
	if (cap > LINES_BUF_MAX)
		return err_set(e, ERR_INPUT, "%s: line %llu has no end", l->file.path,
			       (unsigned long long)l->line_no + 1);
	char *buf = realloc(l->buf, cap);
	if (!buf)
		return err_set(e, -ENOMEM, "read %s", l->file.path);
	l->buf = buf;
	l->cap = cap;
	return 0;
}

/* 1 when there is more text in the buffer, 0 at the end. */
static int lines_fill(struct proc_lines *l, struct err *e)
{
	size_t n;

	if (l->eof)
		return 0;
	int r = lines_make_room(l, e);
	if (r < 0)
		return r;
	r = io_read_full(l->file.fd, l->buf + l->len, l->cap - l->len, &n, l->file.path, e);
	if (r == -ESRCH)
		return proc_file_gone(&l->file, e);
	if (r < 0)
		return r;
	l->len += n;
	return n ? 1 : lines_at_end(l, e);
}

int proc_lines_peek(struct proc_lines *l, char **line, size_t *len, struct err *e)
{
	if (!l->peeked) {
		char *nl;

		while (l->pos == l->len ||
		       !(nl = memchr(l->buf + l->pos, '\n', l->len - l->pos))) {
			int r = lines_fill(l, e);

			if (r < 0 || (!r && l->pos == l->len))
				return r;
			if (!r)
				return err_set(e, ERR_INPUT, "%s: line %llu is cut short", l->file.path,
					       (unsigned long long)l->line_no + 1);
		}
		*nl = '\0';
		l->line_len = (size_t)(nl - (l->buf + l->pos));
		l->line_no++;
		l->peeked = true;
	}
	*line = l->buf + l->pos;
	*len = l->line_len;
	return 1;
}

void proc_lines_skip(struct proc_lines *l)
{
	if (!l->peeked)
		return;
	l->pos += l->line_len + 1;
	l->peeked = false;
}

int proc_lines_rewind(struct proc_lines *l, struct err *e)
{
	if (lseek(l->file.fd, 0, SEEK_SET) < 0)
		return err_set(e, -errno, "rewind %s", l->file.path);
	l->pos = l->len = l->line_len = 0;
	l->line_no = 0;
	l->peeked = l->eof = false;
	return 0;
}

void proc_lines_close(struct proc_lines *l)
{
	proc_file_close(&l->file);
	free(l->buf);
	l->buf = NULL;
}
