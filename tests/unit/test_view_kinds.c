/* test_view_kinds.c - what the views say of cores that are not of a Linux process, and of files that are no cores. */
#include "osbuild.h"
#include "viewshow.h"

#include "base/util.h"
#include "elf/tags.h"

static void put(struct cb_note *n, size_t at, const void *p, size_t len)
{
	ob_put(n, at, p, len);
}

static void put4(struct cb *cb, struct cb_note *n, size_t at, u32 value)
{
	ob_uint(cb, n, at, 4, value);
}

static void expect_member(struct json_object *o, const char *key, const char *want)
{
	const char *have = vs_member(o, key);

	if (!have != !want || (want && strcmp(have, want)))
		fail_msg("%s is %s, not %s", key, have ? have : "null", want ? want : "null");
}

/* What a summary has to show, by the documented place of each member. */
static const struct system {
	const char *kind;
	const char *owner;
	u32 type;
	u16 machine;
	u8 class, data;
	int signo_at, pid_at, uid_at, name_at, args_at;	/* -1: not there */
	const char *signal;
} systems[] = {
	{ "OpenBSD core", "OpenBSD", NT_OPENBSD_PROCINFO, EM_SPARCV9, 2, 2, 8, 32, 48, 72, -1, "SIGBUS" },
	{ "NetBSD core", "NetBSD-CORE", NT_NETBSD_PROCINFO, EM_386, 1, 1, 8, 80, 96, 124, -1, "SIGBUS" },
	{ "FreeBSD core", "FreeBSD", NT_PRPSINFO, EM_X86_64, 2, 1, -1, 116, -1, 16, 33, NULL },
	{ "FreeBSD core", "FreeBSD", NT_PRPSINFO, EM_386, 1, 1, -1, 108, -1, 8, 25, NULL },
	{ "Solaris core", "CORE", NT_SOLARIS_PSINFO, EM_X86_64, 2, 1, -1, 8, 24, 136, 152, NULL },
	{ "Solaris core", "CORE", NT_SOLARIS_PSINFO, EM_SPARC, 1, 2, -1, 8, 24, 88, 104, NULL },
};

static void build(struct opened *o, const struct system *s)
{
	struct cb_note *n;

	*o = (struct opened){ 0 };
	n = cb_with_note(&o->cb, s->machine, (struct elffmt){ s->class, s->data }, s->owner, s->type);
	put(n, 250, "", 1);
	if (s->signo_at >= 0)
		put4(&o->cb, n, (size_t)s->signo_at, 10);
	if (s->uid_at >= 0)
		put4(&o->cb, n, (size_t)s->uid_at, 1000);
	if (s->args_at >= 0)
		put(n, (size_t)s->args_at, "vi a\033b", 7);
	put4(&o->cb, n, (size_t)s->pid_at, 4242);
	put(n, (size_t)s->name_at, "vi", 3);
	open_built(o);
}

static void processes_of_other_systems_are_shown(void **state)
{
	struct json_object *d;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		const struct system *s = &systems[i];

		build(&o, s);
		d = vs_json(&o, view_summary);
		expect_member(d, "kind", s->kind);
		expect_member(d, "command", "vi");
		expect_member(d, "args", s->args_at >= 0 ? "vi a\\033b" : NULL);
		expect_member(d, "pid", "4242");
		expect_member(d, "uid", s->uid_at >= 0 ? "1000" : NULL);
		expect_member(d, "signal_name", s->signal);
		json_object_put(d);
		fini(&o);
	}
}

static void freebsd_signal_is_in_the_first_thread(void **state)
{
	struct opened o = { 0 };
	struct cb_note *n;
	char *text;

	(void)state;
	n = cb_with_note(&o.cb, EM_X86_64, CB_LE64, "FreeBSD", NT_PRSTATUS);
	put4(&o.cb, n, 36, 12);
	open_built(&o);
	text = vs_shown(&o, view_summary, false, NULL);
	vs_expect(text, "kind       FreeBSD core\n");
	vs_expect(text, "signal     12 SIGSYS\n");
	free(text);
	fini(&o);
}

