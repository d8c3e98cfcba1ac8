#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

const char *text_size(u64 bytes, char out[TEXT_SIZE_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t i = 0;

	for (; v >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
		v /= 1024;
	snprintf(out, TEXT_SIZE_MAX, i ? "%.1f %s" : "%.0f %s", v, units[i]);
	return out;
}

/*
 * Characters that turn the direction of what follows, so that a name reads as
 * another: property Bidi_Control of Unicode (PropList.txt), that is U+061C,
 * U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
 */
static bool is_bidi_control(const u8 *s, size_t n)
{
	if (n == 2)
		return s[0] == 0xd8 && s[1] == 0x9c;
	if (n != 3 || s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae))) ||
	       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

const char *text_end(u64 end, char out[TEXT_END_MAX])
{
	if (end == UINT64_MAX)
		snprintf(out, TEXT_END_MAX, "0x10000000000000000");
	else
		snprintf(out, TEXT_END_MAX, "0x%llx", (unsigned long long)end);
	return out;
}

/* Length of the well-formed UTF-8 sequence at @s that is not a control character, or 0. */
static size_t utf8_len(const u8 *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
		   s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (n == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* U+0080..U+009F are control characters, too; surrogates and overlong forms are not characters. */
	if ((n == 2 && s[0] == 0xc2 && s[1] < 0xa0) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (n == 3 && s[0] == 0xed && s[1] >= 0xa0) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (n == 4 && s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return is_bidi_control(s, n) ? 0 : n;
}

/* One character of @s as it may be shown, in @out; returns how many bytes of @s it took. */
static size_t escape_one(const char *s, char out[8])
{
	size_t n = utf8_len((const u8 *)s);

	if (n) {
		memcpy(out, s, n);
		out[n] = 0;
		return n;
	}
	snprintf(out, 8, "\\%03o", (u8)*s);
	return 1;
}

void text_puts(FILE *f, const char *s)
{
	char one[8];

	while (s && *s) {
		s += escape_one(s, one);
		fputs(one, f);
	}
}

const char *text_escape(const char *s, char *out, size_t size)
{
	char one[8];
	size_t at = 0;

	while (s && *s) {
		s += escape_one(s, one);
		if (at + strlen(one) + 1 > size)
			break;
		memcpy(out + at, one, strlen(one));
		at += strlen(one);
	}
	out[at] = 0;
	return out;
}

size_t text_printable(const char *s)
{
	size_t n = 0, len;

	while (s[n] && (len = strchr("\t\n", s[n]) ? 1 : utf8_len((const u8 *)s + n)))
		n += len;
	return n;
}

int text_parse_u64(const char *s, int base, bool suffixes, u64 *out)
{
	static const char letters[] = "KMGTP";
	const char *letter;
	unsigned long long v;
	char *end;
	unsigned shift = 0;

	if (!(*s >= '0' && *s <= '9') && !(base == 16 && strchr("abcdefABCDEF", *s) && *s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, base);
	if (errno)
		return -errno;
	if (suffixes && *end && (letter = strchr(letters, *end & ~0x20))) {
		shift = 10 * (unsigned)(letter - letters + 1);
		end++;
		if (!strcmp(end, "iB") || !strcmp(end, "B"))
			end += strlen(end);
	}
	if (*end)
		return -EINVAL;
	if (shift && v >> (64 - shift))
		return -ERANGE;
	*out = v << shift;
	return 0;
}

const char *text_rwx(bool r, bool w, bool x, char out[4])
{
	out[0] = r ? 'r' : '-';
	out[1] = w ? 'w' : '-';
	out[2] = x ? 'x' : '-';
	out[3] = 0;
	return out;
}

const char *text_hex(const u8 *p, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = 0;
	return out;
}

int text_parse_end(const char *s, u64 *out)
{
	const char *digits = s + (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 2 : 0);

	if (strcmp(digits, "10000000000000000") != 0)
		return text_parse_u64(s, 16, false, out);
	*out = UINT64_MAX;
	return 0;
}
