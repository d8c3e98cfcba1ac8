/* fuzz.h - the names that libFuzzer gives to what it calls and what it offers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One input; always 0: a fault aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Changes @data in place, up to @max bytes; the new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
/* libFuzzer's own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
