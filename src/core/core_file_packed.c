#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/temp.h"
#include "base/text.h"
#include "base/util.h"
#include "core/core_file_packed.h"

/*
 * The default limit, past which a file is taken for a decompression bomb.  Memory that is not
 * zero rarely packs to a hundredth; zeros cost time only, and a core of mostly
 * zeros packs to a ten thousandth.
 */
#define OUT_FLOOR (64ull << 30)
#define KEPT_FLOOR (4ull << 30)
enum { OUT_RATIO = 1000, KEPT_RATIO = 100 };

static void set_limits(struct packed *p, u64 limit)
{
	p->out_max = limit ? limit : max((u64)OUT_FLOOR, mul_clip(p->in.size, OUT_RATIO));
	p->kept_max = limit ? limit : max((u64)KEPT_FLOOR, mul_clip(p->in.size, KEPT_RATIO));
}

static int packed_start(struct core_file *f, struct err *e)
{
	struct packed *p = f->priv;
	int r = 0;

	p->in.cancel = f->cancel;
	if (p->unpacker->index)
		r = p->unpacker->index(p->unpacker, &p->in, &p->index, e);
	p->info.table = p->index.table;
	if (!r && p->index.fault.code)
		r = packed_fault(p, &p->index.fault, e);
	if (!r)
		r = p->index.frames ? packed_start_frames(f, e) : packed_start_spool(f, e);
	if (r || f->size)
		return r;
	return p->info.n_faults ? unpack_err(e, &p->faults[0]) :
				  err_set(e, ERR_INPUT, "nothing comes out of the %s data", p->unpacker->name);
}

static int packed_unread(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	(void)f, (void)off, (void)buf, (void)len, (void)n;
	return err_set(e, -EINVAL, "the core is not yet unpacked");
}

static const struct core_file_ops packed_ops = {
	.name = "packed",
	.read_at = packed_unread,
	.start = packed_start,
	.close = packed_close,
};

int core_file_unpack(struct core_file *f, struct err *e)
{
	const struct unpacker_ops *u;
	u8 head[UNPACK_MAGIC_MAX];
	struct packed *p;
	size_t n = 0;
	int r = f->ops->read_at(f, 0, head, sizeof(head), &n, e);

	u = r ? NULL : unpacker_find(head, n);
	if (!u)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(e, -ENOMEM, "unpack");
	p->in = *f;
	p->unpacker = u;
	p->info = (struct core_packing){ .name = u->name, .size = f->size, .good_to = UINT64_MAX };
	p->temp = temp_open(NULL, 0, &p->no_temp);
	set_limits(p, f->unpack_limit);
	*f = (struct core_file){ .ops = &packed_ops, .priv = p, .cancel = f->cancel, .packing = &p->info,
				 .unpack_limit = f->unpack_limit };
	return 0;
}

int core_file_start(struct core_file *f, struct err *e)
{
	return f->ops->start ? f->ops->start(f, e) : 0;
}

int core_file_verify(struct core_file *f, struct err *e)
{
	struct packed *p = f->priv;
	size_t had;
	int r;

	if (!f->packing || p->verified || !f->ops->verify)
		return 0;
	had = p->info.n_faults;
	r = f->ops->verify(f, e);
	p->verified = !r;
	if (r) {
		p->info.n_faults = had;
		p->info.n_bad = 0;
	}
	return r;
}
