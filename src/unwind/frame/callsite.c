#include "unwind/frame/frame.h"

/*
 * The call that may be before a return address, where instructions differ in length: by its bytes.
 */

/* FF /2, with an operand of 0 to 5 bytes. */
static bool x86_is_call_rm(const u8 *p, unsigned len)
{
	unsigned mod = p[1] >> 6, rm = p[1] & 7, want = 2;

	if (p[0] != 0xff || (p[1] >> 3 & 7) != 2)
		return false;
	if (mod != 3 && rm == 4)
		want++;
	if (mod == 1)
		want += 1;
	else if (mod == 2 || (mod == 0 && rm == 5) || (mod == 0 && rm == 4 && (p[2] & 7) == 5))
		want += 4;
	return want == len;
}

/* CALL rel32, or CALL r/m.  Intel SDM volume 2, "CALL" and 2.1.3. */
u32 x86_calls(const u8 before[CALL_BYTES])
{
	u32 lens = before[CALL_BYTES - 5] == 0xe8 ? 1U << 5 : 0;

	for (unsigned len = 2; len <= CALL_BYTES; len++)
		if (x86_is_call_rm(before + CALL_BYTES - len, len))
			lens |= 1U << len;
	return lens;
}

/*
 * JSR with its operand of 0, 2 or 4 bytes (one with an index may have more), or
 * BSR.  M68000 Family Programmer's Reference Manual, "JSR", "BSR" and 2.2.
 */
u32 m68k_calls(const u8 before[CALL_BYTES])
{
	const u8 *p = before + CALL_BYTES - 6;
	u32 lens = 0;

	if ((p[4] == 0x61 && p[5] != 0 && p[5] != 0xff) || (p[4] == 0x4e && p[5] >= 0x90 && p[5] <= 0x97))
		lens |= 1U << 2;
	if ((p[2] == 0x61 && !p[3]) || (p[2] == 0x4e && p[3] >= 0xa8 && p[3] <= 0xbb && p[3] != 0xb9))
		lens |= 1U << 4;
	if ((p[0] == 0x61 && p[1] == 0xff) || (p[0] == 0x4e && p[1] >= 0xb0 && p[1] <= 0xbb && p[1] != 0xb8))
		lens |= 1U << 6;
	return lens;
}
