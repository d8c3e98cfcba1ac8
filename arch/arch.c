#include "arch.h"
#include "base/uapi.h"

const struct arch *const arches[] = { &arch_x86_64, &arch_aarch64, NULL };

const struct arch *arch_find(u16 machine, struct elffmt fmt)
{
	for (size_t i = 0; arches[i]; i++)
		if (arches[i]->machine == machine && arches[i]->fmt.class == fmt.class &&
		    arches[i]->fmt.data == fmt.data)
			return arches[i];
	return NULL;
}

const struct arch *arch_native(void)
{
	return arch_find(UAPI_NATIVE_MACHINE, (struct elffmt){ .class = UAPI_NATIVE_CLASS, .data = UAPI_NATIVE_DATA });
}

int reg_get(const struct arch *a, const struct regset *set, unsigned index, struct bytes desc, u64 *out,
	    struct err *e)
{
	const struct reg *reg;

	if (index >= set->n_regs)
		return err_set(e, ERR_UNSUPPORTED, "%s has no register %u in %s", a->name, index, set->name);
	reg = &set->regs[index];
	return bytes_uint(desc, a->fmt, reg->off, reg->size, out, e);
}
