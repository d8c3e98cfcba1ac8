/*
 * jsonq FILE [PATH...]: a strict JSON parser (RFC 8259) for the tests.  Without
 * a PATH it only checks.  A PATH is .key and [index] steps; a # at its end asks
 * for the number of members, a @ for the keys.  Prints one line for each PATH;
 * strings are unescaped.  Exit 0; 1 when a PATH leads nowhere; 2 when the file
 * is not exactly one JSON document.
 */
#include "target.h"

#include <ctype.h>

#define DEPTH 64	/* of nesting */

static const char *skip_value(const char *p, int depth);

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* All skip_*: the end of the thing at @p, or NULL when it is not one. */
static const char *skip_escape(const char *p)
{
	if (*p != 'u')
		return *p && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
	for (int i = 1; i <= 4; i++)
		if (!isxdigit((unsigned char)p[i]))
			return NULL;
	return p + 5;
}

/* One character; what is not ASCII must be UTF-8 of two to four bytes. */
static const char *skip_utf8(const char *p)
{
	unsigned char c = (unsigned char)*p;
	int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 :
		   c >= 0xf0 && c < 0xf5 ? 3 : -1;

	if (more < 0)
		return NULL;
	for (p++; more; more--, p++)
		if (((unsigned char)*p & 0xc0) != 0x80)
			return NULL;
	return p;
}

static const char *skip_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (p && *p != '"') {
		if ((unsigned char)*p < 0x20)
			return NULL;
		p = *p == '\\' ? skip_escape(p + 1) : skip_utf8(p);
	}
	return p ? p + 1 : NULL;
}

static const char *skip_digits(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return n ? p + n : NULL;
}

static const char *skip_number(const char *p)
{
	p += *p == '-';
	p = *p == '0' ? p + 1 : skip_digits(p);
	if (p && *p == '.')
		p = skip_digits(p + 1);
	if (p && (*p == 'e' || *p == 'E')) {
		p++;
		p = skip_digits(p + (*p == '+' || *p == '-'));
	}
	return p;
}

/* The key and the colon of a member, up to its value. */
static const char *skip_key(const char *p)
{
	p = skip_string(p);
	if (!p)
		return NULL;
	p = skip_space(p);
	return *p == ':' ? skip_space(p + 1) : NULL;
}

/* After the comma and the space after a value; at the end, at the bracket. */
static const char *skip_comma(const char *p, char close)
{
	p = skip_space(p);
	if (*p == close)
		return p;
	if (*p != ',')
		return NULL;
	p = skip_space(p + 1);
	return *p == close ? NULL : p;
}

static const char *skip_members(const char *p, int depth)
{
	char close = *p == '{' ? '}' : ']';

	if (depth > DEPTH)
		return NULL;
	for (p = skip_space(p + 1); p && *p != close;) {
		if (close == '}')
			p = skip_key(p);
		p = p ? skip_value(p, depth + 1) : NULL;
		p = p ? skip_comma(p, close) : NULL;
	}
	return p ? p + 1 : NULL;
}

static const char *skip_value(const char *p, int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	if (*p == '{' || *p == '[')
		return skip_members(p, depth);
	if (*p == '"')
		return skip_string(p);
	for (int i = 0; i < 3; i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	return skip_number(p);
}

/* From here on the text is known to be good. */

/* The value of @key (@len bytes), or, with key NULL, of member @index; NULL if there is no such value. */
static const char *member(const char *p, const char *key, size_t len, long index)
{
	char open = *p, close = open == '{' ? '}' : ']';

	if (open != (key ? '{' : '['))
		return NULL;
	for (p = skip_space(p + 1); *p != close; p = skip_comma(skip_value(p, 0), close)) {
		const char *name = p;

		if (key)
			p = skip_key(p);
		if (key ? !strncmp(name + 1, key, len) && name[1 + len] == '"' : index-- == 0)
			return p;
	}
	return NULL;
}

static const char *step(const char *p, const char **path)
{
	const char *at = *path;
	char *end;
	long index;

	if (*at == '.') {
		size_t len = strcspn(at + 1, ".[#@");

		*path = at + 1 + len;
		return member(p, at + 1, len, 0);
	}
	if (*at != '[')
		return NULL;
	index = strtol(at + 1, &end, 10);
	*path = *end == ']' ? end + 1 : end;
	return member(p, NULL, 0, index);
}

static int print_members(const char *p, int keys)
{
	char open = *p, close = open == '{' ? '}' : ']';
	long n = 0;

	if (open != '{' && (keys || open != '['))
		return 1;
	for (p = skip_space(p + 1); *p != close; p = skip_comma(skip_value(p, 0), close), n++) {
		const char *name = p;

		if (open == '{')
			p = skip_key(p);
		if (keys)
			printf("%s%.*s", n ? " " : "", (int)(skip_string(name) - name - 2), name + 1);
	}
	if (keys)
		putchar('\n');
	else
		printf("%ld\n", n);
	return 0;
}

/* Code points below 0x80 only: the tests ask for no others by escape. */
static const char *put_escape(const char *p)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found = strchr(from, *p);
	char digits[5] = "";

	if (*p == 'u') {
		memcpy(digits, p + 1, 4);
		putchar((int)strtol(digits, NULL, 16) & 0x7f);
		return p + 5;
	}
	putchar(found ? to[found - from] : *p);
	return p + 1;
}

static int print_value(const char *p)
{
	const char *end = skip_value(p, 0);

	if (*p != '"') {
		printf("%.*s\n", (int)(end - p), p);
		return 0;
	}
	for (p++; p < end - 1;) {
		if (*p == '\\') {
			p = put_escape(p + 1);
			continue;
		}
		putchar(*p++);
	}
	putchar('\n');
	return 0;
}

static int query(const char *p, const char *path)
{
	while (*path && *path != '#' && *path != '@') {
		p = step(p, &path);
		if (!p)
			return 1;
	}
	return *path ? print_members(p, *path == '@') : print_value(p);
}

static char *slurp(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
	size_t len = 0, cap = 1 << 16, n;
	char *p = malloc(cap);

	must(f && p, path);
	while ((n = fread(p + len, 1, cap - len - 1, f))) {
		len += n;
		if (cap - len < 2)
			must((p = realloc(p, cap *= 2)) != NULL, "realloc");
	}
	p[len] = 0;
	if (strlen(p) != len)
		p[0] = 0;	/* a NUL inside is no JSON */
	return p;
}

int main(int argc, char **argv)
{
	const char *text, *end;
	int bad = 0;

	must(argc > 1, "usage: jsonq FILE [PATH...]");
	text = skip_space(slurp(argv[1]));
	end = skip_value(text, 0);
	if (!end || *skip_space(end)) {
		fprintf(stderr, "jsonq: %s: not one JSON document\n", argv[1]);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		bad |= query(text, argv[i]);
	return bad;
}
