#include "apiopen.h"

#include <errno.h>

#include "base/scope.h"
#include "check/check.h"

/* Threads, registers, findings and stacks by the public interface. */

static void threads_are_listed(void **state)
{
	const struct core_thread *want;
	const struct tagcore_thread *t;
	char name[CORE_NAME_MAX];
	struct both b;

	(void)state;
	open_good(&b);
	assert_int_equal(tagcore_core_threads(b.out), 2);
	for (size_t i = 0; i < 2; i++) {
		t = tagcore_core_thread(b.out, i);
		want = &b.in.core.threads[i];
		assert_int_equal(t->tid, want->tid);
		assert_int_equal(t->signal, want->cursig);
		assert_int_equal(t->crashed, want == b.in.core.crashed);
		assert_true(t->has_pc && t->pc == CB_TEXT + 0x100);
		assert_true(t->has_sp && t->sp == CB_STACK + 0x1000);
		assert_string_equal(t->name, core_thread_name(&b.in.core, want, name));
		assert_ptr_equal(tagcore_core_thread_find(b.out, want->tid), t);
	}
	assert_null(tagcore_core_thread(b.out, 2));
	assert_null(tagcore_core_thread_find(b.out, 5));
	close_both(&b);
}

struct regs {
	size_t n;
	const char *set;	/* all must be of it, if not NULL */
	u64 rip;
	int stop;
};

static int on_register(const struct tagcore_register *r, void *arg)
{
	struct regs *x = arg;

	x->n++;
	assert_true(r->size > 0 && r->bytes);
	if (x->set)
		assert_string_equal(r->set, x->set);
	if (!strcmp(r->name, "rip")) {
		assert_int_equal(r->dwarf, 16);
		memcpy(&x->rip, r->bytes, sizeof(x->rip));
	}
	return x->stop;
}

static void registers_have_names(void **state)
{
	struct regs general = { .set = "general" }, all = { 0 }, one = { .stop = 6 };
	const struct tagcore_thread *t;
	struct tagcore_error error;
	uint64_t value = 0;
	struct both b;

	(void)state;
	open_good(&b);
	t = tagcore_core_thread(b.out, 1);
	api_ok(tagcore_registers_each(b.out, t, "general", on_register, &general, &error), &error);
	assert_int_equal(general.n, b.in.core.arch->gregs.n_regs);
	assert_int_equal(general.rip, CB_TEXT + 0x100);
	api_ok(tagcore_registers_each(b.out, t, NULL, on_register, &all, &error), &error);
	assert_true(all.n > general.n);
	assert_int_equal(tagcore_registers_each(b.out, t, NULL, on_register, &one, &error), 6);
	assert_int_equal(one.n, 1);
	api_ok(tagcore_register_get(b.out, t, NULL, "rsp", &value, &error), &error);
	assert_int_equal(value, CB_STACK + 0x1000);
	assert_int_equal(tagcore_register_get(b.out, t, NULL, "x30", &value, &error), TAGCORE_ERR_INPUT);
	assert_int_equal(tagcore_register_get(b.out, t, "no-such-set", "rsp", &value, &error), TAGCORE_ERR_INPUT);
	assert_int_equal(tagcore_registers_each(b.out, t, "no-such-set", on_register, &all, &error), TAGCORE_ERR_INPUT);
	assert_int_equal(value, CB_STACK + 0x1000);
	close_both(&b);
}

/* The byte order is the core's, whatever this machine's is. */
static void registers_of_any_machine(void **state)
{
	struct tagcore_error error;
	uint64_t value;
	struct both b;

	(void)state;
	cb_good(&b.in.cb, EM_PPC64, CB_BE64);
	open_both(&b);
	assert_true(tagcore_core_get_info(b.out)->big_endian);
	api_ok(tagcore_register_get(b.out, tagcore_core_thread(b.out, 0), NULL, "r1", &value, &error), &error);
	assert_int_equal(value, CB_STACK + 0x1000);
	close_both(&b);
	cb_good(&b.in.cb, CB_NO_MACHINE, CB_LE64);
	open_both(&b);
	assert_int_equal(tagcore_register_get(b.out, tagcore_core_thread(b.out, 0), NULL, "r1", &value, &error),
			 TAGCORE_ERR_UNSUPPORTED);
	close_both(&b);
}

static void threads_of_other_cores_are_refused(void **state)
{
	struct tagcore_error error;
	struct both a, b;
	uint64_t value;

	(void)state;
	open_good(&a);
	open_good(&b);
	assert_int_equal(tagcore_register_get(a.out, tagcore_core_thread(b.out, 0), NULL, "rip", &value, &error),
			 TAGCORE_ERR_USAGE);
	assert_int_equal(tagcore_register_get(a.out, NULL, NULL, "rip", &value, &error), TAGCORE_ERR_USAGE);
	close_both(&a);
	close_both(&b);
}

static void findings_are_those_of_validate(void **state)
{
	struct findings want scoped(findings_fini) = { 0 };
	struct tagcore_findings *got = NULL;
	struct tagcore_error error;
	struct err e = { 0 };
	struct both b;

	(void)state;
	cb_good(&b.in.cb, EM_X86_64, CB_LE64);
	/* Two threads of one id. */
	uint_put(CB_LE64, cb_note_at(&b.in.cb, NT_PRSTATUS, 1)->desc.p + 32, 4, CB_TID1);
	open_both(&b);
	cb_ok(check_core(&b.in.core, &want, &e), &e);
	api_ok(tagcore_check_core(&got, b.out, 0, &error), &error);
	assert_true(want.n > 0);
	assert_int_equal(tagcore_findings_count(got), want.n);
	for (size_t i = 0; i < want.n; i++) {
		const struct tagcore_finding *f = tagcore_findings_get(got, i);

		assert_string_equal(f->check, want.f[i].check->id);
		assert_string_equal(f->message, want.f[i].msg);
		assert_int_equal(f->offset, want.f[i].off);
		assert_string_equal(tagcore_severity_name(f->severity), check_severity_name(want.f[i].severity));
	}
	assert_null(tagcore_findings_get(got, want.n));
	tagcore_findings_free(got);
	tagcore_findings_free(NULL);
	close_both(&b);
}

static void no_core_is_a_finding(void **state)
{
	static const char text[] = "not a core";
	struct buf b = { .p = (u8 *)text, .len = sizeof(text) };
	struct tagcore_findings *got;
	struct tagcore_error error;
	char path[32];
	int fd = cb_file_of(&b, path);

	(void)state;
	api_ok(tagcore_check_file(&got, path, NULL, 0, &error), &error);
	assert_int_equal(tagcore_findings_count(got), 1);
	assert_int_equal(tagcore_findings_get(got, 0)->severity, TAGCORE_SEVERITY_ERROR);
	tagcore_findings_free(got);
	assert_int_equal(tagcore_check_file(&got, "/no/such", NULL, 0, &error), -ENOENT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_listed),
		cmocka_unit_test(registers_have_names),
		cmocka_unit_test(registers_of_any_machine),
		cmocka_unit_test(threads_of_other_cores_are_refused),
		cmocka_unit_test(findings_are_those_of_validate),
		cmocka_unit_test(no_core_is_a_finding),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
