/*
 * fuzz_mutate.c - spoils what counts: most bytes of a core are pages, which nothing interprets.
 *
 * Half of the changes are libFuzzer's own to the whole file.  The others are
 * to the head, where headers and notes are, and keep its length, so that the
 * file offsets in it stay true.
 */
#include <elf.h>
#include <string.h>

#include <tagcore/bytes.h>

#include "base/util.h"
#include "fuzz.h"

enum { HEAD_MAX = 4096 };

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

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	unsigned state = seed;
	size_t head = min(size, (size_t)HEAD_MAX);

	switch (next(&state) % 8) {
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
