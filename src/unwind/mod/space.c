#include "base/util.h"
#include "unwind/mod/mod.h"

/* @len bytes of the file of the module at @addr, of what was mapped unwritable. */
static bool read_file(struct unwind *u, u64 addr, void *buf, size_t len)
{
	struct module *m = module_at(u, addr);
	Elf *elf = m ? module_elf(u, m) : NULL;
	struct part p;

	/* An image made of the core's memory has nothing that the core has not. */
	return elf && !m->image && part_at(elf, u64_of_word(u, addr - m->bias), len, &p) &&
	       part_read(m, &p, u64_of_word(u, addr - m->bias) - p.addr, buf, len);
}

bool space_read(struct unwind *u, u64 addr, void *buf, size_t len)
{
	enum mem_state state = MEM_UNMAPPED;
	size_t got = 0, n = 0;
	struct err e;

	addr = core_untag(u->core, addr);
	u->fault.is_set = false;
	while (got < len) {
		if (addr + got < addr || core_read(u->core, addr + got, (u8 *)buf + got, len - got, &state, &n, &e) || !n)
			break;
		/* Cores of debuggers and of embedded systems have no segment for code that is in a file, or in flash. */
		if (state != MEM_PRESENT && !read_file(u, addr + got, (u8 *)buf + got, n))
			break;
		got += n;
	}
	if (got == len)
		return true;
	u->fault = (struct read_fault){ .is_set = true, .addr = addr + got, .state = state };
	return false;
}

bool space_uint(struct unwind *u, u64 addr, unsigned size, u64 *out)
{
	u8 raw[8];

	if ((size != 1 && size != 2 && size != 4 && size != 8) || !space_read(u, addr, raw, size))
		return false;
	*out = uint_get(u->core->fmt, raw, size);
	return true;
}

bool space_word(struct unwind *u, u64 addr, u64 *out)
{
	return space_uint(u, addr, u->core->layout.word, out);
}

bool space_reg(struct unwind *u, u64 addr, u64 *out)
{
	const struct arch *a = &u->core->layout;
	u64 v;

	if (!space_uint(u, addr, u->core->arch ? a->gregs.regs[a->sp].size : a->word, &v))
		return false;
	*out = u64_of_word(u, v);
	return true;
}

/*
 * In a core that says nothing of its files, the program's and its libraries' know better than
 * the flags of a system that protects no memory, or of a debug stub that does not ask.
 */
static bool is_code_of_file(const struct unwind *u, const struct module *m, u64 addr)
{
	struct part p;

	return u->entry && m && m->elf && !m->image && part_at(m->elf, u64_of_word(u, addr - m->bias), 1, &p) && p.is_code;
}

bool space_is_code(struct unwind *u, u64 addr)
{
	const struct core_area *a = core_area_find(u->core, addr);
	const struct module *m = module_at(u, addr);
	bool known;
	u32 prot;

	/* gdb writes no segment for unchanged code, and its FILE note may not have it: then the module decides. */
	if (!a || a->start > addr)
		return m != NULL;
	prot = core_area_prot(u->core, a, &known);
	return known ? prot & PF_X || is_code_of_file(u, m, addr) : m != NULL;
}

bool space_is_one(const struct unwind *u, u64 from, u64 to)
{
	const struct core_area *a = core_area_find(u->core, from);
	bool known;

	from = core_untag(u->core, from);
	to = core_untag(u->core, to);
	while (a && a->start <= from && ends_above(to, a->end - 1)) {
		from = a->end;
		a = core_area_find(u->core, from);
		/* A guard page, or a hole. */
		if (!a || a->start > from || (!(core_area_prot(u->core, a, &known) & PF_W) && known))
			return false;
	}
	return true;
}

u64 space_strip(const struct unwind *u, u64 addr)
{
	const struct arch *a = u->core->arch;

	if (a)
		addr &= ~(u64)a->frame.ret_mode;
	/* parisc's return addresses have a privilege level, s390's the addressing mode. */
	if (a && a->pc_mask)
		addr &= a->pc_mask;
	/* Bit 55 is set in kernel addresses: arch/arm64/include/asm/pointer_auth.h, ptrauth_strip_user_insn_pac(). */
	return u->insn_mask && !(addr >> 55 & 1) ? addr & ~u->insn_mask : addr;
}
