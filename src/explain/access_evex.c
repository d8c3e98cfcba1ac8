#include <string.h>

#include "base/util.h"
#include "explain/access.h"

/*
 * Memory operands of AVX-512, as in the C library's functions for strings (Intel SDM volume 2, 2.7: "Intel AVX-512
 * Encoding").  capstone 4 does not know all of these instructions.
 */

/* After the byte 0x62: three more, the opcode, ModRM, perhaps SIB, the displacement. */
struct evex {
	u8 map, opcode, modrm, sib;
	bool has_sib;
	u8 base, index;		/* numbers of general registers */
	u32 vector;		/* bytes of a whole vector */
	bool broadcasts;
	u8 disp_size;
	s64 disp;
};
enum { PREFIX = 0x62, SP = 4, NONE = SP };	/* an index of 4 is none */

static bool parse(const u8 *p, size_t len, struct evex *out)
{
	enum { LEAST = 6, HEAD = 6 };
	size_t at = HEAD;
	u8 mod;

	if (len < LEAST || p[0] != PREFIX || p[1] & 0x08 || !(p[2] & 0x04))
		return false;
	*out = (struct evex){ .map = p[1] & 7, .opcode = p[4], .modrm = p[5], .vector = 16u << (p[3] >> 5 & 3), .broadcasts = p[3] & 0x10 };
	mod = out->modrm >> 6;
	out->base = (u8)((out->modrm & 7) | (p[1] & 0x20 ? 0 : 8));
	out->index = NONE;
	if (mod == 3 || out->vector > 64 || (mod == 0 && (out->modrm & 7) == 5))
		return false;
	if ((out->modrm & 7) == SP) {
		if (at >= len)
			return false;
		out->has_sib = true;
		out->sib = p[at++];
		out->base = (u8)((out->sib & 7) | (p[1] & 0x20 ? 0 : 8));
		out->index = (u8)((out->sib >> 3 & 7) | (p[1] & 0x40 ? 0 : 8));
		if (mod == 0 && (out->sib & 7) == 5)
			return false;
	}
	out->disp_size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	if (at + out->disp_size > len)
		return false;
	if (mod == 1)
		out->disp = (s64)p[at] - (p[at] & 0x80 ? 0x100 : 0);
	else if (mod == 2)
		out->disp = (s32)uint_get((struct elffmt){ ELFCLASS64, ELFDATA2LSB }, p + at, 4);
	return true;
}

/* What is known to read or to write; moves, comparisons, tests and minima of bytes and words. */
static enum access_type type_of(const struct evex *e)
{
	static const struct { u8 map, opcode; enum access_type type; } rows[] = {
		{ 1, 0x10, ACCESS_READ }, { 1, 0x28, ACCESS_READ }, { 1, 0x6f, ACCESS_READ }, { 1, 0x74, ACCESS_READ },
		{ 1, 0x75, ACCESS_READ }, { 1, 0x76, ACCESS_READ }, { 1, 0xda, ACCESS_READ }, { 1, 0xde, ACCESS_READ },
		{ 1, 0xdb, ACCESS_READ }, { 1, 0xeb, ACCESS_READ }, { 1, 0xef, ACCESS_READ }, { 2, 0x26, ACCESS_READ },
		{ 2, 0x27, ACCESS_READ }, { 2, 0x38, ACCESS_READ }, { 2, 0x3a, ACCESS_READ }, { 3, 0x1e, ACCESS_READ },
		{ 3, 0x1f, ACCESS_READ }, { 3, 0x25, ACCESS_READ }, { 3, 0x3e, ACCESS_READ }, { 3, 0x3f, ACCESS_READ },
		{ 1, 0x11, ACCESS_WRITE }, { 1, 0x29, ACCESS_WRITE }, { 1, 0x2b, ACCESS_WRITE }, { 1, 0x7f, ACCESS_WRITE },
		{ 1, 0xe7, ACCESS_WRITE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].map == e->map && rows[i].opcode == e->opcode)
			return rows[i].type;
	return ACCESS_UNKNOWN;
}

/* Gathers and scatters have a vector as index. */
static bool is_vector_index(const struct evex *e)
{
	return e->map == 2 && ((e->opcode >= 0x90 && e->opcode <= 0x93) || (e->opcode >= 0xa0 && e->opcode <= 0xa3) ||
			       e->opcode == 0xc6 || e->opcode == 0xc7);
}

bool access_evex(struct crash *c, const u8 *code, size_t len)
{
	static const char *const names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					     "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
	struct access *a = &c->access;
	struct access_reg base, index = { 0 };
	struct evex e;
	u64 sum;

	if (!c->has_addr || !parse(code, len, &e) || is_vector_index(&e) || !crash_reg(c, names[e.base], &base) ||
	    (e.index != NONE && !crash_reg(c, names[e.index], &index)))
		return false;
	sum = base.value + (index.value << (e.has_sib ? e.sib >> 6 : 0));
	/* A displacement of one byte counts in the operand's size, which the opcode implies; the address tells which. */
	for (u32 unit = e.vector; unit; unit /= 2) {
		s64 disp = e.disp_size == 1 ? e.disp * unit : e.disp;

		if (c->addr - (sum + (u64)disp) >= e.vector)
			continue;
		a->type = type_of(&e);
		a->size = e.broadcasts ? 0 : e.vector;
		a->base = base;
		a->index = index;
		a->scale = e.has_sib ? 1u << (e.sib >> 6) : 1;
		a->disp = disp;
		return true;
	}
	return false;
}
