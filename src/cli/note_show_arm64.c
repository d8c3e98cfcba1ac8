#include <stdio.h>

#include "base/uapi.h"
#include "base/util.h"
#include "cli/note_fields.h"
#include "cli/view_text.h"

/* Linux 6.12, arch/arm64/include/uapi/asm/ptrace.h: struct user_sve_header, and what follows it. */
enum { SVE_HEADER = 16, SVE_IS_SVE = 1, VECTORS = 32, PREDICATES = 17, VECTOR_BYTES_MAX = 256 };

/* One number, the most significant byte first. */
static void wide(struct note_ctx *n, const char *name, unsigned i, u64 at, u64 len)
{
	char key[8], text[2 * VECTOR_BYTES_MAX + 3];
	struct bytes b;

	if (len > VECTOR_BYTES_MAX || bytes_sub(n->note->desc, at, len, &b, NULL))
		return;
	snprintf(key, sizeof(key), "%s%u", name, i);
	show_text(n->s, key, (struct core_text){ .p = view_hex(b, n->core->fmt, text), .len = 2 + 2 * b.len });
}

static void number(struct note_ctx *n, const char *name, u64 at)
{
	u64 v;

	if (!bytes_uint(n->note->desc, n->core->fmt, at, 4, &v, NULL))
		show_hex(n->s, name, v);
}

/* SVE_PT_SVE_OFFSET, or SVE_PT_FPSIMD_OFFSET and struct user_fpsimd_state. */
static void vectors(struct note_ctx *n, u64 vl, bool sve)
{
	u64 at = SVE_HEADER, len = sve ? vl : 16;

	for (unsigned i = 0; i < VECTORS; i++, at += len)
		wide(n, sve ? "z" : "v", i, at, len);
	for (unsigned i = 0; sve && i < PREDICATES; i++, at += vl / 8)
		wide(n, i < PREDICATES - 1 ? "p" : "ffr", i < PREDICATES - 1 ? i : 0, at, vl / 8);
	at = align_up(at, 16);
	number(n, "fpsr", at);
	number(n, "fpcr", at + 4);
}

/* ZA: vl rows of vl bytes. */
static void za_rows(struct note_ctx *n, u64 vl)
{
	for (unsigned i = 0; i < vl; i++)
		wide(n, "za", i, SVE_HEADER + i * vl, vl);
}

int note_show_sve(struct note_ctx *n, struct err *e)
{
	struct note_cursor c = { .b = n->note->desc, .fmt = n->core->fmt };
	bool za = n->note->type == NT_ARM_ZA;
	u64 vl, flags, size;

	(void)e;
	if (c.b.len < SVE_HEADER)
		return 0;
	size = note_take(&c, 4);
	show_u64(n->s, "size", size);
	show_u64(n->s, "max_size", note_take(&c, 4));
	vl = note_take(&c, 2);
	show_u64(n->s, "vl", vl);
	show_u64(n->s, "max_vl", note_take(&c, 2));
	flags = note_take(&c, 2);
	show_fmt(n->s, "flags", "0x%llx%s%s%s", (unsigned long long)flags,
		 za ? "" : flags & SVE_IS_SVE ? " sve" : " fpsimd", flags & 2 ? " inherit" : "",
		 flags & 4 ? " onexec" : "");
	/* The header alone: not in that mode. */
	if (size <= SVE_HEADER || !vl || vl > VECTOR_BYTES_MAX)
		return 1;
	show_open(n->s, "registers");
	if (za)
		za_rows(n, vl);
	else
		vectors(n, vl, flags & SVE_IS_SVE);
	show_close(n->s);
	return 1;
}

static void slot(struct note_ctx *n, unsigned i, u64 addr, u64 ctrl)
{
	show_row(n->s);
	if (!n->s->json) {
		fprintf(n->s->f, "%2u ", i);
	} else {
		show_u64(n->s, "number", i);
	}
	show_hex(n->s, "address", addr);
	show_hex(n->s, "control", ctrl);
	if (n->s->json)
		show_bool(n->s, "enabled", ctrl & 1);
	else
		fputs(ctrl & 1 ? "  enabled" : "", n->s->f);
	show_row_end(n->s);
}

/* struct user_hwdebug_state; dbg_info: arch/arm64/kernel/ptrace.c: ptrace_hbp_get_resource_info(). */
int note_show_debug(struct note_ctx *n, struct err *e)
{
	enum { HEADER = 8, SLOT = 16 };
	struct note_cursor c = { .b = n->note->desc, .fmt = n->core->fmt };
	u64 info, slots;

	(void)e;
	if (c.b.len < HEADER)
		return 0;
	info = note_take(&c, 4);
	slots = min(info & 0xff, (u64)(c.b.len - HEADER) / SLOT);
	show_u64(n->s, "slots", info & 0xff);
	show_hex(n->s, "debug_arch", info >> 8 & 0xff);
	show_list(n->s, "values");
	c.at = HEADER;
	for (unsigned i = 0; i < slots; i++) {
		u64 addr = note_take(&c, 8), ctrl = note_take(&c, 4);

		slot(n, i, addr, ctrl);
	}
	show_list_end(n->s);
	return 1;
}

/* prctl(2): PR_SET_TAGGED_ADDR_CTRL; PR_MTE_STORE_ONLY since v6.17. */
int note_show_tag_ctrl(struct note_ctx *n, struct err *e)
{
	u64 v;

	(void)e;
	if (bytes_uint(n->note->desc, n->core->fmt, 0, 8, &v, NULL))
		return 0;
	show_hex(n->s, "value", v);
	show_bool(n->s, "tagged_addresses", v & 1);
	show_bool(n->s, "sync", v >> 1 & 1);
	show_bool(n->s, "async", v >> 2 & 1);
	show_bool(n->s, "store_only", v >> 19 & 1);
	show_hex(n->s, "include_mask", v >> 3 & 0xffff);
	return 1;
}

/* PR_PAC_*KEY: include/uapi/linux/prctl.h. */
int note_show_pac_keys(struct note_ctx *n, struct err *e)
{
	u64 v;

	(void)e;
	if (bytes_uint(n->note->desc, n->core->fmt, 0, 8, &v, NULL))
		return 0;
	show_fmt(n->s, "enabled", "0x%llx%s%s%s%s%s", (unsigned long long)v, v & 1 ? " APIA" : "", v & 2 ? " APIB" : "",
		 v & 4 ? " APDA" : "", v & 8 ? " APDB" : "", v & 16 ? " APGA" : "");
	return 1;
}

int note_show_call(struct note_ctx *n, struct err *e)
{
	static const struct note_field number_field[] = { { "number", 4, NOTE_S } };

	(void)e;
	return note_fields_show(n, number_field, 1);
}
