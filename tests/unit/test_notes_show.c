/* test_notes_show.c - what the view notes says of each kind of note, in text and in JSON. */
#include "viewshow.h"

#include "base/util.h"

static char *shown(struct opened *o, bool json, const char *operand)
{
	return vs_shown(o, view_notes, json, operand);
}

/* The note @nth of a core, as JSON; the document is the caller's. */
static struct json_object *content(struct opened *o, size_t nth, struct json_object **doc)
{
	char *text = shown(o, true, NULL);
	struct json_object *c;

	*doc = json_tokener_parse(text);
	if (!*doc || !json_object_object_get_ex(json_object_array_get_idx(*doc, nth), "content", &c))
		fail_msg("no JSON in:\n%s", text);
	free(text);
	return c;
}

/* Integers of a descriptor: @size bytes each; 0 ends. */
struct word {
	u8 size;
	u64 value;
};

static void add_words(struct cb *cb, const char *owner, u32 type, const struct word *w)
{
	struct cb_note *n = cb_note_add(cb, owner, type, NULL, 0);
	struct err e;
	u8 raw[8];

	for (; w->size; w++) {
		uint_put(cb->arch.fmt, raw, w->size, w->value);
		cb_ok(buf_add(&n->desc, raw, w->size, &e), &e);
	}
}

#define W4(v) { 4, v }
#define W8(v) { 8, v }

