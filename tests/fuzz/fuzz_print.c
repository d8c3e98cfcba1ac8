/* fuzz_print.c - what must hold of all that the reader prints. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "fuzz.h"

/* What the harness does is nothing to find a way through. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

void broken(const char *cond, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "fuzz: not true: %s: ", cond);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void assert_json(const char *what, const char *text, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(64);
	struct json_object *o;

	must(len && text[len - 1] == '\n', "%s --json: no newline at the end", what);
	must(!memchr(text, 0, len), "%s --json: a NUL", what);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)len - 1);
	must(json_tokener_get_error(t) == json_tokener_success, "%s --json: %s\n%s", what,
	     json_tokener_error_desc(json_tokener_get_error(t)), text);
	json_object_put(o);
	json_tokener_free(t);
}

/* All of it is printable: ASCII, or UTF-8 above the second row of control characters. */
void assert_printable(const char *what, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		u8 ch = (u8)text[i];

		must((ch >= 0x20 && ch != 0x7f) || ch == '\n', "%s: character 0x%02x in\n%s", what, ch, text);
		must(ch != 0xc2 || (u8)text[i + 1] >= 0xa0, "%s: control character in\n%s", what, text);
	}
}

void printed_begin(struct printed *s)
{
	*s = (struct printed){ 0 };
	s->f = open_memstream(&s->text, &s->len);
	must(s->f, "no memory");
}

void printed_end(struct printed *s, const char *what, bool json)
{
	must(!fclose(s->f), "no memory");
	assert_printable(what, s->text, s->len);
	if (json)
		assert_json(what, s->text, s->len);
	free(s->text);
}

#ifdef __clang__
#pragma clang attribute pop
#endif
