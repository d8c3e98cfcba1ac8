#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/text.h"
#include "cli/message.h"

void message(const char *program, const char *fmt, ...)
{
	char *text auto_free = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	fprintf(stderr, "%s: ", program);
	text_puts(stderr, text ? text : "no memory for a message");
	fputc('\n', stderr);
}
