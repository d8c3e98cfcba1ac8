/* helper.h - what several unit tests need: checks with reasons, and child processes to look at. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/util.h"
#include "mm/vma.h"

/* The call succeeded; else its sentence is in the test's output. */
#define assert_ok(call, e) do { \
	int assert_ok_ = (call); \
	if (assert_ok_ < 0) \
		fail_msg("%s: %d: %s", #call, assert_ok_, (e)->msg); \
} while (0)

/* Ends this test as skipped, and says why. */
#define skip_because(...) do { \
	print_message("# skip: " __VA_ARGS__); \
	print_message("\n"); \
	skip(); \
} while (0)

/* A process that has run its setup and then waits until it is killed. */
struct child {
	pid_t pid;
};

static inline void child_start(struct child *c, void (*setup)(void *arg), void *arg)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	fflush(NULL);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setup(arg);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	/* End of file: the child failed in its setup. */
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static inline void child_stop(struct child *c)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

/* Killed, and not yet waited for: a zombie. */
static inline void child_kill(struct child *c)
{
	siginfo_t si;

	kill(c->pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)c->pid, &si, WEXITED | WNOWAIT), 0);
}

/* In a child, where cmocka cannot be used. */
#define child_check(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "# %s:%d: child: %s: %s\n", __FILE__, __LINE__, #cond, strerror(errno)); \
		_exit(1); \
	} \
} while (0)

static inline char *child_map(size_t len, int prot, int flags, int fd, off_t off)
{
	char *p = mmap(NULL, len, prot, flags, fd, off);

	child_check(p != MAP_FAILED);
	return p;
}

static inline char *child_anon(size_t len)
{
	return child_map(len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Memory that a child shares with the test: for the addresses it made. */
static inline void *shared_new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* A memfd with this text. */
static inline int text_fd(const char *text, size_t len)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Equal but for what only smaps knows. */
static inline void assert_same_vma(const struct vma *a, const struct vma *b)
{
	const u32 known = VM_READ | VM_WRITE | VM_EXEC | VM_SHARED;

	assert_int_equal(a->start, b->start);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->pgoff, b->pgoff);
	assert_int_equal(a->ino, b->ino);
	assert_int_equal(a->dev_major, b->dev_major);
	assert_int_equal(a->dev_minor, b->dev_minor);
	assert_int_equal(a->flags & known, b->flags & known);
	if (!same_name(a->name, b->name))
		fail_msg("0x%llx: \"%s\" is not \"%s\"", (unsigned long long)a->start,
			 a->name ? a->name : "(null)", b->name ? b->name : "(null)");
}

/*
 * Keeps changing a window of 64 pages for ever, as a thread of a child: every
 * kind of split, merge, growth and hole that mmap, munmap and mprotect make.
 */
#define CHURN_PAGES 64

static inline void *churn_thread(void *window)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	u32 random = 1;

	for (;;) {
		random = random * 1664525 + 1013904223;
		size_t at = (random >> 8) % CHURN_PAGES;
		size_t n = 1 + (random >> 16) % (CHURN_PAGES - at);
		char *p = (char *)window + at * page;

		switch (random >> 30) {
		case 0:
			munmap(p, n * page);
			break;
		case 1:
			mprotect(p, n * page, PROT_READ);
			break;
		default:
			/* Touched, so that pages come and go, too; over a hole it is a new area. */
			if (mmap(p, n * page, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
				p[(n - 1) * page] = 1;
		}
	}
	return NULL;
}
