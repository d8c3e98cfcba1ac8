/* dw.h - what the dwarf room keeps as long as a struct unwind lasts. */
#pragma once

#include "unwind/dwarf/debuginfo.h"

/* dw_text.c: where the strings of an Elf's symbols, or of a Dwarf's entries, are; all that begin in these end there. */
struct text_range {
	const char *start, *end;
};
enum { TEXT_SLOTS = 64, TEXT_RANGES_MAX = 12 };
struct text_slot {
	const void *of;		/* NULL: unused */
	bool is_bounded;
	u8 n;
	struct text_range v[TEXT_RANGES_MAX];
};

enum { SYMBOL_SLOTS = 1024 };

/* libdw finds tables, symbols and debug information; files and memory come from us, the steps are frame/cfi.c's. */
struct dw {
	struct unwind *u;
	Dwfl *dwfl;
	Dwfl_Callbacks cb;
	struct symbol_slot symbols[SYMBOL_SLOTS];
	struct text_slot texts[TEXT_SLOTS];
	char *demangled;		/* the last one */
	char unversioned[1024];		/* the last symbol without its version */
};

/* d->dwfl, of all modules of d->u. */
int dwfl_open(struct dw *d, struct err *e) must_check;
