/*
 * mtefault HOW HEAP: a memory tag fault with a known truth.  HEAP is glibc, whose heap is tagged by glibc.mem.tagging, scudo,
 * which is preloaded, plain, blocks in a PROT_MTE mapping that change their tags when freed, or stack, where variables have
 * tags, as compilers give them, while they are in scope.  Prints "NAME ADDRESS SIZE" of the blocks that matter.
 */
#include "../../targets/target.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef HWCAP2_MTE
#define HWCAP2_MTE (1 << 18)
#endif
#ifndef PROT_MTE
#define PROT_MTE 0x20
#endif
enum { POOL = 32 << 10, BLOCKS = 24, VICTIM = 12, SIZE = 40 };
struct item { long id; char name[16]; struct item *next; long last; };

static int is_plain;
static char *pool;
static unsigned long used;
static char *block[BLOCKS];

static char *set_tags(char *p, unsigned long n, unsigned tag)
{
	p = (char *)(((unsigned long)p & ~(0xfUL << 56)) | (unsigned long)tag << 56);
	for (unsigned long i = 0; i < n; i += 16)
		__asm__ volatile(".arch armv8.5-a+memtag\n\tstg %0, [%0]" :: "r"(p + i) : "memory");
	return p;
}

static char *get(unsigned long n)
{
	static unsigned tag;
	char *p = pool + used;

	if (!is_plain)
		return malloc(n);
	n = (n + 15) & ~15UL;
	used += n;
	tag = tag % 15 + 1;
	return set_tags(p, n, tag);
}

static void put(char *p, unsigned long n)
{
	if (is_plain)
		set_tags(p, (n + 15) & ~15UL, (((unsigned long)p >> 56 & 0xf) + 6) % 15 + 1);
	else
		free(p);
}

noinline static void fill(char *to, int n) { for (int i = 0; i < n; i++) ((volatile char *)to)[i] = 1; }
noinline static void walk(char *to, int n) { while (n--) { *(volatile char *)to = 1; to++; } }
noinline static long sum(char *from, int n) { long s = 0; for (int i = 0; i < n; i++) s += ((volatile char *)from)[i]; return s; }
noinline static long last_of(volatile struct item *i) { return i->last; }
noinline static void set_last(volatile struct item *i) { i->last = 3; }
noinline static void before(volatile char *p) { p[-1] = 1; }
noinline static void twice(char *p) { put(p, SIZE); put(p, SIZE); }

static void handler(int sig) { (void)sig; abort(); }

noinline static char *leave(char *room)
{
	/* What a function does before it returns. */
	char *p = set_tags(room, SIZE + 8, 3);

	set_tags(room, SIZE + 8, 0);
	return p;
}
noinline static char *gone(void) { char room[SIZE + 8] __attribute__((aligned(16))); return leave(room); }
noinline static void local(const char *how)
{
	char room[SIZE + 8] __attribute__((aligned(16)));
	char *p = set_tags(room, SIZE + 8, 3);

	printf("victim %lx %d\n", (unsigned long)room, SIZE);
	fflush(stdout);
	if (!strcmp(how, "overflow"))
		fill(p, 100);
	else if (!strcmp(how, "underflow"))
		before(p);
	else
		printf("%ld\n", last_of((struct item *)leave(room)));
}
static void *on_stack(void *how)
{
	if (strcmp(how, "after_return") != 0)
		local(how);
	printf("%ld\n", last_of((struct item *)gone()));
	return NULL;
}
/* Only what has PROT_MTE can have tags: by mmap(2), a thread's stack. */
static void in_tagged_stack(char *how)
{
	enum { STACK = 256 << 10 };
	char *room = mmap(NULL, STACK, PROT_READ | PROT_WRITE | PROT_MTE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t a;
	pthread_t t;

	must(room != MAP_FAILED, "mmap");
	pthread_attr_init(&a);
	must(!pthread_attr_setstack(&a, room, STACK), "pthread_attr_setstack");
	must(!pthread_create(&t, &a, on_stack, how), "pthread_create");
	pthread_join(t, NULL);
}

static volatile int sleeper_tid;
static void *sleeper(void *arg) { (void)arg; sleeper_tid = gettid(); for (;;) pause(); return NULL; }

static void fault(const char *how)
{
	char *v = block[VICTIM];

	if (!strcmp(how, "overflow") || !strcmp(how, "caught"))
		fill(v, 100);
	else if (!strcmp(how, "overflow_pointer"))
		walk(v, 100);
	else if (!strcmp(how, "overread"))
		printf("%ld\n", sum(v, 100));
	else if (!strcmp(how, "underflow"))
		before(v);
	else if (!strcmp(how, "use_after_free")) {
		put(v, SIZE);
		printf("%ld\n", last_of((struct item *)v));
	} else if (!strcmp(how, "write_after_free")) {
		put(v, SIZE);
		set_last((struct item *)v);
	} else if (!strcmp(how, "reused")) {
		put(v, SIZE);
		/* Tags are random: until this one is another. */
		for (int i = 0; i < 100 && (v = get(SIZE)) == block[VICTIM]; i++)
			put(v, SIZE);
		set_last((struct item *)block[VICTIM]);
	} else if (!strcmp(how, "double_free"))
		twice(v);
	else if (!strcmp(how, "async")) {
		*(volatile char *)(v + 64) = 1;
		for (int i = 0; i < 1000; i++)
			getppid();
	} else if (!strcmp(how, "null"))
		set_last((struct item *)(unsigned long)atoi("0"));
	else if (!strcmp(how, "unmapped"))
		set_last((struct item *)(0x0500000000000000UL + (unsigned long)atoi("305397760")));
}

int main(int argc, char **argv)
{
	unsigned long mode = argc > 1 && !strcmp(argv[1], "async") ? 2 << 1 : 1 << 1;

	if (argc < 3 || !(getauxval(AT_HWCAP2) & HWCAP2_MTE))
		return 77;
	target_begin();
	is_plain = !strcmp(argv[2], "plain");
	/* PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, PR_MTE_TCF_SYNC or _ASYNC, any tag but 0 */
	if (strcmp(argv[2], "glibc"))
		must(!prctl(55, 1UL | mode | 0xfffeUL << 3, 0, 0, 0), "prctl");
	if (!strcmp(argv[2], "stack"))
		in_tagged_stack(argv[1]);
	if (is_plain) {
		pool = mmap(NULL, POOL, PROT_READ | PROT_WRITE | PROT_MTE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(pool != MAP_FAILED, "mmap");
	}
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = get(i == VICTIM ? SIZE : 24 + (unsigned long)(i & 7) * 16);
		block[i][0] = 'a';
	}
	printf("victim %lx %d\n", (unsigned long)block[VICTIM] & ~(0xffUL << 56), SIZE);
	fflush(stdout);
	if (!strcmp(argv[1], "caught"))
		signal(SIGSEGV, handler);
	if (mode == 2 << 1) {
		pthread_t t;

		must(!pthread_create(&t, NULL, sleeper, NULL), "pthread_create");
		while (!sleeper_tid || thread_state(sleeper_tid) != 'S')
			usleep(1000);
	}
	fault(argv[1]);
	return 0;
}
