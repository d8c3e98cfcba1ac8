#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "dump/dump_priv.h"
#include "dump/out_sums.h"
#include "elf/sums.h"

void dump_choose_sums(struct dump *d)
{
	u64 size = 0;

	for (size_t i = 0; i < d->plan.n; i++)
		size += d->plan.v[i].filesz;
	d->sums_block = d->opts->checksums ? sums_block_for(size) : 0;
}

/* What the writing thread needs for the note. */
struct ending {
	struct elffmt fmt;
	u64 block;
	size_t after;	/* bytes that follow it in the file */
	u8 bytes[];
};

static int put_note(struct writer *w, void *arg, struct err *e)
{
	const struct ending *end = arg;
	const struct bytes after = { .p = end->bytes, .len = end->after };
	struct buf note scoped(buf_fini) = { 0 };
	u64 *values auto_free = NULL, covered = w->off, n;
	int r = writer_end_sums(w, &values, &n, e);

	if (!r)
		r = sums_note_put(&note, end->fmt, end->block, covered, values, after, e);
	if (!r)
		r = writer_emit(w, note.p, note.len, e);
	return r ? r : writer_emit(w, after.p, after.len, e);
}

/* It is of all bytes before it and after it, which are zeros up to @trailer, if there is one. */
int dump_put_sums(struct dump *d, const struct buf *trailer, struct err *e)
{
	const struct segment *last = &d->segs[d->n_segs - 1];
	size_t pad = trailer->len ? (size_t)(d->layout.shdr_off - (last->off + last->filesz)) : 0;
	struct ending *end = calloc(1, sizeof(*end) + pad + trailer->len);
	void *arg = end;
	int r;

	if (!end)
		return err_set(e, -ENOMEM, "checksums");
	*end = (struct ending){ .fmt = d->target.arch->fmt, .block = d->sums_block, .after = pad + trailer->len };
	if (trailer->len)
		memcpy(end->bytes + pad, trailer->p, trailer->len);
	r = write_queue_call(&d->queue, put_note, &arg, e);
	free(arg);
	return r;
}
