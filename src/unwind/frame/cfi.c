#include <dwarf.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/frame/frame.h"

/*
 * One step by a row of call frame information.  libdw finds and decodes the row;
 * the step is ours and not dwfl_thread_getframes()'s, which goes on by frame
 * pointers without a word where a table fails, takes memory that is not there for
 * the end of the stack, and up to 0.192 at least takes arm64's mark of signed return
 * addresses for SPARC's register window.
 */

/* The value of a location: in memory, in a register, or itself. */
static bool locate(struct unwind *u, const struct cpu_regs *r, u64 cfa, const Dwarf_Op *ops, size_t n, u64 *out)
{
	u8 first = ops[0].atom, last = ops[n - 1].atom;
	u64 reg = first == DW_OP_regx ? ops[0].number : (u64)first - DW_OP_reg0, addr;

	if (n == 1 && (first == DW_OP_regx || (first >= DW_OP_reg0 && first <= DW_OP_reg31))) {
		if (reg >= CPU_REGS_MAX || !r->have[reg])
			return false;
		*out = r->v[reg];
		return true;
	}
	if (last == DW_OP_stack_value)
		return expr_eval(u, r, cfa, ops, n - 1, out);
	return expr_eval(u, r, cfa, ops, n, &addr) && space_reg(u, addr, out);
}

/*
 * libdw reads, up to 0.192 at least, DW_CFA_AARCH64_negate_ra_state, whose number is
 * DW_CFA_GNU_window_save's, as SPARC's: registers 16 to 31 above the CFA.  Callees
 * save below it, so that such a rule is no rule.
 */
static bool is_window(const struct unwind *u, int reg, const Dwarf_Op *ops, size_t n)
{
	return u->core->ehdr.e_machine == EM_AARCH64 && reg >= 16 && reg <= 31 && n >= 1 &&
	       ops[0].atom == DW_OP_call_frame_cfa &&
	       (n == 1 || (ops[1].atom == DW_OP_plus_uconst && (s64)ops[1].number >= 0));
}

/* libdw lacks some ABIs' defaults for callee-saved registers that no row names: supply them. */
static bool is_kept(const struct unwind *u, int reg)
{
	return reg < 64 && u->core->arch->frame.kept >> reg & 1;
}

/* libdw's rules for other registers of such a machine may be another machine's. */
static bool is_trusted(const struct unwind *u, int reg)
{
	return !u->core->arch->frame.kept || is_kept(u, reg);
}

/* Memory at the stack pointer plus a number: DW_CFA_expression, which libdw begins with the CFA. */
static bool is_at_sp(const Dwarf_Op *ops, size_t n)
{
	return n == 2 && ops[0].atom == DW_OP_call_frame_cfa && ops[1].atom == DW_OP_breg31;
}

static bool find_cfa(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 *out);

static bool is_saved_at_sp(const struct unwind *u, Dwarf_Frame *f, int index, s64 *offset)
{
	Dwarf_Op mem[3], *ops = NULL;
	size_t n = 0;

	if (u->core->ehdr.e_machine != EM_AARCH64 || dwarf_frame_register(f, regs_dwarf(u, index), mem, &ops, &n) ||
	    !is_at_sp(ops, n))
		return false;
	*offset = (s64)ops[1].number;
	return true;
}

/* What the CFA was then, less the stack pointer, by the first row that has the return address there. */
static bool sp_by_rows(struct unwind *u, const struct cpu_regs *r, u64 cfa, u64 *out)
{
	enum { ROWS_MAX = 64 };
	u64 pc = r->exact ? r->pc : r->pc - 1, at, end, size;
	struct cpu_regs at_zero = *r;
	s64 offset;

	regs_set(u, &at_zero, u->core->arch->sp, 0);
	if (!symbol_bounds(u, pc, &at, &end))
		return false;
	for (int i = 0; i < ROWS_MAX && at <= pc; i++) {
		struct row row = dw_row_of(u, &(struct frame){ .pc = at, .exact = true });
		Dwarf_Frame *f auto_free = row.frame;
		Dwarf_Addr from, to;

		if (!f || dwarf_frame_info(f, &from, &to, NULL) < 0 || from >= to)
			return false;
		if (is_saved_at_sp(u, f, u->core->arch->frame.lr, &offset)) {
			bool found = find_cfa(u, &at_zero, f, &size);

			*out = cfa - size;
			return found;
		}
		at += to - from;
	}
	return false;
}

