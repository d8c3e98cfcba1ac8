#include "helper.h"

#include "live/proc.h"

/* What /proc says of a process whose name is made to be misread: proc(5), /proc/PID/stat. */

static void set_name(void *name)
{
	child_check(prctl(PR_SET_NAME, name, 0, 0, 0) == 0);
}

static void a_name_may_hold_anything(void **state)
{
	static char *const names[] = { "plain", "a) R 1 (b", ")))", "(", "Z) Z 1 1\n1 Z", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct proc_stat st;
		struct child c;
		struct err e;

		child_start(&c, set_name, names[i]);
		assert_ok(proc_stat(c.pid, c.pid, &st, &e), &e);
		assert_string_equal(st.comm, names[i]);
		assert_int_equal(st.ppid, getpid());
		assert_int_equal(st.pgrp, getpgrp());
		assert_ok(proc_stat_group(c.pid, &st, &e), &e);
		assert_string_equal(st.comm, names[i]);
		assert_int_equal(st.sid, getsid(0));
		child_stop(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_may_hold_anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
