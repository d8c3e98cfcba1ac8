#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/explain_print.h"
#include "cli/siginfo_words.h"
#include "cli/view.h"

/* What both forms print, gathered once. */
struct summary {
	char machine[CORE_MACHINE_MAX];
	char tool_text[64];
	const char *tool;
	struct core_procinfo ps;
	struct core_text release, page_size, crash_time;	/* of a kernel */
	int signo;
	bool has_si;
	struct core_siginfo si;
	u64 saved;
	u64 mapped;
	size_t threads;
	bool has_ns_pid;
	u64 ns_pid;
	size_t n_memtag;
	struct core_loss loss;
	struct view_mte mte;
};

/* Without the ranges that the dump could not read. */
static u64 saved_bytes(struct core *c)
{
	struct page_source src;
	struct page_run run;
	u64 at = 0, saved = 0;

	page_source_open_core(&src, c);
	while (src.ops->next(&src, at, UINT64_MAX, &run, NULL) > 0) {
		saved += range_len(run.start, run.end);
		at = run.end;
	}
	page_source_close(&src);
	return saved;
}

/* Those without registers, too. */
static size_t count_threads(const struct core *c)
{
	size_t n = c->n_threads;
	struct core_thread t;
	u64 at = 0;

	while (core_next_bare_thread(c, &at, &t))
		n += !core_thread_find(c, t.tid);
	return n;
}

static bool number_of(struct core_text t, u64 *out)
{
	char text[24];

	return t.p && t.len < sizeof(text) && !text_parse_u64(core_text_copy(t, text, sizeof(text)), 10, false, out);
}

static int gather(struct core *c, struct summary *s, struct err *e)
{
	int r = core_loss(c, &s->loss, e);

	if (r)
		return r;
	core_machine(c, s->machine);
	s->tool = core_tool(c, s->tool_text, sizeof(s->tool_text));
	core_procinfo(c, &s->ps);
	s->release = core_vmcoreinfo(c, "OSRELEASE");
	s->page_size = core_vmcoreinfo(c, "PAGESIZE");
	s->crash_time = core_vmcoreinfo(c, "CRASHTIME");
	s->threads = count_threads(c);
	s->has_ns_pid = number_of(core_info(c, TAGCORE_NS_PID), &s->ns_pid);
	s->signo = core_crash_signal(c, &s->si, &s->has_si);
	s->saved = saved_bytes(c);
	for (size_t i = 0; i < c->n_areas; i++)
		s->mapped += range_len(c->areas[i].start, c->areas[i].end);
	for (size_t i = 0; i < c->n_segs; i++)
		s->n_memtag += core_is_memtag(c, &c->segs[i]);
	return view_mte_gather(c, s->has_si ? &s->si : NULL, &s->mte, e);
}