/* The frame record is saved along with the return address: the frame pointer is saved as soon as it points into the frame. */
static bool sp_by_record(const struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 *out)
{
	s64 offset;
	u64 fp;

	if (!regs_get(u, r, u->core->arch->frame.fp, &fp) || !is_saved_at_sp(u, f, u->core->arch->frame.fp, &offset))
		return false;
	*out = fp - (u64)offset;
	return true;
}

/*
 * In a frame with scalable vectors gcc (12; libunwind's pull request 937 of 2026)
 * gives the places of registers relative to the stack pointer at the time they were
 * saved, and does not update that when the stack pointer moves.
 */
static bool sp_of_saves(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, u64 *out)
{
	s64 offset;
	u64 sp;

	if (!is_saved_at_sp(u, f, u->core->arch->frame.lr, &offset) || !regs_get(u, r, u->core->arch->sp, &sp))
		return false;
	return (sp_by_rows(u, r, cfa, out) || sp_by_record(u, r, f, out)) && *out > sp && *out < cfa;
}

static bool locate_saved(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, const Dwarf_Op *ops,
			 size_t n, u64 *out)
{
	struct cpu_regs then = *r;
	u64 sp;

	if (!is_at_sp(ops, n) || !sp_of_saves(u, r, f, cfa, &sp))
		return locate(u, r, cfa, ops, n, out);
	regs_set(u, &then, u->core->arch->sp, sp);
	return locate(u, &then, cfa, ops, n, out);
}

enum rule { RULE_UNDEFINED, RULE_SAME, RULE_VALUE, RULE_FAILED };

static enum rule rule_of(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, int reg, u64 *out)
{
	Dwarf_Op mem[3], *ops = NULL;
	size_t n = 0;

	if (dwarf_frame_register(f, reg, mem, &ops, &n))
		return RULE_FAILED;
	if (!n || is_window(u, reg, ops, n))
		return n || !ops || is_kept(u, reg) ? RULE_SAME : RULE_UNDEFINED;
	if (!locate_saved(u, r, f, cfa, ops, n, out))
		return RULE_FAILED;
	/* SPARC's i7, in a register window that the kernel saved. */
	if (u->core->arch->frame.ret_in_frame && reg == 31 && ops[0].atom == DW_OP_call_frame_cfa)
		*out ^= u->ret_cookie;
	return RULE_VALUE;
}

/* The registers as the caller has them; what is undefined stays unknown. */
static void restore(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, struct cpu_regs *out)
{
	const struct arch *a = u->core->arch;

	for (int i = 0; i < a->gregs.n_regs; i++) {
		s32 n = regs_dwarf(u, i);
		u64 v;

		if (n < 0 || !is_trusted(u, n))
			continue;
		switch (rule_of(u, r, f, cfa, n, &v)) {
		case RULE_VALUE:
			regs_set(u, out, i, v);
			break;
		case RULE_SAME:
			if (r->have[n])
				regs_set(u, out, i, r->v[n]);
			break;
		default:
			break;
		}
	}
}

/* A function that changes the length of vectors saves what it was. */
static void restore_vectors(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, struct cpu_regs *out)
{
	s32 n = u->vectors.known ? u->vectors.dwarf : CPU_REGS_MAX;
	u64 v;

	if (n >= CPU_REGS_MAX)
		return;
	if (rule_of(u, r, f, cfa, n, &v) == RULE_VALUE || regs_vectors(u, r, (u64)n, &v))
		regs_set_dwarf(out, n, v);
}

/* Where a caller's stack pointer has no rule of its own, it is the CFA (s390: less 160, its ABI's register save area). */
static void set_sp(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, struct cpu_regs *out)
{
	const struct arch *a = u->core->arch;
	u64 v;

	if (a->frame.kept || rule_of(u, r, f, cfa, regs_dwarf(u, a->sp), &v) != RULE_VALUE)
		regs_set(u, out, a->sp, cfa - a->frame.cfa_above_sp);
}

/*
 * arm64's frame record may be anywhere in a frame, and where it was all that led
 * here, the stack pointer is not known.  But the table says where in the frame
 * the frame pointer was saved, and it points to just there (AAPCS64, 6.4.6).
 */
static bool cfa_by_record(const struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 *out)
{
	const struct arch *a = u->core->arch;
	Dwarf_Op mem[3], *ops = NULL;
	size_t n = 0;
	u64 fp;

	if (!a->frame.record_anywhere || !regs_get(u, r, a->frame.fp, &fp) ||
	    dwarf_frame_register(f, regs_dwarf(u, a->frame.fp), mem, &ops, &n) || n != 2 ||
	    ops[0].atom != DW_OP_call_frame_cfa || ops[1].atom != DW_OP_plus_uconst)
		return false;
	*out = fp - ops[1].number;
	return true;
}

