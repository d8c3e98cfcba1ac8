#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"

/*
 * Programs of Go that end by SIGABRT, as GOTRACEBACK=crash has it.  A panic's value is in a _panic on the stack of
 * gopanic(), as an interface: a type and the address of the value; what is an error or has String() was made a string
 * before (Go 1.19, src/runtime/panic.go: gopanic(), preprintpanics(); runtime2.go: struct _panic).  A type begins with
 * its size, that of its pointers, a hash, flags, alignments and at byte 23 its kind (src/runtime/type.go: struct _type).
 */
enum { KIND_MASK = 31, TYPE_MAX = 1 << 20 };
enum kind { KIND_BOOL = 1, KIND_INT, KIND_INT8, KIND_INT16, KIND_INT32, KIND_INT64, KIND_UINT, KIND_UINT8, KIND_UINT16, KIND_UINT32,
	    KIND_UINT64, KIND_UINTPTR, KIND_STRING = 24, KIND_LAST = 26 };

static bool type_kind(struct crash *c, u64 type, u64 *size, u64 *kind)
{
	unsigned word = c->core->layout.word;
	u64 pointers, align;

	if (type % word || !module_at(c->u, type) || !space_word(c->u, type, size) || !space_word(c->u, type + word, &pointers) ||
	    !space_uint(c->u, type + 2ull * word + 5, 1, &align) || !space_uint(c->u, type + 2ull * word + 7, 1, kind))
		return false;
	*kind &= KIND_MASK;
	return *kind && *kind <= KIND_LAST && *size <= TYPE_MAX && pointers <= *size && align && align <= 2 * word && !(align & (align - 1));
}

/* A string's header at @at: the address of its bytes, and how many. */
static bool read_go_string(struct crash *c, u64 at, char *out, size_t size)
{
	enum { LENGTH_MAX = 1 << 20 };
	u64 text, len;
	size_t n;

	if (!space_word(c->u, at, &text) || !space_word(c->u, at + c->core->layout.word, &len) || !len || len > LENGTH_MAX)
		return false;
	n = min(len, (u64)size - 1);
	if (!space_read(c->u, text, out, n))
		return false;
	out[n] = 0;
	/* It may be cut within a character. */
	if (n < len && n - text_printable(out) < 4)
		out[text_printable(out)] = 0;
	if (out[text_printable(out)] || strlen(out) + 4 < n)
		return false;
	for (char *s = out; *s; s++)
		if (*s == '\n' || *s == '\t')
			*s = ' ';
	return true;
}

/* The value at @data as text. */
static bool read_value(struct crash *c, u64 kind, u64 size, u64 data, char *out, size_t len)
{
	unsigned unused = 64 - 8 * (unsigned)size;
	u64 v;

	if (kind == KIND_STRING && size == 2ull * c->core->layout.word)
		return read_go_string(c, data, out, len);
	if (kind > KIND_UINTPTR || size > 8 || !size || !space_uint(c->u, data, (unsigned)size, &v))
		return false;
	if (kind == KIND_BOOL)
		put_fmt(out, len, v ? "true" : "false");
	else if (kind <= KIND_INT64)
		put_fmt(out, len, "%" PRId64, (s64)(v << unused) >> unused);
	else
		put_fmt(out, len, "%" PRIu64, v);
	return true;
}

/* [from, to) of the stack that is frame @i's. */
static bool frame_range(const struct crash *c, size_t i, u64 *from, u64 *to)
{
	enum { FRAME_MAX = 8192 };
	const struct stack *s = &c->v->stack;

	if (i + 1 >= s->n || !s->frames[i].sp || s->frames[i + 1].sp <= s->frames[i].sp || s->frames[i + 1].sp - s->frames[i].sp > FRAME_MAX)
		return false;
	*from = s->frames[i].sp;
	*to = s->frames[i + 1].sp;
	return true;
}

