#include <elf.h>

#include "core/core_priv.h"

void auxv_iter_init(struct auxv_iter *it, const struct core *c)
{
	const struct core_note *n = c->os ? core_os_note(c, c->os->auxv.type) : core_note_find(c, 0, "CORE", NT_AUXV);
	unsigned word = c->layout.word, type_size = c->os ? c->os->auxv.type_size : 0;

	*it = (struct auxv_iter){ .fmt = c->fmt, .word = word, .type_size = type_size ? type_size : word };
	if (!n)
		return;
	it->desc = n->note.desc;
	/* BFD skips four bytes of NetBSD's (elf.c: elfcore_grok_netbsd_note()), which its kernel does not write. */
	if (c->os)
		it->at = it->desc.len % (2 * word) == 4 ? 4 : c->os->auxv.skip;
}

/* Linux 6.12, fs/binfmt_elf.c: create_elf_tables(): pairs of longs. */
bool auxv_next(struct auxv_iter *it, struct auxv *out)
{
	struct auxv a;

	if (bytes_uint(it->desc, it->fmt, it->at, it->type_size, &a.type, NULL) ||
	    bytes_uint(it->desc, it->fmt, it->at + it->word, it->word, &a.value, NULL) ||
	    a.type == AT_NULL)
		return false;
	it->at += 2 * it->word;
	*out = a;
	return true;
}

bool core_auxv(const struct core *c, u64 type, u64 *out)
{
	const struct os_auxv *like = c->os && type > AT_ENTRY ? os_auxv_like(c->os, type) : NULL;
	struct auxv_iter it;
	struct auxv a;

	/* Above the types of System V's ABI each system has its own. */
	if (c->os && type > AT_ENTRY && !like)
		return false;
	if (like)
		type = like->type;
	auxv_iter_init(&it, c);
	while (auxv_next(&it, &a))
		if (a.type == type) {
			*out = a.value;
			return true;
		}
	return false;
}
