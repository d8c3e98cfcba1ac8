#include "coreopen.h"

#include "base/util.h"
#include "check/check.h"

/*
 * Notes without an owner, as Delve writes them, or with one that nobody knows:
 * their types say whose they are.
 */

static void rename_all(struct cb *cb, const char *owner)
{
	for (size_t i = 0; i < cb->n_notes; i++)
		cb->notes[i].owner = owner;
}

static size_t count(struct opened *o, const char *id)
{
	struct findings f = { 0 };
	struct err e = { 0 };
	size_t n = 0;

	cb_ok(check_core(&o->core, &f, &e), &e);
	for (size_t i = 0; i < f.n; i++)
		n += !strcmp(f.f[i].check->id, id);
	findings_fini(&f);
	return n;
}

static void expect_process(struct opened *o)
{
	struct prpsinfo ps;
	struct err e = { 0 };

	assert_int_equal(o->core.n_threads, 2);
	assert_int_equal(o->core.threads[0].tid, CB_TID1);
	assert_int_equal(o->core.threads[0].cursig, 11);
	assert_int_equal(o->core.threads[1].tid, CB_TID2);
	assert_non_null(core_thread_note(&o->core, &o->core.threads[1], "CORE", NT_PRFPREG));
	cb_ok(core_prpsinfo(&o->core, &ps, &e), &e);
	assert_string_equal(ps.fname, "prog");
	assert_non_null(core_note_find(&o->core, 0, "CORE", NT_AUXV));
	assert_int_equal(o->core.n_maps, 1);
	assert_int_equal(count(o, "thread-none"), 0);
	assert_int_equal(count(o, "prpsinfo-once"), 0);
	assert_int_equal(count(o, "auxv-missing"), 0);
}

static void all_of(void **state)
{
	static const struct elffmt fmts[] = { CB_LE64, CB_BE64, CB_LE32, CB_BE32 };
	const char *owner = *state;
	char had[CORE_OWNER_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		struct opened o;

		cb_good(&o.cb, i ? CB_NO_MACHINE : EM_X86_64, fmts[i]);
		rename_all(&o.cb, owner);
		open_built(&o);
		expect_process(&o);
		assert_int_equal(count(&o, "note-owner"), o.core.n_notes);
		assert_string_equal(core_note_owner(&o.core, &o.core.notes[1], had), owner);
		fini(&o);
	}
}

/* Register sets are LINUX's. */
static void register_set(void **state)
{
	u8 raw[576] = { 0 };
	struct opened o;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, "", NT_X86_XSTATE, raw, sizeof(raw));
	open_built(&o);
	assert_non_null(core_thread_note(&o.core, &o.core.threads[1], "LINUX", NT_X86_XSTATE));
	assert_int_equal(count(&o, "note-owner"), 1);
	fini(&o);
}

/* An unknown owner has its own meanings where CORE notes are of the process, by that name or by none. */
static void beside_core(void **state)
{
	u8 raw[336] = { 0 };
	struct opened o;

	cb_good(&o.cb, EM_X86_64, CB_LE64);
	rename_all(&o.cb, *state);
	cb_note_add(&o.cb, "Acme", NT_PRSTATUS, raw, sizeof(raw));
	open_built(&o);
	assert_int_equal(o.core.n_threads, 2);
	assert_false(o.core.notes[o.core.n_notes - 1].adopted);
	assert_string_equal(o.core.notes[o.core.n_notes - 1].note.owner, "Acme");
	fini(&o);
}

/* Known ones mean what they say; types that are not Linux's, and notes without content, are nobody's. */
static void not_taken(void **state)
{
	static const struct {
		const char *owner;
		u32 type;
		size_t len;
	} rows[] = {
		{ "GNU", 3, 20 }, { "QNX", 2, 8 }, { "OpenBSD@7", 1, 8 }, { "FreeBSD", 1, 336 }, { "LINUX", 1, 336 },
		{ "", 77, 8 }, { "", NT_SOLARIS_PSTATUS, 8 }, { "", 0, 8 }, { "", NT_PRSTATUS, 0 }, { "Acme", 77, 8 },
		{ "Acme", NT_X86_XSTATE, 64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 raw[336] = { 0 };
		struct opened o;
		struct cb_note *n = cb_with_note(&o.cb, EM_X86_64, CB_LE64, rows[i].owner, rows[i].type);

		buf_fini(&n->desc);
		o.cb.n_notes = 0;
		cb_note_add(&o.cb, rows[i].owner, rows[i].type, raw, rows[i].len);
		open_built(&o);
		assert_false(o.core.notes[0].adopted);
		assert_string_equal(o.core.notes[0].note.owner, rows[i].owner);
		/* Another system may have a thread of that. */
		assert_int_equal(o.core.n_threads, o.core.os ? 1 : 0);
		assert_null(core_note_find(&o.core, 0, "CORE", NT_PRSTATUS));
		fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "all without owner", all_of, NULL, NULL, (void *)"" },
		{ "all of an unknown owner", all_of, NULL, NULL, (void *)"Acme" },
		cmocka_unit_test(register_set),
		{ "unknown owner beside CORE", beside_core, NULL, NULL, (void *)"CORE" },
		{ "unknown owner beside none", beside_core, NULL, NULL, (void *)"" },
		cmocka_unit_test(not_taken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
