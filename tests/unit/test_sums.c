/* test_sums.c - checksums: while an output is written, in any order; and of a core, with its damage. */
#include "repairbuild.h"

#include "dirs.h"

#include "core/core_sums.h"
#include "dump/out_sums.h"
#include "dump/writer.h"

#define MIB ((u64)SUMS_BLOCK_MIN)

/* ---- an output */

/* What the blocks of a file of these bytes have. */
static void expect_sums(const char *path, u64 len, const u64 *values, u64 n)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(n, (len + MIB - 1) / MIB);
	for (u64 i = 0; i < n; i++) {
		u64 sum = 0;

		for (u64 k = 0; k < MIB / SUMS_PIECE && i * MIB + k * SUMS_PIECE < len; k++) {
			u8 piece[SUMS_PIECE] = { 0 };

			assert_true(fread(piece, 1, sizeof(piece), f) > 0);
			sum += mem_is_zero(piece, sizeof(piece)) ? 0 : sums_piece(piece, i * (MIB / SUMS_PIECE) + k);
		}
		if (values[i] != sum)
			fail_msg("block %llu", (unsigned long long)i);
	}
	fclose(f);
}

/* A step of writing. */
struct step {
	enum { END, EMIT, SKIP, REWIND, ZERO } what;
	u64 len, off;
};

#define E(n) { EMIT, n, 0 }
#define S(n) { SKIP, n, 0 }
#define R { REWIND, 0, 0 }
#define Z(at, n) { ZERO, n, at }

static void write_steps(struct writer *w, const struct step *s)
{
	static u8 data[2 << 20];
	static u8 byte;
	struct err e = { 0 };

	for (; s->what; s++) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (u8)(i * 31 + byte);
		byte++;
		if (s->what == EMIT)
			cb_ok(writer_emit(w, data, s->len, &e), &e);
		else if (s->what == SKIP)
			cb_ok(writer_skip(w, s->len, &e), &e);
		else if (s->what == REWIND)
			cb_ok(writer_rewind(w, &e), &e);
		else
			cb_ok(writer_zero(w, s->off, s->len, &e), &e);
	}
}

