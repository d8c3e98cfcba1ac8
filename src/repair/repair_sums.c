#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/search.h"
#include "base/util.h"
#include "core/core_sums.h"
#include "repair/repairs.h"

/* A block of which some does not unpack is known to be damaged just there: each frame has a checksum of its own. */
static bool has_bad(const struct core_packing *p, u64 start, u64 end)
{
	size_t i = p ? search_first(k, 0, p->n_bad, p->bad[k].end > start) : 0;

	return p && i < p->n_bad && p->bad[i].start < end;
}

/* The damaged blocks, but for those, block by block: they may have been joined. */
static int find_parts(const struct core_packing *p, const struct core_damages *d, u64 block, struct core_part **parts,
		      size_t *n, struct err *e)
{
	size_t room = 0;
	struct core_part *v;

	for (size_t i = 0; i < d->n; i++)
		room += 1 + (p && p->n_bad ? (size_t)((d->v[i].end - d->v[i].start) / block) : 0);
	v = calloc(room + 1, sizeof(*v));
	if (!v)
		return err_set(e, -ENOMEM, "damaged blocks");
	*n = 0;
	for (size_t i = 0; i < d->n; i++)
		for (u64 at = d->v[i].start, end; at < d->v[i].end; at = end) {
			end = p && p->n_bad ? min(at + block, d->v[i].end) : d->v[i].end;
			if (has_bad(p, at, end))
				continue;
			if (*n && v[*n - 1].end == at)
				v[*n - 1].end = end;
			else
				v[(*n)++] = (struct core_part){ .start = at, .end = end };
		}
	*parts = v;
	return 0;
}

/* Once, before other repairs change what was damaged. */
int repair_sums(struct repair_ctx *x, struct err *e)
{
	struct core_damages damages scoped(core_damages_fini) = { 0 };
	struct core_sums sums scoped(core_sums_fini) = { 0 };
	struct core_part *parts auto_free = NULL;
	size_t n = 0;
	int r;

	if (x->out->sums_compared)
		return 0;
	x->out->sums_compared = true;
	r = core_sums_find(x->core, &sums, e);
	/* One that cannot be used is none. */
	if (r <= 0)
		return r == ERR_INPUT ? 0 : r;
	r = core_sums_check(x->core, &sums.note, &damages, e);
	if (!r)
		r = find_parts(x->out->in.packing, &damages, sums.note.block, &parts, &n, e);
	return r ? r : repair_lost_parts(x, parts, n, "its checksum is wrong", e);
}

/* They are of the file as the dump wrote it. */
int repair_sums_void(struct repair_ctx *x, struct err *e)
{
	const struct core_note *n = core_note_find(x->core, 0, TAGCORE_OWNER, NT_TAGCORE_CHECKSUMS);
	struct sums_note as_is;
	u8 raw[SUMS_VOID_LEN];
	int r;

	if (!n || !x->out->n_changes || n->note.desc.len < SUMS_VOID_LEN)
		return 0;
	if (!sums_note_get(n->note.desc, x->core->fmt, n->note.off, &as_is, NULL) && as_is.is_void)
		return 0;
	sums_put_void(x->core->fmt, raw);
	r = repair_put(x, n->note.desc.off, raw, sizeof(raw), e);
	return r ? r : repair_did(x, e, n->note.off, "the checksums were those of the file as it was dumped: they are void now");
}
