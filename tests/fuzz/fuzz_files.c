/* fuzz_files.c - the fuzzer's entry for files named on the command line: any compiler, and afl-fuzz with @@. */
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "base/scope.h"
#include "fuzz.h"

enum {
	FILE_MAX = 64 << 20,
	STACK_KINDS = 12,	/* every unwinder, with and without sources, inlined functions, JSON */
};

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf b scoped(buf_fini) = { 0 };
		struct err e = { 0 };

		if (io_slurp(argv[i], &b, FILE_MAX, &e)) {
			fprintf(stderr, "fuzz: %s\n", e.msg);
			return 2;
		}
		/* The last one named is the culprit. */
		fprintf(stderr, "fuzz: %s\n", argv[i]);
		LLVMFuzzerTestOneInput(b.p, b.len);
		fuzz_commands(b.p, b.len);
		fuzz_api(b.p, b.len);
		fuzz_repair(b.p, b.len);
		for (unsigned how = 0; how < STACK_KINDS; how++)
			fuzz_stack(b.p, b.len, how << 8 | how);
	}
	return 0;
}
