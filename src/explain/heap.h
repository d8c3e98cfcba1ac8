/* heap.h - glibc's heap without tags: where its chunks stop making sense. */
#pragma once

#include "explain/crash.h"

/* Evidence: the first damaged chunk and those before it; false when there is none. */
bool heap_show_damage(struct crash *c);
/* A function of the C library's heap, by name. */
bool heap_is_allocator(const char *function);
/* @pointer, perhaps with an offset, is the @word that free(3) has left at the start of a @block whose address is at hand. */
bool heap_free_block(struct crash *c, u64 pointer, u64 *block, u64 *word);
