#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"

/* What both forms print, gathered once. */
struct summary {
	char machine[CORE_MACHINE_MAX];
	char tool_text[64];
	const char *tool;
	bool has_ps;
	struct prpsinfo ps;
	int signo;
	bool has_si;
	struct core_siginfo si;
	u64 saved;
	u64 mapped;
	size_t n_memtag;
	struct view_mte mte;
};

static void gather_signal(const struct core *c, struct summary *s)
{
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_SIGINFO);

	s->has_si = n && !core_siginfo_get(c, n->note.desc, &s->si, NULL) && s->si.signo;
	/* gdb's gcore leaves the SIGSTOP of its own attach in SIGINFO: PRSTATUS has the last word. */
	s->signo = c->n_threads ? c->threads[0].cursig : s->has_si ? s->si.signo : 0;
	s->has_si &= s->signo != 0;
}

/* Without the ranges that the dump could not read. */
static u64 saved_bytes(struct core *c)
{
	struct page_source src;
	struct page_run run;
	u64 at = 0, saved = 0;

	page_source_open_core(&src, c);
	while (src.ops->next(&src, at, UINT64_MAX, &run, NULL) > 0) {
		saved += run.end - run.start;
		at = run.end;
	}
	page_source_close(&src);
	return saved;
}

static int gather(struct core *c, struct summary *s, struct err *e)
{
	core_machine(c, s->machine);
	s->tool = core_tool(c, s->tool_text, sizeof(s->tool_text));
	s->has_ps = !core_prpsinfo(c, &s->ps, NULL);
	gather_signal(c, s);
	s->saved = saved_bytes(c);
	for (size_t i = 0; i < c->n_areas; i++)
		s->mapped += c->areas[i].end - c->areas[i].start;
	for (size_t i = 0; i < c->n_segs; i++)
		s->n_memtag += core_is_memtag(c, &c->segs[i]);
	return view_mte_gather(c, s->has_si ? &s->si : NULL, &s->mte, e);
}

static void json_signal(struct json_object *o, const struct core *c, const struct summary *s)
{
	char name[VIEW_SIGNAL_MAX];

	if (s->signo) {
		json_put_s64(o, "signal", s->signo);
		json_put_text(o, "signal_name", view_signal(c, s->signo, name));
	} else {
		json_put_null(o, "signal");
		json_put_null(o, "signal_name");
	}
	if (s->has_si)
		json_put_s64(o, "si_code", s->si.code);
	else
		json_put_null(o, "si_code");
	if (s->has_si && s->si.has_addr)
		json_put_hex(o, "fault_address", s->si.addr);
	else
		json_put_null(o, "fault_address");
	view_mte_json(o, &s->mte);
}

static void json_process(struct json_object *o, const struct summary *s)
{
	json_put_text(o, "command", s->has_ps ? s->ps.fname : NULL);
	json_put_text(o, "args", s->has_ps ? s->ps.psargs : NULL);
	if (s->has_ps) {
		json_put_s64(o, "pid", s->ps.pid);
		json_put_u64(o, "uid", s->ps.uid);
	} else {
		json_put_null(o, "pid");
		json_put_null(o, "uid");
	}
}

static void print_json(struct view_ctx *v, const struct summary *s)
{
	const struct core *c = v->core;
	struct json_object *o = json_object_new_object();

	json_put_text(o, "file", v->path);
	json_put_u64(o, "size", c->file.size);
	json_put_u64(o, "file_size", c->file.packing ? c->file.packing->size : c->file.size);
	json_put_text(o, "compression", c->file.packing ? c->file.packing->name : NULL);
	json_put_text(o, "machine", s->machine);
	json_put_u64(o, "class", c->fmt.class == ELFCLASS32 ? 32 : 64);
	json_put_text(o, "byte_order", c->fmt.data == ELFDATA2LSB ? "little" : "big");
	json_put_text(o, "kind", "core");
	json_process(o, s);
	json_signal(o, c, s);
	json_put_u64(o, "threads", c->n_threads);
	json_put_u64(o, "areas", c->n_areas);
	json_put_u64(o, "saved_bytes", s->saved);
	json_put_u64(o, "mte_segments", s->n_memtag);
	json_put_text(o, "tool", s->tool);
	json_put_bool(o, "truncated", core_is_truncated(c));
	json_print(v->out, o);
}

static void text_process(struct view_ctx *v, const struct summary *s)
{
	if (!s->has_ps)
		return;
	fputs("command    ", v->out);
	text_puts(v->out, s->ps.fname);
	fputs("\nargs       ", v->out);
	text_puts(v->out, s->ps.psargs);
	fprintf(v->out, "\nprocess    pid %d, uid %u\n", s->ps.pid, s->ps.uid);
}

static void text_signal(struct view_ctx *v, const struct summary *s)
{
	char buf[VIEW_SIGNAL_MAX];
	const char *name = view_signal(v->core, s->signo, buf);

	if (!s->signo) {
		fputs("signal     none\n", v->out);
		return;
	}
	fprintf(v->out, "signal     %d%s%s", s->signo, name ? " " : "", name ? name : "");
	if (s->has_si)
		fprintf(v->out, ", code %d", s->si.code);
	if (s->has_si && s->si.has_addr)
		fprintf(v->out, ", address 0x%" PRIx64, s->si.addr);
	fputc('\n', v->out);
}

static void print_text(struct view_ctx *v, const struct summary *s)
{
	const struct core *c = v->core;
	char a[TEXT_SIZE_MAX], b[TEXT_SIZE_MAX];

	fputs("file       ", v->out);
	text_puts(v->out, v->path);
	fprintf(v->out, "\nsize       %s%s\n", text_size(c->file.size, a),
		core_is_truncated(c) ? ", truncated: parts are lost (tagcore validate tells which)" : "");
	if (c->file.packing)
		fprintf(v->out, "packed     %s, %s in the file%s\n", c->file.packing->name,
			text_size(c->file.packing->size, a), c->file.packing->n_faults ? ", which is damaged" : "");
	fprintf(v->out, "machine    %s, %d-bit, %s-endian\n", s->machine,
		c->fmt.class == ELFCLASS32 ? 32 : 64, c->fmt.data == ELFDATA2LSB ? "little" : "big");
	fputs("made by    ", v->out);
	text_puts(v->out, s->tool ? s->tool : "unknown");
	fputc('\n', v->out);
	text_process(v, s);
	text_signal(v, s);
	view_mte_text_fault(v->out, &s->mte);
	fprintf(v->out, "threads    %zu\n", c->n_threads);
	fprintf(v->out, "areas      %zu, %s, of which %s saved\n", c->n_areas, text_size(s->mapped, a),
		text_size(s->saved, b));
	if (s->n_memtag)
		fprintf(v->out, "tagged     %zu area%s\n", s->n_memtag, s->n_memtag == 1 ? "" : "s");
	view_mte_text_mode(v->out, &s->mte);
}

int view_summary(struct view_ctx *v, struct err *e)
{
	struct summary s = { 0 };
	int r = gather(v->core, &s, e);

	if (r)
		return r;
	if (v->json)
		print_json(v, &s);
	else
		print_text(v, &s);
	return 0;
}
