#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/crash.h"

void memory_text_raw(struct crash *c, u64 at, char *out, size_t size)
{
	enum mem_state state;
	size_t n = 0;
	struct err e;

	if (!at || core_read(c->core, at, out, size - 1, &state, &n, &e) || state != MEM_PRESENT)
		n = 0;
	/* Names of types of the library's are in its file. */
	if (!n && !space_read(c->u, at, out, n = 1))
		n = 0;
	while (n && n < size - 1 && memchr(out, 0, n) == NULL && space_read(c->u, at + n, out + n, 1))
		n++;
	out[n] = 0;
}

void memory_text(struct crash *c, u64 at, char *out, size_t size)
{
	memory_text_raw(c, at, out, size);
	/* It may be cut within a character, of four bytes at most. */
	if (strlen(out) == size - 1 && size - 1 - text_printable(out) < 4)
		out[text_printable(out)] = 0;
	if (out[text_printable(out)])
		*out = 0;
}
