#include <inttypes.h>
#include <stdio.h>

#include "cli/note_show.h"
#include "elf/sums.h"

/* Each block by the offset where it begins. */
int note_show_sums(struct note_ctx *n, struct err *e)
{
	struct sums_note s;
	char key[24];

	(void)e;
	/* One that is at another place, or says so, is shown as bytes. */
	if (sums_note_get(n->note->desc, n->core->fmt, n->note->off, &s, NULL))
		return 0;
	show_bool(n->s, "void", s.is_void);
	if (s.is_void)
		return 1;
	show_u64(n->s, "block_size", s.block);
	show_u64(n->s, "covered", s.covered);
	for (u64 i = 0; i < s.values.len / 8; i++) {
		snprintf(key, sizeof(key), "0x%" PRIx64, i * s.block);
		show_fmt(n->s, key, "0x%016" PRIx64, uint_get(n->core->fmt, s.values.p + 8 * i, 8));
	}
	show_fmt(n->s, "own", "0x%016" PRIx64, sums_own_stated(n->note->desc, n->core->fmt));
	return 1;
}

void note_summary_sums(FILE *f, const struct core *c, struct bytes desc)
{
	struct sums_note s;

	if (sums_note_get(desc, c->fmt, desc.off - SUMS_NOTE_HEAD, &s, NULL))
		return;
	if (s.is_void)
		fputs("void: a repair has changed the core", f);
	else
		fprintf(f, "%zu blocks of %" PRIu64 " bytes", s.values.len / 8, s.block);
}
