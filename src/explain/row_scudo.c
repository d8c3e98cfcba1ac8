#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"
#include "explain/scudo.h"

/*
 * LLVM's hardened allocator, which writes "Scudo ERROR: ..." and calls abort(3) (LLVM 14, compiler-rt/lib/scudo/standalone:
 * report.cpp: ScopedErrorReport; string_utils.h: ScopedString, whose first bytes are in the frame that made it).
 */
enum { STACK_MAX = 64 << 10, LINE_SIZE = 200 };
static const char begin[] = "Scudo ERROR: ";

static const char *const states[] = { "free", "in use", "in quarantine, as free(3) was called for it", "unknown" };

/* The report's line, where it begins after the word; it is above the stack pointer. */
static bool find_line(struct crash *c, char out[LINE_SIZE], u64 *at)
{
	char *stack = calloc(1, STACK_MAX), *text = NULL;
	const struct core_area *a = core_area_find(c->core, c->sp);
	enum mem_state state;
	struct err ignored;
	size_t n = 0;

	if (stack && a && !core_read(c->core, c->sp, stack, min((size_t)(a->end - c->sp), (size_t)STACK_MAX), &state, &n, &ignored) &&
	    state == MEM_PRESENT)
		text = memmem(stack, n, begin, strlen(begin));
	if (text) {
		*at = c->sp + (u64)(text - stack);
		text += strlen(begin);
		put_fmt(out, LINE_SIZE, "%.*s", (int)strnlen(text, min((size_t)(stack + n - text), (size_t)LINE_SIZE - 1)), text);
		out[strcspn(out, "\n")] = 0;
		for (char *s = out; *s; s++)
			if ((u8)*s < 0x20 || (u8)*s > 0x7e)
				*s = '?';
	}
	free(stack);
	return text && *out;
}

/* "... address 0x1234" */
static u64 address_in(const char *line)
{
	const char *word = strstr(line, "address 0x");
	u64 addr = 0;

	return word && sscanf(word, "address 0x%" SCNx64, &addr) == 1 ? addr : 0;
}

static bool read_chunk(struct crash *c, u64 block, struct scudo_chunk *out)
{
	u64 word;

	if (block < SCUDO_HEADER || !space_uint(c->u, core_untag(c->core, block) - SCUDO_HEADER, 8, &word))
		return false;
	*out = scudo_header(word);
	return true;
}

/* What the words of a report mean for who has called the allocator. */
static const char *meaning(const char *line)
{
	static const struct { const char *words, *meaning; } rows[] = {
		{ "invalid chunk state when deallocating", "it was freed before" },
		{ "invalid chunk state when reallocating", "it was freed before" },
		{ "invalid chunk state", "it is not in use" },
		{ "corrupted chunk header", "what is before the block was overwritten, or the pointer is none that malloc(3) gave" },
		{ "race on chunk header", "two threads freed it at once" },
		{ "misaligned pointer", "the pointer is none that malloc(3) gave" },
		{ "allocation type mismatch", "it was not allocated by the counterpart of what freed it" },
		{ "invalid sized delete", "it was not allocated with that size" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strstr(line, rows[i].words))
			return rows[i].meaning;
	return NULL;
}

static void show_chunk(struct crash *c, const char *line, u64 block)
{
	bool damaged = strstr(line, "corrupted chunk header");
	struct scudo_chunk h;

	if (!block || !read_chunk(c, block, &h))
		return;
	if (damaged) {
		show_mem(c, block - SCUDO_HEADER, "the 16 bytes before the block are not what Scudo wrote there");
		return;
	}
	if (h.class_id)
		show_mem(c, block - SCUDO_HEADER, "the block's header: %u bytes, %s", h.size, states[h.state]);
	else
		show_mem(c, block - SCUDO_HEADER, "the block's header: a large one, %s", states[h.state]);
	c->v->object = (struct object){ .is_set = h.class_id != 0, .start = block, .end = block + h.size };
	put_fmt(c->v->object.state, sizeof(c->v->object.state), "%s", h.state == SCUDO_IN_USE ? "live" : "freed");
}

bool row_scudo(struct crash *c)
{
	char line[LINE_SIZE], in[160];
	const char *means;
	u64 at;

	if (!crash_is_abort(c) || (!abort_came_by(c, "scudo::", in, sizeof(in)) && !abort_came_by_file(c, "scudo")) ||
	    !find_line(c, line, &at))
		return false;
	means = meaning(line);
	say(c, "Scudo has ended the program%s: %s%s%s", abort_in(c, in), line, means ? ": " : "", means ? means : "");
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the report is on the stack; which code did the damage is not known");
	show_mem(c, at, "\"%s%s\"", begin, line);
	show_chunk(c, line, address_in(line));
	try_next(c, "run it again with -fsanitize=address, which says where the block was allocated and freed");
	return true;
}
