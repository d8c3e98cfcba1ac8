#include "cmocka_all.h"

#include <elf.h>

#include "arch/arch.h"
#include "base/scope.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "elf/note.h"

static const struct elffmt formats[] = {
	{ ELFCLASS32, ELFDATA2LSB }, { ELFCLASS32, ELFDATA2MSB },
	{ ELFCLASS64, ELFDATA2LSB }, { ELFCLASS64, ELFDATA2MSB },
};

static struct bytes window(const struct buf *b)
{
	return (struct bytes){ .p = b->p, .len = b->len };
}

static void headers_round_trip(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct buf b scoped(buf_fini) = { 0 };
		GElf_Phdr in = { .p_type = PT_LOAD, .p_flags = 5, .p_offset = 0x1000, .p_vaddr = 0x400000,
				 .p_filesz = 7, .p_memsz = 8, .p_align = 0x1000 }, out;

		assert_int_equal(elffmt_put_phdr(formats[i], &in, &b, &e), 0);
		assert_int_equal(b.len, elffmt_phdr_size(formats[i]));
		assert_int_equal(elffmt_get_phdr(formats[i], window(&b), &out, &e), 0);
		assert_memory_equal(&in, &out, sizeof(in));
		b.len--;
		assert_int_equal(elffmt_get_phdr(formats[i], window(&b), &out, &e), ERR_TRUNCATED);
	}
}

static void too_wide_for_32_bits(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	GElf_Phdr h = { .p_vaddr = 1ull << 32 };
	struct err e;

	(void)state;
	assert_int_equal(elffmt_put_phdr(formats[0], &h, &b, &e), ERR_UNSUPPORTED);
	assert_int_equal(b.len, 0);
}

static void ident(void **state)
{
	u8 id[16] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2MSB, 1 };
	struct elffmt fmt;
	struct err e;

	(void)state;
	assert_int_equal(elffmt_ident((struct bytes){ id, 16, 0 }, &fmt, &e), 0);
	assert_int_equal(fmt.data, ELFDATA2MSB);
	assert_int_equal(elffmt_ident((struct bytes){ id, 15, 0 }, &fmt, &e), ERR_TRUNCATED);
	id[EI_CLASS] = 3;
	assert_int_equal(elffmt_ident((struct bytes){ id, 16, 0 }, &fmt, &e), ERR_INPUT);
	id[EI_CLASS] = 1;
	id[EI_DATA] = 0;
	assert_int_equal(elffmt_ident((struct bytes){ id, 16, 0 }, &fmt, &e), ERR_INPUT);
	id[0] = 0;
	assert_int_equal(elffmt_ident((struct bytes){ id, 16, 0 }, &fmt, &e), ERR_INPUT);
}

static void notes_round_trip(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct buf b scoped(buf_fini) = { 0 };
		struct note_iter it;
		struct note n;

		for (unsigned len = 0; len < 9; len++)
			assert_int_equal(note_put(&b, formats[i], len % 2 ? "CORE" : "TAGCORE", len, "12345678", len, &e), 0);
		note_iter_init(&it, window(&b), formats[i], 4);
		for (unsigned len = 0; len < 9; len++) {
			assert_int_equal(note_next(&it, &n, &e), 1);
			assert_string_equal(n.owner, len % 2 ? "CORE" : "TAGCORE");
			assert_int_equal(n.type, len);
			assert_int_equal(n.desc.len, len);
		}
		assert_int_equal(note_next(&it, &n, &e), 0);
	}
}

/* A note cut anywhere is an error, never a read past the end (the sanitizers watch). */
static void notes_cut_short(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(note_put(&b, formats[2], "CORE", 1, "12345678", 8, &e), 0);
	for (size_t len = 1; len < b.len; len++) {
		u8 *copy = test_malloc(len);
		struct note_iter it;
		struct note n;

		memcpy(copy, b.p, len);
		note_iter_init(&it, (struct bytes){ copy, len, 0 }, formats[2], 4);
		assert_int_equal(note_next(&it, &n, &e), ERR_TRUNCATED);
		test_free(copy);
	}
}

/* Sizes as the kernels of these machines have them. */
static void structure_sizes(void **state)
{
	static const struct { u16 machine; size_t prstatus, prpsinfo; } rows[] = {
		{ EM_X86_64, 336, 136 },
		{ EM_AARCH64, 392, 136 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct arch *a = arch_find(rows[i].machine, formats[2], 0);

		assert_non_null(a);
		assert_int_equal(prstatus_size(a), rows[i].prstatus);
		assert_int_equal(prpsinfo_size(a), rows[i].prpsinfo);
	}
	assert_null(arch_find(EM_X86_64, formats[3], 0));
}

static void prstatus_round_trip(void **state)
{
	const struct arch *a = arch_find(EM_X86_64, formats[2], 0);
	u8 regs[216];
	struct prstatus in = {
		.si_signo = 11, .si_code = -6, .cursig = 11, .sigpend = 1ull << 63, .sighold = 3, .pid = 100, .ppid = -1,
		.pgrp = 7, .sid = 8, .utime = { 1, 999999 }, .cstime = { 5, 6 }, .regs = { regs, sizeof(regs), 0 },
		.fpvalid = 1,
	}, out;
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(regs); i++)
		regs[i] = (u8)i;
	assert_int_equal(prstatus_put(a, &in, &b, &e), 0);
	assert_int_equal(b.len, prstatus_size(a));
	assert_int_equal(prstatus_get(a, window(&b), &out, &e), 0);
	assert_memory_equal(out.regs.p, regs, sizeof(regs));
	out.regs = in.regs;
	assert_memory_equal(&in, &out, sizeof(in));
	b.len--;
	assert_int_equal(prstatus_get(a, window(&b), &out, &e), ERR_TRUNCATED);
}

static void prpsinfo_cuts_text(void **state)
{
	const struct arch *a = arch_find(EM_AARCH64, formats[2], 0);
	struct prpsinfo in = { .state = 1, .sname = 'S', .nice = -5, .uid = 0xffffffff, .pid = 3,
			       .fname = "0123456789abcdef", .psargs = "a b" }, out;
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(prpsinfo_put(a, &in, &b, &e), 0);
	assert_int_equal(prpsinfo_get(a, window(&b), &out, &e), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void note_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_note_kinds; i++)
		assert_ptr_equal(note_kind_find(note_kinds[i].owner, note_kinds[i].type), &note_kinds[i]);
	assert_null(note_kind_find("CORE", 0xdead));
	assert_null(note_kind_find("XEN", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_round_trip),
		cmocka_unit_test(too_wide_for_32_bits),
		cmocka_unit_test(ident),
		cmocka_unit_test(notes_round_trip),
		cmocka_unit_test(notes_cut_short),
		cmocka_unit_test(structure_sizes),
		cmocka_unit_test(prstatus_round_trip),
		cmocka_unit_test(prpsinfo_cuts_text),
		cmocka_unit_test(note_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
