/* arch.h - the machines, for the list in arch.c. */
#pragma once

#include <tagcore/arch.h>

extern const struct arch arch_aarch64;
extern const struct arch arch_x86_64;
