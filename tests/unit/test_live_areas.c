#include "helper.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "live/area.h"
#include "live/target.h"

/* What is found out about the files that a process maps, by which the rules for DAX decide: no disk here has it. */

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

	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_dax),
		cmocka_unit_test(a_device_of_dax),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
