/* array.h - arrays that grow by doubling. */
#pragma once

#include "base/err.h"
#include "base/types.h"

/*
 * Makes room for one row of @size bytes more in @rows, of whose @cap @n are used.
 * @what is what they are, for the sentence of -ENOMEM.
 */
int array_grow(void **rows, size_t n, size_t *cap, size_t size, const char *what, struct err *e) must_check;
