#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/access.h"

/* The access that the instruction at pc makes. */

static const struct machine {
	u16 machine;
	u8 class;
	cs_arch arch;
	cs_mode mode;
	bool has_protection;	/* SI_KERNEL may mean a general protection fault */
	bool (*find)(struct crash *c, const struct capstone *cs);
} machines[] = {
	{ EM_X86_64, ELFCLASS64, CS_ARCH_X86, CS_MODE_64, true, access_x86 },
	{ EM_X86_64, ELFCLASS32, CS_ARCH_X86, CS_MODE_64, true, access_x86 },
	{ EM_386, ELFCLASS32, CS_ARCH_X86, CS_MODE_32, true, access_x86 },
	{ EM_AARCH64, ELFCLASS64, CS_ARCH_ARM64, 0, false, access_arm64 },
};

static const struct machine *machine_of(const struct core *core)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == core->ehdr.e_machine && machines[i].class == core->fmt.class)
			return &machines[i];
	return NULL;
}

size_t access_code(struct crash *c, u8 *out, size_t size)
{
	size_t n = size;

	/* The next area may begin within the longest instruction. */
	while (n && !(c->has_regs && space_read(c->u, c->pc, out, n)))
		n--;
	return n;
}

static void put_text(struct access *a, const cs_insn *in)
{
	put_fmt(a->insn, sizeof(a->insn), "%s%s%s", in->mnemonic, *in->op_str ? " " : "", in->op_str);
}

/* The groups of a machine's own; not in which modes and lengths it is valid. */
static void put_extension(struct access *a, const struct capstone *cs)
{
	enum { FIRST_OF_MACHINE = 128 };	/* X86_GRP_VM, ARM64_GRP_CRYPTO */
	const cs_detail *d = cs->insn->detail;

	for (uint8_t i = 0; i < d->groups_count && !*a->extension; i++) {
		const char *name = d->groups[i] >= FIRST_OF_MACHINE ? cs->group_name(cs->handle, d->groups[i]) : NULL;

		if (name && !strstr(name, "mode") && !strstr(name, "vlx"))
			put_fmt(a->extension, sizeof(a->extension), "%s", name);
	}
}

static bool decode(struct crash *c, const struct machine *m, const u8 *code, size_t len)
{
	struct capstone *cs = NULL;
	uint64_t at = c->pc;
	struct err e;
	bool found = false;

	if (capstone_open(&cs, m->arch, m->mode, &e))
		return false;
	if (cs->disasm_iter(cs->handle, &code, &len, &at, cs->insn)) {
		put_text(&c->access, cs->insn);
		put_extension(&c->access, cs);
		found = m->find(c, cs);
	}
	capstone_close(cs);
	return found;
}

/* pc itself could not be fetched: SEGV or BUS at pc, where nothing may be executed or nothing is. */
static bool is_fetch(struct crash *c)
{
	struct place p;

	if (!c->has_regs || !c->has_addr || c->addr != core_untag(c->core, c->pc) || !(crash_is(c, "SEGV") || crash_is(c, "BUS")))
		return false;
	place_at(c, c->addr, &p);
	return !p.area || !p.prot_known || !(p.prot & PF_X) || crash_is(c, "BUS");
}

/*
 * pc itself is no address: Intel's and AMD's processors refuse the jump, but an emulated one (QEMU 10.0, without KVM) makes
 * it, and faults at its target.
 */
static bool is_at_no_address(struct crash *c)
{
	return c->is_kernel_code && crash_is(c, "SEGV") && c->has_regs && !place_is_canonical(c, c->pc);
}

static bool is_memory_fault(const struct crash *c)
{
	return c->is_fault && (crash_is(c, "SEGV") || crash_is(c, "BUS"));
}

/* ---- without the kernel's word */

/*
 * Old kernels (before 3.7), gdb and others write no siginfo; and where the kernel could not make a handler's
 * frame, as on a stack that is used up, it forces a SIGSEGV that has no address (Linux 6.12,
 * kernel/signal.c: signal_setup_done()).  A handler may have sent the signal again, and returned to the instruction: see
 * left_frame.c.  An access that could not have been made is the reason then.
 */