bool cfi_sp(const struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r, u64 *out)
{
	s32 sp = regs_dwarf(u, u->core->arch->sp);
	Dwarf_Op *ops = NULL;
	size_t n = 0;
	u64 cfa;

	if (dwarf_frame_cfa(f, &ops, &n) || n != 1 || ops[0].atom != DW_OP_bregx || sp < 0 ||
	    ops[0].number != (Dwarf_Word)sp || !cfa_by_record(u, r, f, &cfa))
		return false;
	*out = cfa - ops[0].number2;
	return true;
}

static bool find_cfa(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 *out)
{
	Dwarf_Op *ops = NULL;
	size_t n = 0;

	if (dwarf_frame_cfa(f, &ops, &n) || !n)
		return false;
	return expr_eval(u, r, 0, ops, n, out) || cfa_by_record(u, r, f, out);
}

/*
 * A function that has called nothing need not have a rule for the return address,
 * and where libdw does not know the machine, that looks as if it were undefined.
 */
static bool is_leaf(const struct unwind *u, const struct cpu_regs *r)
{
	return u->core->arch->frame.kept && r->exact;
}

/* DW_CFA_undefined for the return address: the thread's first function. */
static bool has_no_caller(const struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, int ra)
{
	Dwarf_Op mem[3], *ops = NULL;
	size_t n = 1;

	return !is_leaf(u, r) && !dwarf_frame_register(f, ra, mem, &ops, &n) && !n && ops;
}

bool cfi_is_outermost(const struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r)
{
	int ra = dwarf_frame_info(f, NULL, NULL, NULL);

	return ra >= 0 && has_no_caller(u, r, f, ra);
}

bool cfi_cfa(struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r, u64 *out)
{
	return find_cfa(u, r, f, out);
}

bool cfi_is_misleading(struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r)
{
	u64 cfa, sp;

	return find_cfa(u, r, f, &cfa) && sp_of_saves(u, r, f, cfa, &sp);
}

static bool find_return(struct unwind *u, const struct cpu_regs *r, Dwarf_Frame *f, u64 cfa, int ra, u64 *out)
{
	switch (rule_of(u, r, f, cfa, ra, out)) {
	case RULE_VALUE:
		return true;
	case RULE_UNDEFINED:
		if (!is_leaf(u, r))
			return false;
		/* fall through */
	case RULE_SAME:
		if (ra >= CPU_REGS_MAX || !r->have[ra])
			return false;
		*out = r->v[ra];
		return true;
	default:
		return false;
	}
}

/*
 * The frame is the last thing on its stack, which ends there: no caller has room.
 * So coroutines begin that are entered by a jump, with 0 for a return address (Ruby,
 * coroutine/amd64/Context.h: coroutine_initialize()).
 */
static bool is_bottom(const struct unwind *u, u64 cfa)
{
	enum { STACK_ALIGN = 16 };
	const struct core_area *a = cfa ? core_area_find(u->core, cfa - 1) : NULL;

	return a && a->start < cfa && a->end - cfa < STACK_ALIGN;
}

enum cfi_step cfi_step(struct unwind *u, Dwarf_Frame *f, struct cpu_regs *r)
{
	struct cpu_regs caller = { 0 };
	int ra = dwarf_frame_info(f, NULL, NULL, &caller.exact);
	u64 cfa, ret = 0;
	s64 offset;

	u->fault.is_set = false;
	if (ra < 0)
		return CFI_FAILED;
	if (has_no_caller(u, r, f, ra))
		return CFI_OUTERMOST;
	if (!find_cfa(u, r, f, &cfa) || !find_return(u, r, f, cfa, ra, &ret))
		return CFI_FAILED;
	/* Where that cannot be corrected, the table is of no use. */
	if (is_saved_at_sp(u, f, u->core->arch->frame.lr, &offset) && !space_is_code(u, space_strip(u, ret) - 1))
		return CFI_FAILED;
	/* A signal may have met a jump to nowhere. */
	if (!ret && !caller.exact)
		return is_bottom(u, cfa) ? CFI_OUTERMOST : CFI_NO_RETURN;
	restore(u, r, f, cfa, &caller);
	restore_vectors(u, r, f, cfa, &caller);
	set_sp(u, r, f, cfa, &caller);
	regs_return(u, &caller, ret);
	caller.pc += caller.exact ? 0 : u->core->arch->frame.ret_offset;
	/* A register that could not be restored is no failure unless it is asked for. */
	u->fault.is_set = false;
	*r = caller;
	return CFI_STEPPED;
}
