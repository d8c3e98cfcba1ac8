#include "base/array.h"

#include <errno.h>
#include <stdlib.h>

int array_grow(void **rows, size_t n, size_t *cap, size_t size, const char *what, struct err *e)
{
	size_t want = *cap ? *cap * 2 : 16;
	void *p;

	if (n < *cap)
		return 0;
	p = reallocarray(*rows, want, size);
	if (!p)
		return err_set(e, -ENOMEM, "%s", what);
	*rows = p;
	*cap = want;
	return 0;
}
