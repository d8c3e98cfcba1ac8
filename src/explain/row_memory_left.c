#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/arguments.h"
#include "explain/origin.h"
#include "explain/rows.h"

/* Memory that could not be had. */

/* How much the process had, to be held against its limits, which no core has. */
void memory_show_mapped(struct crash *c)
{
	char size[TEXT_SIZE_MAX];
	u64 sum = 0;

	for (size_t i = 0; i < c->core->n_areas; i++)
		sum += c->core->areas[i].end - c->core->areas[i].start;
	show_tid(c, 0, "%s are mapped", text_size(sum, size));
}

void memory_try_limits(struct crash *c)
{
	try_next(c, "compare what is mapped with ulimit -v and the memory limits of its cgroup, and look for a size that was computed wrongly");
}

/* ---- a null pointer of malloc(3), or MAP_FAILED of mmap(2), that was used at once */

static const char *const allocators[] = { "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "memalign", "valloc", "strdup",
					  "strndup", "mmap", "mmap64", "mremap" };

static bool is_access(const struct crash *c)
{
	return c->is_fault && crash_is(c, "SEGV") && c->has_addr && c->access.type != ACCESS_FETCH && c->access.is_decoded &&
	       *c->access.base.name && c->access.base.known;
}

enum { NEAR = 4096 };	/* the first page, and as much before 2^64 */

/* From (void *)-1 on, by less than a page. */
static bool is_map_failed(const struct crash *c, u64 addr)
{
	u64 failed = c->core->layout.word == 4 ? UINT32_MAX : UINT64_MAX;

	return (c->core->layout.word == 4 ? (u32)(addr - failed) : addr - failed) < NEAR;
}

/* Of the instruction itself, or of a call of what fills or copies memory, whose first arguments the register has still. */
static bool find_origin(struct crash *c, struct origin *out)
{
	const char *reg = c->access.base.name;

	if (origin_find(c, c->pc, reg, allocators, ARRAY_SIZE(allocators), out))
		return true;
	return (!strcmp(reg, "rdi") || !strcmp(reg, "rsi")) && c->v->frame + 1 < c->v->stack.n &&
	       origin_find(c, c->v->stack.frames[c->v->frame + 1].pc - 5, reg, allocators, ARRAY_SIZE(allocators), out);
}

bool row_allocation_failed(struct crash *c)
{
	struct origin o;
	char access[200];
	bool maps;

	if (!is_access(c) || !(c->addr < NEAR || is_map_failed(c, c->addr)) || !find_origin(c, &o))
		return false;
	maps = !strcmp(o.function, "mmap") || !strcmp(o.function, "mmap64") || !strcmp(o.function, "mremap");
	if (maps ? !is_map_failed(c, c->addr) : c->addr >= NEAR)
		return false;
	say(c, "%s: %s() has returned %s, as where memory is not enough, and that was used", access_text(c, access, sizeof(access)), o.function,
	    maps ? "MAP_FAILED" : "a null pointer");
	say_sure(c, o.is_tested ? SURE_POSSIBLE : SURE_LIKELY, "%s has what that call returned, in a straight line of code%s", c->access.base.name,
		 o.is_tested ? " with a condition between" : "; a jump from elsewhere may lead there, too");
	show_access(c);
	show_mem(c, o.call, "a call of %s() returned here", o.function);
	memory_show_mapped(c);
	if (maps)
		also_possible(c, NULL, "mmap(2) fails for other reasons, too: the descriptor, the length, the permissions");
	memory_try_limits(c);
	return true;
}

bool row_map_failed(struct crash *c)
{
	char access[200];

	if (!is_access(c) || c->access.base.value < NEAR || !is_map_failed(c, c->access.base.value) || c->access.index.value ||
	    !is_map_failed(c, c->addr))
		return false;
	say(c, "%s: the pointer in %s is -1, as mmap(2) returns it (MAP_FAILED) when it fails", access_text(c, access, sizeof(access)),
	    c->access.base.name);
	say_sure(c, SURE_POSSIBLE, "the base register is -1; other functions have that as a mark of failure, too");
	show_access(c);
	memory_show_mapped(c);
	also_possible(c, NULL, "shmat(2), sbrk(2), or a value of the program's own that means none");
	try_next(c, "look for a result of mmap(2), shmat(2) or sbrk(2) that is not compared with (void *)-1");
	return true;
}

/* ---- std::bad_alloc */

/* Where the part of operator new that throws has no name: "operator new(unsigned long) [clone .cold]". */
static bool is_cxx_library(struct crash *c, size_t frame)
{
	const struct module *m = frame < c->v->stack.n ? module_at(c->u, c->v->stack.frames[frame].pc) : NULL;

	return m && m->path && (strstr(m->path, "/libstdc++.so") || strstr(m->path, "/libc++"));
}

bool row_bad_alloc(struct crash *c)
{
	static const char *const throwing[] = { "__cxa_throw", "__cxa_rethrow", "rethrow_exception" };
	static const char *const allocating[] = { "operator new" };
	struct exception x;
	char name[128];
	size_t at, new;

	if (!crash_is_abort(c) || abort_message(c) || !abort_frame(c, throwing, ARRAY_SIZE(throwing), &at) || !exception_find(c, &x) ||
	    !x.is_bad_alloc)
		return false;
	abort_caller_from(c, at, name, sizeof(name));
	say(c, "there was not enough memory%s%s: a C++ exception of type std::bad_alloc was not caught", *name ? " in " : "", name);
	if (abort_frame(c, allocating, ARRAY_SIZE(allocating), &new) || is_cxx_library(c, at + 1))
		say_sure(c, SURE_CERTAIN, "it is being thrown by the C++ library itself");
	else
		say_sure(c, SURE_LIKELY, "it is being thrown, by the program or by an operator new of its own");
	show_mem(c, x.object, "the exception, of type %s", x.type);
	memory_show_mapped(c);
	memory_try_limits(c);
	return true;
}

/* ---- V8, the JavaScript engine of Node.js and Chromium: src/heap/heap.cc, src/api/api.cc (11.3) */

bool row_v8_memory(struct crash *c)
{
	static const char *const ending[] = { "v8::internal::V8::FatalProcessOutOfMemory(", "v8::Utils::ReportOOMFailure(" };
	static const char *const heap[] = { "v8::internal::Heap::FatalProcessOutOfMemory(" };
	struct arguments a;
	char why[160] = "";
	size_t at;

	/* Node.js calls abort(3); where nothing is to handle it, a trap ends the program. */
	if ((!crash_is_abort(c) && !crash_is(c, "TRAP") && !crash_is(c, "ILL")) || !abort_frame(c, ending, ARRAY_SIZE(ending), &at))
		return false;
	/* Heap::FatalProcessOutOfMemory(const char *location) */
	if (abort_frame(c, heap, ARRAY_SIZE(heap), &at) && arguments_of_call(c, at + 1, &a))
		argument_text(c, &a.v[1], why, sizeof(why));
	say(c, "there was not enough memory for JavaScript: the heap of V8 is used up%s%s", *why ? ": " : "", why);
	say_sure(c, SURE_CERTAIN, "V8's function for that has ended the program%s", *why ? "; the words are what the code calls it with" : "");
	show_frame(c, at, "V8 gives up");
	memory_show_mapped(c);
	try_next(c, "node --max-old-space-size=MIB raises the limit; --heapsnapshot-near-heap-limit=1 shows what the heap has in it");
	return true;
}
