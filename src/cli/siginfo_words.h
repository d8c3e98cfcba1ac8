/* siginfo_words.h - what a signal's code means, in words. */
#pragma once

#include "core/core.h"

/* "address not mapped (SEGV_MAPERR)" in @out, or NULL when the code is not known. */
#define SIGINFO_WORDS_MAX 128
const char *siginfo_words(const struct core *core, const struct core_siginfo *si, char out[SIGINFO_WORDS_MAX]);
