#include "explainbuild.h"

/*
 * Memory tag faults, each in glibc's tagged heap and where the allocator is not known.  The heap's area is two pages: the
 * first thread's tcache, then blocks, then what is free up to the end.
 */

/* Offsets of blocks, after their headers of a granule; their sizes and tags. */
enum {
	TCACHE = 0x10, A = 0x2a0, A_TAG = 3, V = 0x2e0, V_TAG = 5, V_SIZE = 0x30, B = 0x320, B_TAG = 2, B_SIZE = 0x60,
	F = 0x390, F_SIZE = 0x30, F_TAG = 9, C = 0x3d0, C_TAG = 7, TOP = 0x420,
};
static const struct { u32 at, size, tag; } chunks[] = {
	{ TCACHE, 0x280, 0 }, { A, 0x30, A_TAG }, { V, V_SIZE, V_TAG }, { B, B_SIZE, B_TAG }, { F, F_SIZE, 0 },
	{ C, 0x40, C_TAG }, { TOP, 2 * CB_PAGE - TOP, 0 },
};

/* Instructions of arm64: where a test's access is. */
enum {
	STRB_X0_X2 = 0x38226803,	/* strb w3, [x0, x2] */
	LDR_X0 = 0xb9400000,		/* ldr w0, [x0] */
	STRB_NEXT = 0x38001403,		/* strb w3, [x0], #1 */
	STR_X20_24 = 0xf9000e9f,	/* str xzr, [x20, #0x18] */
	STURB_X0_1 = 0x381ff001,	/* sturb w1, [x0, #-1] */
	STRB_X0_2C0 = 0x390b0001,	/* strb w1, [x0, #0x2c0] */
};

static u64 tagged(u32 at, u64 tag)
{
	return (CB_HEAP + at) | tag << 56;
}

static void set_tag(struct crashed *c, u64 addr, u8 tag)
{
	off_t at = (off_t)(c->f.o.cb.data_at[4] + (addr - CB_HEAP) / TAG_BYTE_SPAN);
	u8 b;

	assert_int_equal(pread(c->f.o.fd, &b, 1, at), 1);
	b = (u8)(addr & TAG_GRANULE ? (b & 0xf) | tag << 4 : (b & 0xf0) | tag);
	assert_int_equal(pwrite(c->f.o.fd, &b, 1, at), 1);
}

static void set_tags(struct crashed *c, u32 at, u32 size, u8 tag)
{
	for (u32 i = 0; i < size; i += TAG_GRANULE)
		set_tag(c, CB_HEAP + at + i, tag);
}

static void fill(struct crashed *c, bool glibc)
{
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		set_tags(c, chunks[i].at - 0x10, 0x10, glibc ? 0 : (u8)(chunks[i].tag + 1));
		set_tags(c, chunks[i].at, chunks[i].size, (u8)chunks[i].tag);
		poke_word(&c->f, CB_HEAP + chunks[i].at - 0x10, 0);
		poke_word(&c->f, CB_HEAP + chunks[i].at - 8, glibc ? (chunks[i].size + 0x10) | 1 : 0x4141414141414141);
	}
}

struct regs {
	u64 x0, x2, x19, x20;
};

static void begin_fault(struct crashed *c, u32 insn, u64 addr, struct regs r, bool glibc)
{
	struct cb *cb = &c->f.o.cb;
	u8 code[4];

	*c = (struct crashed){ 0 };
	cb_good_mte(cb, XB_LE64);
	xb_siginfo(cb, 11, 9, addr);
	xb_reg(cb, "x0", r.x0);
	xb_reg(cb, "x2", r.x2);
	xb_reg(cb, "x19", r.x19);
	xb_reg(cb, "x20", r.x20);
	xb_open(c);
	uint_put(XB_LE64, code, 4, insn);
	xb_code(c, code, sizeof(code));
	fill(c, glibc);
}

static void expect_object(struct crashed *c, u32 at, u32 size, s64 offset, const char *state)
{
	assert_true(c->v.object.is_set);
	assert_int_equal(c->v.object.start, CB_HEAP + at);
	assert_int_equal(c->v.object.end, CB_HEAP + at + size);
	assert_int_equal(c->v.object.offset, offset);
	assert_string_equal(c->v.object.state, state);
}

