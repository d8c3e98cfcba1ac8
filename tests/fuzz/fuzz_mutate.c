/*
 * fuzz_mutate.c - damages what counts: most bytes of a core are pages, which nothing interprets.
 *
 * Some changes are libFuzzer's own to the whole file.  The others are to the
 * head, where headers and notes are, to a note, or to a program in the core's memory
 * or after the core (fuzz_stack.c), and keep the file's length, so that the offsets
 * in it stay true.
 */
#include <gelf.h>
#include <string.h>

#include "base/util.h"
#include "elf/elffmt.h"
#include "elf/note.h"

#include "fuzz.h"

enum {
	HEAD_MAX = 4096,
	PROGRAM_MAX = 8192,
};

static unsigned next(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

/* Sums of it overflow, or lie at a border. */
static u64 value(unsigned *state, size_t file_size, u64 old)
{
	const u64 v[] = {
		0, 1, 3, 4, 7, 8, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, 1ull << 63, UINT64_MAX,
		UINT64_MAX - 4095, file_size, file_size - 1, file_size + 1, old + 1, old - 1, old * 2, old / 2,
		old + 4096, old - 4096, -old, old ^ 1ull << next(state) % 64,
	};

	return v[next(state) % ARRAY_SIZE(v)];
}

/* The programs in the file: where one begins, or 0. */
static size_t find_program(const u8 *data, size_t size, unsigned nth)
{
	size_t at[8], n = 0;

	for (const u8 *p = data + min(size, (size_t)1); n < ARRAY_SIZE(at); p += SELFMAG) {
		p = memmem(p, size - (size_t)(p - data), ELFMAG, SELFMAG);
		if (!p)
			break;
		at[n++] = (size_t)(p - data);
	}
	return n ? at[nth % n] : 0;
}

/* A field of 2, 4 or 8 bytes of the head, in the file's byte order. */
static void set_field(u8 *data, size_t size, size_t head, unsigned *state)
{
	struct elffmt fmt = { .class = ELFCLASS64, .data = size > 5 && data[5] == 2 ? 2 : 1 };
	unsigned width = 2u << next(state) % 3;
	size_t at;

	if (head < 8)
		return;
	at = next(state) % (head / width) * width;
	uint_put(fmt, data + at, width, value(state, size, uint_get(fmt, data + at, width)));
}

/* A word of a note's header, or after it, in some PT_NOTE: where a length that is trusted does harm. */
static bool set_note(u8 *data, size_t size, unsigned *state)
{
	struct bytes file = { .p = data, .len = size }, at, seg;
	struct note_iter it;
	struct elffmt fmt;
	struct note n;
	GElf_Ehdr h;
	GElf_Phdr p;
	unsigned nth = next(state) % 12;
	u64 off = 0;

	if (elffmt_ident(file, &fmt, NULL) || elffmt_get_ehdr(fmt, file, &h, NULL) || !h.e_phnum)
		return false;
	off = h.e_phoff + next(state) % min(h.e_phnum, (unsigned)8) * elffmt_phdr_size(fmt);
	if (bytes_sub(file, off, elffmt_phdr_size(fmt), &at, NULL) || elffmt_get_phdr(fmt, at, &p, NULL) ||
	    p.p_type != PT_NOTE || bytes_sub(file, p.p_offset, p.p_filesz, &seg, NULL))
		return false;
	note_iter_init(&it, seg, fmt, p.p_align);
	for (off = 0; nth && note_next(&it, &n, NULL) > 0; nth--)
		off = it.at;
	off = p.p_offset + off + next(state) % (next(state) % 2 ? 3 : 24) * 4;
	if (off > size || size - off < 4)
		return false;
	uint_put(fmt, data + off, 4, value(state, size, uint_get(fmt, data + off, 4)));
	return true;
}

/* One part of the head over another: a segment or a note twice, or in the wrong place. */
static void copy_part(u8 *data, size_t head, unsigned *state)
{
	size_t len = 4 * (1 + next(state) % 32), from, to;

	if (head < 2 * len)
		return;
	from = next(state) % ((head - len) / 4 + 1) * 4;
	to = next(state) % ((head - len) / 4 + 1) * 4;
	memmove(data + to, data + from, len);
}

/* A small number more or less: opcodes, lengths, registers of tables. */
static void set_byte(u8 *data, size_t len, unsigned *state)
{
	static const u8 v[] = { 0, 1, 2, 3, 0x0a, 0x0b, 0x0f, 0x10, 0x16, 0x2f, 0x7f, 0x80, 0xff };
	u8 *p = data + next(state) % len;

	switch (next(state) % 3) {
	case 0: *p = v[next(state) % ARRAY_SIZE(v)]; break;
	case 1: *p = (u8)(*p + next(state) % 9 - 4); break;
	default: *p ^= (u8)(1 << next(state) % 8);
	}
}

/* The bytes of some section of the program that may have strings; false when it has no sections. */
static bool find_strings(u8 *data, size_t size, unsigned *state, struct bytes *out)
{
	struct bytes file = { .p = data, .len = size }, at;
	struct elffmt fmt;
	GElf_Ehdr h;
	GElf_Shdr s;

	if (elffmt_ident(file, &fmt, NULL) || elffmt_get_ehdr(fmt, file, &h, NULL) || !h.e_shnum)
		return false;
	for (int tries = 8; tries; tries--) {
		u64 off = h.e_shoff + next(state) % h.e_shnum * elffmt_shdr_size(fmt);

		if (bytes_sub(file, off, elffmt_shdr_size(fmt), &at, NULL) || elffmt_get_shdr(fmt, at, &s, NULL))
			return false;
		if ((s.sh_type == SHT_STRTAB || (s.sh_type == SHT_PROGBITS && !(s.sh_flags & SHF_ALLOC))) &&
		    !bytes_sub(file, s.sh_offset, s.sh_size, out, NULL) && out->len)
			return true;
	}
	return false;
}

/* Strings lose their end: the last one of a section, all from some place on, or one. */
static bool set_strings(u8 *data, size_t size, unsigned *state)
{
	struct bytes text;
	size_t from, n;
	u8 *p;

	if (!find_strings(data, size, state, &text))
		return false;
	p = data + (text.p - data);
	from = next(state) % 2 ? text.len - 1 : next(state) % text.len;
	n = next(state) % 2 ? 1 : text.len - from;
	for (size_t i = from; n; i++, n--)
		if (!p[i])
			p[i] = 'x';
	return true;
}

/* In the program's file, if it follows: sections of a program in memory are not used. */
static bool set_file_strings(u8 *data, size_t size, unsigned *state)
{
	u8 *mark = memmem(data, size, STACK_EXE_MARK, STACK_EXE_MARK_LEN), *file = mark ? mark + STACK_EXE_MARK_LEN : NULL;

	return file && set_strings(file, size - (size_t)(file - data), state);
}

/* A program's headers, its tables, or all of it. */
static bool set_program(u8 *data, size_t size, unsigned *state)
{
	size_t at = find_program(data, size, next(state)), len, head;

	if (!at)
		return false;
	len = min(size - at, (size_t)PROGRAM_MAX);
	head = min(len, (size_t)512);
	switch (next(state) % 8) {
	case 0:
		set_field(data + at, len, head, state);
		break;
	case 1: case 2:
		set_field(data + at, len, len, state);
		break;
	case 3:
		copy_part(data + at, len, state);
		break;
	case 4:
		LLVMFuzzerMutate(data + at, len, len);
		break;
	default:
		for (unsigned n = 1 + next(state) % 4; n; n--)
			set_byte(data + at, len, state);
	}
	return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	unsigned state = seed;
	size_t head = min(size, (size_t)HEAD_MAX);

	if (next(&state) % 4 == 0 && set_file_strings(data, size, &state))
		return size;
	if (next(&state) % 2 && set_program(data, size, &state))
		return size;
	switch (next(&state) % 10) {
	case 8: case 9:
		for (int tries = 8; tries; tries--)
			if (set_note(data, size, &state))
				return size;
		return LLVMFuzzerMutate(data, size, max);
	case 0: case 1: case 2:
		for (unsigned n = 1 + next(&state) % 3; n; n--)
			set_field(data, size, head, &state);
		return size;
	case 3:
		copy_part(data, head, &state);
		return size;
	case 4: case 5:
		/* Shorter is possible: what is left of the old head then stays. */
		if (head)
			LLVMFuzzerMutate(data, head, head);
		return size;
	default:
		return LLVMFuzzerMutate(data, size, max);
	}
}
