#include "base/scope.h"
#include "base/uapi.h"
#include "dump/xsave.h"
#include "elf/note.h"

enum {
	XCR0_OFFSET = 464,	/* in the XSTATE note: USER_XSTATE_XCR0_WORD, asm/user.h */
	CPUID_XSTATE = 0xd,
};

/* XCR0 as the kernel gave it with the first thread's state; 0 without such a note. */
static u64 find_xcr0(struct elffmt fmt, const struct buf *notes)
{
	struct note_iter it;
	struct note note;
	struct err e;
	u64 xcr0;

	note_iter_init(&it, (struct bytes){ .p = notes->p, .len = notes->len }, fmt, 4);
	while (note_next(&it, &note, &e) > 0)
		if (note.type == NT_X86_XSTATE && !bytes_uint(note.desc, fmt, XCR0_OFFSET, 8, &xcr0, &e))
			return xcr0;
	return 0;
}

/* struct x86_xfeat_component: type, size, offset, flags; 32 bits each. */
static int put_component(struct elffmt fmt, struct buf *b, u32 type, u32 size, u32 offset, struct err *e)
{
	u8 c[16] = { 0 };

	uint_put(fmt, c, 4, type);
	uint_put(fmt, c + 4, 4, size);
	uint_put(fmt, c + 8, 4, offset);
	return buf_add(b, c, sizeof(c), e);
}

int xsave_layout_note(struct elffmt fmt, struct buf *notes, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	u64 xcr0 = find_xcr0(fmt, notes);
	u32 out[4];
	int r = 0;

	/* 0 and 1, x87 and SSE, are in the legacy area and are not listed. */
	for (u32 i = 2; !r && i < 63; i++)
		if (xcr0 >> i & 1 && uapi_cpuid(CPUID_XSTATE, i, out) && out[0])
			r = put_component(fmt, &b, i, out[0], out[1], e);
	if (r || !b.len)
		return r;
	return note_put(notes, fmt, "LINUX", NT_X86_XSAVE_LAYOUT, b.p, b.len, e);
}
