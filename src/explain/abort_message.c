#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"

/*
 * glibc keeps what it writes before abort(3) at __abort_msg: a pointer to { unsigned int size; char msg[]; }, in pages of
 * its own of @size bytes (glibc 2.36, sysdeps/posix/libc_fatal.c and assert/assert.c; include/stdlib.h: struct abort_msg_s).
 */
enum { MESSAGE_MAX = 1024, SIZE_MAX_PAGES = 16 << 20 };

static bool is_text(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((u8)s[i] < 0x20 && s[i] != '\n' && s[i] != '\t')
			return false;
	return n != 0;
}

/* The message of the structure at @at; the caller frees it. */
static char *read_message(struct crash *c, u64 at)
{
	char *text = calloc(1, MESSAGE_MAX + 1);
	enum mem_state state;
	u64 size;
	size_t n = 0, len;
	struct err e;

	if (text && space_uint(c->u, at, 4, &size) && size >= 8 && size <= SIZE_MAX_PAGES &&
	    !core_read(c->core, core_untag(c->core, at + 4), text, min((size_t)size - 4, (size_t)MESSAGE_MAX), &state, &n, &e) &&
	    state == MEM_PRESENT) {
		len = strnlen(text, n);
		while (len && text[len - 1] == '\n')
			text[--len] = 0;
		text[len] = 0;
		if (is_text(text, len))
			return text;
	}
	free(text);
	return NULL;
}

/* ---- by the symbol */

static bool is_libc(const struct module *m)
{
	const char *name = m->path ? strrchr(m->path, '/') : NULL;

	return m->is_main || (name && (!strncmp(name, "/libc.so", 8) || !strncmp(name, "/libc-", 6)));
}

static char *by_symbol(struct crash *c)
{
	char *text = NULL;
	u64 at;

	for (size_t i = 0; !text && i < c->u->n_mods; i++)
		if (is_libc(&c->u->mods[i]) && variable_of_module(c, &c->u->mods[i], "__abort_msg", &at) && space_word(c->u, at, &at) && at)
			text = read_message(c, at);
	return text;
}

/* ---- without: pages of their own, whose first number is their size */

bool find_own_page(struct crash *c, u64 area_max, size_t pages_max, own_page_fn *is_it, void *arg)
{
	enum { PAGE = 4096 };

	for (size_t i = 0; i < c->core->n_areas && pages_max; i++) {
		const struct core_area *a = &c->core->areas[i];
		bool known;

		if (a->end - a->start > area_max || core_map_at(c->core, a->start) || !(core_area_prot(c->core, a, &known) & PF_W) || !known)
			continue;
		for (u64 at = a->start; at < a->saved_end && pages_max; at += PAGE, pages_max--)
			if (is_it(c, a, at, arg))
				return true;
	}
	return false;
}

static bool page_is_message(struct crash *c, const struct core_area *a, u64 at, void *arg)
{
	enum { PAGE = 4096 };
	char **out = arg;
	u64 size;

	if (!space_uint(c->u, at, 4, &size) || size % PAGE || !size || size > a->end - at)
		return false;
	*out = read_message(c, at);
	/* What glibc writes is a sentence of its own, or of assert(3). */
	if (*out && (strstr(*out, "***") || strstr(*out, "Assertion ") || strstr(*out, "(): ") || strstr(*out, "malloc")))
		return true;
	free(*out);
	*out = NULL;
	return false;
}

static char *by_size(struct crash *c)
{
	enum { PAGES_MAX = 65536 };
	char *text = NULL;

	find_own_page(c, SIZE_MAX_PAGES, PAGES_MAX, page_is_message, &text);
	return text;
}

const char *abort_message(struct crash *c)
{
	if (!c->message && !c->no_message) {
		c->message = by_symbol(c);
		if (!c->message)
			c->message = by_size(c);
		c->no_message = !c->message;
	}
	return c->message;
}

bool abort_has_message(struct crash *c, const char *part)
{
	const char *text = crash_is_abort(c) ? abort_message(c) : NULL;

	return text && strstr(text, part);
}

void abort_show_message(struct crash *c)
{
	char name[128];
	size_t i = abort_caller(c, name, sizeof(name));

	show_thread(c, "the C library's message before abort: \"%.280s\"", abort_message(c));
	if (i)
		show_frame(c, i, "%s led to the call of abort", name);
}
