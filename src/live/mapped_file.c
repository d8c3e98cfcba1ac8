#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/open.h"
#include "base/scope.h"
#include "base/util.h"
#include "live/files.h"
#include "live/mapped_file.h"

static void set_stage(struct mapped_file *m, enum mapped_file_stage stage)
{
	__atomic_store_n(&m->stage, stage, __ATOMIC_RELEASE);
}

/* ---- to find it: without opening it, see flags_of() */

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

/* What must agree for a path to count as the mapped file. */
enum file_match {
	BY_LINK,	/* the kernel's own link to it */
	SAME_INODE,	/* its name: btrfs and overlayfs show another device in maps than in stat */
	SAME_FILE,	/* any path: device and inode must agree */
};

static bool same_file(int fd, const struct mapped_file *m, enum file_match how)
{
	struct stat st;

	/* Another may be a device, which is not opened. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	return how == BY_LINK || (st.st_ino == m->ino && (how == SAME_INODE || st.st_dev == m->dev));
}

/* "\012" back to a newline, as seq_file_path() escaped it. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (!strncmp(s, "\\012", 4)) {
			*to++ = '\n';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* Takes over @opened, which is negative or a file. */
static int keep_if_same(int opened, const struct mapped_file *m, enum file_match how)
{
	int fd auto_close = opened;

	return fd >= 0 && same_file(fd, m, how) ? take_fd(fd) : -1;
}

static int find_if_same(const char *path, const struct mapped_file *m, enum file_match how)
{
	return keep_if_same(open(path, O_PATH | O_CLOEXEC), m, how);
}

/* By the name that the target has for it: in its own root, which symbolic links do not lead out of. */
static int find_by_name(const struct mapped_file *m)
{
	char root[64], name[PATH_MAX];

	if (m->name[0] != '/' || has_suffix(m->name, " (deleted)") ||
	    snprintf(name, sizeof(name), "%s", m->name) >= (int)sizeof(name))
		return -1;
	snprintf(root, sizeof(root), "/proc/%d/root", m->reader);
	unescape(name);
	return keep_if_same(find_in(root, name, NULL), m, SAME_INODE);
}

/* Shared memory without a name may be open as a descriptor of the target. */
static int find_by_fd(const struct mapped_file *m)
{
	char path[512];
	struct dirent *d;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", m->reader);
	dir = opendir(path);
	while (dir && fd < 0 && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", m->reader, d->d_name);
		fd = find_if_same(path, m, SAME_FILE);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int find_any(struct mapped_file *m)
{
	char path[96];
	int fd;

	/* map_files opens the very file, deleted or not, but wants CAP_CHECKPOINT_RESTORE. */
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", m->reader,
		 (unsigned long long)m->map_start, (unsigned long long)m->map_end);
	set_stage(m, FILE_BY_LINK);
	fd = find_if_same(path, m, BY_LINK);
	m->linked = fd >= 0;
	if (m->here)
		return fd;
	set_stage(m, FILE_BY_NAME);
	if (fd < 0)
		fd = find_by_name(m);
	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/exe", m->reader);
		fd = find_if_same(path, m, SAME_FILE);
	}
	if (fd < 0)
		fd = find_by_fd(m);
	set_stage(m, FILE_BY_LINK);
	return fd;
}

/* A number is of one thread's table alone. */
static bool is_open(const struct mapped_file *m)
{
	return m->fd >= 0 && m->thread == gettid();
}

static bool find_once(struct mapped_file *m)
{
	if (!m->thread) {
		m->found = find_any(m);
		m->thread = gettid();
	}
	return m->found >= 0 && m->thread == gettid();
}

static bool open_once(struct mapped_file *m)
{
	if (find_once(m) && m->fd < 0)
		m->fd = open_found(m->found, m->name, NULL);
	return is_open(m);
}

/* ---- to look at it */

/*
 * Whose files are in memory, so that no read of them waits for anything but swap; and those that another machine
 * or process has.  Overlayfs has neither, though a layer of it may: of that statfs(2) does not say anything.
 */
static const struct file_system {
	u32 type;
	u32 flag;
} file_systems[] = {
	{ TMPFS_MAGIC, AREA_FILE_MEMORY },
	{ RAMFS_MAGIC, AREA_FILE_MEMORY },
	{ HUGETLBFS_MAGIC, AREA_FILE_MEMORY },
	{ FUSE_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ NFS_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ SMB_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ CIFS_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ SMB2_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ V9FS_MAGIC, AREA_FILE_REMOTE },
	{ CEPH_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ AFS_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ AFS_FS_MAGIC, AREA_FILE_REMOTE },
	{ CODA_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ NCP_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ OCFS2_SUPER_MAGIC, AREA_FILE_REMOTE },
	{ 0x01161970, AREA_FILE_REMOTE },	/* GFS2_MAGIC, include/uapi/linux/gfs2_ondisk.h */
	{ 0x20030528, AREA_FILE_REMOTE },	/* ORANGEFS_SUPER_MAGIC, fs/orangefs/orangefs-kernel.h */
	{ 0x786f4256, AREA_FILE_REMOTE },	/* VBOXSF_SUPER_MAGIC, fs/vboxsf/super.c */
	{ 0x0bd00bd0, AREA_FILE_REMOTE },	/* LL_SUPER_MAGIC of Lustre, lustre_user.h */
	{ 0x47504653, AREA_FILE_REMOTE },	/* GPFS */
};

static u32 system_flags(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
		if ((u32)fs.f_type == file_systems[i].type)
			return file_systems[i].flag | (file_systems[i].type == FUSE_SUPER_MAGIC ? AREA_FILE_FUSE : 0);
	return 0;
}

static bool is_same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/*
 * A reader here finds the file by the name that it has in maps.  In another mount namespace
 * the target may have another file of that name, or none is here.  Overlayfs and
 * btrfs show another device in maps, and of a mapped file, than by its name: then what the
 * name leads to in the target's own root decides.
 */
static bool is_here(const struct mapped_file *m)
{
	char name[PATH_MAX], there[PATH_MAX + 64];
	struct stat here, st;

	if (m->name[0] != '/' || snprintf(name, sizeof(name), "%s", m->name) >= (int)sizeof(name))
		return false;
	unescape(name);
	snprintf(there, sizeof(there), "/proc/%d/root%s", m->reader, name);
	if (stat(name, &here))
		return false;
	return (m->found >= 0 && !fstat(m->found, &st) && is_same_stat(&here, &st)) ||
	       (here.st_ino == m->ino && here.st_dev == m->dev) || (!stat(there, &st) && is_same_stat(&here, &st));
}

/* A file of less than four bytes is no ELF file; for an unreadable one this is not known. */
static u32 magic_flags(struct mapped_file *m)
{
	u8 magic[4] = { 0 };
	struct err ignored;
	size_t n;

	if (!open_once(m) || io_pread_full(m->fd, magic, sizeof(magic), 0, &n, "the mapped file", &ignored))
		return AREA_FILE_UNKNOWN;
	return AREA_FILE_OPENED | (!memcmp(magic, "\177ELF", 4) ? AREA_FILE_ELF : 0);
}

/*
 * A file on FUSE is not opened just to be looked at: where its server does not ask for the contrary, that takes
 * from all who have it mapped the pages that were in memory (Linux 6.12, fs/fuse/file.c: fuse_finish_open()).
 */
static u32 flags_of(struct mapped_file *m)
{
	u32 flags = has_suffix(m->name, " (deleted)") ? AREA_FILE_UNLINKED : 0;
	struct statx sx;

	if (!find_once(m) || statx(m->found, "", AT_EMPTY_PATH, STATX_MODE | STATX_NLINK | STATX_BLOCKS, &sx))
		return flags | AREA_FILE_UNKNOWN;
	m->allocated = sx.stx_blocks * 512;
	flags = (sx.stx_nlink ? 0 : AREA_FILE_UNLINKED) | AREA_FILE_FOUND | system_flags(m->found) |
		(m->linked ? AREA_FILE_LINKED : 0);
	if (sx.stx_mode & 0111)
		flags |= AREA_FILE_EXEC;
	if (sx.stx_attributes & STATX_ATTR_DAX)
		flags |= AREA_FILE_DAX;
	return flags | (flags & AREA_FILE_FUSE ? AREA_FILE_UNKNOWN : magic_flags(m));
}

void mapped_file_run_look(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;

	m->flags = flags_of(m);
	set_stage(m, FILE_KNOWN);
	if (!is_here(m))
		m->flags |= AREA_FILE_ELSEWHERE;
}

void mapped_file_run_magic(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;

	m->flags = magic_flags(m);
}

/* ---- to read it */

void mapped_file_run_open(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;
	struct stat st;

	if (!open_once(m) || fstat(m->fd, &st)) {
		scope_close(&m->fd);
		m->fd = -1;
		return;
	}
	m->flags = system_flags(m->fd);
	m->size = (u64)st.st_size;
	m->allocated = (u64)st.st_blocks * 512;
}

void file_next_data(int fd, u64 off, u64 end, u64 *data, u64 *hole)
{
	off_t at = lseek(fd, (off_t)off, SEEK_DATA);

	if (at < 0) {
		/* ENXIO: only a hole follows.  Anything else: the file system cannot tell. */
		*data = errno == ENXIO ? end : off;
		*hole = end;
		return;
	}
	*data = min((u64)at, end);
	at = lseek(fd, at, SEEK_HOLE);
	*hole = at < 0 || (u64)at <= off ? end : min((u64)at, end);
}

void mapped_file_run_next(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;

	if (is_open(m))
		file_next_data(m->fd, m->off, m->end, &m->off, &m->end);
}

void mapped_file_run_read(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;

	m->n = is_open(m) ? pread(m->fd, m->buf, m->len, (off_t)m->off) : -1;
}

/* Where process_vm_readv(2) is forbidden, or the process itself may not read, mem(5) is left. */
static ssize_t read_mem(const struct mapped_file *m)
{
	char path[64];
	int fd auto_close = -1;

	snprintf(path, sizeof(path), "/proc/%d/mem", m->reader);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : pread(fd, m->buf, m->len, (off_t)m->off);
}

void mapped_file_run_memory(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;
	struct iovec local = { .iov_base = m->buf, .iov_len = m->len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)m->off, .iov_len = m->len };

	m->n = process_vm_readv(m->reader, &local, 1, &remote, 1, 0);
	if (m->n <= 0)
		m->n = read_mem(m);
}