/* The views of a core with one thread of each system, on each machine. */
static void threads_of_other_systems_are_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ob_systems); i++) {
		const struct ob_system *s = &ob_systems[i];
		struct opened o = { 0 };
		struct json_object *d;
		char *text;

		cb_with_note(&o.cb, s->machine, (struct elffmt){ s->class, s->data }, "OTHER", 1);
		ob_process(&o.cb, s->kind, 10, 2, OB_TID1);
		ob_thread(&o.cb, s, OB_TID1, 0x401230, 0x700100, 10, 2);
		open_built(&o);
		d = vs_json(&o, view_summary);
		expect_member(d, "signal_name", "SIGBUS");
		expect_member(d, "threads", "1");
		expect_member(d, "command", "vi");
		expect_member(d, "tool", NULL);
		expect_member(d, "si_code", s->kind == CORE_FREEBSD ? NULL : "2");
		json_object_put(d);
		text = vs_shown(&o, view_threads, false, NULL);
		vs_expect(text, "101  SIGBUS     0x401230");
		vs_expect(text, "0x700100");
		free(text);
		text = vs_shown(&o, view_registers, false, NULL);
		vs_expect(text, "general:");
		vs_expect(text, "0x401230");
		free(text);
		text = vs_shown(&o, view_notes, false, NULL);
		vs_expect(text, "0x401230");
		free(text);
		fini(&o);
	}
}

