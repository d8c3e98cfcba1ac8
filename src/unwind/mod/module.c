#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "unwind/mod/mod.h"

/* One module, whatever list it is in. */

enum { PAGE = 4096 };

void module_fini(struct module *m)
{
	elf_end(m->elf);
	if (m->fd >= 0)
		close(m->fd);
	free(m->path);
	free(m->note);
	free(m->file);
	free(m->image);
	*m = (struct module){ .fd = -1 };
}

bool module_span(Elf *elf, u64 *lo, u64 *hi)
{
	size_t n = 0;
	GElf_Phdr p;
	u64 end;

	*lo = UINT64_MAX;
	*hi = 0;
	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_LOAD || add_overflow(p.p_vaddr, p.p_memsz, &end) ||
		    end > UINT64_MAX - PAGE)
			continue;
		*lo = min(*lo, align_down(p.p_vaddr, PAGE));
		*hi = max(*hi, align_up(end, PAGE));
	}
	return *lo < *hi;
}

/* As core_modules() placed it: the page of the lowest PT_LOAD is at m->start. */
void module_set_bias(struct module *m)
{
	GElf_Ehdr eh;
	u64 lo, hi;

	m->bias = 0;
	if (gelf_getehdr(m->elf, &eh) && eh.e_type != ET_EXEC && module_span(m->elf, &lo, &hi))
		m->bias = m->start - lo;
}

bool program_entry(const struct unwind *u, u64 *out)
{
	if (core_auxv(u->core, AT_ENTRY, out))
		return true;
	*out = u->entry;
	return u->entry;
}
