#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"
#include "unwind/mod/mod.h"

/*
 * GLib ends programs in two ways (2.74 and 2.84, glib/gtestutils.c and glib/gmessages.c): an assertion that fails leaves its text
 * at __glib_assert_msg and calls abort(3); a message that is fatal, g_error()'s and with G_DEBUG any warning, ends in
 * G_BREAKPOINT(), int3 on x86 and raise(SIGTRAP) elsewhere, and the text is among the fields of g_log_structured_array().
 */
enum { TEXT_MAX = 400, NEAR = 16 << 10 };
static const char library[] = "/libglib-2.";

static const char *text_at(struct crash *c, u64 at, char out[TEXT_MAX])
{
	memory_text_raw(c, at, out, TEXT_MAX);
	for (char *s = out; *s; s++)
		if ((u8)*s < 0x20 || (u8)*s == 0x7f)
			*s = *s == '\n' ? ' ' : '?';
	return *out ? out : NULL;
}

static const char *assertion(struct crash *c, char out[TEXT_MAX])
{
	u64 at;

	for (size_t i = 0; i < c->u->n_mods; i++) {
		struct module *m = &c->u->mods[i];

		if (m->path && strstr(m->path, library) && variable_of_module(c, m, "__glib_assert_msg", &at) && space_word(c->u, at, &at) && at)
			return text_at(c, at, out);
	}
	return NULL;
}

/* The innermost frame that is not the C library's: what GLib has called may end the program by itself. */
static bool is_in_glib(struct crash *c)
{
	for (size_t i = c->v->frame; i < c->v->stack.n; i++) {
		const struct module *m = module_at(c->u, c->v->stack.frames[i].pc);

		if (!m || !m->path || !strstr(m->path, "/libc.so"))
			return m && m->path && strstr(m->path, library);
	}
	return false;
}

bool row_glib_assertion(struct crash *c)
{
	char text[TEXT_MAX], in[160];

	if (!crash_is_abort(c) || !is_in_glib(c) || !assertion(c, text))
		return false;
	say(c, "an assertion of GLib failed%s: %s", abort_in(c, in), text);
	say_sure(c, SURE_CERTAIN, "GLib has called abort(3), and holds the text of an assertion");
	show_thread(c, "__glib_assert_msg is \"%s\"", text);
	return true;
}

/* struct GLogField: a key, then its value. */
static const char *message_near(struct crash *c, char out[TEXT_MAX], u64 *at)
{
	static const char key[] = "MESSAGE";
	unsigned word = c->core->layout.word;
	char name[sizeof(key)];
	u64 from = c->sp > NEAR ? c->sp - NEAR : 0, v;

	for (*at = from & ~(u64)(word - 1); *at < from + 2 * NEAR; *at += word)
		if (space_word(c->u, *at, &v) && v && space_read(c->u, v, (u8 *)name, sizeof(name)) && !memcmp(name, key, sizeof(key)) &&
		    space_word(c->u, *at + word, &v) && text_at(c, v, out))
			return out;
	return NULL;
}

bool row_glib_fatal(struct crash *c)
{
	char text[TEXT_MAX], name[128];
	bool has_text;
	size_t i;
	u64 at;

	if (!crash_is(c, "TRAP") || (!c->is_fault && !crash_is_from_itself(c)) || !is_in_glib(c))
		return false;
	i = abort_caller(c, name, sizeof(name));
	has_text = message_near(c, text, &at);
	say(c, "GLib has ended the program for a fatal message%s%s%s%s", *name ? " in " : "", name, has_text ? ": " : "", has_text ? text : "");
	say_sure(c, has_text ? SURE_CERTAIN : SURE_LIKELY, "GLib has sent SIGTRAP, as it does for g_error() and for what G_DEBUG makes fatal");
	if (has_text)
		show_mem(c, at, "the field MESSAGE of what was logged last: \"%s\"", text);
	if (i)
		show_frame(c, i, "%s has logged it", name);
	show_thread(c, "SIGTRAP, in GLib");
	try_next(c, has_text ? "look for what the message says" : "the text was written to standard error, or to the journal");
	return true;
}
