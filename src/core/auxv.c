#include "core/core_priv.h"

void auxv_iter_init(struct auxv_iter *it, const struct core *c)
{
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_AUXV);

	*it = (struct auxv_iter){ .fmt = c->fmt, .word = c->layout.word };
	if (n)
		it->desc = n->note.desc;
}

/* Linux 6.12, fs/binfmt_elf.c: create_elf_tables(): pairs of longs. */
bool auxv_next(struct auxv_iter *it, struct auxv *out)
{
	struct auxv a;

	if (bytes_uint(it->desc, it->fmt, it->at, it->word, &a.type, NULL) ||
	    bytes_uint(it->desc, it->fmt, it->at + it->word, it->word, &a.value, NULL) ||
	    a.type == AT_NULL)
		return false;
	it->at += 2 * it->word;
	*out = a;
	return true;
}

bool core_auxv(const struct core *c, u64 type, u64 *out)
{
	struct auxv_iter it;
	struct auxv a;

	auxv_iter_init(&it, c);
	while (auxv_next(&it, &a))
		if (a.type == type) {
			*out = a.value;
			return true;
		}
	return false;
}
