#include "cmocka_all.h"
#include "dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/open.h"
#include "base/scope.h"
#include "base/types.h"
#include "base/util.h"

/* Files that others name: what is opened, what is only looked at, and what a root directory holds in. */

static void fails(int fd, int want)
{
	if (fd >= 0)
		close(fd);
	assert_int_equal(fd, want);
}

static void has_text(int fd, const char *text)
{
	char buf[64] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf) - 1), strlen(text));
	assert_string_equal(buf, text);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
}

static void regular_only(void **state)
{
	struct err e = { 0 };

	(void)state;
	put_file("file", "hello");
	assert_int_equal(symlink("file", "link") || symlink("loop", "loop") || mkfifo("fifo", 0600), 0);
	has_text(open_regular("file", &e), "hello");
	has_text(open_regular("link", &e), "hello");
	alarm(60);
	fails(open_regular("fifo", &e), ERR_INPUT);
	assert_string_equal(e.msg, "fifo is no regular file");
	fails(open_regular(".", &e), ERR_INPUT);
	fails(open_regular("/dev/zero", &e), ERR_INPUT);
	fails(open_regular("/proc/self/mem", &e), ERR_INPUT);
	fails(open_regular("/proc/self/maps", &e), ERR_INPUT);
	fails(open_regular_in("/proc/self", "maps", &e), ERR_INPUT);
	has_text(open_regular_in("/proc/self/cwd", "file", &e), "hello");
	fails(open_regular("loop", &e), -ELOOP);
	fails(open_regular("absent", &e), -ENOENT);
	alarm(0);
}

/* Who waits to write into a FIFO goes on as soon as anybody opens it, if only to see what it is. */
static void a_fifo_is_never_opened(void **state)
{
	pid_t writer;
	int status;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	writer = fork();
	if (!writer) {
		alarm(60);
		_exit(open("fifo", O_WRONLY) < 0);
	}
	for (int i = 0; i < 1000; i++)
		fails(open_regular("fifo", NULL), ERR_INPUT);
	assert_int_equal(waitpid(writer, &status, WNOHANG), 0);
	kill(writer, SIGKILL);
	waitpid(writer, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* In a mount namespace of its own; 77 where that is not allowed. */
static int without_proc(void)
{
	struct err e = { 0 };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/proc", "tmpfs", 0, NULL))
		return 77;
	return open_regular("file", &e) != ERR_UNSUPPORTED || !strstr(e.msg, "without /proc");
}

static void no_proc(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	put_file("file", "hello");
	pid = fork();
	if (!pid)
		_exit(without_proc());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* ---- a root directory */

static const struct {
	const char *path;
	int want;	/* 0, or -errno */
} paths[] = {
	{ "/in/file", 0 }, { "in/file", 0 }, { "//in/./file", 0 }, { "/in/../in/file", 0 }, { "/../../in/file", 0 },
	{ "/in/deep/../../../../../in/file", 0 }, { "/absolute", 0 }, { "/in/deep/up", 0 }, { "/dirlink/file", 0 },
	{ "/chain", 0 }, { "/in/deep/../file", 0 }, { "/dirlink/deep/../file", 0 }, { "/out", -ENOENT },
	{ "/outdir/file", -ENOENT }, { "/../file", -ENOENT }, { "/loop", -ELOOP }, { "/in/file/x", -ENOTDIR },
	{ "/in/file/../file", -ENOTDIR }, { "/absent", -ENOENT }, { "/in/absent/../file", -ENOENT },
};

static void make_root(void)
{
	/* Outside there is a file of each name that leads out. */
	put_file("file", "outside");
	assert_int_equal(mkdir("root", 0700) || mkdir("root/in", 0700) || mkdir("root/in/deep", 0700), 0);
	put_file("root/in/file", "inside");
	assert_int_equal(symlink("/in/file", "root/absolute") || symlink("../../../../../in/file", "root/in/deep/up") ||
			 symlink("/in", "root/dirlink") || symlink("dirlink/../absolute", "root/chain") ||
			 symlink("../file", "root/out") || symlink("..", "root/outdir") || symlink("loop", "root/loop"), 0);
}

static void remove_root(void)
{
	static const char *const names[] = { "in/deep/up", "in/file", "absolute", "dirlink", "chain", "out", "outdir", "loop" };
	int root = open("root", O_PATH);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(root, names[i], 0);
	close(root);
	assert_int_equal(rmdir("root/in/deep") || rmdir("root/in") || rmdir("root"), 0);
}

static void expect_inside(int fd, const char *path, int want)
{
	struct stat st, inside;

	if (want ? fd >= 0 || errno != -want : fd < 0)
		fail_msg("%s: %s", path, fd < 0 ? strerror(errno) : "found");
	if (fd < 0)
		return;
	assert_int_equal(stat("root/in/file", &inside) || fstat(fd, &st), 0);
	assert_true(st.st_ino == inside.st_ino && st.st_dev == inside.st_dev);
	close(fd);
}

static void nothing_leads_out(void **state)
{
	int root;

	(void)state;
	make_root();
	root = open("root", O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open_regular_in("root", paths[i].path, NULL);

		errno = -fd;
		expect_inside(fd, paths[i].path, paths[i].want);
		expect_inside(resolve_by_steps(root, paths[i].path), paths[i].path, paths[i].want);
	}
	close(root);
	fails(open_regular_in("absent", "/in/file", NULL), -ENOENT);
	fails(open_regular_in("root", "/in", NULL), ERR_INPUT);
	remove_root();
}

static void kernel_and_steps_agree(void **state)
{
	int root, fd;

	(void)state;
	make_root();
	root = open("root", O_PATH | O_DIRECTORY);
	fd = resolve_by_kernel(root, "/in");
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		close(root);
		remove_root();
		skip();
	}
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		expect_inside(resolve_by_kernel(root, paths[i].path), paths[i].path, paths[i].want);
	close(root);
	remove_root();
}

/* What was gone into is not left by "..", wherever it is moved meanwhile; and no descriptor stays. */
static void nothing_stays_open(void **state)
{
	int root, before, after;

	(void)state;
	make_root();
	root = open("root", O_PATH | O_DIRECTORY);
	before = dup(root);
	close(before);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = resolve_by_steps(root, paths[i].path);

		if (fd >= 0)
			close(fd);
	}
	after = dup(root);
	close(after);
	close(root);
	assert_int_equal(before, after);
	remove_root();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(regular_only),
		in_dir(a_fifo_is_never_opened),
		in_dir(no_proc),
		in_dir(nothing_leads_out),
		in_dir(kernel_and_steps_agree),
		in_dir(nothing_stays_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
