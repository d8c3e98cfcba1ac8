/* array.h - arrays that grow by doubling. */
#pragma once

#include "base/err.h"
#include "base/types.h"

/*
 * Makes room for one more row of @size bytes in @rows, of whose @cap rows @n are used.
 * @what names them in the message of -ENOMEM.
 */
int array_grow(void **rows, size_t n, size_t *cap, size_t size, const char *what, struct err *e) must_check;
