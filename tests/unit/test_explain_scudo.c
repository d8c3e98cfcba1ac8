#include "explainbuild.h"

#include "elf/tags.h"

/* Memory tag faults in Scudo's heap: rooms of one size, of which each block has a header with a checksum. */

enum { ROOM = 0x60, ROOMS = 12, VICTIM = 5, CLASS = 3, SIZE = 40, TAG = 5, OTHER_TAG = 9, IN_USE = 1, FREED = 0 };
enum {
	STRB_X0_X2 = 0x38226803,	/* strb w3, [x0, x2] */
	LDR_X20_24 = 0xf9400e80,	/* ldr x0, [x20, #0x18] */
};
static const u32 cookie = 0x5eed1234;

static u64 room(unsigned i)
{
	return CB_HEAP + 0x200 + (u64)i * ROOM;
}

static u64 block(unsigned i)
{
	return room(i) + 0x10;
}

static u64 tagged(u64 addr, u64 tag)
{
	return addr | tag << 56;
}

/* Bit by bit, as the polynomial is written: x^32 + x^28 + x^27 + ... + 1, RFC 3720, 12.1. */
static u32 crc(u32 seed, u64 v)
{
	for (int i = 0; i < 64; i++) {
		bool bit = (seed & 1) != (v >> i & 1);

		seed >>= 1;
		if (bit)
			seed ^= 0x82f63b78;
	}
	return seed;
}

static void put_header(struct crashed *c, unsigned i, u64 state, u64 size)
{
	u64 word = CLASS | state << 8 | size << 12;
	u32 sum = crc(crc(cookie, block(i)), word);

	poke_word(&c->f, room(i), word | (u64)(u16)(sum ^ sum >> 16) << 48);
}

static void set_tags(struct crashed *c, u64 from, u64 size, u8 tag)
{
	for (u64 addr = from; addr < from + size; addr += TAG_GRANULE) {
		off_t at = (off_t)(c->f.o.cb.data_at[4] + (addr - CB_HEAP) / TAG_BYTE_SPAN);
		u8 b;

		assert_int_equal(pread(c->f.o.fd, &b, 1, at), 1);
		b = (u8)(addr & TAG_GRANULE ? (b & 0xf) | tag << 4 : (b & 0xf0) | tag);
		assert_int_equal(pwrite(c->f.o.fd, &b, 1, at), 1);
	}
}

static void begin_fault(struct crashed *c, u32 insn, u64 addr, u64 x0, u64 x2, u64 x20)
{
	struct cb *cb = &c->f.o.cb;
	u8 code[4];

	*c = (struct crashed){ 0 };
	cb_good_mte(cb, XB_LE64);
	xb_siginfo(cb, 11, 9, addr);
	xb_reg(cb, "x0", x0);
	xb_reg(cb, "x2", x2);
	xb_reg(cb, "x20", x20);
	xb_open(c);
	uint_put(XB_LE64, code, 4, insn);
	xb_code(c, code, sizeof(code));
	set_tags(c, CB_HEAP, 2 * CB_PAGE, 0);
	for (unsigned i = 0; i < ROOMS; i++) {
		put_header(c, i, IN_USE, SIZE);
		set_tags(c, block(i), 0x30, (u8)(i == VICTIM ? TAG : 1 + i % 4));
	}
}

static void overflow(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_X0_X2, tagged(block(VICTIM) + 0x30, TAG), tagged(block(VICTIM), TAG), 0x30, 0);
	xb_expect(&c, "mte-overflow", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, " 8 bytes past the end of the live 40-byte block"));
	assert_true(c.v.object.start == block(VICTIM) && c.v.object.end == block(VICTIM) + SIZE);
	xb_end(&c);
	/* The last one: nothing is known of what is after it. */
	begin_fault(&c, STRB_X0_X2, tagged(block(ROOMS - 1) + 0x30, 4), tagged(block(ROOMS - 1), 4), 0x30, 0);
	xb_expect(&c, "mte-overflow", SURE_CERTAIN);
	assert_true(c.v.object.start == block(ROOMS - 1));
	xb_end(&c);
}

static void use_after_free(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, LDR_X20_24, tagged(block(VICTIM) + 24, TAG), 0, 0, tagged(block(VICTIM), TAG));
	put_header(&c, VICTIM, FREED, SIZE);
	set_tags(&c, block(VICTIM), 0x30, OTHER_TAG);
	xb_expect(&c, "mte-use-after-free", SURE_CERTAIN);
	assert_string_equal(c.v.object.state, "freed");
	xb_end(&c);
	/* Given out again. */
	begin_fault(&c, LDR_X20_24, tagged(block(VICTIM) + 24, TAG), 0, 0, tagged(block(VICTIM), TAG));
	set_tags(&c, block(VICTIM), 0x30, OTHER_TAG);
	xb_expect(&c, "mte-freed-and-reused", SURE_LIKELY);
	xb_end(&c);
}

/* A header that was damaged is none; with most of them damaged it is no such heap, and blocks are runs of tags. */
static void damaged(void **state)
{
	struct crashed c;

	(void)state;
	begin_fault(&c, STRB_X0_X2, tagged(block(VICTIM) + 0x30, TAG), tagged(block(VICTIM), TAG), 0x30, 0);
	poke_word(&c.f, room(VICTIM), CLASS | IN_USE << 8 | (u64)SIZE << 12 | 0x1234ull << 48);
	xb_explain(&c);
	assert_null(strstr(c.v.sentence, "40-byte"));
	xb_end(&c);
	begin_fault(&c, STRB_X0_X2, tagged(block(VICTIM) + 0x30, TAG), tagged(block(VICTIM), TAG), 0x30, 0);
	for (unsigned i = 2; i < ROOMS; i++)
		poke_word(&c.f, room(i), CLASS | IN_USE << 8 | (u64)SIZE << 12 | (u64)i << 48);
	xb_expect(&c, "mte-overflow", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, "48-byte run of tag"));
	xb_end(&c);
}

/* Headers of all kinds, with checksums that are right: sizes beyond the area and over the next one. */
static void anything(void **state)
{
	struct crashed c;

	(void)state;
	srand(11);
	for (int i = 0; i < 200; i++) {
		u64 addr = tagged(CB_HEAP + (u64)rand() % (2 * CB_PAGE), (u64)rand() % 16);

		begin_fault(&c, rand() % 2 ? STRB_X0_X2 : LDR_X20_24, addr, tagged(block((unsigned)rand() % ROOMS), (u64)rand() % 16),
			    (u64)rand() % 0x100, tagged(block((unsigned)rand() % ROOMS), (u64)rand() % 16));
		for (unsigned k = 0; k < ROOMS; k++)
			if (rand() % 2)
				put_header(&c, k, (u64)rand() % 4, (u64)rand() % 0xfffff);
		xb_explain(&c);
		xb_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overflow), cmocka_unit_test(use_after_free), cmocka_unit_test(damaged), cmocka_unit_test(anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
