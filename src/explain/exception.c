#include <inttypes.h>
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

/* ---- values that are no classes */

static const struct number {
	const char *mangled;	/* Itanium C++ ABI, 5.1.5.2: builtin types */
	unsigned size;
	bool is_signed;
} numbers[] = {
	{ "i", 4, true }, { "j", 4, false }, { "l", 8, true }, { "m", 8, false }, { "x", 8, true }, { "y", 8, false },
	{ "s", 2, true }, { "t", 2, false }, { "c", 1, true }, { "a", 1, true }, { "h", 1, false }, { "b", 1, false },
};

static void read_number(struct crash *c, const struct number *n, struct exception *out)
{
	unsigned unused = 64 - 8 * n->size;
	u64 v;

	if (!space_uint(c->u, out->object, n->size, &v))
		return;
	if (n->is_signed)
		put_fmt(out->value, sizeof(out->value), "%" PRId64, (s64)(v << unused) >> unused);
	else
		put_fmt(out->value, sizeof(out->value), "%" PRIu64, v);
}

/* A char * or a std::string: either begins with a pointer to the text (libstdc++, bits/basic_string.h: _Alloc_hider). */
static void read_string(struct crash *c, struct exception *out)
{
	char text[sizeof(out->value) - 2];
	u64 at;

	if (!space_word(c->u, out->object, &at))
		return;
	memory_text(c, at, text, sizeof(text));
	if (*text)
		put_fmt(out->value, sizeof(out->value), "\"%s\"", text);
}

static void read_value(struct crash *c, const char *mangled, struct exception *out)
{
	static const char string[] = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(mangled, numbers[i].mangled))
			read_number(c, &numbers[i], out);
	if (!strcmp(mangled, string))
		put_fmt(out->type, sizeof(out->type), "std::string");
	if (!strcmp(mangled, string) || !strcmp(mangled, "PKc") || !strcmp(mangled, "Pc"))
		read_string(c, out);
}

/* ---- classes */

/* "*" begins a name that is compared by address. */
static bool type_name(struct crash *c, u64 type, char *out, size_t size)
{
	u64 name;

	if (!space_word(c->u, type + 8, &name))
		return false;
	memory_text(c, name, out, size);
	if (*out == '*')
		memmove(out, out + 1, strlen(out));
	return *out != 0;
}

/*
 * The class of @type has a string, and a pointer to its text is the first member: std::runtime_error, std::logic_error
 * and what has one of them as its first base.  A class with one base has a pointer to its type_info as third word
 * (Itanium C++ ABI, 2.9.5: __si_class_type_info).
 */
static bool has_string(struct crash *c, u64 type)
{
	enum { DEPTH = 16 };
	char mangled[160];

	for (int i = 0; i < DEPTH && type_name(c, type, mangled, sizeof(mangled)); i++)
		if (!strcmp(mangled, "St13runtime_error") || !strcmp(mangled, "St11logic_error"))
			return true;
		else if (!space_word(c->u, type + 16, &type))
			return false;
	return false;
}

/* A class has its name's length or a scope before the name. */
static bool is_class(const char *mangled)
{
	return (*mangled >= '0' && *mangled <= '9') || *mangled == 'N' || (*mangled == 'S' && mangled[1] == 't');
}

static void read_class(struct crash *c, u64 type, struct exception *out)
{
	enum { LEAST = 4 };	/* what is shorter may be a number that looks like text */
	u64 text;

	out->is_standard = has_string(c, type);
	if (space_word(c->u, out->object + 8, &text))
		memory_text(c, text, out->text, sizeof(out->text));
	if (!out->is_standard && strlen(out->text) < LEAST)
		*out->text = 0;
}

/* The object that follows the header at @header. */
static bool read_object(struct crash *c, u64 header, struct exception *out)
{
	char mangled[160];
	u64 type;

	*out = (struct exception){ .object = header + HEADER };
	if (!space_word(c->u, header - TYPE_BEFORE, &type) || !type_name(c, type, mangled, sizeof(mangled)))
		return false;
	name_type(c, mangled, out);
	out->is_bad_alloc = !strcmp(mangled, "St9bad_alloc");
	read_value(c, mangled, out);
	if (is_class(mangled) && !*out->value)
		read_class(c, type, out);
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
