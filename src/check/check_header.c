#include "check/checks.h"
#include "elf/elffmt.h"

bool check_has_all_segs(const struct core *c)
{
	return c->n_segs == c->phnum && c->xnum != CORE_XNUM_LOST;
}

void check_elf_version(struct check_ctx *x)
{
	const GElf_Ehdr *h = &x->core->ehdr;

	if (h->e_ident[EI_VERSION] != EV_CURRENT)
		check_found(x, EI_VERSION, "identification says version %u", h->e_ident[EI_VERSION]);
	if (h->e_version != EV_CURRENT)
		check_found(x, 20, "header says version %u", h->e_version);
}

void check_elf_ehsize(struct check_ctx *x)
{
	size_t want = elffmt_ehdr_size(x->core->fmt);

	if (x->core->ehdr.e_ehsize != want)
		check_found(x, x->core->fmt.class == ELFCLASS32 ? 40 : 52,
			    "ELF header of %u bytes, this class has %zu", x->core->ehdr.e_ehsize, want);
}

void check_elf_machine(struct check_ctx *x)
{
	char name[CORE_MACHINE_MAX];

	if (!x->core->arch)
		check_found(x, 18, "no register tables for machine %u (%s): sizes and registers are not checked",
			    x->core->ehdr.e_machine, core_machine(x->core, name));
}

void check_phdr_none(struct check_ctx *x)
{
	if (!x->core->phnum)
		check_found(x, x->core->fmt.class == ELFCLASS32 ? 44 : 56,
			    "no program headers, so neither memory nor notes");
}

void check_phdr_xnum(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->xnum == CORE_XNUM_LOST)
		check_found(x, c->ehdr.e_shoff, "e_phnum is PN_XNUM, and section header 0, which has the count, "
			    "is not in the file; %llu is a guess", (unsigned long long)c->phnum);
	else if (c->xnum == CORE_XNUM_GOOD && c->phnum < PN_XNUM)
		check_found(x, c->ehdr.e_shoff, "e_phnum is PN_XNUM, but the count is only %llu",
			    (unsigned long long)c->phnum);
}

void check_phdr_truncated(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->n_segs < c->phnum)
		check_found(x, c->ehdr.e_phoff, "of %llu program headers only %zu are in the file",
			    (unsigned long long)c->phnum, c->n_segs);
}