/* FreeBSD counts FPE_* from another begin than Linux; what no system's header has is not put into words. */
static void codes_mean_what_the_system_says(void **state)
{
	static const struct { enum core_kind kind; s32 signo, code; const char *words; } of[] = {
		{ CORE_NETBSD, 8, 1, "integer division by zero (FPE_INTDIV)" },
		{ CORE_NETBSD, 11, 2, "no permission for the mapped address (SEGV_ACCERR)" },
		{ CORE_NETBSD, 11, 9, NULL }, { CORE_NETBSD, 10, 4, NULL },
		{ CORE_NETBSD, 6, -5, "sent by _lwp_kill(2), as raise(3) and abort(3) do (SI_LWP)" },
		{ CORE_OPENBSD, 6, -1, "sent by thrkill(2), as raise(3) and abort(3) do (SI_LWP)" },
		{ CORE_SOLARIS, 6, -1, "sent by _lwp_kill(2), as raise(3) and abort(3) do (SI_LWP)" },
		{ CORE_SOLARIS, 11, 128, NULL },
		{ CORE_FREEBSD, 8, 1, "integer overflow (FPE_INTOVF)" },
		{ CORE_FREEBSD, 6, 0x10007, "sent by thr_kill(2), as raise(3) and abort(3) do (SI_LWP)" },
		{ CORE_FREEBSD, 11, 0x80, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct opened o = { 0 };
		struct json_object *d;
		struct cb_note *n;

		for (size_t k = 0; k < ARRAY_SIZE(ob_systems) && !o.cb.n_notes; k++) {
			const struct ob_system *s = &ob_systems[k];

			if (s->kind != of[i].kind || s->machine != EM_X86_64)
				continue;
			cb_with_note(&o.cb, s->machine, CB_LE64, "OTHER", 1);
			ob_process(&o.cb, s->kind, (u32)of[i].signo, of[i].code, OB_TID1);
			ob_thread(&o.cb, s, OB_TID1, 0x401230, 0x700100, (u32)of[i].signo, of[i].code);
		}
		if (of[i].kind == CORE_FREEBSD) {
			n = cb_note_add(&o.cb, "FreeBSD", NT_FREEBSD_PTLWPINFO, NULL, 0);
			put(n, 200, "", 1);
			put4(&o.cb, n, 12, 0x20);
			put4(&o.cb, n, 60, (u32)of[i].code);
		}
		open_built(&o);
		d = vs_json(&o, view_summary);
		expect_member(d, "signal_meaning", of[i].words);
		json_object_put(d);
		fini(&o);
	}
}

/* What the machine's table lacks is said, and null: not 0. */
static void registers_without_a_table_are_unknown(void **state)
{
	const struct ob_system s = { CORE_NETBSD, EM_S390, OB_BE64, 33, 100, 0, 8, 0 };
	struct opened o = { 0 };
	struct json_object *d;
	char *text;

	(void)state;
	cb_with_note(&o.cb, s.machine, CB_BE64, "OTHER", 1);
	ob_process(&o.cb, s.kind, 10, 2, OB_TID1);
	ob_thread(&o.cb, &s, OB_TID1, 0x401230, 0x700100, 10, 2);
	open_built(&o);
	text = vs_shown(&o, view_registers, false, NULL);
	vs_expect(text, "unknown registers: there is no table of NetBSD on s390x");
	free(text);
	d = vs_json(&o, view_threads);
	expect_member(json_object_array_get_idx(d, 0), "pc", NULL);
	expect_member(json_object_array_get_idx(d, 0), "sp", NULL);
	expect_member(json_object_array_get_idx(d, 0), "signal", "10");
	json_object_put(d);
	fini(&o);
}

/* AT_* of FreeBSD: 15 is the program's path, 33 no vdso. */
static void auxiliary_vector_has_the_systems_names(void **state)
{
	struct opened o = { 0 };
	struct cb_note *n;
	char *text;

	(void)state;
	n = cb_with_note(&o.cb, EM_X86_64, CB_LE64, "FreeBSD", NT_FREEBSD_PROCSTAT_AUXV);
	n->desc.len = 0;
	put4(&o.cb, n, 0, 16);
	ob_uint(&o.cb, n, 4, 8, 34);
	ob_uint(&o.cb, n, 12, 8, 0x7000);
	ob_uint(&o.cb, n, 20, 8, 999);
	ob_uint(&o.cb, n, 28, 8, 1);
	ob_uint(&o.cb, n, 36, 8, 16);
	ob_uint(&o.cb, n, 44, 8, 0x1bff);
	open_built(&o);
	text = vs_shown(&o, view_auxv, false, NULL);
	vs_expect(text, "AT_KPRELOAD          0x7000\n");
	vs_expect(text, "\n999 ");
	vs_expect(text, "AT_CANARY            0x1bff\n");
	free(text);
	fini(&o);
}

/* Two processors; memory of the kernel's map, and the kernel itself, at the same physical address. */
static void kdump(struct opened *o)
{
	static const char info[] = "OSRELEASE=6.1.0-9-cloud\nPAGESIZE=4096\nSYMBOL(x)=1\nCRASHTIME=1700000000\n";
	struct cb_note *n;

	*o = (struct opened){ 0 };
	n = cb_with_note(&o->cb, EM_X86_64, CB_LE64, "VMCOREINFO", 0);
	put(n, 0, info, sizeof(info) - 1);
	cb_prstatus(&o->cb, 0, 0);
	cb_prstatus(&o->cb, 0, 0);
	o->cb.segs[1].p_vaddr = 0xffffffff81000000;
	o->cb.segs[1].p_paddr = 0x1000000;
	cb_seg_add(&o->cb, PT_LOAD, PF_R | PF_W, 0xffff888001000000, CB_PAGE, 2 * CB_PAGE)->p_paddr = 0x1000000;
	open_built(o);
}

static void kdump_names_its_kernel(void **state)
{
	struct json_object *d;
	struct opened o;
	char *text;

	(void)state;
	kdump(&o);
	d = vs_json(&o, view_summary);
	expect_member(d, "kind", "kdump vmcore");
	expect_member(d, "kernel_release", "6.1.0-9-cloud");
	expect_member(d, "kernel_page_size", "4096");
	expect_member(d, "crash_time", "1700000000");
	expect_member(d, "threads", "2");
	expect_member(d, "command", NULL);
	json_object_put(d);
	text = vs_shown(&o, view_summary, false, NULL);
	vs_expect(text, "kernel     6.1.0-9-cloud, pages of 4096\n");
	vs_expect(text, "crashed    2023-11-14 22:13:20 UTC\n");
	vs_expect(text, "processors 2\n");
	assert_null(strstr(text, "signal"));
	free(text);
	fini(&o);
}

static void machine_memory_has_two_addresses(void **state)
{
	struct json_object *d, *row;
	struct opened o;
	char *text;

	(void)state;
	kdump(&o);
	text = vs_shown(&o, view_maps, false, NULL);
	vs_expect(text, "ffffffff81000000-ffffffff81001000 r--           1000000    4.0 KiB    4.0 KiB\n");
	vs_expect(text, "ffff888001000000-ffff888001002000 rw-           1000000    8.0 KiB    4.0 KiB\n");
	free(text);
	text = vs_shown(&o, view_headers, false, NULL);
	vs_expect(text, "PHYSICAL\n");
	vs_expect(text, "          0x1000000\n");
	free(text);
	d = vs_json(&o, view_maps);
	row = json_object_array_get_idx(d, 1);
	expect_member(row, "start", "0xffff888001000000");
	expect_member(row, "physical", "0x1000000");
	expect_member(row, "saved_bytes", "4096");
	json_object_put(d);
	fini(&o);
}

static void machine_memory_is_read_by_virtual_address(void **state)
{
	const u64 addr = 0xffff888001000010;
	enum mem_state s;
	struct opened o;
	struct err e = { 0 };
	u8 byte;
	size_t n;

	(void)state;
	kdump(&o);
	cb_ok(core_read(&o.core, addr, &byte, 1, &s, &n, &e), &e);
	assert_int_equal(s, MEM_PRESENT);
	assert_int_equal(byte, cb_byte(addr));
	fini(&o);
}

static void process_has_no_physical_addresses(void **state)
{
	struct json_object *d;
	struct opened o = { 0 };
	char *text;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	text = vs_shown(&o, view_headers, false, NULL);
	assert_null(strstr(text, "PHYSICAL"));
	free(text);
	d = vs_json(&o, view_maps);
	expect_member(json_object_array_get_idx(d, 0), "physical", NULL);
	json_object_put(d);
	d = vs_json(&o, view_summary);
	expect_member(d, "kind", "core");
	expect_member(d, "kernel_release", NULL);
	expect_member(d, "signal_meaning", "address not mapped (SEGV_MAPERR)");
	json_object_put(d);
	fini(&o);
}

/* Areas, and with @mte tags, of the last two pages of all addresses. */
static void top(struct opened *o, bool mte)
{
	const u64 addr = 0ULL - 2 * CB_PAGE;

	*o = (struct opened){ 0 };
	cb_good(&o->cb, mte ? EM_AARCH64 : EM_X86_64, CB_LE64);
	cb_seg_add(&o->cb, PT_LOAD, PF_R | PF_W, addr, 2 * CB_PAGE, 2 * CB_PAGE);
	if (mte)
		cb_memtag_add(&o->cb, addr, 2 * CB_PAGE / TAG_BYTE_SPAN, 2 * CB_PAGE);
	open_built(o);
}

static char *memory_of(struct opened *o, const char *addr, const char *len, bool json, bool tags)
{
	char *operands[] = { (char *)addr, (char *)len, NULL }, *text = NULL;
	struct view_ctx v = { .core = &o->core, .path = "core", .json = json, .tags = tags, .operands = operands,
			      .n_operands = 1 + (len != NULL) };
	struct err e = { 0 };
	size_t size;

	v.out = open_memstream(&text, &size);
	cb_ok(view_memory(&v, &e), &e);
	fclose(v.out);
	return text;
}

static void last_byte_of_all_is_shown(void **state)
{
	static const char *const of[][2] = {
		{ "ffffffffffffffff", NULL }, { "fffffffffffffff0", "16" }, { "ffffffffffffffff", "1" },
		{ "ffffffffffffe000", "0x2000" }, { "ffffffffffffe001", "0xffffffffffffffff" },
	};
	struct opened o;

	(void)state;
	top(&o, false);
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		char *text = memory_of(&o, of[i][0], of[i][1], false, false), want[8];
		const char *line = strstr(text, "0xfffffffffffffff0  ");

		assert_non_null(line);
		snprintf(want, sizeof(want), "%02x  |", cb_byte(UINT64_MAX));
		vs_expect(line, want);
		assert_null(strstr(text, "**"));
		assert_null(strchr(line, '\n')[1] ? text : NULL);
		free(text);
		text = memory_of(&o, of[i][0], of[i][1], true, false);
		snprintf(want, sizeof(want), "%02x\"", cb_byte(UINT64_MAX));
		vs_expect(text, want);
		vs_expect(text, "\"end\": \"0x10000000000000000\", \"ranges\"");
		free(text);
	}
	fini(&o);
}

