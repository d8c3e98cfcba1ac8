/*
 * changes ACTION FILE - three threads and known memory; at SIGUSR2 it changes, see actions[].  FILE is mapped, and made.
 * changes check CORE LOG MISSING: every page that the core has bytes for is as it was before; "N pages of N, 0 differ".
 * Pages of an area that is not in the core any more, or in a range "0xSTART-0xEND …" of MISSING, are not counted.
 */
#include "target.h"

#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 64, BIG = 300 << 20 };

/* Kept as it is; changed; mapped from a file, and written to in part. */
static char *areas[3];
static const char *file;
static char *secret;

static void fill(char *p, unsigned from, unsigned step, unsigned seed)
{
	for (unsigned i = from; i < PAGES; i += step)
		target_fill(p + i * PAGE, PAGE, seed + i);
}

/* A page between two that cannot be touched, and as much memory as makes reading smaps slow. */
static void make_secret(void)
{
	char *big = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(big != MAP_FAILED && p != MAP_FAILED, "mmap");
	madvise(big, BIG, MADV_NOHUGEPAGE);
	memset(big, 1, BIG);
	secret = p + PAGE;
	must(!mprotect(secret, PAGE, PROT_READ | PROT_WRITE), "mprotect");
	memset(secret, 's', PAGE);
	printf("secret 0x%lx\n", (unsigned long)secret);
}

static void *nothing(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void act_exit(void) { _exit(0); }
static void act_kill(void) { kill(getpid(), SIGKILL); }
static void act_exec(void) { execl("/bin/sleep", "sleep", "100", NULL); }
static void act_unmap(void) { munmap(areas[1], PAGES * PAGE); }
static void act_protect(void) { mprotect(areas[1], PAGES * PAGE, PROT_NONE); }
static void act_drop(void) { madvise(areas[1], PAGES * PAGE, MADV_DONTNEED); }
static void act_dumpable(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static void act_truncate(void) { must(!truncate(file, PAGE), "truncate"); }

static void act_withdraw(void) { must(!madvise(secret, PAGE, MADV_DONTDUMP), "madvise"); }

static void act_fork(void)
{
	for (int i = 0; i < 100; i++)
		if (fork() == 0)
			_exit(0);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void act_threads(void)
{
	pthread_attr_t small;
	pthread_t t;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (int i = 0; i < 2000 && !pthread_create(&t, &small, nothing, NULL); i++)
		usleep(500);
}

static void act_uid(void)
{
	if (!geteuid())
		must(!setresuid(65534, 65534, 65534), "setresuid");
}

static void *exec_by_other(void *arg)
{
	act_exec();
	return arg;
}

static void act_exec_other(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exec_by_other, NULL);
	nothing(NULL);
}

static const struct { const char *name; void (*act)(void); } actions[] = {
	{ "exit", act_exit }, { "kill", act_kill }, { "exec", act_exec }, { "exec-other", act_exec_other },
	{ "unmap", act_unmap }, { "protect", act_protect }, { "drop", act_drop }, { "truncate", act_truncate },
	{ "withdraw", act_withdraw }, { "fork", act_fork }, { "threads", act_threads }, { "uid", act_uid }, { "dumpable", act_dumpable },
};

/* ---- the check */

/* The core's bytes at @addr, or NULL. */
static const char *at(const char *core, uint64_t addr)
{
	const Elf64_Ehdr *h = (const void *)core;
	const Elf64_Phdr *p = (const void *)(core + h->e_phoff);

	for (unsigned i = 0; i < h->e_phnum; i++, p++)
		if (p->p_type == PT_LOAD && addr >= p->p_vaddr && addr + PAGE <= p->p_vaddr + p->p_filesz)
			return core + p->p_offset + (addr - p->p_vaddr);
	return NULL;
}

static int is_missing(const char *path, uint64_t addr)
{
	FILE *f = fopen(path, "r");
	unsigned long start, end;
	char line[4096];
	int found = 0;

	must(f != NULL, path);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "0x%lx-0x%lx", &start, &end) == 2 && addr >= start && addr < end;
	fclose(f);
	return found;
}

static int check(const char *path, const char *log, const char *missing)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned n = 0, good = 0, bad = 0;
	uint64_t addrs[3] = { 0 };
	FILE *f = fopen(log, "r");
	struct stat st;
	const char *core;

	must(fd >= 0 && f && !fstat(fd, &st) && fscanf(f, "areas %lx %lx %lx", &addrs[0], &addrs[1], &addrs[2]) == 3, log);
	core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	must(core != MAP_FAILED, path);
	for (unsigned a = 0; a < 3; a++)
		for (unsigned i = 0; i < PAGES; i++) {
			const char *p = is_missing(missing, addrs[a] + i * PAGE) ? NULL : at(core, addrs[a] + i * PAGE);

			n++;
			good += p && target_filled(p, PAGE, a * 1000 + i);
			bad += p && !target_filled(p, PAGE, a * 1000 + i);
		}
	printf("%u pages of %u, %u differ\n", good, n, bad);
	return bad > 0;
}

int main(int argc, char **argv)
{
	pthread_t t;
	sigset_t set;
	int sig, fd;

	must(argc > 2 && (argc > 4 || strcmp(argv[1], "check") != 0), "usage");
	if (!strcmp(argv[1], "check"))
		return check(argv[2], argv[3], argv[4]);
	target_begin();
	file = argv[2];
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && !ftruncate(fd, PAGES * PAGE), file);
	areas[0] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	areas[1] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	areas[2] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (unsigned a = 0; a < 3; a++)
		fill(areas[a], 0, 1, a * 1000);
	printf("areas %lx %lx %lx\n", (unsigned long)areas[0], (unsigned long)areas[1], (unsigned long)areas[2]);
	if (!strcmp(argv[1], "withdraw"))
		make_secret();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++)
		must(pthread_create(&t, NULL, nothing, NULL) == 0, "pthread_create");
	target_ready();
	must(sigwait(&set, &sig) == 0, "sigwait");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(actions[i].name, argv[1]))
			actions[i].act();
	for (;;)
		pause();
}
