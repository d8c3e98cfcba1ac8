#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/heap.h"
#include "explain/rows.h"

/* Programs that have ended themselves by abort(3). */

bool row_stack_smashing(struct crash *c)
{
	char in[160];

	if (!abort_has_message(c, "stack smashing detected"))
		return false;
	say(c, "a buffer on the stack was written past its end%s: the guard value before the return address has changed", abort_in(c, in));
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the C library holds the message of -fstack-protector");
	abort_show_message(c);
	try_next(c, "look at the local arrays of the function that was about to return; compile with -fsanitize=address");
	return true;
}

bool row_fortify(struct crash *c)
{
	char in[160];

	if (!abort_has_message(c, "buffer overflow detected") && !abort_has_message(c, "longjmp causes uninitialized stack frame"))
		return false;
	say(c, "a function of the C library would have written past the end of a buffer%s: %.200s", abort_in(c, in), abort_message(c));
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the C library holds the message of _FORTIFY_SOURCE");
	abort_show_message(c);
	return true;
}

/* What malloc(3)'s checks say begins with a function's name: glibc 2.36, malloc/malloc.c: malloc_printerr(). */
static bool is_heap_message(const char *m)
{
	static const char *const parts[] = {
		"free(): ", "malloc(): ", "realloc(): ", "double free or corruption", "corrupted size vs. prev_size",
		"corrupted double-linked list", "malloc_consolidate(): ", "munmap_chunk(): ", "mremap_chunk(): ", "sysmalloc: ",
		"break adjusted to free malloc space", "malloc: top chunk is corrupt", "corrupted unsorted chunks", "_int_free", "tcache_thread_shutdown()",
		"calloc(): ", "memalign(): ", "realloc: ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strncmp(m, parts[i], strlen(parts[i])))
			return true;
	return false;
}

/* "double free or corruption (!prev)" and "(out)" say both: chunks that make no sense decide. */
static const char *heap_what(const char *m, bool is_damaged)
{
	if (!strncmp(m, "free(): double free", 19) || strstr(m, "(fasttop)") || (strstr(m, "(!prev)") && !is_damaged))
		return "a block was freed twice";
	if (!is_damaged && (!strncmp(m, "free(): invalid pointer", 23) || !strncmp(m, "munmap_chunk", 12)))
		return "a pointer was freed that malloc(3) has not given";
	return "the heap is damaged";
}

bool row_heap_corruption(struct crash *c)
{
	const char *m = crash_is_abort(c) ? abort_message(c) : NULL;
	char in[160];

	if (!m || !is_heap_message(m))
		return false;
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the C library holds the message of its allocator; which code did the damage is not known");
	abort_show_message(c);
	say(c, "%s%s: malloc(3) says \"%.200s\"", heap_what(m, heap_show_damage(c)), abort_in(c, in), m);
	try_next(c, "run it again with valgrind or -fsanitize=address, or with GLIBC_TUNABLES=glibc.malloc.check=3 and libc_malloc_debug.so");
	return true;
}

bool row_abort_message(struct crash *c)
{
	char in[160];

	if (!crash_is_abort(c) || !abort_message(c))
		return false;
	say(c, "the C library has ended the program%s: %.300s", abort_in(c, in), abort_message(c));
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the C library holds the message");
	abort_show_message(c);
	return true;
}

bool row_abort(struct crash *c)
{
	char in[160], name[128];
	size_t i;

	if (!crash_is_abort(c) || !crash_is_from_itself(c))
		return false;
	i = abort_caller(c, name, sizeof(name));
	say(c, "the program has ended itself by SIGABRT, as abort(3) does%s, without a message that is known", abort_in(c, in));
	say_sure(c, SURE_LIKELY, "SIGABRT from the process itself; raise(3) would leave the same");
	if (i)
		show_frame(c, i, "%s led to the call of abort", name);
	show_thread(c, "SIGABRT was sent by the process itself");
	try_next(c, "look at what the program has written to standard error, and at tagcore stack");
	return true;
}
