/*
 * clocked SIZE [DIR]: watches the clock in a thread, beside SIZE of memory that it fills.  On SIGUSR1 it prints
 * "longest MS until MS": for how long that thread did not run, and when it did again, by CLOCK_MONOTONIC; both
 * since the last report.  With DIR it serves a FUSE file system there, in a mount namespace of its own (nsenter(1)
 * goes there): files in one directory, kept in memory.  Exit 77 where that is not allowed.  With "stops" after DIR
 * each write stops it (SIGSTOP) before it is answered, and with "stops-reading" each read past the pages touched.
 *
 * With CLOCKED_MAPS=FILE it maps that file, in which it has filled 16 pages with 1, 2, ...; it prints "mapped ADDRESS".
 * The first 4 are touched, of the ninth it has a private copy, full of 238, and the others are in the file alone.  With
 * CLOCKED_SHARED=yes the mapping is shared, and nothing is written to.
 */
#include "target.h"

#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* ---- the clock */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static double longest, until;

static void *watch(void *arg)
{
	double last = target_seconds(), now;

	(void)arg;
	for (;;) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		now = target_seconds();
		pthread_mutex_lock(&lock);
		if (now - last > longest) {
			longest = now - last;
			until = now;
		}
		pthread_mutex_unlock(&lock);
		last = now;
	}
	return NULL;
}

static void report(void)
{
	pthread_mutex_lock(&lock);
	printf("longest %.0f until %.0f\n", longest * 1000, until * 1000);
	longest = 0;
	pthread_mutex_unlock(&lock);
}

/* ---- the file system: node 1 is the directory, file @i is node i + 2 */

enum { FILES = 64, MAX_WRITE = 1 << 17, PAGES = 16, TOUCHED = 4, WRITTEN = 8 };

static struct file {
	char name[256];		/* "": it has none */
	char *data;
	uint64_t size;
	int used;
} files[FILES];

static int dev_fd, stops, stops_reading;

static void reply(uint64_t unique, int error, const void *p, size_t len)
{
	static char buf[MAX_WRITE + 4096];
	struct fuse_out_header h = { .len = (uint32_t)(sizeof(h) + len), .error = error, .unique = unique };

	memcpy(buf, &h, sizeof(h));
	if (len)
		memcpy(buf + sizeof(h), p, len);
	if (write(dev_fd, buf, sizeof(h) + len) < 0 && errno != ENOENT)
		_exit(1);
}

static struct file *file_of(uint64_t node)
{
	return node >= 2 && node < FILES + 2 && files[node - 2].used ? &files[node - 2] : NULL;
}

static uint64_t node_of(const struct file *f)
{
	return (uint64_t)(f - files) + 2;
}

static struct file *find(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].used && !strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

static struct fuse_attr attr_of(uint64_t node)
{
	const struct file *f = file_of(node);

	return (struct fuse_attr){
		.ino = node, .nlink = 1, .blksize = 4096, .size = f ? f->size : 0, .blocks = f ? (f->size + 511) / 512 : 0,
		.mode = f ? S_IFREG | 0600 : S_IFDIR | 0777,
	};
}

static struct fuse_entry_out entry_of(const struct file *f)
{
	return (struct fuse_entry_out){ .nodeid = node_of(f), .attr = attr_of(node_of(f)) };
}

static void resize(struct file *f, uint64_t size)
{
	char *p = realloc(f->data, size + 1);

	must(p != NULL, "realloc");
	if (size > f->size)
		memset(p + f->size, 0, size - f->size);
	f->data = p;
	f->size = size;
}

static void create(const struct fuse_in_header *in, const char *name)
{
	struct { struct fuse_entry_out entry; struct fuse_open_out open; } out = { 0 };
	struct file *f = files;

	while (f < files + FILES && f->used)
		f++;
	if (f == files + FILES) {
		reply(in->unique, -ENOSPC, NULL, 0);
		return;
	}
	*f = (struct file){ .used = 1 };
	snprintf(f->name, sizeof(f->name), "%s", name);
	out.entry = entry_of(f);
	reply(in->unique, 0, &out, sizeof(out));
}

static void take_name(const struct fuse_in_header *in, const char *from, const char *to, uint32_t flags)
{
	struct file *f = find(from), *old = find(to);

	if (f && old && flags & 1) {	/* RENAME_NOREPLACE */
		reply(in->unique, -EEXIST, NULL, 0);
		return;
	}
	if (old)
		old->name[0] = 0;
	if (f)
		snprintf(f->name, sizeof(f->name), "%s", to);
	reply(in->unique, f ? 0 : -ENOENT, NULL, 0);
}

