/*
 * mtethreads [THREAD]: threads with different tag checks (prctl is per thread),
 * each with a tagged area of its own.  Prints "thread TID NAME CTRL", CTRL as
 * NT_ARM_TAGGED_ADDR_CTRL has it, the areas as mtetags does, and "ready PID".
 * THREAD (a name): that one breaks the rules after "ready", when SIGUSR1 comes.
 */
#include "mte.h"

#include <pthread.h>
#include <stdatomic.h>

#define LEN (4 * PAGE)

struct checked {
	const char *name;
	unsigned long ctrl;
	struct tagging tags;
};

/* Different sets of tags that IRG may make, too: bits 18:3. */
static const struct checked threads[] = {
	{ .name = "none", .ctrl = PR_TAGGED_ADDR_ENABLE | 0xfffeul << PR_MTE_TAG_SHIFT,
	  .tags = { 1, 1, 1 } },
	{ .name = "sync", .ctrl = PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_SYNC | 0xfffeul << PR_MTE_TAG_SHIFT,
	  .tags = { 2, 1, 1 } },
	{ .name = "async", .ctrl = PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_ASYNC | 0x00feul << PR_MTE_TAG_SHIFT,
	  .tags = { 3, 1, 1 } },
	{ .name = "either", .ctrl = PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_SYNC | PR_MTE_TCF_ASYNC |
				    0xff00ul << PR_MTE_TAG_SHIFT,
	  .tags = { 4, 1, 1 } },
	{ .name = "disabled", .ctrl = 0, .tags = { 5, 1, 1 } },
};

#define N (sizeof(threads) / sizeof(threads[0]))

static const char *guilty;
static atomic_int started, go;

static noinline void break_the_rules(volatile char *p)
{
	/* A pointer without tag to memory with one. */
	p[GRANULE] = 'x';
}

/* Between pages without access, or else the kernel makes one area of all. */
static char *own_area(void)
{
	char *p = mmap(NULL, LEN + 2 * PAGE, PROT_NONE, ANON, -1, 0);

	must(p != MAP_FAILED && mprotect(p + PAGE, LEN, RW | PROT_MTE) == 0, "area");
	return p + PAGE;
}

static void *worker(void *arg)
{
	const struct checked *c = arg;
	char *p = own_area();

	prctl(PR_SET_NAME, c->name, 0, 0, 0);
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, c->ctrl, 0, 0, 0) == 0, c->name);
	tag_area(p, LEN, &c->tags);
	printf("thread %ld %s %lx\narea %lx %lx %s %u %u %u\n", syscall(SYS_gettid), c->name, c->ctrl,
	       (unsigned long)p, (unsigned long)p + LEN, c->name, c->tags.first, c->tags.by,
	       c->tags.step);
	atomic_fetch_add(&started, 1);
	while (!atomic_load(&go))
		pause();
	if (guilty && !strcmp(guilty, c->name))
		break_the_rules(p);
	for (;;)
		pause();
	return NULL;
}

static void on_usr2(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	pthread_t t[N];

	target_begin();
	target_block_usr1();
	signal(SIGUSR2, on_usr2);
	mte_begin(PR_MTE_TCF_SYNC);
	guilty = argc > 1 ? argv[1] : NULL;
	/* One by one, so that the areas are in the order of the threads. */
	for (size_t i = 0; i < N; i++) {
		must((errno = pthread_create(&t[i], NULL, worker, (void *)&threads[i])) == 0,
		     "pthread_create");
		while (atomic_load(&started) <= (int)i)
			target_nap();
	}
	target_wait_asleep();
	target_ready();
	target_wait();
	atomic_store(&go, 1);
	/* The signal may come before pause(): again until somebody dies. */
	for (size_t i = 0;; i = (i + 1) % N) {
		pthread_kill(t[i], SIGUSR2);
		target_nap();
	}
}