/* Whatever the order in which it was written, the checksums are those of the file. */
static void sums_are_those_of_the_file(void **state)
{
	static const struct step rows[][16] = {
		{ E(0) },
		{ E(1) },
		{ E(4096), S(4096), E(5000), S(3192), E(77) },
		{ S(3 << 20), E(100) },
		{ E(2 << 20), E(1 << 20), S(5 << 20), E(12345) },
		{ E(100), S(100), E(100), S(10000), E(1) },
		/* A snapshot: the end first, then what is before it. */
		{ S(1536 << 10), E(1 << 20), R, E(1536 << 10), S(1 << 20), E(50) },
		/* Pre-copy: some is written again, also in part of a piece. */
		{ E(2 << 20), R, S(8192), E(4096), S(2 << 20), E(50) },
		{ E(2 << 20), R, S(100), E(200), R, S(2 << 20), E(50) },
		{ E(2 << 20), R, E(2 << 20), R, S(2 << 20), E(50) },
		/* Zeros again: whole blocks, parts, and where the next byte goes. */
		{ E(2 << 20), E(1 << 20), Z(1 << 20, 1 << 20), E(10) },
		{ E(2 << 20), E(100), Z(4096, 8192), E(10) },
		{ E(1 << 20), E(100), Z(1 << 20, 4096), E(10), S(90), E(5) },
		{ E(2 << 20), Z(0, 4 << 20), R, E(100), S(5000), E(10) },
		/* The last block had more in it before. */
		{ E(2 << 20), Z(8192, (2 << 20) - 8192), R, S(4096), E(10) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct writer w;
		struct err e = { 0 };
		u64 *values, n, len;

		cb_ok(writer_open_file(&w, "core", true, &e), &e);
		w.sums = out_sums_make(MIB);
		write_steps(&w, rows[i]);
		len = w.off;
		cb_ok(writer_end_sums(&w, &values, &n, &e), &e);
		cb_ok(writer_emit(&w, "after", 5, &e), &e);
		cb_ok(writer_finish(&w, &e), &e);
		writer_close(&w);
		assert_int_equal(truncate("core", (off_t)len), 0);
		expect_sums("core", len, values, n);
		free(values);
	}
}

static void an_aborted_output_leaks_nothing(void **state)
{
	struct writer w;
	struct err e = { 0 };

	(void)state;
	cb_ok(writer_open_file(&w, "core", true, &e), &e);
	w.sums = out_sums_make(MIB);
	cb_ok(writer_emit(&w, "x", 1, &e), &e);
	writer_close(&w);
}

static void blocks_of_large_files_are_larger(void **state)
{
	(void)state;
	assert_int_equal(sums_block_for(0), MIB);
	assert_int_equal(sums_block_for((512ull << 30) - 1), MIB);
	assert_int_equal(sums_block_for(512ull << 30), 2 * MIB);
	assert_int_equal(sums_block_for(20ull << 40), 64 * MIB);
	assert_int_equal(sums_block_for(INT64_MAX), SUMS_BLOCK_MAX);
}

/* ---- a core */

enum { BIG = 0x10000000, BIG_LEN = 3 << 20 };

/* A good core with another area of 3 MiB, and right checksums in a note at its end: at file position *at. */
static void build(u16 machine, struct elffmt fmt, struct buf *b, u64 *at)
{
	enum { VALUES = 4, DESC = 24 + 8 * VALUES + 8 };
	struct buf note = { 0 };
	u8 zeros[DESC] = { 0 };
	u64 values[VALUES] = { 0 };
	struct err e = { 0 };
	struct cb cb;

	cb_good(&cb, machine, fmt);
	cb.ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	cb_note_add(&cb, TAGCORE_OWNER, NT_TAGCORE_INFO, "checksums xxh3\n", 15);
	cb_note_add(&cb, TAGCORE_OWNER, NT_TAGCORE_CHECKSUMS, zeros, DESC);
	cb.n_late_notes = 1;
	cb_seg_add(&cb, PT_LOAD, PF_R | PF_W, BIG, BIG_LEN, BIG_LEN);
	cb_layout(&cb);
	cb_write(&cb, b);
	*at = cb.segs[cb.n_segs - 1].p_offset;
	for (u64 i = 0; i < *at; i += SUMS_PIECE) {
		u8 piece[SUMS_PIECE] = { 0 };

		memcpy(piece, b->p + i, min((u64)SUMS_PIECE, *at - i));
		if (!mem_is_zero(piece, sizeof(piece)))
			values[i / MIB] += sums_piece(piece, i / SUMS_PIECE);
	}
	assert_int_equal(sums_count(*at, MIB), VALUES);
	cb_ok(sums_note_put(&note, fmt, MIB, *at, values, (struct bytes){ 0 }, &e), &e);
	assert_int_equal(*at + note.len, b->len);
	memcpy(b->p + *at, note.p, note.len);
	buf_fini(&note);
	cb_fini(&cb);
}

/* How many findings of checksums there are, and the first; *off UINT64_MAX: none. */
static size_t sums_findings(const struct buf *b, u64 *off, char msg[256])
{
	struct findings l = { 0 };
	size_t n = 0;

	*off = UINT64_MAX;
	rb_check_bytes(b, &l);
	for (size_t i = 0; i < l.n; i++) {
		if (strcmp(l.f[i].check->id, "tagcore-checksums") != 0)
			continue;
		if (!n++) {
			*off = l.f[i].off;
			snprintf(msg, 256, "%s", l.f[i].msg);
		}
	}
	findings_fini(&l);
	return n;
}

static void expect_finding(const struct buf *b, u64 off, const char *word)
{
	char msg[256] = "";
	u64 at;

	if (sums_findings(b, &at, msg) != 1 || at != off || !strstr(msg, word))
		fail_msg("at 0x%llx, not 0x%llx %s: %s", (unsigned long long)at, (unsigned long long)off, word, msg);
}

static const struct made {
	u16 machine;
	struct elffmt fmt;
} made[] = {
	{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_386, { ELFCLASS32, ELFDATA2LSB } },
	{ EM_S390, { ELFCLASS64, ELFDATA2MSB } }, { EM_PPC, { ELFCLASS32, ELFDATA2MSB } },
};

static void damage_is_found_where_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		struct buf b = { 0 };
		char msg[256];
		u64 note, off;

		build(made[i].machine, made[i].fmt, &b, &note);
		assert_int_equal(sums_findings(&b, &off, msg), 0);
		for (u64 at = 2 * MIB - 1; at < note; at += MIB / 3) {
			b.p[at] ^= 1;
			expect_finding(&b, at / MIB * MIB, "not what was written (memory 0x10");
			b.p[at] ^= 1;
		}
		/* Blocks that touch are one range. */
		b.p[MIB] ^= 1;
		b.p[2 * MIB] ^= 1;
		expect_finding(&b, MIB, "bytes 0x100000-0x300000");
		b.p[MIB] ^= 1;
		b.p[2 * MIB] ^= 1;
		/* A number of section headers, which no other check looks at. */
		b.p[made[i].fmt.class == ELFCLASS64 ? 60 : 48] ^= 0x40;
		expect_finding(&b, 0, "(headers, notes, memory of 4 areas");
		buf_fini(&b);
	}
}

/* The note is found by the file's size where headers do not lead to it. */
static void damaged_headers_do_not_hide_it(void **state)
{
	struct buf b = { 0 };
	u64 note;

	(void)state;
	build(EM_X86_64, CB_LE64, &b, &note);
	/* p_filesz of the first PT_NOTE, and p_offset of the last. */
	b.p[64 + 32 + 3] ^= 1;
	b.p[64 + 5 * 56 + 8 + 2] ^= 1;
	expect_finding(&b, 0, "headers");
	buf_fini(&b);
}

