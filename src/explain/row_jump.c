#include <inttypes.h>
#include <stdio.h>

#include "explain/rows.h"

/* Code that went where there is none. */

static bool is_fetch(const struct crash *c)
{
	return c->is_fault && (crash_is(c, "SEGV") || crash_is(c, "BUS")) && c->access.type == ACCESS_FETCH;
}

/*
 * A return to an address that was written over the right one: that is where the return has taken it from, and what is
 * above it is no return address, as a call, or a jump in place of one, would have left it.
 */
static bool was_taken_from_stack(struct crash *c)
{
	unsigned word = c->core->layout.word;
	u64 from;

	return (c->core->ehdr.e_machine == EM_X86_64 || c->core->ehdr.e_machine == EM_386) && c->sp > word &&
	       space_word(c->u, c->sp - word, &from) && from == c->pc;
}

static bool is_return(struct crash *c)
{
	u64 after;

	return was_taken_from_stack(c) && space_word(c->u, c->sp, &after) && step_return(c->u, after) == RETURN_NOWHERE;
}

static bool say_return(struct crash *c, const char *what)
{
	u64 at = c->sp - c->core->layout.word;

	say(c, "return to 0x%" PRIx64 "%s%s: the return address on the stack was overwritten", c->addr, *what ? ", " : "", what);
	say_sure(c, c->addr ? SURE_CERTAIN : SURE_LIKELY,
		 "the program counter is the address of the fault, just below the stack pointer is the same, and above it no return address");
	show_insn(c, "the program counter is the address of the fault");
	show_mem(c, at, "the return address was there");
	show_pattern(c, c->addr);
	try_next(c, "look for a local array that was written past its end; compile with -fstack-protector-strong or -fsanitize=address");
	return true;
}

/* Who called or jumped there: a return address where a call leaves it. */
static void show_caller(struct crash *c)
{
	size_t i = c->v->frame + 1;
	char name[128];

	if (c->access.by_ret || i >= c->v->stack.n)
		return;
	crash_function(c, i, name, sizeof(name));
	show_frame(c, i, "called from %s, 0x%" PRIx64, *name ? name : "an unknown function", c->v->stack.frames[i].pc);
}

static const char *caller_text(struct crash *c, char out[160])
{
	char name[128];

	*out = 0;
	if (c->v->frame + 1 < c->v->stack.n && *crash_function(c, c->v->frame + 1, name, sizeof(name)))
		put_fmt(out, 160, ", called from %s", name);
	return out;
}

bool row_jump_null(struct crash *c)
{
	char from[160];

	if (!is_fetch(c) || !c->has_addr || c->addr >= 4096)
		return false;
	if (is_return(c))
		return say_return(c, "");
	if (c->addr)
		say(c, "jump to 0x%" PRIx64 ", a null function pointer with an offset%s", c->addr, caller_text(c, from));
	else
		say(c, "call or jump through a null function pointer%s", caller_text(c, from));
	say_sure(c, SURE_CERTAIN, "the program counter is the address of the fault");
	show_insn(c, "the program counter is 0x%" PRIx64 ", where nothing is mapped", c->pc);
	show_caller(c);
	try_next(c, "look in the caller for the pointer that it calls; tagcore stack --source shows its line");
	return true;
}

bool row_jump_noncanonical(struct crash *c)
{
	bool is_there = c->pc == c->access.addr, by_ret;
	char in[160];

	if (!is_fetch(c) || place_is_canonical(c, c->access.addr))
		return false;
	/* What is no address has not come there by a call that was saved before. */
	by_ret = is_there ? was_taken_from_stack(c) : c->access.by_ret;
	if (by_ret)
		say(c, "return to 0x%" PRIx64 ", which is no address (not canonical)%s: the return address on the stack was overwritten",
		    c->access.addr, crash_in(c, in));
	else
		say(c, "call or jump to 0x%" PRIx64 ", which is no address (not canonical)%s", c->access.addr, crash_in(c, in));
	say_sure(c, SURE_CERTAIN, is_there ? "the program counter is not canonical" :
		 "the instruction's target, by the registers and the stack, is not canonical");
	show_access(c);
	if (by_ret)
		show_mem(c, is_there ? c->sp - c->core->layout.word : c->sp, "the return address there is 0x%" PRIx64, c->access.addr);
	else if (*c->access.base.name)
		show_insn(c, "register %s = 0x%" PRIx64, c->access.base.name, c->access.base.value);
	return true;
}

bool row_jump_data(struct crash *c)
{
	char text[320], from[160];
	struct place p;

	if (!is_fetch(c) || !crash_is(c, "SEGV"))
		return false;
	place_at(c, c->addr, &p);
	if (!p.area || (p.prot_known && p.prot & PF_X))
		return false;
	if (is_return(c)) {
		put_fmt(text, sizeof(text), "which is data and not code, %s", p.name);
		place_is_object(c, &p, p.is_stack ? "stack" : "mapped");
		return say_return(c, text);
	}
	say(c, "jump to 0x%" PRIx64 ", which is data and not code: %s%s", c->addr, p.name, caller_text(c, from));
	say_sure(c, p.prot_known ? SURE_CERTAIN : SURE_LIKELY, "the program counter is the address of the fault, and the mapping %s",
		 p.prot_known ? "is not executable" : "has no known permissions");
	show_insn(c, "the program counter is the address of the fault");
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	show_caller(c);
	place_is_object(c, &p, p.is_stack ? "stack" : "mapped");
	return true;
}

bool row_jump_unmapped(struct crash *c)
{
	char from[160];
	struct place p;

	if (!is_fetch(c) || !crash_is(c, "SEGV") || !c->has_addr)
		return false;
	place_at(c, c->addr, &p);
	if (p.area)
		return false;
	if (is_return(c))
		return say_return(c, "where nothing is mapped");
	say(c, "jump to 0x%" PRIx64 ", where nothing is mapped%s", c->addr, caller_text(c, from));
	say_sure(c, SURE_CERTAIN, "the program counter is the address of the fault");
	show_insn(c, "the program counter is the address of the fault");
	show_mem(c, c->addr, "nothing is mapped there: the pointer is wild, or its code was unmapped");
	show_caller(c);
	return true;
}
