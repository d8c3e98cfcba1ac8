#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/note_fields.h"
#include "cli/view_text.h"
#include "os/os.h"

/* "0x4001 SIGHUP SIGTERM": bit n - 1 is signal n. */
static void signal_set(struct note_ctx *n, const char *key, u64 set)
{
	char text[512], name[CORE_SIGNAL_MAX];
	size_t at = (size_t)snprintf(text, sizeof(text), "0x%" PRIx64, set);

	/* A mask of all but a few would be a long line, and say little. */
	for (int i = 1; i <= 64 && at + CORE_SIGNAL_MAX < sizeof(text) && __builtin_popcountll(set) <= 16; i++) {
		if (!(set >> (i - 1) & 1))
			continue;
		if (core_signal_text(n->core, i, name))
			at += (size_t)snprintf(text + at, sizeof(text) - at, " %s", name);
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, " %d", i);
	}
	show_str(n->s, key, text);
}

static void seconds(struct note_ctx *n, const char *key, const s64 t[2])
{
	show_fmt(n->s, key, "%" PRId64 ".%06" PRId64, t[0], t[1]);
}

static void general_registers(struct note_ctx *n, s32 tid, struct bytes regs)
{
	const struct core *c = n->core;
	const struct view_set set = { .arch = c->arch, .set = c->arch ? &c->arch->gregs : NULL, .desc = regs, .core = c,
				      .thread = core_thread_find(c, tid) };

	if (c->arch)
		show_regs(n->s, &set);
	else
		show_bytes(n->s, "registers_hex", regs);
}

int note_show_prstatus(struct note_ctx *n, struct err *e)
{
	char name[CORE_SIGNAL_MAX];
	struct prstatus s;

	(void)e;
	if (prstatus_get(&n->core->layout, n->note->desc, &s, NULL))
		return 0;
	show_s64(n->s, "si_signo", s.si_signo);
	show_s64(n->s, "si_code", s.si_code);
	show_s64(n->s, "si_errno", s.si_errno);
	show_s64(n->s, "cursig", s.cursig);
	show_str(n->s, "signal_name", s.cursig ? core_signal_text(n->core, s.cursig, name) : NULL);
	signal_set(n, "sigpend", s.sigpend);
	signal_set(n, "sighold", s.sighold);
	show_s64(n->s, "pid", s.pid);
	show_s64(n->s, "ppid", s.ppid);
	show_s64(n->s, "pgrp", s.pgrp);
	show_s64(n->s, "sid", s.sid);
	seconds(n, "utime", s.utime);
	seconds(n, "stime", s.stime);
	seconds(n, "cutime", s.cutime);
	seconds(n, "cstime", s.cstime);
	show_s64(n->s, "fpvalid", s.fpvalid);
	general_registers(n, s.pid, s.regs);
	return 1;
}

/* fs/proc/array.c: task_state_array[], by pr_sname; pr_state is the number of the bit. */
static const struct {
	char letter;
	const char *words;
} states[] = {
	{ 'R', "running" }, { 'S', "sleeping" }, { 'D', "disk sleep" }, { 'T', "stopped" }, { 't', "tracing stop" },
	{ 'Z', "zombie" }, { 'X', "dead" }, { 'W', "paging" }, { 'I', "idle" }, { 'P', "parked" },
};

static const char *state_words(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (states[i].letter == letter)
			return states[i].words;
	return NULL;
}

int note_show_prpsinfo(struct note_ctx *n, struct err *e)
{
	char letter[2] = { 0 };
	struct prpsinfo s;

	(void)e;
	if (prpsinfo_get(&n->core->layout, n->note->desc, &s, NULL))
		return 0;
	letter[0] = s.sname;
	show_s64(n->s, "state", s.state);
	show_str(n->s, "sname", letter);
	show_str(n->s, "meaning", state_words(s.sname));
	show_s64(n->s, "zomb", s.zomb);
	show_s64(n->s, "nice", s.nice);
	show_hex(n->s, "flag", s.flag);
	show_u64(n->s, "uid", s.uid);
	show_u64(n->s, "gid", s.gid);
	show_s64(n->s, "pid", s.pid);
	show_s64(n->s, "ppid", s.ppid);
	show_s64(n->s, "pgrp", s.pgrp);
	show_s64(n->s, "sid", s.sid);
	show_str(n->s, "fname", s.fname);
	show_str(n->s, "psargs", s.psargs);
	return 1;
}

static void auxv_entry(struct note_ctx *n, const struct auxv *a, const char *text)
{
	bool number = false;
	const char *name = view_auxv_name(n->core, a->type, &number);
	char key[24];

	if (n->s->json) {
		show_row(n->s);
		show_u64(n->s, "type", a->type);
		show_str(n->s, "name", name);
		show_hex(n->s, "value", a->value);
		show_str(n->s, "text", text[0] ? text : NULL);
		show_row_end(n->s);
		return;
	}
	snprintf(key, sizeof(key), "%" PRIu64, a->type);
	show_fmt(n->s, name ? name : key, !text[0] ? number ? "%" PRIu64 : "0x%" PRIx64 :
		 number ? "%-18" PRIu64 " %s" : "0x%-16" PRIx64 " %s", a->value, text);
}

