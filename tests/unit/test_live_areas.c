#include "helper.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "live/area.h"
#include "live/target.h"
#include "mm/pagewalk.h"

/* ---- the files that a process maps: by them the rules for DAX decide, which no disk here has */

static u64 attributes;	/* that statx(2) says besides */

/* In place of the C library's. */
int statx(int dir, const char *restrict path, int flags, unsigned mask, struct statx *restrict out)
{
	int r = (int)syscall(SYS_statx, dir, path, flags, mask, out);

	if (!r)
		out->stx_attributes |= attributes;
	return r;
}

/* What is known of the file that @c maps at @addr. */
static u32 facts_at(const struct child *c, const void *addr)
{
	struct areas a = { 0 };
	struct target t;
	u32 found = UINT32_MAX;
	struct err e;

	assert_ok(target_open(&t, c->pid, &e), &e);
	assert_ok(areas_collect(&t, &a, &e), &e);
	for (size_t i = 0; i < a.n; i++)
		if (a.v[i].vma->start == (uintptr_t)addr)
			found = a.v[i].file;
	areas_fini(&a);
	target_close(&t);
	return found;
}

static void map_file(void *addr)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	*(void **)addr = child_map(4096, PROT_READ, MAP_PRIVATE, fd, 0);
}

static void a_file_of_dax(void **state)
{
	void **addr = shared_new(sizeof(*addr));
	struct child c;

	(void)state;
	child_start(&c, map_file, addr);
	assert_int_equal(facts_at(&c, *addr) & (AREA_FILE_DAX | AREA_FILE_ELF), AREA_FILE_ELF);
	attributes = STATX_ATTR_DAX;
	assert_int_equal(facts_at(&c, *addr) & (AREA_FILE_DAX | AREA_FILE_ELF), AREA_FILE_DAX | AREA_FILE_ELF);
	attributes = 0;
	child_stop(&c);
	munmap(addr, sizeof(*addr));
}

/* A file by the name of such a device, in a /dev of its own. */
static void map_device(void *addr)
{
	int fd;

	if (unshare(CLONE_NEWNS))
		return;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", "/dev", "tmpfs", 0, NULL))
		return;
	fd = open("/dev/dax0.0", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	child_check(fd >= 0 && !ftruncate(fd, 4096));
	*(void **)addr = child_map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* It has no attribute; by its name alone, for to open a device may act on it. */
static void a_device_of_dax(void **state)
{
	void **addr = shared_new(sizeof(*addr));
	struct child c;

	(void)state;
	child_start(&c, map_device, addr);
	if (!*addr) {
		child_stop(&c);
		skip_because("no mount namespace");
	}
	assert_int_equal(facts_at(&c, *addr), AREA_FILE_DAX);
	child_stop(&c);
	munmap(addr, sizeof(*addr));
}

/* ---- what has changed since the areas were collected */

struct changing {
	char *file, *plain;	/* a private page of a file, and an area without permission to write */
	int ready, write, protect;	/* 1 is the wish, and 2 when it is done */
};

static bool comes_to(int *step, int want)
{
	for (int i = 0; i < 20000; i++) {
		if (__atomic_load_n(step, __ATOMIC_SEQ_CST) == want)
			return true;
		usleep(1000);
	}
	return false;
}

static void *change(void *arg)
{
	struct changing *c = arg;

	__atomic_store_n(&c->ready, 2, __ATOMIC_SEQ_CST);
	child_check(comes_to(&c->write, 1));
	*c->file = 1;
	__atomic_store_n(&c->write, 2, __ATOMIC_SEQ_CST);
	child_check(comes_to(&c->protect, 1));
	child_check(!mprotect(c->plain, 4096, PROT_READ | PROT_WRITE));
	__atomic_store_n(&c->protect, 2, __ATOMIC_SEQ_CST);
	/* Its end would be another change. */
	for (;;)
		pause();
}

static void setup_changing(void *arg)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct changing *c = arg;
	pthread_t t;

	c->file = child_map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	c->plain = child_map(4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child_check(pthread_create(&t, NULL, change, c) == 0);
	child_check(comes_to(&c->ready, 2));
}

static const struct vma *area_of(const struct areas *a, const void *addr)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].vma->start <= (uintptr_t)addr && (uintptr_t)addr < a->v[i].vma->end)
			return a->v[i].vma;
	fail_msg("%p is in no area", addr);
	return NULL;
}

static void do_now(int *step)
{
	__atomic_store_n(step, 1, __ATOMIC_SEQ_CST);
	assert_true(comes_to(step, 2));
}

static void changes_are_noticed(void **state)
{
	struct page_source pages scoped(page_source_close) = { 0 };
	struct changing *s = shared_new(sizeof(*s));
	struct areas a = { 0 };
	struct target t;
	struct child c;
	struct err e;

	(void)state;
	child_start(&c, setup_changing, s);
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(page_source_open_pid(&pages, t.pid, t.reader, NULL, &e), &e);
	assert_ok(areas_collect(&t, &a, &e), &e);
	assert_int_equal(area_of(&a, s->file)->anon, 0);
	assert_int_equal(area_of(&a, s->plain)->flags & VM_WRITE, 0);
	/* The areas are the same; a page that was written since decides what becomes of one. */
	do_now(&s->write);
	assert_ok(areas_refresh(&t, &pages, &a, false, &e), &e);
	assert_int_equal(area_of(&a, s->file)->anon, 4096);
	do_now(&s->protect);
	assert_ok(areas_refresh(&t, &pages, &a, false, &e), &e);
	assert_int_equal(area_of(&a, s->plain)->flags & VM_WRITE, VM_WRITE);
	areas_fini(&a);
	target_close(&t);
	child_stop(&c);
	munmap(s, sizeof(*s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_dax),
		cmocka_unit_test(a_device_of_dax),
		cmocka_unit_test(changes_are_noticed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