static const struct row {
	const char *what;
	u16 machine;
	u8 class, data;
	const char *owner;
	u32 type;
	struct word words[64];
	const char *want[6];	/* lines of text, or parts of them */
} rows[] = {
	/* siginfo_t: signo, errno, code, then the union */
	{ "segv", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(11), W4(0), W4(1), W4(0), W8(0x1234) },
	  { "SIGSEGV", "address not mapped (SEGV_MAPERR)", "si_addr          0x1234" } },
	{ "big-endian segv", EM_S390, 2, 2, "CORE", NT_SIGINFO, { W4(11), W4(0), W4(2), W4(0), W8(0x5678) },
	  { "no permission for the mapped address (SEGV_ACCERR)", "si_addr          0x5678" } },
	{ "32-bit segv", EM_386, 1, 1, "CORE", NT_SIGINFO, { W4(11), W4(0), W4(1), W4(0x1234) },
	  { "SEGV_MAPERR", "si_addr          0x1234" } },
	{ "kill", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(6), W4(0), W4(0), W4(0), W4(77), W4(1000) },
	  { "sent by kill(2) (SI_USER)", "si_pid           77", "si_uid           1000" } },
	{ "abort", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(6), W4(0), W4(-6u), W4(0), W4(77), W4(1000) },
	  { "SI_TKILL", "si_pid           77" } },
	{ "sigqueue", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(6), W4(0), W4(-1u), W4(0), W4(7), W4(8), W8(0xabc) },
	  { "SI_QUEUE", "si_value         0xabc" } },
	{ "timer", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(14), W4(0), W4(-2u), W4(0), W4(3), W4(4), W8(0xabc) },
	  { "SI_TIMER", "si_timerid       3", "si_overrun       4", "si_value         0xabc" } },
	/* MIPS: signo, code, errno; and its own number for timers */
	{ "timer of mips", EM_MIPS, 1, 2, "CORE", NT_SIGINFO, { W4(14), W4(-3u), W4(0), W4(3), W4(4), W4(0xabc) },
	  { "SI_TIMER", "si_timerid       3", "si_value         0xabc" } },
	{ "child", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(17), W4(0), W4(2), W4(0), W4(9), W4(8), W4(11), W4(0), W8(5), W8(6) },
	  { "a child was killed (CLD_KILLED)", "si_status        11", "si_utime         5", "si_stime         6" } },
	{ "bounds", EM_X86_64, 2, 1, "CORE", NT_SIGINFO,
	  { W4(11), W4(0), W4(3), W4(0), W8(0x10), W8(0), W8(0x20), W8(0x30) },
	  { "SEGV_BNDERR", "si_lower         0x20", "si_upper         0x30" } },
	{ "pkey", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(11), W4(0), W4(4), W4(0), W8(0x10), W8(0), W4(9) },
	  { "SEGV_PKUERR", "si_pkey          9" } },
	{ "bus", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(7), W4(0), W4(4), W4(0), W8(0x10), W8(12) },
	  { "BUS_MCEERR_AR", "si_addr_lsb      12" } },
	{ "seccomp", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(31), W4(0), W4(1), W4(0), W8(0x10), W4(59), W4(0xc000003e) },
	  { "SYS_SECCOMP", "si_syscall       59", "si_arch          0xc000003e" } },
	{ "trap of sparc", EM_SPARCV9, 2, 2, "CORE", NT_SIGINFO, { W4(4), W4(0), W4(4), W4(0), W8(0x10), W4(0x6d) },
	  { "ILL_ILLTRP", "si_addr          0x10", "si_trapno        109" } },
	{ "mte", EM_AARCH64, 2, 1, "CORE", NT_SIGINFO, { W4(11), W4(0), W4(9), W4(0), W8(0x10) },
	  { "memory tag fault (SEGV_MTESERR)", "si_addr          0x10" } },
	{ "unknown code", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(11), W4(0), W4(99), W4(0), W8(0x41424344) },
	  { "si_code          99", "si_pid           1094861636" } },	/* siginfo_layout(): SIL_KILL */
	{ "short", EM_X86_64, 2, 1, "CORE", NT_SIGINFO, { W4(11) }, { "hex:", "0b 00 00 00" } },

	{ "xsave layout", EM_X86_64, 2, 1, "LINUX", NT_X86_XSAVE_LAYOUT, { W4(9), W4(8), W4(2688), W4(0) },
	  { " 9 PKRU                    8 bytes at 2688" } },
	{ "ports", EM_X86_64, 2, 1, "LINUX", NT_386_IOPERM, { W8(~0ull), W8(~0x70ull) }, { "0x44  0x47" } },
	{ "sve, streaming only", EM_AARCH64, 2, 1, "LINUX", NT_ARM_SVE,
	  { W4(16), W4(4384), { 2, 32 }, { 2, 64 }, { 2, 1 }, { 2, 0 } },
	  { "size             16", "max_size         4384", "vl               32", "max_vl           64", "0x1 sve" } },
	{ "za", EM_AARCH64, 2, 1, "LINUX", NT_ARM_ZA, { W4(16 + 256), W4(16 + 256), { 2, 16 }, { 2, 16 }, { 2, 0 }, { 2, 0 },
	  W8(0x1122), W8(0), W8(0x3344) },
	  { "za0              0x00000000000000000000000000001122", "za1              0x00000000000000000000000000003344" } },
	{ "hw_break", EM_AARCH64, 2, 1, "LINUX", NT_ARM_HW_BREAK, { W4(0x602), W4(0), W8(0x400100), W4(0x1e5), W4(0), W8(0), W4(0), W4(0) },
	  { "slots            2", "debug_arch       0x6", " 0 0x400100  0x1e5  enabled" } },
	{ "no system call", EM_AARCH64, 2, 1, "LINUX", NT_ARM_SYSTEM_CALL, { W4(-1u) }, { "number           -1" } },
	{ "tag control", EM_AARCH64, 2, 1, "LINUX", NT_ARM_TAGGED_ADDR_CTRL, { W8(0x7fff3) },
	  { "tagged_addresses yes", "sync             yes", "async            no", "store_only       no", "include_mask     0xfffe" } },
	{ "tag control of stores only", EM_AARCH64, 2, 1, "LINUX", NT_ARM_TAGGED_ADDR_CTRL, { W8(0xffff3) },
	  { "sync             yes", "store_only       yes", "include_mask     0xfffe" } },
	{ "keys", EM_AARCH64, 2, 1, "LINUX", NT_ARM_PAC_ENABLED_KEYS, { W8(0x11) }, { "0x11 APIA APGA" } },
	{ "pac mask", EM_AARCH64, 2, 1, "LINUX", NT_ARM_PAC_MASK, { W8(0x7f000000000000), W8(0x7f000000000001) },
	  { "data_mask 0x7f000000000000", "insn_mask 0x7f000000000001" } },
	{ "guarded stack", EM_AARCH64, 2, 1, "LINUX", NT_ARM_GCS, { W8(1), W8(0), W8(0xffff1000) }, { "0xffff1000" } },
	{ "system call of s390", EM_S390, 2, 2, "LINUX", NT_S390_SYSTEM_CALL, { W4(5) }, { "number           5" } },

	{ "freebsd process", EM_X86_64, 2, 1, "FreeBSD", NT_PRPSINFO,
	  { W4(1), W4(0), W8(120), W8(0x6873), W8(0), { 1, 0 }, { 1, 's' }, { 1, 'h' }, { 1, 0 } }, { "hex:" } },
	{ "freebsd thread", EM_X86_64, 2, 1, "FreeBSD", NT_PRSTATUS,
	  { W4(1), W4(0), W8(48), W8(8), W8(512), W4(1400000), W4(11), W4(100077), W4(0), W8(0x99) },
	  { "cursig           11", "pid              100077", "r15      0x99" } },
	{ "freebsd auxv", EM_X86_64, 2, 1, "FreeBSD", NT_FREEBSD_PROCSTAT_AUXV, { W4(16), W8(3), W8(0x400040), W8(15), W8(0x7ff), W8(0), W8(0) },
	  { "AT_PHDR          0x400040", "AT_EXECPATH      0x7ff" } },
	{ "openbsd auxv", EM_SPARCV9, 2, 2, "OpenBSD", NT_OPENBSD_AUXV, { W4(6), W4(0xdead), W8(8192), W8(0), W8(0) },
	  { "AT_PAGESZ        8192" } },
	{ "a thread of openbsd", EM_X86_64, 2, 1, "OpenBSD@77", NT_OPENBSD_REGS, { W8(1) },
	  { "OpenBSD@77 NT_OPENBSD_REGS", "general registers" } },
	{ "solaris", EM_X86_64, 2, 1, "CORE", NT_SOLARIS_PSINFO, { W8(1) }, { "NT_PSINFO", "hex:" } },
	{ "thread pointer without tpidr2", EM_AARCH64, 2, 1, "LINUX", NT_ARM_TLS, { W8(0xffff1234) }, { "tpidr  0xffff1234" } },
	{ "pointer masking", EM_RISCV, 2, 1, "LINUX", NT_RISCV_TAGGED_ADDR_CTRL, { W8(0x7000001) },
	  { "value            0x7000001", "tagged_addresses yes", "masked_bits      7" } },
	{ "landing pads and shadow stack", EM_RISCV, 2, 1, "LINUX", NT_RISCV_USER_CFI, { W8(0xd), W8(0x7fff8000) },
	  { "cfi_state        0xd", "landing_pad_enabled yes", "landing_pad_locked no", "landing_pad_expected yes",
	    "shadow_stack_enabled yes", "shstk_ptr        0x7fff8000" } },
	{ "landing pads and shadow stack, 32 bits", EM_RISCV, 1, 1, "LINUX", NT_RISCV_USER_CFI, { W8(0x10), W8(0x8000) },
	  { "shadow_stack_enabled no", "shadow_stack_locked yes", "shstk_ptr        0x8000" } },
	{ "features since 6.12", EM_AARCH64, 2, 1, "CORE", NT_AUXV, { W8(16), W8(0xb01f00000000), W8(29), W8(0x803), W8(0) },
	  { "  gcs cmpbr fprcvt f8mm8 f8mm4 smeaes smesfexpa smesmop4", "  mtefar mtestoreonly svelut6" } },
	{ "application data integrity", EM_SPARCV9, 2, 2, "CORE", NT_AUXV, { W8(48), W8(64), W8(49), W8(4), W8(50), W8(0) },
	  { "AT_ADI_BLKSZ     64", "AT_ADI_NBITS     4", "AT_ADI_UEONADI   0" } },
	{ "cpucfg", EM_LOONGARCH, 2, 1, "LINUX", NT_LOONGARCH_CPUCFG, { W4(0x14c010), W4(0x3f2f2fe) }, { "cpucfg1          0x3f2f2fe" } },
	{ "target description", EM_MIPS, 1, 1, "GDB", NT_GDB_TDESC, { { 1, '<' }, { 1, 'a' }, { 1, 10 }, { 1, '>' } }, { "        <a\n        >\n" } },
	{ "nobody knows", EM_X86_64, 2, 1, "GNU", 0x77, { W8(0x4443424100) }, { "0x77", "000000  00 41 42 43 44 00 00 00", "|.ABCD...|" } },
};