static void a_damaged_note_accuses_no_block(void **state)
{
	struct buf b = { 0 };
	u64 note;
	struct err e;

	(void)state;
	build(EM_X86_64, CB_LE64, &b, &note);
	for (u64 at = note + SUMS_NOTE_HEAD; at < b.len; at++) {
		b.p[at] ^= 0x10;
		expect_finding(&b, note, "the CHECKSUMS note cannot be used: ");
		b.p[at] ^= 0x10;
	}
	b.p[note + 8] ^= 1;
	expect_finding(&b, 64, "is not found");
	b.p[note + 8] ^= 1;
	cb_ok(buf_add(&b, "junk", 4, &e), &e);
	expect_finding(&b, note, "what follows it is");
	buf_fini(&b);
}

/* Fields that lie are a finding, and cost nothing. */
static void hostile_notes(void **state)
{
	static const struct { unsigned at, size; u64 value; const char *word; } rows[] = {
		{ 0, 4, 2, "version 2" }, { 4, 4, 7, "kind 7" }, { 8, 8, 0, "not a power of two" },
		{ 8, 8, 1, "not a power of two" }, { 8, 8, 3 << 20, "not a power of two" },
		{ 8, 8, 1ull << 63, "not a power of two" }, { 8, 8, 2 << 20, "for 2 blocks" },
		{ 16, 8, 0, "it covers 0 bytes" }, { 16, 8, UINT64_MAX, "it covers 18446744073709551615" },
	};
	struct buf b = { 0 };
	u64 note;

	(void)state;
	build(EM_X86_64, CB_LE64, &b, &note);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *p = b.p + note + SUMS_NOTE_HEAD + rows[i].at, was[8];

		memcpy(was, p, 8);
		uint_put(CB_LE64, p, rows[i].size, rows[i].value);
		expect_finding(&b, note, rows[i].word);
		memcpy(p, was, 8);
	}
	for (u64 len = 0; len < 40; len += 4) {
		u8 *size = b.p + note + 4;

		/* What follows reads as another note. */
		uint_put(CB_LE64, size, 4, len);
		expect_finding(&b, note, len < 32 ? "too few" : "checksums for");
	}
	buf_fini(&b);
}

static void repair_keeps_the_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		struct buf b = { 0 }, out = { 0 };
		struct repaired rep = { 0 };
		struct err e = { 0 };
		struct core is = { 0 };
		u64 note, off, until;
		char msg[256];

		build(made[i].machine, made[i].fmt, &b, &note);
		b.p[2 * MIB + 5] ^= 1;
		cb_ok(rb_repair(&b, &rep, &e), &e);
		assert_string_equal(rep.changes[0].repair->id, "checksum-damage");
		assert_string_equal(rep.changes[rep.n_changes - 1].repair->id, "checksum-void");
		assert_int_equal(findings_count(&rep.left, CHECK_ERROR), 0);
		rb_write_out(&rep, &out);
		/* The bytes stay, and are not taken for memory. */
		assert_memory_equal(b.p + MIB, out.p + MIB, 2 * MIB);
		assert_int_equal(sums_findings(&out, &off, msg), 0);
		rb_open_bytes(&out, &is);
		assert_int_equal(is.n_missing, 1);
		assert_int_equal(is.missing[0].end - is.missing[0].start, MIB);
		assert_true(core_missing_is_lost(&is.missing[0]));
		assert_int_equal(core_mem_state(&is, BIG, &until), MEM_PRESENT);
		assert_int_equal(until, is.missing[0].start);
		assert_int_equal(core_mem_state(&is, until, &until), MEM_ABSENT);
		assert_int_equal(core_mem_state(&is, is.missing[0].end, &until), MEM_PRESENT);
		rb_repairs_nothing_more(&out);
		core_close(&is);
		repair_close(&rep);
		buf_fini(&b);
		buf_fini(&out);
	}
}

/* A header byte that is certain is put back; then the checksums prove that nothing else was wrong. */
static void repair_of_a_header_is_proved(void **state)
{
	struct buf b = { 0 };
	struct repaired rep = { 0 };
	struct err e = { 0 };
	u64 note;

	(void)state;
	build(EM_X86_64, CB_LE64, &b, &note);
	b.p[1] ^= 1;
	cb_ok(rb_repair(&b, &rep, &e), &e);
	for (size_t i = 0; i < rep.n_changes; i++)
		assert_string_not_equal(rep.changes[i].repair->id, "checksum-damage");
	repair_close(&rep);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(sums_are_those_of_the_file),
		in_dir(an_aborted_output_leaks_nothing),
		cmocka_unit_test(blocks_of_large_files_are_larger),
		cmocka_unit_test(damage_is_found_where_it_is),
		cmocka_unit_test(damaged_headers_do_not_hide_it),
		cmocka_unit_test(a_damaged_note_accuses_no_block),
		cmocka_unit_test(hostile_notes),
		cmocka_unit_test(repair_keeps_the_rest),
		cmocka_unit_test(repair_of_a_header_is_proved),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
