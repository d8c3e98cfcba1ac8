#include "cli/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view_text.h"

enum { INDENT = 4, KEY_WIDTH = 16, LINE_BYTES = 16 };

static void begin(struct show *s, const char *key)
{
	if (s->json)
		fprintf(s->f, key ? "%s\"%s\": " : "%s", s->any ? ", " : "", key);
	else if (s->row)
		fputs(s->any ? "  " : "", s->f);
	else if (key)
		fprintf(s->f, "%*s%-*s ", (int)s->depth * INDENT, "", KEY_WIDTH, key);
	s->any = true;
}

static void end(struct show *s)
{
	if (!s->json && !s->row)
		fputc('\n', s->f);
}

static void nest(struct show *s, const char *key, char bracket)
{
	if (s->json) {
		begin(s, key);
		fputc(bracket, s->f);
	} else if (key) {
		fprintf(s->f, "%*s%s:\n", (int)s->depth * INDENT, "", key);
	}
	s->any = false;
	s->depth++;
}

static void unnest(struct show *s, char bracket)
{
	if (s->json)
		fputc(bracket, s->f);
	s->any = true;
	s->depth--;
}

void show_open(struct show *s, const char *key)
{
	nest(s, key, '{');
}

void show_close(struct show *s)
{
	unnest(s, '}');
}

void show_list(struct show *s, const char *key)
{
	nest(s, key, '[');
}

void show_list_end(struct show *s)
{
	unnest(s, ']');
}

void show_row(struct show *s)
{
	if (s->json)
		fputs(s->any ? ", {" : "{", s->f);
	else
		fprintf(s->f, "%*s", (int)s->depth * INDENT, "");
	s->any = false;
	s->row = true;
}

void show_row_end(struct show *s)
{
	fputc(s->json ? '}' : '\n', s->f);
	s->any = true;
	s->row = false;
}

/* A quote or backslash that is not the document's own needs one more; there are no control characters left. */
static void put_escaped(struct show *s, const char *text)
{
	for (; *text; text++) {
		if (s->json && (*text == '"' || *text == '\\'))
			fputc('\\', s->f);
		fputc(*text, s->f);
	}
}

/* In pieces: a line of a note may be as long as the note. */
static void put_string(struct show *s, struct core_text t)
{
	char raw[128], safe[4 * sizeof(raw)];

	if (s->json)
		fputc('"', s->f);
	for (size_t at = 0, n; at < t.len; at += n) {
		/* Not through the middle of a character. */
		for (n = min(t.len - at, sizeof(raw) - 1); n > 4 && at + n < t.len && (t.p[at + n] & 0xc0) == 0x80;)
			n--;
		core_text_copy((struct core_text){ .p = t.p + at, .len = n }, raw, sizeof(raw));
		put_escaped(s, text_escape(raw, safe, sizeof(safe)));
		if (strlen(raw) < n)
			break;
	}
	if (s->json)
		fputc('"', s->f);
}

void show_item(struct show *s, struct core_text t)
{
	if (s->json)
		fputs(s->any ? ", " : "", s->f);
	else
		fprintf(s->f, "%*s", (int)s->depth * INDENT, "");
	s->any = true;
	put_string(s, t);
	end(s);
}

void show_u64(struct show *s, const char *key, u64 v)
{
	begin(s, key);
	fprintf(s->f, "%" PRIu64, v);
	end(s);
}

void show_s64(struct show *s, const char *key, s64 v)
{
	begin(s, key);
	fprintf(s->f, "%" PRId64, v);
	end(s);
}

void show_hex(struct show *s, const char *key, u64 v)
{
	begin(s, key);
	fprintf(s->f, s->json ? "\"0x%" PRIx64 "\"" : "0x%" PRIx64, v);
	end(s);
}

void show_bool(struct show *s, const char *key, bool v)
{
	begin(s, key);
	fputs(s->json ? v ? "true" : "false" : v ? "yes" : "no", s->f);
	end(s);
}

void show_str(struct show *s, const char *key, const char *v)
{
	if (v) {
		show_text(s, key, (struct core_text){ .p = v, .len = strlen(v) });
	} else if (s->json) {
		begin(s, key);
		fputs("null", s->f);
	}
}

void show_text(struct show *s, const char *key, struct core_text t)
{
	begin(s, key);
	put_string(s, t);
	end(s);
}

void show_fmt(struct show *s, const char *key, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	show_str(s, key, text);
}

static void dump_line(struct show *s, struct bytes b, size_t at)
{
	size_t n = min((size_t)LINE_BYTES, b.len - at);

	fprintf(s->f, "%*s%06zx ", (int)(s->depth + 1) * INDENT, "", at);
	for (size_t i = 0; i < LINE_BYTES; i++)
		if (i < n)
			fprintf(s->f, " %02x", b.p[at + i]);
		else
			fputs("   ", s->f);
	fputs("  |", s->f);
	for (size_t i = 0; i < n; i++) {
		u8 c = b.p[at + i];

		fputc(c >= 0x20 && c < 0x7f ? c : '.', s->f);
	}
	fputs("|\n", s->f);
}

void show_bytes(struct show *s, const char *key, struct bytes b)
{
	size_t n = s->all ? b.len : min(b.len, (size_t)SHOW_BYTES_MAX);

	if (s->json) {
		begin(s, key);
		fputc('"', s->f);
		for (size_t i = 0; i < b.len; i++)
			fprintf(s->f, "%02x", b.p[i]);
		fputc('"', s->f);
		return;
	}
	fprintf(s->f, "%*s%s:\n", (int)s->depth * INDENT, "", key);
	for (size_t at = 0; at < n; at += LINE_BYTES)
		dump_line(s, b, at);
	if (n < b.len)
		fprintf(s->f, "%*s%zu bytes more; name the note to see them: inspect notes NUMBER\n",
			(int)(s->depth + 1) * INDENT, "", b.len - n);
}

void show_regs(struct show *s, const struct view_set *set)
{
	char buf[VIEW_REG_MAX];

	if (!s->json) {
		view_set_text(s->f, set, (int)s->depth * INDENT);
		return;
	}
	show_open(s, "registers");
	for (unsigned i = 0; i < set->set->n_regs; i++) {
		const char *text = view_set_value(set, i, buf);

		if (text)
			show_str(s, set->set->regs[i].name, text);
	}
	show_close(s);
}