static void build(struct opened *o, const struct row *r)
{
	struct elffmt fmt = { r->class, r->data };

	*o = (struct opened){ 0 };
	cb_good(&o->cb, r->machine, fmt);
	while (o->cb.n_notes > 1)
		cb_note_drop(&o->cb, &o->cb.notes[1]);
	add_words(&o->cb, r->owner, r->type, r->words);
	/* siginfo_t and the vector sets have their whole size. */
	if (r->type == NT_SIGINFO && o->cb.notes[1].desc.len > 12) {
		struct err e;

		cb_ok(buf_zero(&o->cb.notes[1].desc, 128 - o->cb.notes[1].desc.len, &e), &e);
	} else if (r->type == NT_ARM_ZA) {
		struct err e;

		cb_ok(buf_zero(&o->cb.notes[1].desc, 256, &e), &e);
	}
	open_built(o);
}

static void every_kind_is_shown_in_text(void **state)
{
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text;

		build(&o, &rows[i]);
		text = shown(&o, false, "1");
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].want) && rows[i].want[k]; k++)
			if (!strstr(text, rows[i].want[k]))
				fail_msg("%s: no \"%s\" in:\n%s", rows[i].what, rows[i].want[k], text);
		free(text);
		fini(&o);
	}
}

static void every_kind_is_shown_in_json(void **state)
{
	struct json_object *doc;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build(&o, &rows[i]);
		assert_true(json_object_object_length(content(&o, 1, &doc)) > 0);
		json_object_put(doc);
		fini(&o);
	}
}