static void overflow_by_index(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_X0_X2, tagged(V + V_SIZE, V_TAG), (struct regs){ .x0 = tagged(V, V_TAG), .x2 = V_SIZE }, true);
	xb_expect(&c, "mte-overflow", SURE_CERTAIN);
	expect_object(&c, V, V_SIZE, V_SIZE, "live");
	assert_int_equal(c.v.access.type, ACCESS_WRITE);
	assert_int_equal(c.v.access.size, 1);
	assert_string_equal(c.v.access.base.name, "x0");
	assert_non_null(strstr(c.v.sentence, " 0 bytes past the end of the live 48-byte block"));
	xb_end(&c);
}

/* A stride leads into another block, far from the first. */
static void overflow_by_stride(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_X0_X2, tagged(C + 8, A_TAG), (struct regs){ .x0 = tagged(A, A_TAG), .x2 = C + 8 - A }, true);
	xb_expect(&c, "mte-overflow", SURE_CERTAIN);
	expect_object(&c, A, 0x30, C + 8 - A, "live");
	xb_end(&c);
}

static void overflow_by_pointer(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_NEXT, tagged(V + V_SIZE, V_TAG), (struct regs){ .x0 = tagged(V + V_SIZE, V_TAG) }, true);
	xb_expect(&c, "mte-overflow", SURE_LIKELY);
	expect_object(&c, V, V_SIZE, V_SIZE, "live");
	xb_end(&c);
}

/* Both neighbours have the tag: nothing decides, and both are named. */
static void overflow_or_underflow(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_NEXT, tagged(V + V_SIZE, V_TAG), (struct regs){ .x0 = tagged(V + V_SIZE, V_TAG) }, true);
	set_tags(&c, B, B_SIZE, V_TAG);
	xb_expect(&c, "mte-overflow", SURE_POSSIBLE);
	assert_int_equal(c.v.n_candidates, 1);
	assert_string_equal(c.v.candidates[0].kind, "mte-underflow");
	xb_end(&c);
}

static void underflow(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STURB_X0_1, tagged(B - 1, B_TAG), (struct regs){ .x0 = tagged(B, B_TAG) }, true);
	xb_expect(&c, "mte-underflow", SURE_CERTAIN);
	expect_object(&c, B, B_SIZE, -1, "live");
	xb_end(&c);
}

static void use_after_free(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STR_X20_24, tagged(F + 0x18, F_TAG), (struct regs){ .x20 = tagged(F, F_TAG) }, true);
	xb_expect(&c, "mte-use-after-free", SURE_CERTAIN);
	expect_object(&c, F, F_SIZE, 0x18, "freed");
	assert_non_null(strstr(c.v.sentence, "24 bytes into the freed 48-byte block"));
	xb_end(&c);
}

/* A pointer into the block, not to its start: it may be of a block that was merged. */
static void use_after_free_within(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, LDR_X0, tagged(F + 0x20, F_TAG), (struct regs){ .x0 = tagged(F + 0x20, F_TAG) }, true);
	xb_expect(&c, "mte-use-after-free", SURE_LIKELY);
	xb_end(&c);
}

static void freed_and_reused(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STR_X20_24, tagged(B + 0x18, 0xe), (struct regs){ .x20 = tagged(B, 0xe) }, true);
	xb_expect(&c, "mte-freed-and-reused", SURE_LIKELY);
	expect_object(&c, B, B_SIZE, 0x18, "live");
	xb_end(&c);
}

static void wild(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_X0_2C0, tagged(V + 0x2c0, 0xe), (struct regs){ .x0 = tagged(V, 0xe) }, false);
	xb_expect(&c, "mte-wild-pointer", SURE_LIKELY);
	assert_true(c.v.n_candidates);
	xb_end(&c);
}

/* ---- runs of tags */

static void plain_overflow(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_X0_X2, tagged(V + V_SIZE, V_TAG), (struct regs){ .x0 = tagged(V, V_TAG), .x2 = V_SIZE }, false);
	xb_expect(&c, "mte-overflow", SURE_CERTAIN);
	expect_object(&c, V, V_SIZE, V_SIZE, "tagged");
	xb_end(&c);
}

