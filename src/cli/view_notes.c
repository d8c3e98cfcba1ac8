#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"

static void gist_prstatus(FILE *f, const struct core *c, struct bytes desc)
{
	char buf[VIEW_SIGNAL_MAX];
	struct prstatus s;
	const char *name;

	if (prstatus_get(&c->layout, desc, &s, NULL))
		return;
	fprintf(f, "tid %d, signal %d", s.pid, s.cursig);
	name = view_signal(c, s.cursig, buf);
	if (name)
		fprintf(f, " (%s)", name);
}

static void gist_prpsinfo(FILE *f, const struct core *c, struct bytes desc)
{
	struct prpsinfo s;

	if (prpsinfo_get(&c->layout, desc, &s, NULL))
		return;
	fprintf(f, "pid %d, ", s.pid);
	text_puts(f, s.fname);
	fputs(": ", f);
	text_puts(f, s.psargs);
}

static void gist_siginfo(FILE *f, const struct core *c, struct bytes desc)
{
	struct core_siginfo s;

	if (core_siginfo_get(c, desc, &s, NULL))
		return;
	fprintf(f, "signal %d, code %d", s.signo, s.code);
	if (s.has_addr)
		fprintf(f, ", address 0x%" PRIx64, s.addr);
}

static void gist_auxv(FILE *f, const struct core *c, struct bytes desc)
{
	fprintf(f, "%zu entries", desc.len / (2 * c->layout.word));
}

static void gist_file(FILE *f, const struct core *c, struct bytes desc)
{
	struct ntfile_iter it;

	if (!ntfile_iter_init(&it, desc, c->fmt, NULL))
		fprintf(f, "%" PRIu64 " mappings, unit %" PRIu64, it.count, it.page_size);
}

static void gist_lines(FILE *f, const struct core *c, struct bytes desc)
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

static const struct {
	const char *owner;
	u32 type;
	void (*print)(FILE *f, const struct core *c, struct bytes desc);
} gists[] = {
	{ "CORE", NT_PRSTATUS, gist_prstatus },
	{ "CORE", NT_PRPSINFO, gist_prpsinfo },
	{ "CORE", NT_SIGINFO, gist_siginfo },
	{ "CORE", NT_AUXV, gist_auxv },
	{ "CORE", NT_FILE, gist_file },
	{ TAGCORE_OWNER, NT_TAGCORE_INFO, gist_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_THREADS, gist_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_AREAS, gist_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_MISSING, gist_lines },
};

static void print_gist(FILE *f, const struct core *c, const struct note *n, const struct note_kind *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(gists); i++)
		if (gists[i].type == n->type && !strcmp(gists[i].owner, n->owner)) {
			gists[i].print(f, c, n->desc);
			return;
		}
	if (k)
		fputs(k->what, f);
}

static void print_text(struct view_ctx *v)
{
	const struct core *c = v->core;

	fprintf(v->out, "%10s %9s %8s  %-8s %-24s %s\n", "OFFSET", "SIZE", "TID", "OWNER", "TYPE", "CONTENT");
	for (size_t i = 0; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];
		const struct note_kind *k = note_kind_find(n->note.owner, n->note.type);
		char type[32], tid[16] = "-";

		snprintf(type, sizeof(type), "0x%x", n->note.type);
		if (n->thread >= 0)
			snprintf(tid, sizeof(tid), "%d", c->threads[n->thread].tid);
		fprintf(v->out, "%#10" PRIx64 " %9zu %8s  %-8s %-24s ", n->note.off, n->note.desc.len, tid,
			n->note.owner, k ? k->name : type);
		print_gist(v->out, c, &n->note, k);
		fputc('\n', v->out);
	}
}

static void print_json(struct view_ctx *v)
{
	const struct core *c = v->core;
	struct json_list l = json_list_begin(v->out);

	for (size_t i = 0; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];
		const struct note_kind *k = note_kind_find(n->note.owner, n->note.type);
		struct json_object *o = json_object_new_object();

		json_put_text(o, "owner", n->note.owner);
		json_put_u64(o, "type", n->note.type);
		json_put_text(o, "type_name", k ? k->name : NULL);
		json_put_u64(o, "size", n->note.desc.len);
		json_put_u64(o, "offset", n->note.off);
		if (n->thread >= 0)
			json_put_s64(o, "tid", c->threads[n->thread].tid);
		else
			json_put_null(o, "tid");
		json_list_add(&l, o);
	}
	json_list_end(&l);
}

int view_notes(struct view_ctx *v, struct err *e)
{
	(void)e;
	if (v->json)
		print_json(v);
	else
		print_text(v);
	return 0;
}
