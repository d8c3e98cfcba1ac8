#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

unsigned crash_n_regs(const struct crash *c)
{
	return c->has_regs ? c->core->layout.gregs.n_regs : 0;
}

const char *crash_reg_at(const struct crash *c, unsigned i, u64 *value)
{
	const struct regset *set = &c->core->layout.gregs;

	return i < crash_n_regs(c) && regs_get(c->u, &c->regs, (int)i, value) ? set->regs[i].name : "";
}

/* A narrow name of x86's or of arm64's as the whole register is called; @bits: how much of it is meant. */
static const char *whole_name(const char *name, char out[8], unsigned *bits)
{
	static const char *const x86[][2] = {
		{ "eax", "rax" }, { "ebx", "rbx" }, { "ecx", "rcx" }, { "edx", "rdx" }, { "esi", "rsi" }, { "edi", "rdi" },
		{ "ebp", "rbp" }, { "esp", "rsp" }, { "eip", "rip" }, { "fp", "x29" }, { "lr", "x30" },
	};
	size_t len = strlen(name);

	*bits = 64;
	for (size_t i = 0; i < ARRAY_SIZE(x86); i++)
		if (!strcmp(name, x86[i][0])) {
			*bits = *name == 'e' ? 32 : 64;
			return x86[i][1];
		}
	if (len < 2 || len > 4)
		return name;
	put_fmt(out, 8, "%s", name);
	if (*name == 'r' && name[len - 1] == 'd') {
		out[len - 1] = 0;
		*bits = 32;
	} else if (*name == 'w') {
		*out = 'x';
		*bits = 32;
	}
	return out;
}

static bool find(const struct crash *c, const char *name, u64 *value, bool *exists)
{
	const struct regset *set = &c->core->layout.gregs;

	for (unsigned i = 0; i < set->n_regs; i++)
		if (!strcmp(set->regs[i].name, name)) {
			*exists = true;
			return c->has_regs && regs_get(c->u, &c->regs, (int)i, value);
		}
	return false;
}

bool crash_reg(const struct crash *c, const char *name, struct access_reg *out)
{
	bool exists = false;
	char buf[8];
	unsigned bits;

	*out = (struct access_reg){ 0 };
	put_fmt(out->name, sizeof(out->name), "%s", name);
	if (!strcmp(name, "xzr") || !strcmp(name, "wzr")) {
		out->known = true;
		return true;
	}
	out->known = find(c, name, &out->value, &exists);
	if (!exists) {
		const char *whole = whole_name(name, buf, &bits);

		out->known = find(c, whole, &out->value, &exists);
		if (bits == 32)
			out->value = (u32)out->value;
	}
	return out->known;
}

void crash_find_registers(struct crash *c)
{
	u64 sp;

	c->has_regs = regs_of_thread(c->u, c->thread, &c->regs);
	c->pc = c->has_regs ? c->regs.pc : 0;
	c->sp = c->has_regs && c->core->arch && regs_get(c->u, &c->regs, c->core->arch->sp, &sp) ? sp : 0;
}