static void good_core_is_shown_in_full(void **state)
{
	struct opened o = { 0 };
	struct json_object *doc, *c;
	char *text;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	text = shown(&o, false, NULL);
	vs_expect(text, "tid 1001, signal 11 (SIGSEGV)\n");
	vs_expect(text, "    rip      0x400100");
	vs_expect(text, "    psargs           prog --work\n");
	vs_expect(text, "        AT_PAGESZ        4096\n");
	vs_expect(text, "        000000400000-000000402000         3000  /bin/prog\n");
	free(text);

	c = content(&o, 0, &doc);
	assert_string_equal(vs_member(c, "pid"), "1001");
	assert_string_equal(vs_member(c, "utime"), "0.000000");
	assert_true(json_object_object_get_ex(c, "registers", &c));
	assert_string_equal(vs_member(c, "rip"), "0x400100");
	json_object_put(doc);
	c = content(&o, 4, &doc);
	assert_true(json_object_object_get_ex(c, "files", &c));
	c = json_object_array_get_idx(c, 0);
	assert_string_equal(vs_member(c, "start"), "0x400000");
	assert_string_equal(vs_member(c, "offset"), "12288");
	assert_string_equal(vs_member(c, "name"), "/bin/prog");
	json_object_put(doc);
	fini(&o);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* A usage error, and nothing printed, in JSON neither. */
static void refused(struct opened *o, const char *operand)
{
	char *operands[] = { (char *)operand, NULL };

	for (int json = 0; json < 2; json++) {
		char *text = NULL;
		size_t len;
		struct view_ctx v = { .core = &o->core, .path = "core", .json = json, .operands = operands,
				      .n_operands = 1, .out = open_memstream(&text, &len) };
		struct err e = { 0 };

		assert_int_equal(view_notes(&v, &e), ERR_USAGE);
		fclose(v.out);
		assert_int_equal(len, 0);
		free(text);
	}
}

static void operand_chooses(void **state)
{
	static const struct {
		const char *operand;
		size_t lines;	/* heads of notes: all have "CORE  " in them */
	} of[] = { { "NT_PRSTATUS", 2 }, { "prstatus", 2 }, { "CORE", 8 }, { "7", 1 }, { "auxv", 1 } };
	static const char *const mistakes[] = { "8", "PRSTAT", "" };
	struct opened o = { 0 };

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		char *text = shown(&o, false, of[i].operand);

		assert_int_equal(count(text, "  CORE  "), of[i].lines);
		free(text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		refused(&o, mistakes[i]);
	fini(&o);
}

/* Names, lines and arguments are somebody else's. */
static void hostile_text_is_escaped(void **state)
{
	static const char line[] = "version \033[31m\"\\\xc2\x9b\n";
	struct opened o = { 0 };
	struct json_object *doc, *c;
	char *text;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	memcpy(cb_note_at(&o.cb, NT_FILE, 0)->desc.p + 40, "/b\033[2J\n\x7f", 9);
	cb_note_add(&o.cb, TAGCORE_OWNER, NT_TAGCORE_INFO, line, sizeof(line) - 1);
	open_built(&o);
	text = shown(&o, false, NULL);
	vs_expect(text, "version \\033[31m\"\\\\302\\233\n" + 0);
	vs_expect(text, "/b\\033[2J\\012\\177\n");
	assert_null(strchr(text, '\033'));
	free(text);
	c = content(&o, 8, &doc);
	assert_true(json_object_object_get_ex(c, "lines", &c));
	assert_string_equal(json_object_get_string(json_object_array_get_idx(c, 0)), "version \\033[31m\"\\\\302\\233");
	json_object_put(doc);
	fini(&o);
}

/* A line may be as long as the note; a character is never cut. */
static void long_lines_are_whole(void **state)
{
	enum { N = 1000 };
	char line[3 * N + 1], *text;
	struct opened o = { 0 };

	(void)state;
	for (size_t i = 0; i < N; i++)
		memcpy(line + 3 * i, "\xe2\x82\xac", 3);
	line[3 * N] = 0;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, "VMCOREINFO", 0, line, 3 * N);
	open_built(&o);
	text = shown(&o, false, "8");
	vs_expect(text, line);
	free(text);
	fini(&o);
}

/* A listing has the beginning of a large unknown note; by its number it is shown whole. */
static void large_notes_are_cut(void **state)
{
	static u8 big[5000];
	struct opened o = { 0 };
	struct json_object *doc;
	char *text;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, "OTHER", 9, big, sizeof(big));
	open_built(&o);
	text = shown(&o, false, "OTHER");
	vs_expect(text, "904 bytes more");
	assert_null(strstr(text, "001380"));
	free(text);
	text = shown(&o, false, "8");
	vs_expect(text, "001380  00");
	assert_null(strstr(text, "bytes more"));
	free(text);
	assert_int_equal(strlen(vs_member(content(&o, 8, &doc), "hex")), 2 * sizeof(big));
	json_object_put(doc);
	fini(&o);
}

