#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/open.h"
#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"

/* ---- from a file that was looked at to the same one opened */

/*
 * Regular by their type, but made by the kernel when they are read: that may wait (/proc/kmsg,
 * tracefs' trace_pipe), act, or read the memory of a process.
 */
static bool is_of_the_kernel(int looked)
{
	static const unsigned kinds[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC, SELINUX_MAGIC, SMACK_MAGIC, BPF_FS_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, NSFS_MAGIC,
		BINFMTFS_MAGIC, 0x62656570 /* configfs: fs/configfs/mount.c */,
	};
	struct statfs st;

	if (fstatfs(looked, &st))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((unsigned)st.f_type == kinds[i])
			return true;
	return false;
}

/* @looked is of O_PATH.  Linux 6.11, fs/proc/fd.c: proc_fd_link(): the link leads to the file itself, not to its name. */
int open_found(int looked, const char *path, struct err *e)
{
	struct stat was, is;
	char link[48];
	int fd auto_close = -1;

	if (fstat(looked, &was))
		return err_set(e, -errno, "look at %s", path);
	if (!S_ISREG(was.st_mode))
		return err_set(e, ERR_INPUT, "%s is no regular file", path);
	if (is_of_the_kernel(looked))
		return err_set(e, ERR_INPUT, "%s is no regular file: the kernel makes what is read from it", path);
	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", looked);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && access("/proc/thread-self/fd", X_OK))
		return err_set(e, ERR_UNSUPPORTED, "%s cannot be opened safely without /proc", path);
	if (fd < 0)
		return err_set(e, -errno, "open %s", path);
	/* Is /proc what it should be? */
	if (fstat(fd, &is) || is.st_dev != was.st_dev || is.st_ino != was.st_ino)
		return err_set(e, ERR_UNSUPPORTED, "%s cannot be opened safely: /proc leads elsewhere", path);
	return take_fd(fd);
}

int open_regular(const char *path, struct err *e)
{
	int looked auto_close = open(path, O_PATH | O_CLOEXEC);

	return looked < 0 ? err_set(e, -errno, "open %s", path) : open_found(looked, path, e);
}

/* ---- a directory as root */

int resolve_by_kernel(int root, const char *path)
{
	struct uapi_open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = UAPI_RESOLVE_IN_ROOT };
	long fd;

	/* EAGAIN: something was renamed meanwhile, and whether ".." leads out could not be known; openat2(2). */
	for (int i = 0; i < 16; i++) {
		fd = syscall(UAPI_SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

/*
 * Component by component.  The directories on the way are kept open: ".." goes back
 * to the one that we came from, wherever it may have been moved.
 */
enum { STEPS_DEPTH_MAX = 128, STEPS_LINKS_MAX = 40 };	/* links: the kernel's MAXSYMLINKS */
struct steps {
	int fds[STEPS_DEPTH_MAX];	/* [0] is the root, not ours */
	size_t n;
	char rest[2 * PATH_MAX];	/* of the path */
	unsigned links;
};

static void steps_up(struct steps *s, size_t n)
{
	while (s->n > n)
		close(s->fds[--s->n]);
}

static void steps_fini(struct steps *s)
{
	steps_up(s, 1);
}

/* Puts what the link @fd says before the rest. */
static bool steps_follow(struct steps *s, int fd)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
	int n;

	if (len < 0)
		return false;
	target[len] = 0;
	n = snprintf(rest, sizeof(rest), "%s/%s", target, s->rest);
	if (++s->links > STEPS_LINKS_MAX || n >= (int)sizeof(rest)) {
		errno = n >= (int)sizeof(rest) ? ENAMETOOLONG : ELOOP;
		return false;
	}
	memcpy(s->rest, rest, (size_t)n + 1);
	if (target[0] == '/')
		steps_up(s, 1);
	return true;
}

/* Goes to @name in the directory where it is. */
static bool steps_into(struct steps *s, const char *name)
{
	int fd auto_close = -1;
	struct stat st;

	/* "name/.." of what is no directory, too, is an error. */
	fd = openat(s->fds[s->n - 1], strcmp(name, "..") ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return false;
	if (!strcmp(name, "..")) {
		steps_up(s, max(s->n - 1, (size_t)1));
		return true;
	}
	if (S_ISLNK(st.st_mode))
		return steps_follow(s, fd);
	if (s->n == STEPS_DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	s->fds[s->n++] = take_fd(fd);
	return true;
}

/* Takes the first component off the rest; false at the end. */
static bool steps_next(struct steps *s, char name[NAME_MAX + 1], bool *too_long)
{
	const char *at = s->rest + strspn(s->rest, "/");
	size_t len = strcspn(at, "/");

	*too_long = len > NAME_MAX;
	if (!len || *too_long)
		return false;
	memcpy(name, at, len);
	name[len] = 0;
	memmove(s->rest, at + len, strlen(at + len) + 1);
	return true;
}

int resolve_by_steps(int root, const char *path)
{
	struct steps s scoped(steps_fini) = { .fds = { root }, .n = 1 };
	char name[NAME_MAX + 1];
	bool too_long = strlen(path) >= PATH_MAX;

	if (!too_long)
		snprintf(s.rest, sizeof(s.rest), "%s", path);
	while (!too_long && steps_next(&s, name, &too_long))
		if (strcmp(name, ".") != 0 && !steps_into(&s, name))
			return -1;
	if (too_long) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return s.n > 1 ? s.fds[--s.n] : fcntl(root, F_DUPFD_CLOEXEC, 0);
}

int find_in(const char *root, const char *path, struct err *e)
{
	int dir auto_close = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), looked;

	if (dir < 0)
		return err_set(e, -errno, "open %s", root);
	looked = resolve_by_kernel(dir, path);
	/* Kernels before 5.6; containers whose filter does not know the call. */
	if (looked < 0 && (errno == ENOSYS || errno == EPERM))
		looked = resolve_by_steps(dir, path);
	return looked < 0 ? err_set(e, -errno, "open %s in %s", path, root) : looked;
}

int open_regular_in(const char *root, const char *path, struct err *e)
{
	int looked auto_close = find_in(root, path, e);

	return looked < 0 ? looked : open_found(looked, path, e);
}
