#include <string.h>

#include "arches.h"
#include "base/uapi.h"

const struct arch *const arches[] = {
	&arch_x86_64, &arch_aarch64, &arch_aarch64_be, &arch_alpha, &arch_arm, &arch_armeb,
	&arch_i386, &arch_loongarch64, &arch_m68k, &arch_mips, &arch_mipsel, &arch_mipsn32,
	&arch_mipsn32el, &arch_mips64, &arch_mips64el, &arch_parisc, &arch_ppc, &arch_ppc64,
	&arch_ppc64le, &arch_riscv32, &arch_riscv64, &arch_s390, &arch_s390x, &arch_sparc,
	&arch_sparc64, &arch_x32, NULL,
};

const struct arch *arch_find(u16 machine, struct elffmt fmt, u32 e_flags)
{
	for (size_t i = 0; arches[i]; i++) {
		const struct arch *a = arches[i];

		if (a->machine == machine && a->fmt.class == fmt.class && a->fmt.data == fmt.data &&
		    (e_flags & a->flags_mask) == a->flags)
			return a;
	}
	return NULL;
}

const struct arch *arch_native(void)
{
	return arch_find(UAPI_NATIVE_MACHINE, (struct elffmt){ .class = UAPI_NATIVE_CLASS, .data = UAPI_NATIVE_DATA }, 0);
}

const struct regset *arch_regset(const struct arch *a, const char *owner, u32 type)
{
	for (size_t i = 0; i < a->n_sets; i++)
		if (a->sets[i].type == type && !strcmp(a->sets[i].owner, owner))
			return &a->sets[i];
	return NULL;
}

int reg_bytes(const struct arch *a, const struct regset *set, unsigned index, struct bytes desc,
	      struct bytes *out, struct err *e)
{
	if (index >= set->n_regs)
		return err_set(e, ERR_UNSUPPORTED, "%s has no register %u in %s", a->name, index, set->name);
	if (!set->regs[index].size)
		return err_set(e, ERR_UNSUPPORTED, "%s is not in this note", set->regs[index].name);
	return bytes_sub(desc, set->regs[index].off, set->regs[index].size, out, e);
}

int reg_get(const struct arch *a, const struct regset *set, unsigned index, struct bytes desc, u64 *out,
	    struct err *e)
{
	struct bytes b = { 0 };
	int r = reg_bytes(a, set, index, desc, &b, e);

	if (r)
		return r;
	if (b.len != 1 && b.len != 2 && b.len != 4 && b.len != 8)
		return err_set(e, ERR_UNSUPPORTED, "%s: %s has %zu bytes", a->name, set->regs[index].name, b.len);
	*out = uint_get(a->fmt, b.p, (unsigned)b.len);
	return 0;
}

int arch_pc(const struct arch *a, struct bytes regs, u64 *out, struct err *e)
{
	u64 pc = 0;
	int r = reg_get(a, &a->gregs, a->pc, regs, &pc, e);

	if (!r)
		*out = a->pc_mask ? pc & a->pc_mask : pc;
	return r;
}
