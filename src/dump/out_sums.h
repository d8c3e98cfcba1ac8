/* out_sums.h - checksums of an output while it is written: elf/sums.h. */
#pragma once

#include "base/err.h"
#include "base/types.h"

struct out_sums;
struct writer;

/* Of blocks of @block bytes.  NULL when memory is short. */
struct out_sums *out_sums_make(u64 block);
void out_sums_free(struct out_sums *s);

/* What writer.c does, to the output that has them. */
int out_sums_emit(struct out_sums *s, const void *p, size_t len, struct err *e) must_check;
/* What is there stays, as it does in the output: zeros, but for what was written before a rewind. */
void out_sums_skip(struct out_sums *s, u64 len);
int out_sums_rewind(struct out_sums *s, struct err *e) must_check;
int out_sums_zero(struct out_sums *s, u64 off, u64 len, struct err *e) must_check;

/*
 * The values of all blocks of the output up to here: *values[*n], malloc'ed.  Those that were written to in
 * more than one pass are read back from @w.
 */
int out_sums_end(struct out_sums *s, struct writer *w, u64 **values, u64 *n, struct err *e) must_check;