static void answer(const struct fuse_in_header *in, const void *arg)
{
	const struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = MAX_WRITE,
		.flags = FUSE_BIG_WRITES,
	};
	const struct fuse_statfs_out statfs = { .st = { .blocks = 1 << 20, .bfree = 1 << 20, .bavail = 1 << 20, .bsize = 4096,
							.frsize = 4096, .namelen = 255 } };
	const struct fuse_write_in *write = arg;
	const struct fuse_read_in *read = arg;
	const struct fuse_setattr_in *set = arg;
	const struct fuse_rename2_in *rename = arg;
	const char *from;
	struct file *f = file_of(in->nodeid);
	struct fuse_attr_out attr = { 0 };
	struct fuse_entry_out entry;
	struct fuse_write_out written;
	struct fuse_open_out open = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		f = find(arg);
		if (f)
			entry = entry_of(f);
		reply(in->unique, f ? 0 : -ENOENT, &entry, f ? sizeof(entry) : 0);
		break;
	case FUSE_SETATTR:
		if (f && set->valid & FATTR_SIZE)
			resize(f, set->size);
		/* fall through */
	case FUSE_GETATTR:
		attr.attr = attr_of(in->nodeid);
		reply(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_CREATE:
		create(in, (const char *)arg + sizeof(struct fuse_create_in));
		break;
	case FUSE_OPEN: case FUSE_OPENDIR:
		reply(in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_WRITE:
		if (stops)
			raise(SIGSTOP);
		if (write->offset + write->size > f->size)
			resize(f, write->offset + write->size);
		memcpy(f->data + write->offset, write + 1, write->size);
		written = (struct fuse_write_out){ .size = write->size };
		reply(in->unique, 0, &written, sizeof(written));
		break;
	case FUSE_READ:
		if (stops_reading && read->offset >= TOUCHED * 4096)
			raise(SIGSTOP);
		if (read->offset >= f->size)
			reply(in->unique, 0, NULL, 0);
		else
			reply(in->unique, 0, f->data + read->offset,
			      read->size < f->size - read->offset ? read->size : (size_t)(f->size - read->offset));
		break;
	case FUSE_RENAME2:
		from = (const char *)(rename + 1);
		take_name(in, from, from + strlen(from) + 1, rename->flags);
		break;
	case FUSE_UNLINK:
		f = find(arg);
		if (f)
			f->name[0] = 0;
		reply(in->unique, f ? 0 : -ENOENT, NULL, 0);
		break;
	case FUSE_STATFS:
		reply(in->unique, 0, &statfs, sizeof(statfs));
		break;
	case FUSE_FLUSH: case FUSE_RELEASE: case FUSE_RELEASEDIR: case FUSE_FSYNC: case FUSE_ACCESS:
		reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_READDIR:
		reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT:
		break;
	default:
		reply(in->unique, -ENOSYS, NULL, 0);
	}
}

static void *serve(void *arg)
{
	static char buf[MAX_WRITE + 8192] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = read(dev_fd, buf, sizeof(buf));

		if (n < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
			_exit(0);
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			answer((const struct fuse_in_header *)buf, buf + sizeof(struct fuse_in_header));
	}
	return arg;
}

static void mount_at(const char *dir)
{
	char opts[64];

	dev_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(opts, sizeof(opts), "fd=%d,rootmode=40777,user_id=0,group_id=0,allow_other", dev_fd);
	if (dev_fd < 0 || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("clocked", dir, "fuse", MS_NOSUID | MS_NODEV, opts))
		exit(77);
}

static int maps_shared(void)
{
	const char *s = getenv("CLOCKED_SHARED");

	return s && *s;
}

/* The kernel may be about to use a page just then, and keep it. */
static int is_cached(void *p, size_t len)
{
	unsigned char in_memory[PAGES];

	must(!mincore(p, len, in_memory), "mincore");
	for (int i = 0; i < PAGES; i++)
		if (in_memory[i] & 1)
			return 1;
	return 0;
}

/* No page but what is asked for is read, nor stays in memory from when it was written. */
static void map_file(const char *path)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len = PAGES * page;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	volatile char *p;
	char *bytes = malloc(len);

	must(fd >= 0 && bytes, path);
	for (int i = 0; i < PAGES; i++)
		memset(bytes + (size_t)i * page, i + 1, page);
	must(write(fd, bytes, len) == (ssize_t)len, "write");
	must(!fsync(fd), "fsync");
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, maps_shared() ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	must(p != MAP_FAILED && !madvise((void *)p, len, MADV_RANDOM), "mmap");
	while (is_cached((void *)p, len)) {
		must(!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "fadvise");
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	for (int i = 0; i < TOUCHED; i++)
		must(p[(size_t)i * page] == i + 1, "read");
	if (!maps_shared())
		memset((char *)p + WRITTEN * page, 238, page);
	close(fd);
	free(bytes);
	printf("mapped %p\n", (void *)p);
}

int main(int argc, char **argv)
{
	size_t size = target_size(argc > 1 ? argv[1] : "4M");
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	target_begin();
	target_block_usr1();
	must(memory != MAP_FAILED, "mmap");
	target_fill(memory, size, 1);
	if (argc > 2)
		mount_at(argv[2]);
	stops = argc > 3 && !strcmp(argv[3], "stops");
	stops_reading = argc > 3 && !strcmp(argv[3], "stops-reading");
	must(pthread_create(&thread, NULL, watch, NULL) == 0, "thread");
	must(argc < 3 || pthread_create(&thread, NULL, serve, NULL) == 0, "thread");
	if (getenv("CLOCKED_MAPS"))
		map_file(getenv("CLOCKED_MAPS"));
	target_ready();
	for (;;) {
		target_wait();
		report();
	}
}
