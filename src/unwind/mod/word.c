#include "unwind/mod/mod.h"

u64 u64_of_word(const struct unwind *u, u64 v)
{
	return u->core->layout.word == 8 ? v : (u32)v;
}

s64 s64_of_word(const struct unwind *u, u64 v)
{
	return u->core->layout.word == 8 ? (s64)v : (s32)v;
}
