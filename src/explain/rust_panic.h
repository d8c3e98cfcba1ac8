/* rust_panic.h - what a panic of Rust has left in memory. */
#pragma once

#include "explain/crash.h"

struct rust_location {
	char file[260];
	u32 line, column;
};
struct rust_panic {
	u64 found_at;		/* on the stack */
	struct rust_location location;
	char message[280];	/* "" where the payload is no text */
};
/* A core::panic::Location at @at. */
bool rust_location(struct crash *c, u64 at, struct rust_location *out);
/* The payload at @data with the table of functions at @table: its text in @out, or "".  False where it is no payload. */
bool rust_payload(struct crash *c, u64 data, u64 table, char *out, size_t len);
/* What the hook was given, the innermost in @bytes of stack from @from on. */
bool rust_panic_find(struct crash *c, u64 from, u64 bytes, struct rust_panic *out);
/* The text of a panic that unwinds, of which that stack has an address. */
bool rust_exception_find(struct crash *c, u64 from, u64 bytes, char *message, size_t size);
