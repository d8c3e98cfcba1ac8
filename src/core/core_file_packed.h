/* core_file_packed.h - a packed core file, of which core_file_spool.c and core_file_frames.c are the two ways to read it. */
#pragma once

#include "core/core_file.h"
#include "core/unpack.h"

enum {
	PACKED_PIECE = 128 << 10,	/* unpacked at once; whole pages */
	PACKED_SLOTS_MAX = 16,
	PACKED_SLOTS_BYTES = 32 << 20,	/* all slots together, or one of UNPACK_FRAME_MAX */
	PACKED_FAULTS_MAX = 100,
};

/* A frame in memory. */
struct packed_slot {
	u8 *data;	/* NULL: empty */
	size_t frame;
	u64 used;	/* the larger, the later */
};

struct packed {
	struct core_file in;	/* the packed file */
	const struct unpacker_ops *unpacker;
	struct core_packing info;
	struct err *faults;	/* info.faults, to be written */
	struct core_part *bad;	/* info.bad, to be written */
	size_t bad_cap;
	struct unpack_index index;
	bool verified;
	u64 out_max;		/* bytes that may come out, */
	u64 kept_max;		/* and of them in pages that are not zero */

	/* spool: the core from its beginning up to @have is in the temporary file, zeros as holes */
	int temp;		/* -1: no temporary file, and */
	struct err no_temp;	/* why */
	u64 unchecked;		/* bytes written since room was looked for */
	u64 kept;		/* bytes written */
	struct unpacker *u;
	u64 have;
	bool ended;		/* there is no more: */
	struct err why;		/* not 0: because of this */

	/* frames */
	struct packed_slot slots[PACKED_SLOTS_MAX];
	size_t n_slots;
	u64 clock;
	bool odd_size;		/* the last one was whole, and of another size than its index says */

	u8 piece[PACKED_PIECE];
};

/* packed.c: ERR_LIMIT when @out bytes that came out, or @kept of them that are not zero, are more than may be. */
int packed_charge(const struct packed *p, u64 out, u64 kept, struct err *e) must_check;
int packed_fault(struct packed *p, const struct err *why, struct err *e) must_check;
/* @f is a packed file, whose backend becomes the one or the other.  Sets its size. */
int packed_start_spool(struct core_file *f, struct err *e) must_check;
int packed_start_frames(struct core_file *f, struct err *e) must_check;
/* The close of both. */
void packed_close(struct core_file *f);
