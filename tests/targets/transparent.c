/*
 * transparent FILE [try] - looks as a process that Linux 7.3 started by binfmt_misc's flag T:
 * /proc/PID/exe is FILE, a program of any machine, and AT_FLAGS says so.  What runs is
 * this program.  77: this kernel, or the rights, do not allow it; try: 0 where they do.
 */
#include <elf.h>
#include <sched.h>
#include <sys/mman.h>

#include "target.h"

enum { TRANSPARENT = 1 << 1, AREAS = 32 };

struct area {
	unsigned long start, end;
	int prot;
};

static int is_ours(const char *line)
{
	char exe[1024];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	must(n > 0, "exe");
	exe[n] = 0;
	return strstr(line, exe) != NULL;
}

static int areas_of_file(struct area a[AREAS])
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[1024], p[5];
	int n = 0;

	must(f != NULL, "maps");
	while (n < AREAS && fgets(line, sizeof(line), f))
		if (is_ours(line) && sscanf(line, "%lx-%lx %4s", &a[n].start, &a[n].end, p) == 3) {
			a[n].prot = (p[0] == 'r' ? PROT_READ : 0) | (p[1] == 'w' ? PROT_WRITE : 0) | (p[2] == 'x' ? PROT_EXEC : 0);
			n++;
		}
	fclose(f);
	return n;
}

/* The same bytes, of no file: an exe link is not changed as long as its file is mapped.  kernel/fork.c: replace_mm_exe_file(). */
static void unfile(const struct area *a, int mem)
{
	size_t len = a->end - a->start;
	void *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(copy != MAP_FAILED && pread(mem, copy, len, (off_t)a->start) == (ssize_t)len, "copy");
	must(!mprotect(copy, len, a->prot), "mprotect");
	must(mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, a->start) != MAP_FAILED, "mremap");
}

/* Fields of /proc/self/stat, counted from 1 as in proc_pid_stat(5). */
static void read_stat(unsigned long long f[53])
{
	char text[2048], *p;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	must(n > 0, "stat");
	close(fd);
	text[n] = 0;
	p = strrchr(text, ')') + 4;	/* after the state, which is field 3 */
	for (int i = 4; i < 53; i++)
		f[i] = strtoull(p, &p, 10);
}

static unsigned marked_auxv(unsigned long v[512])
{
	int fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, v, 512 * sizeof(*v));

	must(n > 0, "auxv");
	for (size_t i = 0; i + 1 < (size_t)n / sizeof(*v); i += 2)
		if (v[i] == AT_FLAGS)
			v[i + 1] |= TRANSPARENT;
	close(fd);
	return (unsigned)n;
}

/* With CAP_CHECKPOINT_RESTORE in a user namespace, if need be our own.  kernel/sys.c: prctl_set_mm_map(). */
static void pretend(int file)
{
	unsigned long long f[53];
	unsigned long v[512];
	struct prctl_mm_map m = { .exe_fd = (unsigned)file, .auxv = (void *)v, .auxv_size = marked_auxv(v) };

	read_stat(f);
	m.start_code = f[26];
	m.end_code = f[27];
	m.start_stack = f[28];
	m.start_data = f[45];
	m.end_data = f[46];
	m.start_brk = f[47];
	m.brk = (unsigned long)sbrk(0);
	m.arg_start = f[48];
	m.arg_end = f[49];
	m.env_start = f[50];
	m.env_end = f[51];
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof(m), 0) &&
	    (unshare(CLONE_NEWUSER) || prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof(m), 0))) {
		perror("PR_SET_MM_MAP");
		exit(77);
	}
}

int main(int argc, char **argv)
{
	struct area a[AREAS];
	int n, mem, file = open(argc >= 2 ? argv[1] : "", O_RDONLY | O_CLOEXEC);

	target_begin();
	must(file >= 0, "usage: transparent FILE [try]");
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	must(mem >= 0, "mem");
	n = areas_of_file(a);
	for (int i = 0; i < n; i++)
		unfile(&a[i], mem);
	pretend(file);
	if (argc == 3)
		return 0;
	target_ready();
	for (;;)
		pause();
}
