#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/util.h"

static int err_fill(struct err *e, int code, const char *prefix, const char *fmt, va_list ap)
{
	size_t at;

	if (!e)
		return code;
	e->code = code;
	e->has_off = false;
	e->off = 0;
	e->sentence = (u16)strlen(prefix);
	at = (size_t)snprintf(e->msg, sizeof(e->msg), "%s", prefix);
	at += (size_t)vsnprintf(e->msg + at, sizeof(e->msg) - at, fmt, ap);
	if (code < 0 && code > -4096 && at < sizeof(e->msg))
		snprintf(e->msg + at, sizeof(e->msg) - at, ": %s", strerror(-code));
	return code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, code, "", fmt, ap);
	va_end(ap);
	return code;
}

int err_at(struct err *e, int code, u64 off, const char *fmt, ...)
{
	char prefix[32];
	va_list ap;

	snprintf(prefix, sizeof(prefix), "at 0x%llx: ", (unsigned long long)off);
	va_start(ap, fmt);
	err_fill(e, code, prefix, fmt, ap);
	va_end(ap);
	if (e) {
		e->has_off = true;
		e->off = off;
	}
	return code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	int n;

	if (!e)
		return -EINVAL;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n + 3 < sizeof(e->msg))
		snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %.*s", (int)(sizeof(e->msg) - (size_t)n - 3), old);
	if (n >= 0)
		e->sentence = (u16)min(e->sentence + (size_t)n + 2, strlen(e->msg));
	return e->code;
}

const char *err_kind(int code)
{
	switch (code) {
	case 0:			return "none";
	case ERR_INPUT:		return "bad input";
	case ERR_TRUNCATED:	return "truncated";
	case ERR_UNSUPPORTED:	return "unsupported";
	case ERR_GONE:		return "target gone";
	case ERR_LIMIT:		return "limit";
	case ERR_CANCELLED:	return "cancelled";
	case ERR_USAGE:		return "usage";
	case ERR_TIMEOUT:	return "timeout";
	default:		return "system";
	}
}