int note_show_auxv_of(struct note_ctx *n, struct bytes desc, struct err *e)
{
	struct note_cursor c = { .b = desc, .fmt = n->core->fmt };
	unsigned word = n->core->layout.word, type = n->core->os ? n->core->os->auxv.type_size : 0;
	char text[VIEW_AUXV_MAX] = "";
	int r = 0;

	show_list(n->s, "entries");
	while (!r && !c.bad) {
		struct auxv a = { .type = note_take(&c, type ? type : word) };

		a.value = note_take(&c, word);
		if (c.bad || a.type == AT_NULL)
			break;
		r = view_auxv_text(n->core, a.type, a.value, text, e);
		if (!r)
			auxv_entry(n, &a, text);
	}
	show_list_end(n->s);
	return r < 0 ? r : 1;
}

int note_show_auxv(struct note_ctx *n, struct err *e)
{
	return note_show_auxv_of(n, n->note->desc, e);
}

static void file_entry(struct note_ctx *n, const struct core_map *m)
{
	int w = n->core->fmt.class == ELFCLASS32 ? 8 : 12;

	show_row(n->s);
	if (n->s->json) {
		show_hex(n->s, "start", m->start);
		show_hex(n->s, "end", m->end);
		show_u64(n->s, "offset", m->pgoff);
	} else {
		fprintf(n->s->f, "%0*" PRIx64 "-%0*" PRIx64 " %12" PRIx64 "  ", w, m->start, w, m->end, m->pgoff);
	}
	show_text(n->s, "name", m->name);
	show_row_end(n->s);
}

int note_show_file(struct note_ctx *n, struct err *e)
{
	struct ntfile_iter it;
	struct core_map m;

	(void)e;
	if (ntfile_iter_init(&it, n->note->desc, n->core->fmt, NULL))
		return 0;
	show_u64(n->s, "count", it.count);
	show_u64(n->s, "page_size", it.page_size);
	show_list(n->s, "files");
	/* What does not fit is validate's to tell. */
	while (ntfile_next(&it, &m, NULL) > 0)
		file_entry(n, &m);
	show_list_end(n->s);
	return 1;
}

int note_show_lines(struct note_ctx *n, struct err *e)
{
	struct line_iter it = { .desc = n->note->desc };
	struct core_text line;
	u64 off;

	(void)e;
	show_list(n->s, "lines");
	while (line_next(&it, &line, &off) > 0)
		show_item(n->s, line);
	show_list_end(n->s);
	return 1;
}

/* struct vmcoredd_header: include/uapi/linux/vmcore.h; the name is a driver's. */
int note_show_vmcoredd(struct note_ctx *n, struct err *e)
{
	enum { NAME = 44 };
	struct bytes desc = n->note->desc;
	struct note_cursor c = { .b = desc, .fmt = n->core->fmt };

	(void)e;
	if (desc.len < NAME)
		return 0;
	show_text(n->s, "name", note_take_text(&c, NAME));
	show_bytes(n->s, "hex", (struct bytes){ .p = desc.p + NAME, .len = desc.len - NAME });
	return 1;
}

/* arch/loongarch/kernel/ptrace.c: cfg_get(): what the instruction CPUCFG gives for 0, 1, ... */
int note_show_cpucfg(struct note_ctx *n, struct err *e)
{
	struct note_cursor c = { .b = n->note->desc, .fmt = n->core->fmt };
	char key[32];

	(void)e;
	if (c.b.len < 4)
		return 0;
	for (u64 i = 0; i < c.b.len / 4; i++) {
		snprintf(key, sizeof(key), "cpucfg%" PRIu64, i);
		show_hex(n->s, key, note_take(&c, 4));
	}
	return 1;
}

/* struct user_cfi_state: Linux 7.0, arch/riscv/include/uapi/asm/ptrace.h, PTRACE_CFI_*_BIT. */
int note_show_riscv_cfi(struct note_ctx *n, struct err *e)
{
	static const char *const bits[] = {
		"landing_pad_enabled", "landing_pad_locked", "landing_pad_expected",
		"shadow_stack_enabled", "shadow_stack_locked",
	};
	struct note_cursor c = { .b = n->note->desc, .fmt = n->core->fmt };
	u64 state;

	(void)e;
	if (c.b.len < 16)
		return 0;
	state = note_take(&c, 8);
	show_hex(n->s, "cfi_state", state);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		show_bool(n->s, bits[i], state >> i & 1);
	show_hex(n->s, "shstk_ptr", note_take(&c, 8));
	return 1;
}

/* Linux 7.3, include/uapi/linux/prctl.h: PR_TAGGED_ADDR_ENABLE, PR_PMLEN_MASK: bits at the top that do not count. */
int note_show_riscv_tag_ctrl(struct note_ctx *n, struct err *e)
{
	u64 v;

	(void)e;
	if (bytes_uint(n->note->desc, n->core->fmt, 0, n->core->layout.word, &v, NULL))
		return 0;
	show_hex(n->s, "value", v);
	show_bool(n->s, "tagged_addresses", v & 1);
	show_u64(n->s, "masked_bits", v >> 24 & 0x7f);
	return 1;
}
