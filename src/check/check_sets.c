#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "check/checks.h"

/*
 * Linux 6.12, arch/x86/include/asm/fpu/types.h and user_64.h: the legacy area
 * with the mask of what was enabled (USER_XSTATE_XCR0_WORD), then the header.
 */
enum { XSTATE_XCR0 = 464, XSTATE_BV = 512, XSTATE_XCOMP = 520, XSTATE_FIXED = 576 };

/*
 * Each part's bytes; where it stands differs between Intel and AMD, so that only the sum is known.  (APX is
 * where MPX, 3 and 4, was; no processor has both.)  Linux 7.3, arch/x86/include/asm/fpu/types.h: enum xfeature.
 */
static const struct {
	u8 bit;
	u16 size;
} xstate_parts[] = {
	{ 2, 256 }, { 3, 64 }, { 4, 64 }, { 5, 64 }, { 6, 512 }, { 7, 1024 }, { 9, 8 }, { 17, 64 }, { 18, 8192 },
	{ 19, 128 },
};

static u64 xstate_least(u64 enabled)
{
	u64 least = XSTATE_FIXED;

	for (size_t i = 0; i < ARRAY_SIZE(xstate_parts); i++)
		if (enabled >> xstate_parts[i].bit & 1)
			least += xstate_parts[i].size;
	return least;
}

int check_xstate_enabled(const struct core *c, const struct note *n, u64 *out)
{
	return bytes_uint(n->desc, c->fmt, XSTATE_XCR0, 8, out, NULL);
}

bool check_is_x86(const struct core *c)
{
	return c->ehdr.e_machine == EM_X86_64 || c->ehdr.e_machine == EM_386;
}

static void check_xstate_note(struct check_ctx *x, const struct note *n)
{
	u64 enabled, used, packed;

	if (n->desc.len < XSTATE_FIXED) {
		check_found(x, n->off, "X86_XSTATE of %zu bytes ends before its header, at %d", n->desc.len,
			    XSTATE_FIXED);
		return;
	}
	enabled = uint_get(x->core->fmt, n->desc.p + XSTATE_XCR0, 8);
	used = uint_get(x->core->fmt, n->desc.p + XSTATE_BV, 8);
	packed = uint_get(x->core->fmt, n->desc.p + XSTATE_XCOMP, 8);
	if (n->desc.len < xstate_least(enabled | used))
		check_found(x, n->off, "X86_XSTATE of %zu bytes, its parts (enabled 0x%llx, in use 0x%llx) need %llu",
			    n->desc.len, (unsigned long long)enabled, (unsigned long long)used,
			    (unsigned long long)xstate_least(enabled | used));
	if (enabled && used & ~enabled)
		check_found(x, n->off, "X86_XSTATE: parts 0x%llx are in use, and were not enabled (0x%llx)",
			    (unsigned long long)(used & ~enabled), (unsigned long long)enabled);
	if (packed)
		check_found(x, n->off, "X86_XSTATE is of the compacted form (0x%llx)", (unsigned long long)packed);
}

void check_note_xstate(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (!check_is_x86(c))
		return;
	for (size_t i = 0; i < c->n_notes; i++)
		if (c->notes[i].note.type == NT_X86_XSTATE && !strcmp(c->notes[i].note.owner, "LINUX"))
			check_xstate_note(x, &c->notes[i].note);
}

/* Linux 6.12, arch/x86/include/uapi/asm/elf.h: struct x86_xfeat_component, one for each part. */
enum { XFEAT_TYPE = 0, XFEAT_SIZE = 4, XFEAT_OFFSET = 8, XFEAT_LEN = 16 };

/* Checks the row against a thread's note; its bit of @listed is set. */
static void check_layout_row(struct check_ctx *x, struct bytes row, const struct note *state, u64 enabled, u64 *listed)
{
	u64 type = uint_get(x->core->fmt, row.p + XFEAT_TYPE, 4);
	u64 size = uint_get(x->core->fmt, row.p + XFEAT_SIZE, 4);
	u64 at = uint_get(x->core->fmt, row.p + XFEAT_OFFSET, 4);

	if (type >= 64) {
		check_found(x, row.off, "X86_XSAVE_LAYOUT lists part %llu, there are 63", (unsigned long long)type);
		return;
	}
	*listed |= 1ULL << type;
	if (at < XSTATE_FIXED || !size)
		check_found(x, row.off, "X86_XSAVE_LAYOUT: part %llu, %llu bytes at %llu, has no place after the header",
			    (unsigned long long)type, (unsigned long long)size, (unsigned long long)at);
	else if (enabled >> type & 1 && at + size > state->desc.len)
		check_found(x, row.off, "X86_XSAVE_LAYOUT: part %llu ends at %llu, X86_XSTATE has %zu bytes",
			    (unsigned long long)type, (unsigned long long)(at + size), state->desc.len);
}

/* Since 6.12 the kernel writes where each part is.  Bits 0 and 1, x87 and SSE, are the legacy area. */
void check_note_xsave_layout(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *layout = core_note_find(c, 0, "LINUX", NT_X86_XSAVE_LAYOUT);
	const struct core_note *state = core_note_find(c, 0, "LINUX", NT_X86_XSTATE);
	u64 enabled, listed = 3;
	struct bytes row;

	if (!check_is_x86(c) || !layout || !state || check_xstate_enabled(c, &state->note, &enabled))
		return;
	if (layout->note.desc.len % XFEAT_LEN)
		check_found(x, layout->note.off, "X86_XSAVE_LAYOUT of %zu bytes is not of rows of %d",
			    layout->note.desc.len, XFEAT_LEN);
	for (u64 at = 0; !bytes_sub(layout->note.desc, at, XFEAT_LEN, &row, NULL); at += XFEAT_LEN)
		check_layout_row(x, row, &state->note, enabled, &listed);
	/* PASID (10) and what else only the kernel keeps is not in the note. */
	if (enabled & ~listed)
		check_found(x, layout->note.off, "X86_XSAVE_LAYOUT does not tell of the parts 0x%llx, which were enabled",
			    (unsigned long long)(enabled & ~listed));
}

