/* note_fields.h - a struct in a note, as rows. */
#pragma once

#include "cli/note_show.h"

enum note_how { NOTE_U, NOTE_S, NOTE_X, NOTE_TEXT };	/* unsigned, signed, hexadecimal; bytes up to a NUL */

/* A member of @size bytes, or NOTE_LONG: a word of the machine's; aligned to its size, but for text. */
struct note_field {
	const char *name;
	u16 size;
	enum note_how how;
};
enum { NOTE_LONG = 0 };

/* Bytes of the struct up to its last member's end. */
u64 note_fields_size(const struct note_ctx *n, const struct note_field *f, size_t count);
/* 1, or 0 when the descriptor is shorter than that. */
int note_fields_show(struct note_ctx *n, const struct note_field *f, size_t count);