/* Without an area, as one stretch. */
static void unmapped_end_is_one_range(void **state)
{
	struct opened o = { 0 };
	char *text;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	text = memory_of(&o, "fffffffffffffff8", "16", false, false);
	vs_expect(text, "0xfffffffffffffff0                           ** ** ** ** ** ** ** **  |");
	free(text);
	text = memory_of(&o, "fffffffffffffff8", NULL, true, false);
	assert_null(strstr(strstr(text, "unmapped") + 1, "unmapped"));
	free(text);
	fini(&o);
}

static void ranges_end_at_two_to_the_64(void **state)
{
	struct json_object *d, *row;
	struct opened o;
	char *text;

	(void)state;
	top(&o, true);
	text = vs_shown(&o, view_maps, false, NULL);
	vs_expect(text, "ffffffffffffe000-10000000000000000 rw-             0    8.0 KiB    8.0 KiB");
	free(text);
	d = vs_json(&o, view_maps);
	row = json_object_array_get_idx(d, 3);
	expect_member(row, "end", "0x10000000000000000");
	expect_member(row, "saved_bytes", "8192");
	json_object_put(d);
	for (int i = 0; i < 3; i++) {
		static const char *const of[] = { "ffffffffffffffff", "fffffffffffffff0-10000000000000000",
						  "0xfffffffffffffff1-0xffffffffffffffff" };

		text = vs_shown(&o, view_tags, false, of[i]);
		vs_expect(text, "0xfffffffffffffff0-0x10000000000000000       16 B  0x");
		vs_expect(text, "1 run, the tags of 16 B\n");
		free(text);
	}
	text = memory_of(&o, "ffffffffffffffff", NULL, false, true);
	assert_non_null(strchr(text, '['));
	free(text);
	fini(&o);
}

