#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "cli/note_fields.h"
#include "cli/view_text.h"

/*
 * Linux 6.12, arch/x86/include/asm/fpu/types.h: enum xfeature.  Places other than
 * that of AVX are the processor's choice: they are in the XSAVE_LAYOUT note.
 */
enum { XSTATE_XCR0 = 464, XSTATE_BV = 512, XSTATE_XCOMP = 520, XSTATE_FIXED = 576, COMPONENTS = 64 };
static const char *const components[] = {
	"x87", "SSE", "AVX", "MPX bounds", "MPX config", "AVX-512 opmask", "AVX-512 ZMM_Hi256",
	"AVX-512 Hi16_ZMM", "PT", "PKRU", "PASID", "CET user", "CET supervisor", "HDC", "UINTR", "LBR", "HWP",
	"AMX tile config", "AMX tile data", "APX",
};

static const char *component(u64 i)
{
	return i < ARRAY_SIZE(components) ? components[i] : NULL;
}

/* The registers that the machine's table has. */
static void known_registers(struct note_ctx *n)
{
	const struct core *c = n->core;
	struct view_set set = { .arch = c->arch, .desc = n->note->desc };

	set.set = c->arch ? arch_regset(c->arch, n->note->owner, n->note->type) : NULL;
	if (set.set && set.set->n_regs)
		show_regs(n->s, &set);
}

static void component_row(struct note_ctx *n, unsigned i, u64 enabled, u64 used)
{
	show_row(n->s);
	if (!n->s->json) {
		fprintf(n->s->f, "%2u %-18s %s", i, component(i) ? component(i) : "", used >> i & 1 ? "in use" :
			enabled >> i & 1 ? "in its initial state" : "");
	} else {
		show_u64(n->s, "number", i);
		show_str(n->s, "name", component(i));
		show_bool(n->s, "enabled", enabled >> i & 1);
		show_bool(n->s, "in_use", used >> i & 1);
	}
	show_row_end(n->s);
}

int note_show_xstate(struct note_ctx *n, struct err *e)
{
	struct elffmt fmt = n->core->fmt;
	struct bytes d = n->note->desc;
	u64 enabled, used;

	(void)e;
	if (d.len < XSTATE_FIXED)
		return 0;
	enabled = uint_get(fmt, d.p + XSTATE_XCR0, 8);
	used = uint_get(fmt, d.p + XSTATE_BV, 8);
	show_hex(n->s, "xcr0", enabled);
	show_hex(n->s, "xstate_bv", used);
	show_hex(n->s, "xcomp_bv", uint_get(fmt, d.p + XSTATE_XCOMP, 8));
	show_list(n->s, "components");
	for (unsigned i = 0; i < COMPONENTS; i++)
		if ((enabled | used) >> i & 1)
			component_row(n, i, enabled, used);
	show_list_end(n->s);
	known_registers(n);
	return 1;
}

/* struct x86_xfeat_component: arch/x86/include/uapi/asm/elf.h. */
int note_show_xsave_layout(struct note_ctx *n, struct err *e)
{
	struct note_cursor c = { .b = n->note->desc, .fmt = n->core->fmt };

	(void)e;
	if (c.b.len < 16 || c.b.len % 16)
		return 0;
	show_list(n->s, "components");
	while (c.at < c.b.len) {
		u64 type = note_take(&c, 4), size = note_take(&c, 4), at = note_take(&c, 4), flags = note_take(&c, 4);

		show_row(n->s);
		if (!n->s->json) {
			fprintf(n->s->f, "%2llu %-18s %6llu bytes at %llu", (unsigned long long)type,
				component(type) ? component(type) : "", (unsigned long long)size,
				(unsigned long long)at);
		} else {
			show_u64(n->s, "number", type);
			show_str(n->s, "name", component(type));
			show_u64(n->s, "size", size);
			show_u64(n->s, "offset", at);
			show_hex(n->s, "flags", flags);
		}
		show_row_end(n->s);
	}
	show_list_end(n->s);
	return 1;
}

static bool port_refused(struct bytes d, u64 port)
{
	return port / 8 >= d.len || d.p[port / 8] >> port % 8 & 1;
}

/* A bit of 0 lets the program use the port: arch/x86/kernel/ioport.c. */
int note_show_ioperm(struct note_ctx *n, struct err *e)
{
	struct bytes d = n->note->desc;
	u64 ports = min((u64)d.len * 8, (u64)65536);

	(void)e;
	show_list(n->s, "ports");
	for (u64 at = 0, end; at < ports; at = end + 1) {
		for (end = at; end < ports && !port_refused(d, end);)
			end++;
		if (end == at)
			continue;
		show_row(n->s);
		show_hex(n->s, "start", at);
		show_hex(n->s, "end", end);
		show_row_end(n->s);
	}
	show_list_end(n->s);
	return 1;
}
