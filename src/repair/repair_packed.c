#include "base/util.h"
#include "repair/repairs.h"

int repair_packed_start(struct core_file *in, u64 *size, struct err *e)
{
	int r = core_file_start(in, e);

	if (!r)
		r = core_file_verify(in, e);
	if (!r)
		*size = in->packing ? min(in->size, in->packing->good_to) : in->size;
	/* What does not unpack, and is not the end, is to be recorded as lost. */
	in->bad_is_zero = true;
	return r;
}

/* Where nothing comes out after a fault, there is nothing to change: it is only reported, once. */
int repair_packed(struct repair_ctx *x, struct err *e)
{
	const struct core_packing *p = x->out->in.packing;
	int r = 0;

	if (!p || x->out->packing_reported)
		return 0;
	x->out->packing_reported = true;
	for (size_t i = 0; !r && i < p->n_faults; i++)
		if (!p->n_bad || p->faults[i].code == ERR_TRUNCATED)
			r = repair_did(x, e, p->faults[i].off,
				       "%s (%s data); the %llu bytes that come out before are taken for the core",
				       err_sentence(&p->faults[i]), p->name,
				       (unsigned long long)x->out->overlay->base_size);
	return r;
}

int repair_packed_bad(struct repair_ctx *x, struct err *e)
{
	const struct core_packing *p = x->out->in.packing;

	if (!p || x->out->bad_reported || !p->n_bad)
		return 0;
	x->out->bad_reported = true;
	return repair_lost_parts(x, p->bad, p->n_bad, "it does not unpack", e);
}
