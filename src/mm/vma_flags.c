#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "mm/vma.h"

static const struct {
	char code[3];
	u32 flag;
} codes[] = {
	{ "dd", VM_DONTDUMP },	{ "io", VM_IO },	{ "pf", VM_PFNMAP },
	{ "mm", VM_MIXEDMAP },	{ "ht", VM_HUGETLB },	{ "mt", VM_MTE },
	{ "dc", VM_DONTCOPY },	{ "wf", VM_WIPEONFORK }, { "gd", VM_GROWSDOWN },
	{ "um", VM_UFFD_MISSING }, { "ss", VM_SHADOW_STACK }, { "ui", VM_UFFD_MINOR },
	{ "ur", VM_UFFD_RWP },	{ "uw", VM_UFFD_WP },
};
_Static_assert(3 * ARRAY_SIZE(codes) <= VMA_FLAGS_MAX, "all of them fit");

u32 vma_flag_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (!memcmp(code, codes[i].code, 2))
			return codes[i].flag;
	return 0;
}

const char *vma_flags_text(u32 flags, char out[VMA_FLAGS_MAX])
{
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (flags & codes[i].flag)
			at += (size_t)snprintf(out + at, VMA_FLAGS_MAX - at, "%s%s", at ? "," : "", codes[i].code);
	if (!at)
		snprintf(out, VMA_FLAGS_MAX, "%s", flags & VM_KNOWN ? "-" : "?");
	return out;
}

const char *vma_perms(u32 flags, char out[VMA_PERMS_MAX])
{
	text_rwx(flags & VM_READ, flags & VM_WRITE, flags & VM_EXEC, out);
	out[3] = flags & VM_SHARED ? 's' : 'p';
	out[4] = 0;
	return out;
}

u32 vma_seg_flags(u32 flags)
{
	return (flags & VM_READ ? PF_R : 0) | (flags & VM_WRITE ? PF_W : 0) | (flags & VM_EXEC ? PF_X : 0);
}
