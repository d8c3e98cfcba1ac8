#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "core/core_file_packed.h"

int packed_charge(const struct packed *p, u64 out, u64 kept, struct err *e)
{
	char limit[TEXT_SIZE_MAX], size[TEXT_SIZE_MAX];

	if (out <= p->out_max && kept <= p->kept_max)
		return 0;
	return err_set(e, ERR_LIMIT, "unpacking came to more than %s%s, out of %s: where this is no bomb, "
		       "--unpack-limit SIZE (or none) allows more",
		       text_size(out > p->out_max ? p->out_max : p->kept_max, limit),
		       out > p->out_max ? "" : " that are not zero", text_size(p->in.size, size));
}

int packed_fault(struct packed *p, const struct err *why, struct err *e)
{
	struct err *more;

	if (p->info.n_faults == PACKED_FAULTS_MAX)
		return 0;
	more = reallocarray(p->faults, p->info.n_faults + 1, sizeof(*more));
	if (!more)
		return err_set(e, -ENOMEM, "unpack");
	more[p->info.n_faults++] = *why;
	p->info.faults = p->faults = more;
	return 0;
}

void packed_close(struct core_file *f)
{
	struct packed *p = f->priv;

	unpacker_close(&p->u);
	for (size_t i = 0; i < PACKED_SLOTS_MAX; i++)
		free(p->slots[i].data);
	unpack_index_fini(&p->index);
	free(p->faults);
	free(p->bad);
	scope_close(&p->temp);
	core_file_close(&p->in);
	free(p);
}