/*
 * Linux 6.12, arch/arm64/include/uapi/asm/ptrace.h: struct user_sve_header, and
 * SVE_PT_SIZE(): 32 Z registers of a vector, 16 P and FFR of an eighth, FPSR and
 * FPCR; or struct user_fpsimd_state.
 */
/* VECTOR_MAX: SVE_VL_MAX, a name that sigcontext.h of arm64 has taken. */
enum { SVE_HEADER = 16, VECTOR_MAX = 8192, SVE_IS_SVE = 1, FPSIMD_SIZE = 528 };

/* sve_init_header_from_task(), arch/arm64/kernel/ptrace.c, has "header->size = sizeof(header)", of a pointer. */
enum { SVE_POINTER = 8 };

static u64 sve_size(u32 type, u64 vl, u64 flags)
{
	u64 vq = vl / 16;

	if (type == NT_ARM_ZA)
		return SVE_HEADER + vl * vl;
	if (!(flags & SVE_IS_SVE))
		return SVE_HEADER + FPSIMD_SIZE;
	return align_up(SVE_HEADER + vq * (32 * 16 + 17 * 2), 16) + 16;
}

static void check_sve_note(struct check_ctx *x, const struct note *n)
{
	const struct note_kind *k = note_kind_find(n->owner, n->type);
	struct elffmt fmt = x->core->fmt;
	u64 size, vl, want;

	if (n->desc.len < SVE_HEADER) {
		check_found(x, n->off, "%s of %zu bytes is shorter than its header", k->name, n->desc.len);
		return;
	}
	size = uint_get(fmt, n->desc.p, 4);
	vl = uint_get(fmt, n->desc.p + 8, 2);
	if (!vl || vl % 16 || vl > VECTOR_MAX) {
		check_found(x, n->off, "%s with vectors of %llu bytes", k->name, (unsigned long long)vl);
		return;
	}
	want = sve_size(n->type, vl, uint_get(fmt, n->desc.p + 12, 2));
	/* The header alone: not in that mode. */
	if (size == SVE_POINTER && n->type != NT_ARM_ZA)
		check_found_info(x, n->off, "%s says that it has %d bytes: a fault of Linux, which writes the size of a "
				 "pointer where that of the header, %d, belongs, when the thread is not in that mode", k->name,
				 SVE_POINTER, SVE_HEADER);
	else if (size != SVE_HEADER && size != want)
		check_found(x, n->off, "%s says that it has %llu bytes, with vectors of %llu it has %llu", k->name,
			    (unsigned long long)size, (unsigned long long)vl, (unsigned long long)want);
	else if (n->desc.len < size)
		check_found(x, n->off, "%s of %zu bytes says that it has %llu", k->name, n->desc.len,
			    (unsigned long long)size);
}

void check_note_sve(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->ehdr.e_machine != EM_AARCH64)
		return;
	for (size_t i = 0; i < c->n_notes; i++) {
		const struct note *n = &c->notes[i].note;

		if (!strcmp(n->owner, "LINUX") &&
		    (n->type == NT_ARM_SVE || n->type == NT_ARM_SSVE || n->type == NT_ARM_ZA))
			check_sve_note(x, n);
	}
}

/* The kinds of note that were there; more than so many are not remembered. */
struct seen {
	u64 key[64];
	size_t n;
	s32 thread;
};

static bool seen_before(struct seen *s, const struct note *n)
{
	u64 key = (u64)n->type << 8 | (u8)n->owner[0];

	for (size_t i = 0; i < s->n; i++)
		if (s->key[i] == key)
			return true;
	if (s->n < ARRAY_SIZE(s->key))
		s->key[s->n++] = key;
	return false;
}

/* True for owners whose notes each have one meaning. */
static bool is_single(const struct note *n)
{
	/* A second PRPSINFO is reported by prpsinfo-once. */
	return (!strcmp(n->owner, "CORE") && n->type != NT_PRPSINFO) || !strcmp(n->owner, "LINUX");
}

void check_note_twice(struct check_ctx *x)
{
	const struct core *c = x->core;
	struct seen of_process = { .thread = -1 }, of_thread = { .thread = -1 };

	for (size_t i = 0; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];
		const struct note_kind *k = note_kind_find(n->note.owner, n->note.type);
		bool threads = n->thread >= 0;

		/* Registers of no thread: that is thread-none's, and thread-first's. */
		if (!threads && (!k || k->per_thread))
			continue;
		if (threads && n->thread != of_thread.thread)
			of_thread = (struct seen){ .thread = n->thread };
		if (!is_single(&n->note) || !seen_before(threads ? &of_thread : &of_process, &n->note))
			continue;
		if (threads)
			check_found(x, n->note.off, "thread %d: a second note %s 0x%x%s%s", c->threads[n->thread].tid,
				    n->note.owner, n->note.type, k ? ", " : "", k ? k->name : "");
		else
			check_found(x, n->note.off, "a second note %s 0x%x%s%s", n->note.owner, n->note.type,
				    k ? ", " : "", k ? k->name : "");
	}
}
