#include "cmocka_all.h"

#include <elf.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "dump/layout.h"
#include "elf/elffmt.h"

static const struct elffmt fmt = { ELFCLASS64, ELFDATA2LSB };

static void offsets(void **state)
{
	struct segment segs[] = {
		{ .type = PT_NOTE, .filesz = 100 },
		{ .type = PT_LOAD, .filesz = 4096, .memsz = 8192 },
		{ .type = PT_LOAD, .filesz = 0, .memsz = 4096 },
		{ .type = PT_LOAD, .filesz = 1, .memsz = 4096 },
		{ .type = PT_AARCH64_MEMTAG_MTE, .filesz = 129, .memsz = 8192 },
		{ .type = PT_AARCH64_MEMTAG_MTE, .filesz = 128, .memsz = 4096 },
		{ .type = PT_NOTE, .filesz = 8 },
	};
	struct layout l;
	struct err e;

	(void)state;
	assert_int_equal(layout_make(fmt, 4096, segs, ARRAY_SIZE(segs), &l, &e), 0);
	assert_int_equal(segs[0].off, 64 + 56 * ARRAY_SIZE(segs));
	assert_int_equal(segs[1].off, 4096);
	assert_int_equal(segs[2].off, 8192);
	assert_int_equal(segs[3].off, 8192);
	assert_int_equal(segs[4].off, 8193);
	assert_int_equal(segs[5].off, 8193 + 129);
	assert_int_equal(segs[6].off, 8452);
	assert_int_equal(l.size, 8460);
	assert_int_equal(l.shdr_off, 0);
}

/* Segments that have their places keep them; the notes come before those, all others after them. */
static void placed(void **state)
{
	struct segment segs[] = {
		{ .type = PT_NOTE, .filesz = 100 },
		{ .type = PT_LOAD, .filesz = 4096, .off = 0x10000 },
		{ .type = PT_LOAD, .filesz = 8192 },
		{ .type = PT_LOAD, .filesz = 4096, .off = 0x12000 },
		{ .type = PT_NOTE, .filesz = 8 },
	};
	struct layout l;
	struct err e;

	(void)state;
	assert_int_equal(layout_make(fmt, 4096, segs, ARRAY_SIZE(segs), &l, &e), 0);
	assert_int_equal(segs[0].off, 64 + 56 * ARRAY_SIZE(segs));
	assert_int_equal(segs[1].off, 0x10000);
	assert_int_equal(segs[2].off, 0x13000);
	assert_int_equal(segs[3].off, 0x12000);
	assert_int_equal(segs[4].off, 0x15000);
	assert_int_equal(l.size, 0x15008);
	segs[0] = (struct segment){ .type = PT_NOTE, .filesz = 0x10000 };
	assert_int_equal(layout_make(fmt, 4096, segs, ARRAY_SIZE(segs), &l, &e), ERR_LIMIT);
}

static void many_headers(struct segment *segs, size_t n)
{
	const struct arch *a = arch_find(EM_X86_64, fmt, 0);
	struct buf b scoped(buf_fini) = { 0 };
	struct buf t scoped(buf_fini) = { 0 };
	struct layout l;
	struct err e;
	GElf_Ehdr h;
	GElf_Shdr s;

	assert_int_equal(layout_make(fmt, 4096, segs, n, &l, &e), 0);
	assert_int_equal(layout_put_headers(a, &l, segs, n, &b, &e), 0);
	assert_int_equal(layout_put_trailer(a, &l, n, &t, &e), 0);
	assert_int_equal(b.len, 64 + 56 * n);
	assert_int_equal(elffmt_get_ehdr(fmt, (struct bytes){ b.p, b.len, 0 }, &h, &e), 0);
	assert_int_equal(h.e_phnum, n < PN_XNUM ? n : PN_XNUM);
	if (n < PN_XNUM) {
		assert_int_equal(t.len, 0);
		assert_int_equal(h.e_shoff | h.e_shnum | h.e_shentsize, 0);
		return;
	}
	assert_int_equal(h.e_shoff, l.shdr_off);
	assert_int_equal(h.e_shnum, 1);
	assert_int_equal(l.size, l.shdr_off + t.len);
	assert_int_equal(elffmt_get_shdr(fmt, (struct bytes){ t.p, t.len, 0 }, &s, &e), 0);
	assert_int_equal(s.sh_info, n);
	assert_int_equal(s.sh_size, 1);
}

static void xnum(void **state)
{
	static const size_t counts[] = { 1, 65534, 65535, 65536, 131070 };
	struct segment *segs = calloc(131070, sizeof(*segs));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		for (size_t k = 0; k < 131070; k++)
			segs[k] = (struct segment){ .type = k ? PT_LOAD : PT_NOTE, .memsz = 4096 };
		many_headers(segs, counts[i]);
	}
	free(segs);
}

static void too_large(void **state)
{
	struct segment segs[] = { { .type = PT_LOAD, .filesz = INT64_MAX - 100 } };
	struct segment wrap[] = { { .type = PT_LOAD, .filesz = UINT64_MAX } };
	struct segment wide[] = { { .type = PT_LOAD, .filesz = 5ull << 30 } };
	struct layout l;
	struct err e;

	(void)state;
	assert_int_equal(layout_make(fmt, 4096, segs, 1, &l, &e), ERR_UNSUPPORTED);
	assert_int_equal(layout_make(fmt, 4096, wrap, 1, &l, &e), ERR_UNSUPPORTED);
	assert_int_equal(layout_make((struct elffmt){ ELFCLASS32, ELFDATA2LSB }, 4096, wide, 1, &l, &e), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets),
		cmocka_unit_test(placed),
		cmocka_unit_test(xnum),
		cmocka_unit_test(too_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
