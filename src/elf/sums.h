/* sums.h - the checksums of a core: what the note of owner TAGCORE has, and how they are computed; tagcore-notes(5). */
#pragma once

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/*
 * A block's checksum is the sum, modulo 2^64, of those of its pieces that are not all zero: XXH3_64bits_withSeed() with
 * the piece's number in the file as seed.  So what is a hole costs nothing, neither who writes nor who checks, and
 * pieces may come in any order.
 */
enum {
	SUMS_PIECE = 4096,
	SUMS_BLOCK_MIN = 1 << 20,
	SUMS_BLOCK_MAX = 1 << 30,
	SUMS_BLOCKS = 1 << 19,	/* of larger files the blocks are larger */
	SUMS_NOTE_HEAD = 20,	/* bytes of the note before its descriptor */
};

/* @p has SUMS_PIECE bytes, or fewer and then zeros. */
u64 sums_piece(const u8 *p, u64 number);
/* The size of blocks, a power of two, in a file of about @size bytes. */
u64 sums_block_for(u64 size);
u64 sums_count(u64 covered, u64 block);

/* The note as read. */
struct sums_note {
	bool is_void;		/* a repair has changed the core since: the rest is 0 */
	u64 block;		/* bytes in each block */
	u64 covered;		/* all bytes of the file before the note */
	struct bytes values;	/* 8 bytes for each block */
};

/* Bytes of the note, with its header. */
u64 sums_note_size(u64 covered, u64 block);
/*
 * Appends it; @values[n] are those of all blocks.  The note has a checksum of its own, of it and of what follows it in the
 * file: @after.
 */
int sums_note_put(struct buf *b, struct elffmt fmt, u64 block, u64 covered, const u64 *values, struct bytes after,
		  struct err *e) must_check;
/* ERR_INPUT if it is not of that form, does not cover just what is before @off, its place; its own checksum is not looked at. */
int sums_note_get(struct bytes desc, struct elffmt fmt, u64 off, struct sums_note *out, struct err *e) must_check;

/* The note's own checksum: of @note from its header up to the checksum in it, and of @after; and the one that it has. */
u64 sums_own(struct bytes note, struct bytes after);
u64 sums_own_stated(struct bytes desc, struct elffmt fmt);

/* What makes it void: these bytes at its descriptor's beginning. */
enum { SUMS_VOID_LEN = 4 };
void sums_put_void(struct elffmt fmt, u8 p[SUMS_VOID_LEN]);
