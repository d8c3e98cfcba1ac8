/* heap.h - glibc's heap without tags: where its chunks stop making sense. */
#pragma once

#include "explain/crash.h"

/* Evidence: the first damaged chunk and those before it; false when there is none. */
bool heap_show_damage(struct crash *c);
