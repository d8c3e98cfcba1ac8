#include <string.h>

#include "base/util.h"
#include "explain/origin.h"
#include "unwind/code/capstone.h"

/* Code of x86-64 from a call to an instruction, in a straight line. */

enum { BACK_MAX = 256, SLOTS_MAX = 8, REGS_MAX = 8 };

/* Where the returned value is: registers by capstone's number, and places on the stack. */
struct holders {
	u16 regs[REGS_MAX];
	size_t n_regs;
	struct slot { u16 base; s64 disp; } slots[SLOTS_MAX];
	size_t n_slots;
};

static bool has_reg(const struct holders *h, unsigned reg)
{
	for (size_t i = 0; i < h->n_regs; i++)
		if (h->regs[i] == reg)
			return true;
	return false;
}

static void drop_reg(struct holders *h, unsigned reg)
{
	for (size_t i = 0; i < h->n_regs; i++)
		if (h->regs[i] == reg)
			h->regs[i--] = h->regs[--h->n_regs];
}

static void add_reg(struct holders *h, unsigned reg)
{
	drop_reg(h, reg);
	if (h->n_regs < REGS_MAX)
		h->regs[h->n_regs++] = (u16)reg;
}

/* The slot of a memory operand, whose index in @h is *i; false when it is not on the stack. */
static bool find_slot(const struct holders *h, const cs_x86_op *op, size_t *i)
{
	const x86_op_mem *m = &op->mem;

	if (op->type != X86_OP_MEM || m->index != X86_REG_INVALID || (m->base != X86_REG_RSP && m->base != X86_REG_RBP))
		return false;
	for (*i = 0; *i < h->n_slots; ++*i)
		if (h->slots[*i].base == m->base && h->slots[*i].disp == m->disp)
			break;
	return true;
}

static void store(struct holders *h, const cs_x86_op *to, bool holds)
{
	size_t i;

	if (!find_slot(h, to, &i))
		return;
	if (i < h->n_slots && !holds)
		h->slots[i] = h->slots[--h->n_slots];
	else if (i == h->n_slots && holds && i < SLOTS_MAX)
		h->slots[h->n_slots++] = (struct slot){ .base = (u16)to->mem.base, .disp = to->mem.disp };
}

static bool holds(const struct holders *h, const cs_x86_op *op)
{
	size_t i;

	if (op->type == X86_OP_REG)
		return has_reg(h, op->reg);
	return find_slot(h, op, &i) && i < h->n_slots;
}

/* What a function may change: psABI x86-64, 3.2.1; and everything that is at the stack pointer, were it to move. */
static void call(struct holders *h)
{
	static const x86_reg kept[] = { X86_REG_RBX, X86_REG_RBP, X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15 };
	struct holders before = *h;

	h->n_regs = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (has_reg(&before, kept[i]))
			add_reg(h, kept[i]);
}

/* All registers that the instruction writes, also narrow ones: "eax" of "rax". */
static void drop_written(struct holders *h, const struct capstone *cs)
{
	cs_regs read, written;
	uint8_t n_read, n_written;

	if (cs->regs_access(cs->handle, cs->insn, read, &n_read, written, &n_written)) {
		h->n_regs = 0;
		return;
	}
	for (uint8_t i = 0; i < n_written; i++)
		for (size_t k = 0; k < h->n_regs; k++) {
			const char *whole = cs->reg_name(cs->handle, h->regs[k]), *part = cs->reg_name(cs->handle, written[i]);

			/* Their names have the letters in common, as "eax", "ax" and "al" of "rax"; r8 to r15 begin with the same. */
			if (written[i] == h->regs[k] || (whole && part && (strstr(whole + 1, part) || !strncmp(whole, part, strlen(whole)) ||
									   (*part == 'e' && !strcmp(whole + 1, part + 1)))))
				h->regs[k--] = h->regs[--h->n_regs];
		}
}