static bool may_infer(const struct crash *c)
{
	bool is_sent_here = crash_is_from_itself(c) && !crash_is_after_call(c, c->pc);

	return crash_is(c, "SEGV") && c->has_regs && (!c->has_si || c->is_kernel_code || is_sent_here) && !c->v->caught;
}

static void infer(struct crash *c, const struct machine *m, const u8 *code, size_t len)
{
	enum { MAPERR = 1, ACCERR = 2 };
	struct access *a = &c->access;
	struct place p;

	/* A jump to nowhere has an address. */
	if (c->is_kernel_code && place_is_refused(c, c->pc, ACCESS_FETCH))
		return;
	c->is_inferred = true;
	if (!place_is_refused(c, c->pc, ACCESS_FETCH)) {
		if (!m || !len || !decode(c, m, code, len)) {
			c->is_inferred = false;
			return;
		}
		a->is_decoded = true;
	} else {
		a->type = ACCESS_FETCH;
		a->addr = c->pc;
	}
	c->is_sent_again = c->has_si && !c->is_fault;
	a->has_addr = c->has_addr = c->has_si = c->is_fault = true;
	c->addr = core_untag(c->core, a->addr);
	place_at(c, c->addr, &p);
	c->si = (struct core_siginfo){ .signo = c->signo, .code = p.area ? ACCERR : MAPERR, .addr = a->addr, .has_addr = true,
				       .form = SIGINFO_FAULT };
	c->si.generic_code = c->si.code;
}

void access_find(struct crash *c)
{
	const struct machine *m = machine_of(c->core);
	struct access *a = &c->access;
	u8 code[INSN_BYTES];
	size_t len;

	if (is_memory_fault(c) && c->has_addr) {
		a->addr = c->si.addr;
		a->has_addr = true;
	}
	if (is_at_no_address(c)) {
		*a = (struct access){ .type = ACCESS_FETCH, .addr = c->pc, .has_addr = true };
		return;
	}
	if (is_fetch(c)) {
		a->type = ACCESS_FETCH;
		return;
	}
	/* WnR, bit 6: it was a write. */
	if (c->has_esr && is_memory_fault(c))
		a->type = c->esr >> 6 & 1 ? ACCESS_WRITE : ACCESS_READ;
	len = access_code(c, code, sizeof(code));
	if (may_infer(c) && (!c->is_fault || !m || !m->has_protection)) {
		infer(c, m, code, len);
		return;
	}
	if (!m || !c->is_fault)
		return;
	a->is_decoded = len && decode(c, m, code, len);
	if (!a->is_decoded && is_memory_fault(c) && m->arch == CS_ARCH_ARM64 && len >= 4)
		a->is_decoded = access_arm64_bits(c, (u32)uint_get((struct elffmt){ ELFCLASS64, ELFDATA2LSB }, code, 4));
	if (!a->is_decoded && is_memory_fault(c) && m->arch == CS_ARCH_X86 && m->class == ELFCLASS64)
		a->is_decoded = access_evex(c, code, len);
	if (a->is_decoded && !a->has_addr && is_memory_fault(c))
		a->has_addr = c->is_kernel_code || c->is_alignment;
	if (a->is_decoded && (c->is_kernel_code || c->is_alignment))
		c->addr = a->addr;
	else if (!a->is_decoded && may_infer(c))
		infer(c, m, code, len);
}

const char *access_text(const struct crash *c, char *out, size_t size)
{
	const struct access *a = &c->access;
	const char *type = access_name(a->type);
	char bytes[32] = "", in[160] = "";

	if (a->size)
		put_fmt(bytes, sizeof(bytes), " of %u byte%s", a->size, a->size == 1 ? "" : "s");
	if (*c->function)
		put_fmt(in, sizeof(in), " in %s", c->function);
	if (c->has_addr || a->has_addr)
		put_fmt(out, size, "%s%s at 0x%" PRIx64 "%s", type ? type : "access", bytes, c->addr, in);
	else
		put_fmt(out, size, "%s%s%s", type ? type : "access", bytes, in);
	return out;
}

void access_show_code(struct crash *c)
{
	u8 code[INSN_BYTES];
	char hex[2 * INSN_BYTES + 1];
	size_t n = access_code(c, code, sizeof(code));

	if (n)
		show_insn(c, "the bytes there are %s", text_hex(code, n, hex));
	else
		show_insn(c, "the bytes there are not in this core, nor in a file");
}