/* A pointer that moves meets the next run at its start, where a stale one would be, too: the run before it decides. */
static void plain_overflow_by_pointer(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_NEXT, tagged(V + V_SIZE, V_TAG), (struct regs){ .x0 = tagged(V + V_SIZE, V_TAG) }, false);
	xb_expect(&c, "mte-overflow", SURE_LIKELY);
	expect_object(&c, V, V_SIZE, V_SIZE, "tagged");
	xb_end(&c);
}

static void plain_use_after_free(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STR_X20_24, tagged(B + 0x18, 0xe), (struct regs){ .x20 = tagged(B, 0xe) }, false);
	xb_expect(&c, "mte-use-after-free", SURE_LIKELY);
	expect_object(&c, B, B_SIZE, 0x18, "freed");
	xb_end(&c);
}

/* ---- what is not known */

static void async(void **state)
{
	struct crashed c = { 0 };

	(void)state;
	cb_good_mte(&c.f.o.cb, XB_LE64);
	xb_siginfo(&c.f.o.cb, 11, 8, 0);
	xb_open(&c);
	xb_expect(&c, "mte-async", SURE_CERTAIN);
	assert_false(c.v.object.is_set);
	assert_false(c.v.access.has_addr);
	xb_end(&c);
}

/* Another thread has changed the tag since; or there are no tags. */
static void no_tags(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, LDR_X0, tagged(V, V_TAG), (struct regs){ .x0 = tagged(V, V_TAG) }, true);
	xb_expect(&c, "mte-tag-fault", SURE_CERTAIN);
	xb_end(&c);
	begin_fault(&c, LDR_X0, (CB_TEXT + 0x10) | 5ull << 56, (struct regs){ .x0 = (CB_TEXT + 0x10) | 5ull << 56 }, true);
	xb_expect(&c, "mte-tag-fault", SURE_CERTAIN);
	xb_end(&c);
}

/* A chunk whose size is nonsense: the heap is not walked, and runs of tags are what is left. */
static void damaged_size(void **state)
{
	static const u64 sizes[] = { 0, 1, 8, 0x18, UINT64_MAX, UINT64_MAX & ~15ull, 1ull << 63, 0x2001, 0x41 };
	struct crashed c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		begin_fault(&c, STRB_X0_X2, tagged(V + V_SIZE, V_TAG), (struct regs){ .x0 = tagged(V, V_TAG), .x2 = V_SIZE }, true);
		poke_word(&c.f, CB_HEAP + A - 8, sizes[i]);
		xb_expect(&c, "mte-overflow", SURE_CERTAIN);
		xb_end(&c);
	}
}

/* Any tags, sizes and registers: a verdict or none, but an end. */
static void anything(void **state)
{
	static const u32 insns[] = { STRB_X0_X2, LDR_X0, STRB_NEXT, STR_X20_24, STURB_X0_1, STRB_X0_2C0, 0xd503201f, 0 };
	struct crashed c;

	(void)state;
	srand(7);
	for (int i = 0; i < 200; i++) {
		u64 v[4];

		for (int k = 0; k < 4; k++)
			v[k] = rand() % 3 ? tagged((u32)rand() % (2 * CB_PAGE), (u64)rand() % 16) : (u64)rand() << 33 | (u64)rand();
		begin_fault(&c, insns[(size_t)rand() % ARRAY_SIZE(insns)], v[0], (struct regs){ v[rand() % 4], v[1], v[2], v[3] }, rand() % 2);
		for (int k = 0; k < 20; k++)
			set_tag(&c, CB_HEAP + (u64)rand() % (2 * CB_PAGE), (u8)(rand() % 16));
		xb_explain(&c);
		xb_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overflow_by_index), cmocka_unit_test(overflow_by_stride), cmocka_unit_test(overflow_by_pointer),
		cmocka_unit_test(overflow_or_underflow), cmocka_unit_test(underflow), cmocka_unit_test(use_after_free),
		cmocka_unit_test(use_after_free_within), cmocka_unit_test(freed_and_reused), cmocka_unit_test(wild),
		cmocka_unit_test(plain_overflow), cmocka_unit_test(plain_overflow_by_pointer), cmocka_unit_test(plain_use_after_free),
		cmocka_unit_test(async), cmocka_unit_test(no_tags), cmocka_unit_test(damaged_size), cmocka_unit_test(anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
