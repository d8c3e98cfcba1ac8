#include "explainbuild.h"
#include "soak.h"

/* Verdicts on processes whose memory lies about locks, and what looks like a lock where no function says that it is one. */

enum { STOP = 19, NR_FUTEX = 202, PRIVATE = 128, LOCK_1 = CB_HEAP + 0x100, LOCK_2 = CB_HEAP + 0x200 };

static bool call_name(u32 audit_arch, s32 nr, char *out, size_t size)
{
	(void)audit_arch;
	snprintf(out, size, "%s", nr == NR_FUTEX ? "futex" : "other");
	return true;
}

/* The register of the thread whose PRSTATUS is the @i-th. */
static void set_reg(struct cb *cb, size_t i, const char *name, u64 value)
{
	struct cb_note *n = cb_note_at(cb, NT_PRSTATUS, i);
	struct prstatus st;
	struct err e;

	cb_ok(prstatus_get(&cb->arch, (struct bytes){ .p = n->desc.p, .len = n->desc.len }, &st, &e), &e);
	for (unsigned k = 0; k < cb->arch.gregs.n_regs; k++)
		if (!strcmp(cb->arch.gregs.regs[k].name, name))
			uint_put(cb->arch.fmt, n->desc.p + (st.regs.p - n->desc.p) + cb->arch.gregs.regs[k].off,
				 cb->arch.gregs.regs[k].size, value);
}

/* Thread @i is in futex(2) for the word at @at to become another one than @value. */
static void waits(struct crashed *c, size_t i, u64 at, u64 op, u64 value)
{
	struct cb *cb = &c->f.o.cb;

	set_reg(cb, i, "orig_rax", NR_FUTEX);
	set_reg(cb, i, "rax", (u64)-512);
	set_reg(cb, i, "rdi", at);
	set_reg(cb, i, "rsi", op);
	set_reg(cb, i, "rdx", value);
	set_reg(cb, i, "r10", 0);
}

static void begin_hang(struct crashed *c)
{
	*c = (struct crashed){ 0 };
	cb_good(&c->f.o.cb, EM_X86_64, XB_LE64);
	xb_siginfo(&c->f.o.cb, STOP, 0, 0);
}

static void explain(struct crashed *c)
{
	const struct explain_opts opts = { .call_name = call_name };
	struct err e = { 0 };

	c->v = (struct verdict){ 0 };
	c->r = explain_core(c->f.u, &opts, &c->v, &e);
	cb_ok(c->r, &e);
	assert_true(*c->v.sentence);
}

static void poke_mutex(struct crashed *c, u64 at, u32 lock, u32 owner, u32 users, u32 kind)
{
	const u32 words[] = { lock, 0, owner, users, kind, 0, 0, 0, 0, 0 };
	u8 raw[sizeof(words)];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		uint_put(XB_LE64, raw + 4 * i, 4, words[i]);
	poke(&c->f, at, raw, sizeof(raw));
}

static void crosswise(struct crashed *c, u64 op, u64 value)
{
	begin_hang(c);
	waits(c, 0, LOCK_1, op, value);
	waits(c, 1, LOCK_2, op, value);
	xb_open(c);
}

/* In every way as glibc's mutexes, but nothing names a function. */
static void looks_like_mutexes(void **state)
{
	struct crashed c;

	(void)state;
	crosswise(&c, PRIVATE, 2);
	poke_mutex(&c, LOCK_1, 2, CB_TID2, 1, 0);
	poke_mutex(&c, LOCK_2, 2, CB_TID1, 1, 0);
	explain(&c);
	assert_int_equal(c.r, 1);
	assert_string_equal(c.v.kind->name, "deadlock");
	assert_int_equal(c.v.sure, SURE_POSSIBLE);
	xb_end(&c);
}

/* The kernel itself takes the word of such a lock for its owner. */
static void kernel_knows_owners(void **state)
{
	struct crashed c;

	(void)state;
	crosswise(&c, PRIVATE | 6 /* FUTEX_LOCK_PI */, 0);
	poke_mutex(&c, LOCK_1, 0x80000000u | CB_TID2, CB_TID2, 1, 32);
	poke_mutex(&c, LOCK_2, 0x80000000u | CB_TID1, CB_TID1, 1, 32);
	explain(&c);
	assert_int_equal(c.v.n_deadlocks, 1);
	assert_int_equal(c.v.sure, SURE_CERTAIN);
	xb_end(&c);
}

static void owners_that_are_none(void **state)
{
	static const u32 owners[] = { 0, 1, 2, 16, 0x3fffffff, 0x7fffffff, 0x80000000u, 0xffffffffu };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct crashed c;

		crosswise(&c, PRIVATE, 2);
		poke_mutex(&c, LOCK_1, 2, owners[i], 1, 0);
		poke_mutex(&c, LOCK_2, 2, CB_TID1, 0xffffffffu, 0);
		explain(&c);
		assert_int_equal(c.v.n_deadlocks, 0);
		assert_true(!c.v.kind || c.v.sure != SURE_CERTAIN);
		xb_end(&c);
	}
}

/* Whatever memory says: no certainty by that alone, and no time. */
static void anything(void **state)
{
	static const u64 values[] = { 0, 1, 2, 16, 128, 0x80000002u, CB_TID1, CB_TID2, 0x80000000u | CB_TID1,
				      0x80000000u | CB_TID2, LOCK_1, LOCK_2, UINT32_MAX };
	static const u64 ats[] = { LOCK_1, LOCK_2, LOCK_1 + 4, CB_HEAP, CB_HEAP + 2 * CB_PAGE - 2, CB_STACK + 0x1008, 0, 4, UINT64_MAX - 3 };
	static const u64 ops[] = { 0, PRIVATE, 9, PRIVATE | 9, PRIVATE | 11, 5 };
	u64 seed = 88172645463325252u, began = now_ns();

	(void)state;
	for (size_t n = 0; n < soak_or(60, 3000); n++) {
		struct crashed c;

		begin_hang(&c);
		for (size_t i = 0; i < 2; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			waits(&c, i, ats[(seed >> 33) % ARRAY_SIZE(ats)], ops[(seed >> 41) % ARRAY_SIZE(ops)],
			      values[(seed >> 49) % ARRAY_SIZE(values)]);
		}
		xb_open(&c);
		for (u64 at = LOCK_1 - 16; at < LOCK_2 + 64; at += 4) {
			u8 raw[4];

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			uint_put(XB_LE64, raw, 4, (u32)values[(seed >> 33) % ARRAY_SIZE(values)]);
			poke(&c.f, at, raw, 4);
		}
		explain(&c);
		if (c.v.kind && c.v.sure == SURE_CERTAIN)
			fail_msg("round %zu: %s", n, c.v.sentence);
		xb_end(&c);
	}
	assert_true(now_ns() - began < (u64)soak_or(60, 3000) * 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_like_mutexes), cmocka_unit_test(kernel_knows_owners), cmocka_unit_test(owners_that_are_none),
		cmocka_unit_test(anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