/* False where the straight line ends. */
static bool follow(struct holders *h, const struct capstone *cs, struct origin *out)
{
	const cs_insn *in = cs->insn;
	const cs_x86 *x = &in->detail->x86;
	bool held;

	if (in->id == X86_INS_CALL) {
		call(h);
		return true;
	}
	if (cs->insn_group(cs->handle, in, CS_GRP_JUMP)) {
		out->is_tested = true;
		return in->id != X86_INS_JMP;
	}
	if (cs->insn_group(cs->handle, in, CS_GRP_RET) || cs->insn_group(cs->handle, in, CS_GRP_INT))
		return false;
	if (in->id == X86_INS_MOV && x->op_count == 2) {
		held = x->operands[0].size == 8 && holds(h, &x->operands[1]);
		drop_written(h, cs);
		if (x->operands[0].type == X86_OP_MEM)
			store(h, &x->operands[0], held);
		else if (held)
			add_reg(h, x->operands[0].reg);
		return true;
	}
	if ((in->id == X86_INS_ADD || in->id == X86_INS_SUB) && x->operands[0].type == X86_OP_REG && x->operands[1].type == X86_OP_IMM)
		return true;
	if (in->id == X86_INS_LEA) {
		held = x->operands[1].mem.index == X86_REG_INVALID && has_reg(h, x->operands[1].mem.base);
		drop_written(h, cs);
		if (held)
			add_reg(h, x->operands[0].reg);
		return true;
	}
	drop_written(h, cs);
	return true;
}

/* @reg has the value at @pc, of a call that returned to @from. */
static bool holds_at(struct crash *c, const struct capstone *cs, u64 from, u64 pc, const char *reg, struct origin *out)
{
	u8 buf[BACK_MAX];
	const u8 *code = buf;
	struct holders h = { 0 };
	uint64_t at = from;
	size_t len = pc - from;

	if (len > sizeof(buf) || !space_read(c->u, from, buf, len))
		return false;
	add_reg(&h, X86_REG_RAX);
	while (at < pc)
		if (!cs->disasm_iter(cs->handle, &code, &len, &at, cs->insn) || !follow(&h, cs, out))
			return false;
	for (size_t i = 0; at == pc && i < h.n_regs; i++)
		if (!strcmp(cs->reg_name(cs->handle, h.regs[i]), reg))
			return true;
	return false;
}

/* ---- who was called */

struct wanted {
	const char *const *names;
	size_t n;
	struct origin *out;
};

static int is_wanted(const struct symbol *s, void *arg, struct err *e)
{
	static const char *const prefixes[] = { "__libc_", "__GI_", "__", "" };
	struct wanted *w = arg;

	(void)e;
	for (size_t i = 0; s->function && !s->offset && i < ARRAY_SIZE(prefixes); i++) {
		const char *name = s->function + strlen(prefixes[i]);

		if (strncmp(s->function, prefixes[i], strlen(prefixes[i])))
			continue;
		for (size_t k = 0; k < w->n; k++)
			if (!strcmp(name, w->names[k])) {
				put_fmt(w->out->function, sizeof(w->out->function), "%s", w->names[k]);
				return 1;
			}
	}
	return 0;
}

static bool search(struct crash *c, const struct capstone *cs, u64 pc, const char *reg, struct wanted *w)
{
	struct err e;

	/* The nearest one is the last that was called. */
	for (u64 end = pc; end > pc - BACK_MAX; end--) {
		*w->out = (struct origin){ .call = end };
		if (unwind_called(c->u, &(struct frame){ .pc = end }, is_wanted, w, &e) == 1)
			return holds_at(c, cs, end, pc, reg, w->out);
	}
	return false;
}

bool origin_find(struct crash *c, u64 pc, const char *reg, const char *const names[], size_t n, struct origin *out)
{
	struct wanted w = { names, n, out };
	struct capstone *cs = NULL;
	struct err e;
	bool found;

	if (c->core->ehdr.e_machine != EM_X86_64 || c->core->fmt.class != ELFCLASS64 || pc < 2 * BACK_MAX ||
	    capstone_open(&cs, CS_ARCH_X86, CS_MODE_64, &e))
		return false;
	found = search(c, cs, pc, reg, &w);
	capstone_close(cs);
	return found;
}
