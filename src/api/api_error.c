#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/bytes.h"
#include "base/util.h"

SAME(TAGCORE_ERR_INPUT, ERR_INPUT);
SAME(TAGCORE_ERR_TRUNCATED, ERR_TRUNCATED);
SAME(TAGCORE_ERR_UNSUPPORTED, ERR_UNSUPPORTED);
SAME(TAGCORE_ERR_GONE, ERR_GONE);
SAME(TAGCORE_ERR_LIMIT, ERR_LIMIT);
SAME(TAGCORE_ERR_CANCELLED, ERR_CANCELLED);
SAME(TAGCORE_ERR_USAGE, ERR_USAGE);
SAME(TAGCORE_ERR_TIMEOUT, ERR_TIMEOUT);

const char *tagcore_version(void)
{
	return TAGCORE_VERSION;
}

const char *tagcore_error_kind(int code)
{
	return err_kind(code);
}

int api_error(struct tagcore_error *to, int r, const struct err *from)
{
	if (!to)
		return r;
	*to = (struct tagcore_error){ .code = r, .has_offset = from->has_off, .offset = from->off };
	snprintf(to->message, sizeof(to->message), "%s", from->msg);
	return r;
}

int api_fail(struct tagcore_error *to, int code, const char *fmt, ...)
{
	struct err e = { 0 };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return api_error(to, err_set(&e, code, "%s", text), &e);
}

/* As the kernel's copy_struct_from_user(), include/linux/uaccess.h. */
int api_options(void *to, size_t size, const void *options, struct tagcore_error *error)
{
	enum { MOST = 4096 };
	size_t given = 0;

	memset(to, 0, size);
	if (!options)
		return 0;
	memcpy(&given, options, sizeof(given));
	if (given < sizeof(given) || given > MOST)
		return api_fail(error, ERR_USAGE, "the options say that their size is %zu: it is to be their sizeof", given);
	if (given > size && !mem_is_zero((const u8 *)options + size, given - size))
		return api_fail(error, ERR_UNSUPPORTED, "options are used that this version of the library does not know");
	memcpy(to, options, min(given, size));
	return 0;
}

int api_walked(bool ended, int r, struct tagcore_error *error, const struct err *e)
{
	return r && !ended ? api_error(error, r, e) : r;
}