/* What a cut file has no more, and what a repair has recorded, in a summary and a list. */
static void losses_are_shown(void **state)
{
	static const char lines[] = "601000-602000 lost: the file was cut short\n600000-600100 memory tags lost: the file "
				    "was cut short\n? 0 lost: 2 of 4 program headers\n";
	struct json_object *d;
	struct opened o = { 0 };
	char *text;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	d = vs_json(&o, view_summary);
	expect_member(d, "truncated", "false");
	expect_member(d, "lost_bytes", "0");
	json_object_put(d);
	fini(&o);

	o = (struct opened){ 0 };
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	o.cb.segs[2].p_filesz = o.cb.segs[2].p_memsz = CB_PAGE;
	cb_note_add(&o.cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, lines, sizeof(lines) - 1);
	open_built(&o);
	d = vs_json(&o, view_summary);
	expect_member(d, "truncated", "true");
	expect_member(d, "lost_bytes", "4096");
	json_object_put(d);
	text = vs_shown(&o, view_summary, false, NULL);
	vs_expect(text, "lost       4.0 KiB of memory in 1 range, the memory tags of 256 B, headers or notes (tagcore inspect "
			"missing)\n");
	free(text);
	text = vs_shown(&o, view_missing, false, NULL);
	vs_expect(text, "0x601000-0x602000    4.0 KiB  lost: the file was cut short\n");
	vs_expect(text, "  lost: 2 of 4 program headers\n");
	free(text);
	d = vs_json(&o, view_missing);
	expect_member(json_object_array_get_idx(d, 0), "lost", "true");
	expect_member(json_object_array_get_idx(d, 2), "lost", "false");
	json_object_put(d);
	/* The area is as it was. */
	text = vs_shown(&o, view_maps, false, NULL);
	vs_expect(text, "000000600000-000000602000 rw-             0    8.0 KiB    4.0 KiB");
	free(text);
	fini(&o);
}

