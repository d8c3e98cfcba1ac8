/* checkmut.h - a good core plus one named mutation, and the check that must find it. */
#pragma once

#include <err.h>

#include "corebuild.h"

#include "base/util.h"
#include "check/check.h"

/*
 * A good core plus one named mutation must be found by exactly the check of
 * that name.  notes: before the places are given; late: headers; bytes: the file.
 * mte: the core has memory tags, of aarch64.  also: another check, which cannot but find it.
 */
struct mutation {
	const char *check;
	const char *what;
	void (*notes)(struct cb *cb);
	void (*late)(struct cb *cb);
	void (*bytes)(struct cb *cb, struct buf *b);
	bool mte;
	u16 machine;	/* EM_*, or 0: x86_64, aarch64 with tags */
	u8 class;	/* ELFCLASS*, or 0: 64 bits */
	u8 data;	/* ELFDATA*, or 0: little-endian */
	const char *also, *too;
};

static inline struct elffmt mut_fmt(const struct mutation *m)
{
	return (struct elffmt){ m->class ? m->class : ELFCLASS64, m->data ? m->data : ELFDATA2LSB };
}

static inline void check_mutated(const struct mutation *m, struct findings *out)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	char path[32];
	struct cb cb;
	int fd;

	if (m->mte)
		cb_good_mte(&cb, mut_fmt(m));
	else
		cb_good(&cb, m->machine ? m->machine : EM_X86_64, mut_fmt(m));
	/* Without a note of the owner LINUX, LLDB would not know. */
	cb.ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	if (m->notes)
		m->notes(&cb);
	cb_layout(&cb);
	if (m->late)
		m->late(&cb);
	cb_write(&cb, &b);
	if (m->bytes)
		m->bytes(&cb, &b);
	fd = cb_file_of(&b, path);
	cb_ok(check_file(path, out, &e), &e);
	close(fd);
	buf_fini(&b);
	cb_fini(&cb);
}

/* Depends on where the test runs: whether a gdb for this machine knows the other. */
static inline bool mut_is_of_host(const char *id)
{
	return !strcmp(id, "quirk-gdb-machine");
}

static inline bool mut_expects(const struct mutation *m, const char *id)
{
	return mut_is_of_host(id) || !strcmp(id, m->check) || (m->also && !strcmp(id, m->also)) || (m->too && !strcmp(id, m->too));
}

static inline void mutation_is_found_by_its_check(void **state)
{
	const struct mutation *m = *state;
	struct findings l = { 0 };
	bool found = false;

	check_mutated(m, &l);
	for (size_t i = 0; i < l.n; i++)
		found |= !strcmp(l.f[i].check->id, m->check);
	if (!found)
		fail_msg("%s is not found", m->what);
	for (size_t i = 0; i < l.n; i++)
		if (!mut_expects(m, l.f[i].check->id))
			fail_msg("also found by %s: %s", l.f[i].check->id, l.f[i].msg);
	findings_fini(&l);
}

static inline bool mut_begins(const char *id, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (!strncmp(id, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

/* Checks whose id begins with one of @prefixes, or all others when @not: each has a mutation in @rows. */
static inline void mut_all_there(const struct mutation *rows, size_t n, const char *const *prefixes, bool not)
{
	for (size_t i = 0; i < n_checks; i++) {
		bool found = false;

		if (mut_begins(checks[i].id, prefixes) == not)
			continue;
		for (size_t k = 0; k < n; k++)
			found |= !strcmp(checks[i].id, rows[k].check);
		if (!found)
			fail_msg("check %s has no mutation", checks[i].id);
	}
}

static inline void mut_good(const struct mutation *m)
{
	struct findings l = { 0 };

	check_mutated(m, &l);
	for (size_t i = 0; i < l.n; i++)
		if (!mut_is_of_host(l.f[i].check->id))
			fail_msg("%s: %s", l.f[i].check->id, l.f[i].msg);
	findings_fini(&l);
}

/* Fills @tests, which has zeros there yet, one for each of @rows. */
static inline void mut_tests(const struct mutation *rows, size_t n, struct CMUnitTest *tests)
{
	static char names[256][96];

	for (size_t i = 0; i < n && i < ARRAY_SIZE(names); i++) {
		if (tests[i].test_func)
			errx(1, "%s would take the place of %s", rows[i].what, tests[i].name);
		snprintf(names[i], sizeof(names[i]), "%s: %s", rows[i].check, rows[i].what);
		tests[i] = (struct CMUnitTest){ .name = names[i], .test_func = mutation_is_found_by_its_check,
						.initial_state = (void *)&rows[i] };
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
}
