#include <string.h>

#include "base/util.h"
#include "unwind/code/code.h"
#include "unwind/walk/walk.h"

/* Where a stack begins: the first function of a thread, of a coroutine, or of what a runtime runs on a stack of its own. */

/*
 * In the function at the program's entry point.  Without a symbol for it, a call
 * a few instructions after the entry point counts: the start files of the C libraries
 * make one, after 20 to 80 bytes.
 */
bool step_is_entry(struct unwind *u, u64 pc, bool exact)
{
	enum { START_LEN = 80 };
	u64 entry, start, end;

	if (!program_entry(u, &entry))
		return false;
	entry = space_strip(u, entry);
	if (symbol_bounds(u, exact ? pc : pc - 1, &start, &end))
		return start == entry;
	return !exact && pc > entry && pc - entry <= START_LEN;
}

/*
 * Where makecontext(3) has the function that it was given return to.  The table there
 * may read the context to go on with, or none, for a return address: glibc 2.36,
 * sysdeps/unix/sysv/linux/x86_64/__start_context.S.
 */
static bool is_context_start(struct unwind *u, const struct cpu_regs *r)
{
	const struct symbol_slot *s = symbol_at(u, r->pc);

	return s->name && s->start == r->pc && !strcmp(s->name, "__start_context");
}

/*
 * The end of a back chain that every function keeps: 0, as the ABIs have it.  Or the
 * frame before that, where the start code, whose frame it is, jumped here with 0 for
 * a return address (glibc 2.36, sysdeps/powerpc/powerpc64/start.S).
 */
static bool is_chains_end(struct unwind *u, const struct cpu_regs *r)
{
	const struct arch *a = u->core->arch;
	u64 word = u->core->layout.word, sp, caller, ret, last;

	if (!a->frame.back_chain || r->exact || !regs_get(u, r, a->frame.fp, &sp))
		return false;
	sp += a->sp_bias;
	if (!space_word(u, sp + (u64)a->frame.saved_fp * word, &caller))
		return false;
	if (!caller || a->frame.ret_in_frame)
		return !caller;
	return caller > sp && space_word(u, caller + (u64)a->frame.saved_ret * word, &ret) && !ret &&
	       space_word(u, caller, &last) && !last;
}

bool step_is_first(struct unwind *u, const struct cpu_regs *r)
{
	return u->core->arch && (step_is_entry(u, r->pc, r->exact) || is_chains_end(u, r) || is_context_start(u, r));
}

/* ---- by what the code is, whatever a table says */

/*
 * Functions of Go's runtime that nothing on their stack called.  goexit is put below each
 * goroutine as if it had called it; clone begins a thread, whose stack is empty.  rt0_go,
 * mcall and the others change the stack pointer, which no table of theirs says, so that a
 * step by it reads whatever is there (Go 1.19, src/runtime/asm_amd64.s, sys_linux_amd64.s;
 * src/runtime/traceback.go: gentraceback() has the same list, by TOPFRAME and SPWRITE).
 */
static const struct {
	const char *name;
	bool is_first;	/* else it returns to a caller on the stack that it has left */
} go_bottoms[] = {
	{ "runtime.goexit", true },	{ "runtime.rt0_go", true },	   { "runtime.clone", true },
	{ "runtime.mcall", true },	{ "runtime.systemstack", false },  { "runtime.asmcgocall", false },
	{ "runtime.morestack", false }, { "runtime.asmcgocall_no_g", false },
};

static bool is_go(struct unwind *u, u64 at)
{
	struct module *m = module_at(u, at);
	Elf *elf = m ? module_elf(u, m) : NULL;

	if (elf && !m->go_known) {
		m->go_known = true;
		m->is_go = section_find(elf, ".note.go.buildid") || section_find(elf, ".go.buildinfo");
	}
	return elf && m->is_go;
}

/* Functions that are called by another convention have its name at their end: runtime.mcall, runtime.goexit.abi0. */
static bool is_named(const char *name, const char *want)
{
	size_t len = strlen(want);

	return !strncmp(name, want, len) && (!name[len] || !strncmp(name + len, ".abi", 4));
}

static bool ends_go(struct unwind *u, const struct frame *f, struct stack *s)
{
	const struct symbol_slot *symbol = is_go(u, f->pc - 1) ? symbol_at(u, f->pc - 1) : NULL;

	for (size_t i = 0; symbol && symbol->name && i < ARRAY_SIZE(go_bottoms); i++) {
		if (!is_named(symbol->name, go_bottoms[i].name))
			continue;
		if (go_bottoms[i].is_first)
			stack_ends(s, STACK_OUTERMOST, "%s is the first function of its stack", go_bottoms[i].name);
		else
			stack_ends(s, STACK_SWITCHED, "%s has changed the stack: its caller is on another one",
				   go_bottoms[i].name);
		return true;
	}
	return false;
}

/*
 * The stack of a coroutine is made by hand: what its function returns to was never called,
 * and ends the thread or goes on with another context (glibc: __start_context; Boost.Context:
 * the end of make_fcontext).  What is beyond it on the stack is no caller, and a table that
 * covers the byte before its first is another function's.
 */
static bool ends_coroutine(struct unwind *u, const struct cpu_regs *r, bool has_row, struct stack *s)
{
	if (code_is_after_call(u, r) || (has_row && symbol_at(u, r->pc)->start != r->pc))
		return false;
	if (!is_context_start(u, r) && !code_never_returns(u, r))
		return false;
	stack_ends(s, STACK_OUTERMOST, "nothing called 0x%llx, which never returns: it is the bottom of a coroutine's stack",
		   (unsigned long long)r->pc);
	s->is_coroutine = true;
	/* Not after a call, it is where the function begins. */
	s->frames[s->n - 1].exact = true;
	return true;
}

bool first_ends(struct unwind *u, const struct cpu_regs *r, bool has_row, struct stack *s)
{
	const struct frame *f = &s->frames[s->n - 1];

	return s->n > 1 && !f->exact && !f->signal && (ends_go(u, f, s) || ends_coroutine(u, r, has_row, s));
}