static void openbsd_process(void **state)
{
	struct word w[32] = { W4(1), W4(104), W4(11), W4(1), W4(0), W4(0), W4(0), W4(0), W4(77), W4(1), W4(77), W4(77),
			      W4(1000), W4(1001), W4(1002), W4(100), W4(101), W4(102), { 1, 'v' }, { 1, 'i' } };
	struct opened o = { 0 };
	struct json_object *doc, *c;
	struct err e;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_BE64);
	add_words(&o.cb, "OpenBSD", NT_OPENBSD_PROCINFO, w);
	cb_ok(buf_zero(&o.cb.notes[8].desc, 30, &e), &e);
	open_built(&o);
	c = content(&o, 8, &doc);
	assert_string_equal(vs_member(c, "signo"), "11");
	assert_string_equal(vs_member(c, "pid"), "77");
	assert_string_equal(vs_member(c, "svgid"), "102");
	assert_string_equal(vs_member(c, "name"), "vi");
	json_object_put(doc);
	fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_shown_in_text),
		cmocka_unit_test(every_kind_is_shown_in_json),
		cmocka_unit_test(good_core_is_shown_in_full),
		cmocka_unit_test(operand_chooses),
		cmocka_unit_test(hostile_text_is_escaped),
		cmocka_unit_test(long_lines_are_whole),
		cmocka_unit_test(large_notes_are_cut),
		cmocka_unit_test(openbsd_process),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
