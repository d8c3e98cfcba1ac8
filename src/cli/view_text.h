/* view_text.h - values of a core as text, for all that print them. */
#pragma once

#include <stdio.h>

#include "core/core.h"
#include "core/modules.h"

/* An address as a user writes it: hexadecimal, perhaps with a pointer's tag, which is taken off. */
int view_addr_parse(const struct core *core, const char *text, u64 *out, struct err *e) must_check;

/* "rw-" of a program header, into @out, which is returned. */
const char *view_seg_flags(const GElf_Phdr *p, char out[4]);

/* "0x" and all digits of a number, which takes 2 * b.len + 3 bytes of @out; returns @out. */
const char *view_hex(struct bytes b, struct elffmt fmt, char *out);

/* A build-id of @len bytes in hexadecimal into @out; NULL when @len is 0. */
#define VIEW_BUILD_ID_MAX (2 * CORE_BUILD_ID_MAX + 1)
const char *view_build_id(const u8 *id, size_t len, char out[VIEW_BUILD_ID_MAX]);

/* "AT_PHDR", or NULL where @type is not known; @number: its value is best read as a decimal number. */
const char *view_auxv_name(const struct core *core, u64 type, bool *number);
/* What a value says beyond itself, a string in memory or its bits in words, or "". */
#define VIEW_AUXV_MAX 1024
int view_auxv_text(struct core *core, u64 type, u64 value, char out[VIEW_AUXV_MAX], struct err *e) must_check;

/* One register set of a thread, as read: @desc is what regs[].off counts from. */
struct view_set {
	const struct arch *arch;
	const struct regset *set;
	struct bytes desc;
	/* Not NULL: the thread of that core; registers of it that were never read are not there. */
	const struct core *core;
	const struct core_thread *thread;
};
/* Room for the widest register we know, ZT0. */
#define VIEW_REG_MAX (2 * 64 + 3)
/* "0x" and the value, most significant byte first, ones up to 8 bytes as short as they can be; NULL: not there. */
const char *view_set_value(const struct view_set *s, unsigned index, char out[VIEW_REG_MAX]);
/* All of them, some a line, the lines @indent columns in. */
void view_set_text(FILE *f, const struct view_set *s, int indent);
