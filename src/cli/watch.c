#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/watch.h"
#include "unwind/unwind.h"

/* What the process that is asking has at @addr; it stands still, and has one thread. */
static bool read_path(const struct watch *w, u64 addr, char path[PATH_MAX])
{
	/* Up to the first byte that is not there. */
	ssize_t len = addr > INT64_MAX ? -1 : pread(w->memory, path, PATH_MAX, (off_t)addr);

	return len > 0 && memchr(path, 0, (size_t)len);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The dynamic linker's, for the library of the disassembler: where that is, is not the core's to say, nor a sysroot's. */
static int open_library(struct watch *w, const char *path)
{
	struct stat st;
	int fd = open_regular(path, NULL);

	if (fd >= 0 && !strcmp(last_part(path), unwind_code_library) && !fstat(fd, &st)) {
		w->dev = st.st_dev;
		w->ino = st.st_ino;
		w->has_library = true;
	}
	return fd;
}

static int open_for(struct watch *w, const struct seccomp_data *d)
{
	char path[PATH_MAX];

	if (!read_path(w, d->args[1], path))
		return -EFAULT;
	/* Names relative to a directory that it has open: no library of ours uses such. */
	if (path[0] != '/' && (int)d->args[0] != AT_FDCWD)
		return -EPERM;
	if (!strcmp(path, "/etc/ld.so.cache") || !strcmp(last_part(path), unwind_code_library))
		return open_library(w, path);
	return w->open(w->arg, path);
}

/* Is the file that it maps code of the library? */
static bool may_map(const struct watch *w, const struct seccomp_data *d)
{
	struct stat st;
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)w->pid, (int)d->args[4]);
	return w->has_library && !(d->args[3] & MAP_ANONYMOUS) && !(d->args[2] & PROT_WRITE) && !stat(link, &st) &&
	       st.st_dev == w->dev && st.st_ino == w->ino;
}

/* Puts @fd into the process; -errno, or its number there. */
static int put(const struct watch *w, u64 id, int fd)
{
	struct seccomp_notif_addfd add = { .id = id, .srcfd = (u32)fd, .newfd_flags = O_CLOEXEC };
	int r = ioctl(w->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return r < 0 ? -errno : r;
}

static void decide(struct watch *w, const struct seccomp_notif *q, struct seccomp_notif_resp *a)
{
	int fd auto_close = -1, r;

	a->id = q->id;
	a->error = -EPERM;
	if (q->data.nr == SCMP_SYS(mmap)) {
		a->flags = may_map(w, &q->data) ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	} else {
		fd = open_for(w, &q->data);
		r = fd < -4095 ? -EPERM : fd < 0 ? fd : put(w, q->id, fd);
		/* Linux 5.7 and 5.8 cannot give it; of what may be read, the process opens then what it finds by that name. */
		if (fd >= 0 && r == -EINVAL)
			a->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		a->error = r < 0 ? r : 0;
		a->val = r < 0 ? 0 : r;
	}
	if (a->flags)
		a->error = 0;
}

void watch_answer(struct watch *w)
{
	/* A later kernel's may be longer: it fills what it has. */
	union {
		struct seccomp_notif q;
		char room[1024];
	} in = { .room = { 0 } };
	struct seccomp_notif_resp a = { 0 };

	/* There is one process that asks; after a signal it asks no more: ENOENT. */
	if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_RECV, &in))
		return;
	decide(w, &in.q, &a);
	ioctl(w->listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

void watch_close(struct watch *w)
{
	scope_close(&w->listener);
	scope_close(&w->memory);
	w->listener = w->memory = -1;
}
