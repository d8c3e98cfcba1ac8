#include <inttypes.h>

#include "base/text.h"
#include "cli/note_show.h"
#include "cli/siginfo_words.h"
#include "cli/view_text.h"

void note_summary_prstatus(FILE *f, const struct core *c, struct bytes desc)
{
	char buf[CORE_SIGNAL_MAX];
	struct prstatus s;
	const char *name;

	if (prstatus_get(&c->layout, desc, &s, NULL))
		return;
	fprintf(f, "tid %d, signal %d", s.pid, s.cursig);
	name = s.cursig ? core_signal_text(c, s.cursig, buf) : NULL;
	if (name)
		fprintf(f, " (%s)", name);
}

void note_summary_prpsinfo(FILE *f, const struct core *c, struct bytes desc)
{
	struct prpsinfo s;

	if (prpsinfo_get(&c->layout, desc, &s, NULL))
		return;
	fprintf(f, "pid %d, ", s.pid);
	text_puts(f, s.fname);
	fputs(": ", f);
	text_puts(f, s.psargs);
}

void note_summary_siginfo(FILE *f, const struct core *c, struct bytes desc)
{
	char buf[CORE_SIGNAL_MAX], meaning[SIGINFO_WORDS_MAX];
	struct core_siginfo s;
	const char *name, *words;

	if (core_siginfo_get(c, desc, &s, NULL))
		return;
	name = s.signo ? core_signal_text(c, s.signo, buf) : NULL;
	words = s.signo ? siginfo_words(c, &s, meaning) : NULL;
	fprintf(f, "signal %d%s%s%s, code %d", s.signo, name ? " (" : "", name ? name : "", name ? ")" : "", s.code);
	if (words)
		fprintf(f, ": %s", words);
	if (s.has_addr)
		fprintf(f, ", address 0x%" PRIx64, s.addr);
}

void note_summary_auxv(FILE *f, const struct core *c, struct bytes desc)
{
	fprintf(f, "%zu entries", desc.len / (2 * c->layout.word));
}

void note_summary_file(FILE *f, const struct core *c, struct bytes desc)
{
	struct ntfile_iter it;

	if (!ntfile_iter_init(&it, desc, c->fmt, NULL))
		fprintf(f, "%" PRIu64 " mappings, unit %" PRIu64, it.count, it.page_size);
}

void note_summary_lines(FILE *f, const struct core *c, struct bytes desc)
{
	struct line_iter it = { .desc = desc };
	struct core_text line;
	size_t n = 0;
	u64 off;

	(void)c;
	while (line_next(&it, &line, &off) > 0)
		n++;
	fprintf(f, "%zu line%s", n, n == 1 ? "" : "s");
}
