/*
 * hungfs DIR COMMAND...: runs it where DIR is a file system in which every name is a
 * file that can be opened, and no read of it ever ends; what is called $HUNG_NAME cannot even be looked up.  For root; nobody else sees
 * it (a mount namespace of its own), and it goes with the command.  Exit 77 where
 * that is not allowed, else the command's status.
 */
#include "target.h"

#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { FILE_NODE = 2, FILE_SIZE = 1 << 20 };

static void reply(int fd, uint64_t unique, int error, const void *p, size_t len)
{
	char buf[512];
	struct fuse_out_header h = { .len = (uint32_t)(sizeof(h) + len), .error = error, .unique = unique };

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), p, len);
	if (write(fd, buf, sizeof(h) + len) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .nlink = 1, .blksize = 4096, .size = node == FILE_NODE ? FILE_SIZE : 0,
		.mode = node == FILE_NODE ? S_IFREG | 0755 : S_IFDIR | 0755,
	};
}

static void answer(int fd, const struct fuse_in_header *in)
{
	/*
	 * ASYNC_READ, as libfuse has it: else who reads waits for the answer itself, which not
	 * even SIGKILL ends.  Linux 6.12, fs/fuse/dev.c: request_wait_answer().
	 */
	const struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .flags = FUSE_ASYNC_READ, .max_write = 4096,
	};
	const struct fuse_entry_out entry = { .nodeid = FILE_NODE, .attr_valid = 1000, .entry_valid = 1000, .attr = attr_of(FILE_NODE) };
	const struct fuse_attr_out attr = { .attr_valid = 1000, .attr = attr_of(in->nodeid) };
	const struct fuse_open_out open = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT: reply(fd, in->unique, 0, &init, sizeof(init)); break;
	case FUSE_LOOKUP:
		if (getenv("HUNG_NAME") && !strcmp((const char *)(in + 1), getenv("HUNG_NAME"))) {
			printf("lookup\n");
			fflush(stdout);
			break;
		}
		reply(fd, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR: reply(fd, in->unique, 0, &attr, sizeof(attr)); break;
	case FUSE_OPEN: reply(fd, in->unique, 0, &open, sizeof(open)); break;
	case FUSE_FLUSH: case FUSE_RELEASE: case FUSE_ACCESS: reply(fd, in->unique, 0, NULL, 0); break;
	case FUSE_READ:
		printf("read\n");
		fflush(stdout);
		break;
	case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT:
		break;
	default: reply(fd, in->unique, -ENOSYS, NULL, 0);
	}
}

static void serve(int fd)
{
	static char buf[1 << 17] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno != EINTR && errno != ENOENT)
			_exit(0);
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			answer(fd, (const struct fuse_in_header *)buf);
	}
}

static int mount_at(const char *dir)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char opts[64];

	snprintf(opts, sizeof(opts), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	if (fd < 0 || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("hungfs", dir, "fuse", MS_NOSUID | MS_NODEV, opts))
		exit(77);
	return fd;
}

int main(int argc, char **argv)
{
	int fd, status;
	pid_t server, child;

	target_begin();
	if (argc < 3)
		return 2;
	fd = mount_at(argv[1]);
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
	}
	close(fd);
	child = fork();
	if (!child) {
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	kill(server, SIGKILL);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
