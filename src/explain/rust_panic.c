#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/rust_panic.h"

/*
 * What the hook of a panic is given is on the stack of the function that calls it: a reference to the payload, which is
 * its address and that of its table of functions, and one to the place in the source (rustc 1.81 to 1.95,
 * library/std/src/panic.rs: struct PanicHookInfo; before, library/core/src/panic/panic_info.rs: struct PanicInfo, which
 * has another word between).  A table begins with a destructor, the size and the alignment; a place is { file, its
 * length, line, column }, of core/src/panic/location.rs.  rustc may order members as it likes, and does not here.
 */
enum { FILE_MAX = 256, LINE_MAX = 10000000, COLUMN_MAX = 1000000, PAYLOAD_MAX = 4096, STRING_MAX = 1 << 30 };

/* Text of exactly @len bytes, or the beginning of it; false where it is none. */
static bool read_str(struct crash *c, u64 at, u64 len, char *out, size_t size)
{
	size_t n = min(len, (u64)size - 1), good;

	if (!at || !n || !space_read(c->u, at, out, n))
		return false;
	out[n] = 0;
	good = text_printable(out);
	/* It may be cut within a character. */
	if (good < n && (n == len || n - good > 3))
		return false;
	out[good] = 0;
	/* assert_eq!() writes several lines. */
	for (char *s = out; *s; s++)
		if (*s == '\n' || *s == '\t')
			*s = ' ';
	return true;
}

/* In the program or a library. */
static bool is_constant(struct crash *c, u64 addr)
{
	return module_at(c->u, addr) != NULL;
}

bool rust_location(struct crash *c, u64 at, struct rust_location *out)
{
	unsigned word = c->core->layout.word;
	u64 file, len, line, column;

	if (at % word || !is_constant(c, at) || !space_word(c->u, at, &file) || !is_constant(c, file) || !space_word(c->u, at + word, &len) ||
	    len < 4 || len > FILE_MAX || !space_uint(c->u, at + 2ull * word, 4, &line) || !space_uint(c->u, at + 2ull * word + 4, 4, &column) ||
	    !line || line > LINE_MAX || !column || column > COLUMN_MAX || !read_str(c, file, len, out->file, sizeof(out->file)) ||
	    strlen(out->file) != len || strcmp(out->file + len - 3, ".rs"))
		return false;
	out->line = (u32)line;
	out->column = (u32)column;
	return true;
}

/* ---- the payload */

/* A String's members: the address is between or before capacity and length (library/alloc/src/raw_vec.rs, by version). */
static bool read_string(struct crash *c, u64 at, char *out, size_t size)
{
	static const struct { u8 cap, ptr; } orders[] = { { 0, 1 }, { 1, 0 } };
	unsigned word = c->core->layout.word;
	u64 v[3];

	for (unsigned i = 0; i < 3; i++)
		if (!space_word(c->u, at + i * word, &v[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (v[2] <= v[orders[i].cap] && v[orders[i].cap] < STRING_MAX && read_str(c, v[orders[i].ptr], v[2], out, size))
			return true;
	return false;
}

static bool payload_size(struct crash *c, u64 table, u64 *size)
{
	unsigned word = c->core->layout.word;
	u64 drop, align;

	return table % word == 0 && is_constant(c, table) && space_word(c->u, table, &drop) && (!drop || space_is_code(c->u, drop)) &&
	       space_word(c->u, table + word, size) && *size <= PAYLOAD_MAX && space_word(c->u, table + 2ull * word, &align) &&
	       align && align <= 64 && !(align & (align - 1)) && *size % align == 0;
}

bool rust_payload(struct crash *c, u64 data, u64 table, char *out, size_t len)
{
	unsigned word = c->core->layout.word;
	u64 size, text, n;
	bool found = false;

	if (!payload_size(c, table, &size))
		return false;
	/* A &str; or a String, perhaps with a reference after it. */
	if (size == 2ull * word)
		found = space_word(c->u, data, &text) && space_word(c->u, data + word, &n) && read_str(c, text, n, out, len);
	else if (size == 3ull * word || size == 4ull * word)
		found = read_string(c, data, out, len);
	if (!found)
		*out = 0;
	return true;
}

/* ---- */

bool rust_panic_find(struct crash *c, u64 from, u64 bytes, struct rust_panic *out)
{
	unsigned word = c->core->layout.word;
	u64 w[4] = { 0 }, at = from & ~(u64)(word - 1);

	/* The newest words, the last of them the place. */
	for (u64 end = range_end(at, bytes); at < end && space_word(c->u, at, &w[3]); at += word) {
		*out = (struct rust_panic){ .found_at = at };
		if (rust_location(c, w[3], &out->location) &&
		    (rust_payload(c, w[1], w[2], out->message, sizeof(out->message)) ||
		     rust_payload(c, w[0], w[1], out->message, sizeof(out->message))))
			return true;
		memmove(w, w + 1, 3 * sizeof(*w));
	}
	return false;
}

/*
 * A panic on its way is an exception of the class "MOZ\0RUST", whose header of four words is followed by an address
 * that marks it, since 1.62 or so, and by the payload (library/panic_unwind/src/gcc.rs: struct Exception).
 */
bool rust_exception_find(struct crash *c, u64 from, u64 bytes, char *message, size_t size)
{
	static const u8 class[8] = { 'M', 'O', 'Z', 0, 'R', 'U', 'S', 'T' };
	u64 mark = uint_get(c->core->fmt, class, sizeof(class)), v, at = from & ~7ull, data, table, is;

	for (u64 end = range_end(at, bytes); c->core->layout.word == 8 && at < end && space_word(c->u, at, &v); at += 8)
		for (u64 payload = v + 40; v % 16 == 0 && space_word(c->u, v, &is) && is == mark && payload >= v + 32; payload -= 8)
			if (space_word(c->u, payload, &data) && space_word(c->u, payload + 8, &table) &&
			    rust_payload(c, data, table, message, size) && *message)
				return true;
	return false;
}