/* An interface in the frame whose value can be read; strings go first, which a runtime makes of most. */
static bool find_value(struct crash *c, size_t frame, bool is_string, char *out, size_t len, u64 *at)
{
	unsigned word = c->core->layout.word;
	u64 from, to, type, data, size, kind;

	if (!frame_range(c, frame, &from, &to))
		return false;
	for (*at = from; *at + word < to; *at += word)
		if (space_word(c->u, *at, &type) && space_word(c->u, *at + word, &data) && type_kind(c, type, &size, &kind) &&
		    (kind == KIND_STRING) == is_string && read_value(c, kind, size, data, out, len))
			return true;
	return false;
}

/* What throw() and fatal() have in their frames, for the function that prints it: an address in the program, and a length. */
static bool find_text(struct crash *c, size_t frame, char *out, size_t len, u64 *at)
{
	enum { LEAST = 4, MOST = 512 };
	unsigned word = c->core->layout.word;
	u64 from, to, text, n;

	if (!frame_range(c, frame, &from, &to))
		return false;
	for (*at = from; *at <= to; *at += word)
		if (space_word(c->u, *at, &text) && module_at(c->u, text) && !space_is_code(c->u, text) &&
		    space_word(c->u, *at + word, &n) && n >= LEAST && n <= MOST && read_go_string(c, *at, out, len))
			return true;
	return false;
}

/* " in NAME" of the first function that is not the runtime's. */
static const char *called_in(struct crash *c, size_t from, char out[160])
{
	char name[128];

	*out = 0;
	for (size_t i = from; !*out && i < c->v->stack.n; i++)
		if (*crash_function(c, i, name, sizeof(name)) && strncmp(name, "runtime.", 8) && strncmp(name, "sync.", 5))
			put_fmt(out, 160, " in %s", name);
	return out;
}

static bool find_frame(struct crash *c, const char *const names[], size_t n, size_t *out)
{
	enum { DEPTH = 32 };
	char name[128];

	for (size_t i = 0; i < c->v->stack.n && i < DEPTH; i++) {
		crash_function(c, i, name, sizeof(name));
		for (size_t k = 0; k < n; k++)
			if (!strcmp(name, names[k])) {
				*out = i;
				return true;
			}
	}
	return false;
}

bool row_go_panic(struct crash *c)
{
	static const char *const names[] = { "runtime.gopanic" };
	char in[160], value[280];
	size_t frame;
	u64 at;
	bool found;

	if (!crash_is_abort(c) || !find_frame(c, names, 1, &frame))
		return false;
	called_in(c, frame, in);
	found = find_value(c, frame, true, value, sizeof(value), &at) || find_value(c, frame, false, value, sizeof(value), &at);
	say(c, found ? "a Go program has panicked%s: %.250s" : "a Go program has panicked%s; the value is not known", in, value);
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the runtime's function for panics is on the stack");
	show_frame(c, frame, "runtime.gopanic");
	if (found)
		show_mem(c, at, "the panic's value: \"%.250s\"", value);
	return true;
}

bool row_go_fatal(struct crash *c)
{
	static const char *const names[] = { "runtime.throw", "runtime.fatal" }, *const ends[] = { "runtime.fatalthrow", "runtime.fatalthrow.func1" };
	char in[160], text[280];
	size_t frame;
	u64 at = 0;
	bool found, has_frame = crash_is_abort(c) && find_frame(c, names, ARRAY_SIZE(names), &frame);

	if (!has_frame && !(crash_is_abort(c) && find_frame(c, ends, ARRAY_SIZE(ends), &frame)))
		return false;
	found = has_frame && find_text(c, frame, text, sizeof(text), &at);
	called_in(c, frame, in);
	say(c, found ? "the Go runtime has ended the program%s: fatal error: %.250s" :
	    "the Go runtime has ended the program%s by a fatal error, whose text is not known", in, text);
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the runtime's functions for fatal errors are on the stack");
	show_frame(c, frame, "the runtime's function for fatal errors");
	if (found)
		show_mem(c, at, "its text: \"%.250s\"", text);
	try_next(c, "tagcore stack has the threads; what each goroutine did was written to standard error");
	return true;
}