static void signals_above_15_have_names_of_their_machine(void **state)
{
	static const struct { u16 machine; int signo; const char *name; } of[] = {
		{ EM_X86_64, 15, "SIGTERM" }, { EM_X86_64, 16, "SIGSTKFLT" }, { EM_X86_64, 7, "SIGBUS" },
		{ EM_MIPS, 15, "SIGTERM" }, { EM_MIPS, 16, "SIGUSR1" }, { EM_MIPS, 7, "SIGEMT" },
		{ EM_MIPS, 9, "SIGKILL" }, { EM_MIPS, 32, NULL }, { EM_SPARCV9, 15, "SIGTERM" },
		{ EM_SPARCV9, 16, "SIGURG" }, { EM_SPARCV9, 10, "SIGBUS" }, { EM_PARISC, 12, "SIGXCPU" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct core c = { .ehdr.e_machine = of[i].machine };
		char out[CORE_SIGNAL_MAX];
		const char *name = core_signal_text(&c, of[i].signo, out);

		assert_int_equal(!name, !of[i].name);
		if (name)
			assert_string_equal(name, of[i].name);
	}
}

static void files_that_are_no_elf_are_named(void **state)
{
	static const struct {
		const char *head;
		size_t len;
		const char *want;
	} of[] = {
		{ "KDUMP   ", 8, "a compressed kdump" },
		{ "DISKDUMP", 8, "diskdump" },
		{ "makedumpfile\0\0\0\0", 16, "makedumpfile -R" },
		{ "MDMP\x93\xa7", 6, "minidump" },
		{ "\xcf\xfa\xed\xfe", 4, "Mach-O" },
		{ "\xfe\xed\xfa\xce", 4, "Mach-O" },
		{ "PAGEDU64", 8, "Windows kernel" },
		{ "\x04\x22\x4d\x18", 4, "lz4 -d" },
		{ "BZh91AY", 7, "bzip2 -d" },
		{ "KDUMP", 5, "no \\177ELF" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct core core = { 0 };
		struct err e = { 0 };
		struct buf b = { 0 };
		char path[32];
		int fd;

		cb_ok(buf_add(&b, of[i].head, of[i].len, &e), &e);
		cb_ok(buf_zero(&b, 100, &e), &e);
		fd = cb_file_of(&b, path);
		assert_int_equal(core_open(&core, path, &e), ERR_INPUT);
		assert_int_equal(core.fault, CORE_FAULT_IDENT);
		vs_expect(e.msg, of[i].want);
		close(fd);
		buf_fini(&b);
	}
}

/* By a register of a thread that has it switched on, or by a flag that was seen in smaps. */
static void shadow_stacks_are_named(void **state)
{
	static const struct {
		u16 machine;
		u32 type;
		u64 words[3];
		const char *want;
	} of[] = {
		{ EM_AARCH64, NT_ARM_GCS, { 1, 0, CB_HEAP + 0x1ff8 }, "(guarded control stack)\n" },
		{ EM_AARCH64, NT_ARM_GCS, { 0, 0, CB_HEAP + 0x1ff8 }, NULL },
		{ EM_AARCH64, NT_ARM_GCS, { 1, 0, CB_HEAP - 8 }, NULL },
		{ EM_X86_64, NT_X86_SHSTK, { CB_HEAP }, "(shadow stack)\n" },
		{ EM_RISCV, NT_RISCV_USER_CFI, { 8, CB_HEAP + 8 }, "(shadow stack)\n" },
		{ EM_RISCV, NT_RISCV_USER_CFI, { 7, CB_HEAP + 8 }, NULL },
		{ EM_X86_64, 0, { 0 }, "(shadow stack)\n" },
	};
	static const char areas[] = "600000-602000 rw-p 0 ss whole anon \n";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct opened o = { 0 };
		char *text;

		cb_good(&o.cb, of[i].machine, CB_LE64);
		if (of[i].type)
			cb_note_add(&o.cb, "LINUX", of[i].type, of[i].words, sizeof(of[i].words));
		else
			cb_note_add(&o.cb, TAGCORE_OWNER, NT_TAGCORE_AREAS, areas, sizeof(areas) - 1);
		open_built(&o);
		text = vs_shown(&o, view_maps, false, NULL);
		if (of[i].want)
			vs_expect(text, of[i].want);
		else
			assert_null(strstr(text, "stack)"));
		free(text);
		fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_of_other_systems_are_shown),
		cmocka_unit_test(freebsd_signal_is_in_the_first_thread),
		cmocka_unit_test(threads_of_other_systems_are_shown),
		cmocka_unit_test(codes_mean_what_the_system_says),
		cmocka_unit_test(registers_without_a_table_are_unknown),
		cmocka_unit_test(auxiliary_vector_has_the_systems_names),
		cmocka_unit_test(kdump_names_its_kernel),
		cmocka_unit_test(machine_memory_has_two_addresses),
		cmocka_unit_test(machine_memory_is_read_by_virtual_address),
		cmocka_unit_test(process_has_no_physical_addresses),
		cmocka_unit_test(last_byte_of_all_is_shown),
		cmocka_unit_test(unmapped_end_is_one_range),
		cmocka_unit_test(ranges_end_at_two_to_the_64),
		cmocka_unit_test(losses_are_shown),
		cmocka_unit_test(signals_above_15_have_names_of_their_machine),
		cmocka_unit_test(files_that_are_no_elf_are_named),
		cmocka_unit_test(shadow_stacks_are_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