static void json_signal(struct json_object *o, const struct core *c, const struct summary *s)
{
	char name[CORE_SIGNAL_MAX], words[SIGINFO_WORDS_MAX];

	if (s->signo) {
		json_put_s64(o, "signal", s->signo);
		json_put_text(o, "signal_name", core_signal_text(c, s->signo, name));
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
	json_put_text(o, "signal_meaning", s->has_si ? siginfo_words(c, &s->si, words) : NULL);
	view_mte_json(o, &s->mte);
}

static void json_number(struct json_object *o, const char *key, bool has, s64 value)
{
	if (has)
		json_put_s64(o, key, value);
	else
		json_put_null(o, key);
}

static void json_process(struct json_object *o, const struct summary *s)
{
	json_put_text(o, "command", s->ps.has_name ? s->ps.name : NULL);
	json_put_text(o, "args", s->ps.has_args ? s->ps.args : NULL);
	json_number(o, "pid", s->ps.has_pid, s->ps.pid);
	json_number(o, "ns_pid", s->has_ns_pid, (s64)s->ns_pid);
	json_number(o, "uid", s->ps.has_uid, s->ps.uid);
}

static void json_kernel(struct json_object *o, const struct summary *s)
{
	char release[128];
	u64 n;

	json_put_text(o, "kernel_release", s->release.p ? core_text_copy(s->release, release, sizeof(release)) : NULL);
	if (number_of(s->page_size, &n))
		json_put_u64(o, "kernel_page_size", n);
	else
		json_put_null(o, "kernel_page_size");
	if (number_of(s->crash_time, &n))
		json_put_u64(o, "crash_time", n);
	else
		json_put_null(o, "crash_time");
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
	json_put_text(o, "kind", core_kind_name(c->kind));
	json_process(o, s);
	json_kernel(o, s);
	json_signal(o, c, s);
	json_put_u64(o, "threads", s->threads);
	json_put_bool(o, "inconsistent", core_is_inconsistent(c));
	json_put_u64(o, "areas", c->n_areas);
	json_put_u64(o, "saved_bytes", s->saved);
	json_put_u64(o, "mte_segments", s->n_memtag);
	json_put_text(o, "tool", s->tool);
	json_put_bool(o, "truncated", core_is_truncated(c) || core_loss_any(&s->loss));
	json_put_u64(o, "lost_bytes", s->loss.bytes);
	json_print(v->out, o);
}

static void text_process(struct view_ctx *v, const struct summary *s)
{
	if (s->ps.has_name) {
		fputs("command    ", v->out);
		text_puts(v->out, s->ps.name);
		fputc('\n', v->out);
	}
	if (s->ps.has_args) {
		fputs("args       ", v->out);
		text_puts(v->out, s->ps.args);
		fputc('\n', v->out);
	}
	if (s->ps.has_pid)
		fprintf(v->out, "process    pid %" PRId64, s->ps.pid);
	if (s->ps.has_pid && s->has_ns_pid)
		fprintf(v->out, " (%" PRIu64 " in its PID namespace)", s->ns_pid);
	if (s->ps.has_pid && s->ps.has_uid)
		fprintf(v->out, ", uid %" PRId64, s->ps.uid);
	if (s->ps.has_pid)
		fputc('\n', v->out);
}

static void text_kernel(struct view_ctx *v, const struct summary *s)
{
	char text[128];
	struct tm tm;
	time_t t;
	u64 n;

	if (s->release.p) {
		fputs("kernel     ", v->out);
		text_puts(v->out, core_text_copy(s->release, text, sizeof(text)));
		if (number_of(s->page_size, &n))
			fprintf(v->out, ", pages of %" PRIu64, n);
		fputc('\n', v->out);
	}
	if (!number_of(s->crash_time, &n) || n > INT32_MAX * 1000ull)
		return;
	t = (time_t)n;
	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fprintf(v->out, "crashed    %s\n", text);
}

static void text_signal(struct view_ctx *v, const struct summary *s)
{
	char buf[CORE_SIGNAL_MAX], meaning[SIGINFO_WORDS_MAX];
	const char *name = core_signal_text(v->core, s->signo, buf), *words;

	if (!s->signo) {
		/* A processor has none. */
		if (!core_kind_is_machine(v->core->kind))
			fputs("signal     none\n", v->out);
		return;
	}
	fprintf(v->out, "signal     %d%s%s", s->signo, name ? " " : "", name ? name : "");
	if (s->has_si)
		fprintf(v->out, ", code %d", s->si.code);
	if (s->has_si && s->si.has_addr)
		fprintf(v->out, ", address 0x%" PRIx64, s->si.addr);
	words = s->has_si ? siginfo_words(v->core, &s->si, meaning) : NULL;
	fprintf(v->out, words ? ": %s\n" : "\n", words);
}

static int refuse(void *arg, const char *path, struct err *e)
{
	(void)arg;
	return err_set(e, ERR_UNSUPPORTED, "%s: not opened here", path);
}

/* What can be said by the core alone: this process opens no file any more. */
static void text_crash(struct view_ctx *v, const struct summary *s)
{
	/* libunwind looks for pages by a call that is refused here. */
	const struct unwind_opts opts = { .open_file = refuse, .debuginfo_path = "", .no_tail_calls = true, .unwinder = "libdw" };
	struct unwind *u = NULL;
	struct err e;
	int r;

	if (!v->core->crashed || v->core->kind != CORE_PROCESS || v->core->os || !s->signo)
		return;
	unwind_load_no_code();
	r = unwind_open(&u, v->core, &opts, &e);
	if (!r)
		r = explain_print_line(v->out, "crash      ", u, &e);
	/* A line less is no reason to print nothing. */
	(void)r;
	unwind_close(u);
}

static void text_loss(struct view_ctx *v, const struct summary *s)
{
	const struct core_loss *l = &s->loss;
	const char *sep = "lost       ";
	char size[TEXT_SIZE_MAX];

	if (!core_loss_any(&s->loss))
		return;
	if (l->bytes)
		fprintf(v->out, "%s%s of memory in %" PRIu64 " range%s", sep, text_size(l->bytes, size), l->ranges,
			l->ranges == 1 ? "" : "s");
	sep = l->bytes ? ", " : sep;
	if (l->tagged)
		fprintf(v->out, "%sthe memory tags of %s", sep, text_size(l->tagged, size));
	sep = l->tagged ? ", " : sep;
	if (l->parts)
		fprintf(v->out, "%sheaders or notes", sep);
	fputs(" (tagcore inspect missing)\n", v->out);
}

static void print_text(struct view_ctx *v, const struct summary *s)
{
	const struct core *c = v->core;
	char a[TEXT_SIZE_MAX], b[TEXT_SIZE_MAX];

	fputs("file       ", v->out);
	text_puts(v->out, v->path);
	fprintf(v->out, "\nsize       %s%s\n", text_size(c->file.size, a),
		core_is_truncated(c) ? ", truncated: parts are lost (see tagcore validate)" : "");
	text_loss(v, s);
	if (c->file.packing)
		fprintf(v->out, "packed     %s, %s in the file%s\n", c->file.packing->name,
			text_size(c->file.packing->size, a), c->file.packing->n_faults ? ", which is damaged" : "");
	fprintf(v->out, "machine    %s, %d-bit, %s-endian\n", s->machine,
		c->fmt.class == ELFCLASS32 ? 32 : 64, c->fmt.data == ELFDATA2LSB ? "little" : "big");
	if (c->kind != CORE_PROCESS)
		fprintf(v->out, "kind       %s\n", core_kind_name(c->kind));
	fputs("made by    ", v->out);
	text_puts(v->out, s->tool ? s->tool : "unknown");
	fputc('\n', v->out);
	text_process(v, s);
	text_kernel(v, s);
	text_signal(v, s);
	view_mte_text_fault(v->out, &s->mte);
	text_crash(v, s);
	fprintf(v->out, "%-10s %zu\n", core_kind_is_machine(c->kind) ? "processors" : "threads", s->threads);
	fprintf(v->out, "areas      %zu, %s, of which %s saved\n", c->n_areas, text_size(s->mapped, a),
		text_size(s->saved, b));
	if (core_is_inconsistent(c))
		fprintf(v->out, "memory     INCONSISTENT: %s while it was copied (tagcore validate)\n",
			core_text_is(core_info(c, TAGCORE_INCONSISTENT), "no-stop") ? "the process was not stopped" :
			"threads did not stop, and could run,");
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
