#include "base/bytes.h"
#include "base/util.h"
#include "dump/out_sums.h"
#include "dump/writer.h"

void writer_waits(const struct writer *w)
{
	if (w->since)
		__atomic_store_n(w->since, now_ns(), __ATOMIC_RELAXED);
}

void writer_moves_on(const struct writer *w)
{
	if (w->since)
		__atomic_store_n(w->since, 0, __ATOMIC_RELAXED);
}

/* Promised zeros become real only when bytes follow, so that a backend sees long runs. */
static int flush_skip(struct writer *w, struct err *e)
{
	u64 len = w->skipped;

	w->skipped = 0;
	return len ? w->ops->skip(w, len, e) : 0;
}

static int check_limit(const struct writer *w, u64 more, struct err *e)
{
	if (w->limit && w->written + more > w->limit)
		return err_set(e, ERR_LIMIT, "the core would take more than the limit of %llu bytes",
			       (unsigned long long)w->limit);
	return 0;
}

int writer_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	int r = check_limit(w, len, e);

	if (!r)
		r = flush_skip(w, e);
	if (!r)
		r = w->ops->emit(w, p, len, e);
	if (!r && w->sums)
		r = out_sums_emit(w->sums, p, len, e);
	if (!r) {
		w->off += len;
		w->written += len;
	}
	return r;
}

int writer_emit_sparse(struct writer *w, const void *data, size_t len, size_t page_size, struct err *e)
{
	const u8 *p = data;
	size_t begin = 0;
	int r = 0;

	for (size_t at = 0; !r && at < len; at += page_size) {
		size_t n = min(page_size, len - at);

		if (!mem_is_zero(p + at, n))
			continue;
		if (at > begin)
			r = writer_emit(w, p + begin, at - begin, e);
		if (!r)
			r = writer_skip(w, n, e);
		begin = at + n;
	}
	if (!r && begin < len)
		r = writer_emit(w, p + begin, len - begin, e);
	return r;
}

int output_advance(u64 *off, u64 len, struct err *e)
{
	u64 to;

	if (add_overflow(*off, len, &to) || to > INT64_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the output would be larger than a file can be");
	*off = to;
	return 0;
}

int output_gap(u64 off, u64 to, u64 *len, struct err *e)
{
	if (to < off)
		return err_set(e, ERR_UNSUPPORTED, "writer at 0x%llx cannot go back to 0x%llx",
			       (unsigned long long)off, (unsigned long long)to);
	*len = to - off;
	return 0;
}

int writer_skip(struct writer *w, u64 len, struct err *e)
{
	int r = output_advance(&w->off, len, e);

	w->skipped += r ? 0 : len;
	if (!r && w->sums)
		out_sums_skip(w->sums, len);
	return r;
}

int writer_skip_to(struct writer *w, u64 off, struct err *e)
{
	u64 len = 0;
	int r = output_gap(w->off, off, &len, e);

	return r ? r : writer_skip(w, len, e);
}

int writer_rewind(struct writer *w, struct err *e)
{
	int r = w->sums ? out_sums_rewind(w->sums, e) : 0;

	w->off = w->skipped = 0;
	return r ? r : w->ops->rewind(w, e);
}

int writer_zero(struct writer *w, u64 off, u64 len, struct err *e)
{
	int r = w->sums ? out_sums_zero(w->sums, off, len, e) : 0;

	return r ? r : w->ops->zero(w, off, len, e);
}

int writer_end_sums(struct writer *w, u64 **values, u64 *n, struct err *e)
{
	int r = out_sums_end(w->sums, w, values, n, e);

	out_sums_free(w->sums);
	w->sums = NULL;
	return r;
}

int writer_finish(struct writer *w, struct err *e)
{
	int r = flush_skip(w, e);

	if (!r)
		r = w->ops->finish(w, e);
	if (r)
		w->ops->abort(w);
	w->ops = NULL;
	return r;
}

void writer_close(struct writer *w)
{
	if (w->ops)
		w->ops->abort(w);
	out_sums_free(w->sums);
	*w = (struct writer){ 0 };
}
