/* os.c - what the tables of other systems have in common, and how they are searched. */
#include "os/os.h"

#include <elf.h>
#include <string.h>

#include "base/util.h"

/* System V Interface Definition, siginfo(5): codes from 1 up to these. */
static const struct {
	const char *signal;
	s32 last;
} common[] = { { "ILL", 8 }, { "FPE", 8 }, { "SEGV", 2 }, { "BUS", 3 }, { "TRAP", 2 }, { "CHLD", 6 } };

const struct os_code *os_code_find(const struct os *os, const char *signal, s32 code)
{
	for (size_t i = 0; i < os->n_codes; i++) {
		const struct os_code *c = &os->codes[i];

		if (c->code == code && (!c->signal || (signal && !strcmp(signal, c->signal))))
			return c;
	}
	return NULL;
}

bool os_code_is_common(const struct os *os, const char *signal, s32 code)
{
	if (os_code_find(os, signal, code))
		return false;
	for (size_t i = 0; signal && i < ARRAY_SIZE(common); i++)
		if (!strcmp(common[i].signal, signal))
			return code >= 1 && code <= common[i].last;
	return false;
}

const struct os_auxv *os_auxv_find(const struct os *os, u64 type)
{
	for (size_t i = 0; i < os->n_auxv_names; i++)
		if (os->auxv_names[i].type == type)
			return &os->auxv_names[i];
	return NULL;
}

const struct os_auxv *os_auxv_like(const struct os *os, u64 type)
{
	for (size_t i = 0; i < os->n_auxv_names; i++)
		if (os->auxv_names[i].like == type)
			return &os->auxv_names[i];
	return NULL;
}
