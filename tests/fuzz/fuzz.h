/* fuzz.h - the names that libFuzzer gives to what it calls and offers, and what the harness is made of. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/core.h"

/* One input; always 0: a fault aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Changes @data in place, up to @max bytes; the new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
/* libFuzzer's own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* The input as a file, through every command there is: thorough, and slow. */
void fuzz_commands(const uint8_t *data, size_t size);

/* The input as a file, by the public interface. */
void fuzz_api(const uint8_t *data, size_t size);

/* The input repaired: the output has the findings that were reported, and repairing it changes nothing. */
void fuzz_repair(const uint8_t *data, size_t size);

/*
 * The backtraces of the input, whose part after the mark, if there is one, is the
 * program's file.  @h chooses how.
 */
#define STACK_EXE_MARK "TAGC:EXE"
#define STACK_EXE_MARK_LEN (sizeof(STACK_EXE_MARK) - 1)
void fuzz_stack(const uint8_t *data, size_t size, uint32_t h);

/* After FUZZ_PROC: the name of a file of /proc/PID, a line, and its text. */
#define FUZZ_PROC "/proc/"
void fuzz_proc(const uint8_t *data, size_t size);

/* A file in memory, of which @reads are left until it shrinks to @size bytes; @m must outlive it. */
struct mem {
	const uint8_t *p;
	size_t reads;
	uint64_t size;
};
struct core_file mem_file(struct mem *m, size_t size);

void printf_like(2, 3) broken(const char *cond, const char *fmt, ...);
#define must(cond, ...) do { if (!(cond)) broken(#cond, __VA_ARGS__); } while (0)

/* Addresses and threads that are of interest in a core, as the command line has them. */
enum {
	PLACES = 3,
	PLACE_MAX = 32,
};
struct places {
	char addr[PLACES][PLACE_MAX];
	char tid[PLACES][PLACE_MAX];
	size_t n_addr;
	size_t n_tid;
};

/* What must hold of an open core, whatever is in it. */
void assert_core(struct core *c);
void find_places(const struct core *c, struct places *p);

/* What must hold of all output: nothing printed can drive a terminal, --json prints JSON. */
void assert_printable(const char *what, const char *text, size_t len);
void assert_json(const char *what, const char *text, size_t len);
/* A memory stream of what is printed; printed_end() looks at it and frees it. */
struct printed {
	FILE *f;
	char *text;
	size_t len;
};
void printed_begin(struct printed *s);
void printed_end(struct printed *s, const char *what, bool json);
