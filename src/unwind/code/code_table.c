#include "base/array.h"
#include "base/util.h"
#include "unwind/code/code_flow.h"

/* The tables that jumps take their targets from, where these are in the code itself. */

bool flow_is_inside(const struct flow *f, u64 addr)
{
	return !f->w->hi || (addr >= f->w->lo && addr < f->w->hi);
}

/* A jump with a known target, as the entries of a table are that is jumped into. */
static bool is_jump(const struct flow *f, u64 addr)
{
	struct code_insn in = { .addr = addr };
	u8 code[16];

	return space_read(f->u, addr, code, f->m->longest) && f->m->decode(f->c, code, f->m->longest, &in) &&
	       in.flow == CODE_JUMP && in.has_target && !in.cond;
}

static const u8 entry_size[] = { [CODE_OFFSETS1] = 1, [CODE_OFFSETS2] = 2, [CODE_ADDRESSES] = 4, [CODE_JUMPS] = 4 };

/* What the entry at @at leads to. */
static bool read_entry(const struct flow *f, const struct code_insn *in, u64 at, u64 *to)
{
	u64 v = at;

	if (in->table == CODE_JUMPS ? !is_jump(f, at) : !space_uint(f->u, at, entry_size[in->table], &v))
		return false;
	if (in->table == CODE_OFFSETS1 || in->table == CODE_OFFSETS2)
		v = in->target + 2 * v;
	*to = space_strip(f->u, v);
	return flow_is_inside(f, *to) && space_is_code(f->u, *to);
}

/* How long it is, nothing says: it is before the first address in it. */
void flow_table(struct flow *f, struct node *n)
{
	const struct code_insn *in = &n->in;
	u64 at = in->target, end = UINT64_MAX, to;

	n->to = f->n_to;
	f->is_cut = true;
	for (size_t i = 0; i < FLOW_TABLE_MAX && at < end && f->c->budget; i++, at += entry_size[in->table]) {
		f->c->budget--;
		if (!read_entry(f, in, at, &to))
			return;
		if (array_grow((void **)&f->to, f->n_to, &f->cap_to, sizeof(*f->to), "code", NULL)) {
			f->failed = true;
			return;
		}
		f->to[f->n_to++] = to;
		n->n_to++;
		if (to > in->target && in->table != CODE_JUMPS)
			end = min(end, to);
	}
}
