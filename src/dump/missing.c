#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/dump.h"
#include "dump/dump_priv.h"
#include "elf/note.h"

int missing_add(struct missing *m, u64 start, u64 end, const char *reason, struct err *e)
{
	struct missing_range *last = m->n ? &m->v[m->n - 1] : NULL;
	int r;

	m->bytes += end - start;
	if (last && last->end == start && !strcmp(last->reason, reason)) {
		last->end = end;
		return 0;
	}
	r = array_grow((void **)&m->v, m->n, &m->cap, sizeof(*m->v), "list of missing ranges", e);
	if (!r)
		m->v[m->n++] = (struct missing_range){ .start = start, .end = end, .reason = reason };
	return r;
}

static int by_place(const void *a, const void *b)
{
	const struct missing_range *x = a, *y = b;
	bool tags_x = !strncmp(x->reason, TAGCORE_TAGS_LOST, strlen(TAGCORE_TAGS_LOST));
	bool tags_y = !strncmp(y->reason, TAGCORE_TAGS_LOST, strlen(TAGCORE_TAGS_LOST));

	if (tags_x != tags_y)
		return tags_x - tags_y;
	return x->start < y->start ? -1 : x->start > y->start;
}

void missing_sort(struct missing *m)
{
	if (m->n)
		qsort(m->v, m->n, sizeof(*m->v), by_place);
}

void missing_fini(struct missing *m)
{
	free(m->v);
	*m = (struct missing){ 0 };
}

u64 dump_missing_room(const struct dump *d)
{
	u64 room = MISSING_NOTE_MIN;

	for (size_t i = 0; i < d->plan.n && room < MISSING_NOTE_MAX; i++) {
		u64 ranges = (d->plan.v[i].filesz / d->page_size + 1) / 2;

		/* A page may lose its bytes, or its tags. */
		if (vma_is_mte(d->areas.v[i].vma))
			ranges *= 2;
		room += min(ranges, (u64)MISSING_NOTE_MAX) * MISSING_LINE_MAX;
	}
	return min(room, (u64)MISSING_NOTE_MAX);
}

static int put_range(const struct missing_range *m, struct buf *b, struct err *e)
{
	return buf_printf(b, e, "%llx-%llx %s\n", (unsigned long long)m->start, (unsigned long long)m->end, m->reason);
}

/* Of which the reader shows no zeros; as many as there is room for after what is missing. */
static int put_guard(const struct missing *m, u64 size, struct buf *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < m->n && b->len + MISSING_LINE_MAX <= size; i++)
		r = put_range(&m->v[i], b, e);
	return r;
}

/* Header, "TAGCORE\0" and the descriptor make @room. */
int dump_missing_note(const struct dump *d, u64 room, struct buf *b, struct err *e)
{
	const struct missing *m = &d->report->missing;
	struct buf text scoped(buf_fini) = { 0 };
	u64 listed = 0, size = room - 12 - sizeof(TAGCORE_OWNER);
	size_t i;
	int r = 0;

	for (i = 0; !r && i < m->n && text.len + 2 * MISSING_LINE_MAX <= size; i++) {
		r = put_range(&m->v[i], &text, e);
		listed += m->v[i].end - m->v[i].start;
	}
	/* The room was kept before the losses were known: what does not fit is counted. */
	if (!r && i < m->n)
		r = buf_printf(&text, e, "+%zu %llu more ranges\n", m->n - i,
			       (unsigned long long)(m->bytes - listed));
	if (!r && i == m->n)
		r = put_guard(&d->report->guard, size, &text, e);
	if (!r)
		r = buf_zero(&text, size - text.len, e);
	return r ? r : note_put(b, d->target.arch->fmt, TAGCORE_OWNER, NT_TAGCORE_MISSING, text.p, text.len, e);
}
