#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "unwind/dwarf/debuginfo.h"

/*
 * A thrown object follows its header, of which an _Unwind_Exception is the end: its first word says "GNUCC++\0", and
 * 80 bytes before it is the pointer to the type_info (gcc 12, libstdc++-v3/libsupc++/unwind-cxx.h: struct __cxa_exception;
 * Itanium C++ ABI, "Exception Handling", 2.2).  While it is thrown the stack has pointers to it.
 */
#define CLASS_GNU_CXX 0x474e5543432b2b00ull
enum { HEADER = 32, TYPE_BEFORE = 80, STACK_BYTES = 256 << 10 };

/*
 * The allocation begins with a count of references, 1 when it is thrown (struct __cxa_refcounted_exception); free(3) writes
 * its own words there, and what was caught long ago is none.
 */
static bool is_alive(struct crash *c, u64 header)
{
	enum { COUNT_BEFORE = 128 - HEADER, COUNT_MAX = 64 };
	u64 count;

	return space_uint(c->u, header - COUNT_BEFORE, 4, &count) && count && count <= COUNT_MAX;
}

static size_t read_text(struct crash *c, u64 at, char *out, size_t size)
{
	enum mem_state state;
	size_t n = 0;
	struct err e;

	*out = 0;
	if (!at || core_read(c->core, at, out, size - 1, &state, &n, &e) || state != MEM_PRESENT)
		n = 0;
	/* Names of types of the library's are in its file. */
	if (!n && !space_read(c->u, at, out, n = 1))
		n = 0;
	while (n && n < size - 1 && memchr(out, 0, n) == NULL && space_read(c->u, at + n, out + n, 1))
		n++;
	out[n] = 0;
	n = strlen(out);
	for (size_t i = 0; i < n; i++)
		if ((u8)out[i] < 0x20 || (u8)out[i] == 0x7f)
			return 0;
	return n;
}

static void name_type(struct crash *c, const char *mangled, struct exception *out)
{
	static const char prefix[] = "typeinfo name for ";
	char symbol[180];
	const char *name;

	put_fmt(symbol, sizeof(symbol), "_ZTS%s", mangled);
	name = demangle(c->u, symbol);
	if (!strncmp(name, prefix, strlen(prefix)))
		put_fmt(out->type, sizeof(out->type), "%s", name + strlen(prefix));
	else
		put_fmt(out->type, sizeof(out->type), "%s", mangled);
}

/* Those that hold a string, and are of the library: their first member is a pointer to its text. */
static bool has_string(const char *type)
{
	static const char *const names[] = {
		"std::runtime_error", "std::logic_error", "std::invalid_argument", "std::domain_error", "std::length_error",
		"std::out_of_range", "std::range_error", "std::overflow_error", "std::underflow_error", "std::system_error",
		"std::ios_base::failure", "std::filesystem::__cxx11::filesystem_error",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(type, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The object that follows the header at @header. */
static bool read_object(struct crash *c, u64 header, struct exception *out)
{
	char mangled[160];
	u64 type, name, text;

	if (!space_word(c->u, header - TYPE_BEFORE, &type) || !space_word(c->u, type + 8, &name))
		return false;
	/* "*" begins a name that is compared by address. */
	if (!read_text(c, name, mangled, sizeof(mangled)))
		return false;
	name_type(c, *mangled == '*' ? mangled + 1 : mangled, out);
	out->object = header + HEADER;
	out->is_standard = has_string(out->type);
	*out->text = 0;
	if (space_word(c->u, out->object + 8, &text))
		(void)read_text(c, text, out->text, sizeof(out->text));
	if (!out->is_standard && strlen(out->text) < 4)
		*out->text = 0;
	return true;
}

bool exception_find(struct crash *c, struct exception *out)
{
	u64 at = c->sp & ~7ull, v, mark;

	if (c->core->layout.word != 8 || !c->sp)
		return false;
	for (u64 end = range_end(at, STACK_BYTES); at < end && space_word(c->u, at, &v); at += 8) {
		/* The header, or the object after it. */
		for (u64 header = v; v && !(v & 15); header = v - HEADER) {
			if (v > HEADER && space_word(c->u, header, &mark) && mark == CLASS_GNU_CXX && is_alive(c, header) &&
			    read_object(c, header, out)) {
				out->found_at = at;
				return true;
			}
			if (header != v)
				break;
		}
	}
	return false;
}
