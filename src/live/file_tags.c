#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/uapi.h"
#include "live/file_tags.h"
#include "live/live.h"

/* The child does nothing at all, and dies with us. */
static void be_mapped(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

/* It has just been forked and blocks nothing: it stops at once. */
static int stop_child(pid_t child, struct err *e)
{
	int status;

	if (ptrace(PTRACE_SEIZE, child, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, child, NULL, NULL) < 0 ||
	    waitpid(child, &status, __WALL) < 0)
		return err_set(e, -errno, "stop a child of our own");
	return WIFSTOPPED(status) ? 0 : err_set(e, -ECHILD, "a child of our own died");
}

static int start_child(struct file_tags *f, struct err *e)
{
	pid_t self = getpid();

	f->child = fork();
	if (f->child == 0)
		be_mapped(self);
	if (f->child < 0) {
		f->child = 0;
		return err_set(e, -errno, "fork to read tags");
	}
	return stop_child(f->child, e);
}

int file_tags_open(struct file_tags *f, int fd, u64 off, u64 len, struct err *e)
{
	void *p = mmap(NULL, len, PROT_READ | UAPI_PROT_MTE, MAP_SHARED, fd, (off_t)off);
	int r;

	*f = (struct file_tags){ 0 };
	if (p == MAP_FAILED)
		return err_set(e, -errno, "map a file for its tags");
	f->map = p;
	f->off = off;
	f->len = len;
	r = start_child(f, e);
	if (r)
		file_tags_close(f);
	return r;
}

int file_tags_read(const struct file_tags *f, u64 off, u8 *tags, size_t n, size_t *got, struct err *e)
{
	return peek_tags(f->child, (u64)(uintptr_t)f->map + (off - f->off), tags, n, got, e);
}

void file_tags_close(struct file_tags *f)
{
	if (f->child) {
		kill(f->child, SIGKILL);
		waitpid(f->child, NULL, __WALL);
	}
	if (f->map)
		munmap(f->map, f->len);
	*f = (struct file_tags){ 0 };
}
