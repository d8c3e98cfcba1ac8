#include "coreopen.h"
#include "checkmut.h"

/*
 * What looks strange and is so in the process: the kernel's cores have it, and
 * no check calls it a fault of the core.
 */

enum { GAP = 256 * CB_PAGE };

/* Registers of the second thread, or of both. */
static void set_reg(struct cb *cb, size_t thread, unsigned index, u64 value)
{
	const struct reg *r = &cb->arch.gregs.regs[index];
	struct buf *b = &cb_note_at(cb, NT_PRSTATUS, thread)->desc;

	/* struct elf_prstatus of 64 bits: after the registers are 8 bytes. */
	uint_put(cb->arch.fmt, b->p + b->len - 8 - cb->arch.gregs.size + r->off, r->size, value);
}

static void pc(struct cb *cb, u64 value) { set_reg(cb, 1, cb->arch.pc, value); }
static void sp(struct cb *cb, u64 value) { set_reg(cb, 1, cb->arch.sp, value); }

/* AT_PAGESZ becomes an entry of @type. */
static void auxv_entry(struct cb *cb, u64 type, u64 value)
{
	u8 *p = cb_note_at(cb, NT_AUXV, 0)->desc.p;

	uint_put(cb->arch.fmt, p, cb->arch.word, type);
	uint_put(cb->arch.fmt, p + cb->arch.word, cb->arch.word, value);
}

static void tagcore_note(struct cb *cb, u32 type, const char *text)
{
	cb_note_add(cb, TAGCORE_OWNER, type, text, strlen(text));
}

/* Not the kernel's core. */
static void by_tagcore(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_INFO, "version 1\n"); }

/* ---- a thread of the process that runs in the kernel only */

static void worker(struct cb *cb) { pc(cb, 0); sp(cb, 0); }
static void worker_by_tagcore(struct cb *cb) { worker(cb); by_tagcore(cb); }
static void jump_to_null(struct cb *cb) { pc(cb, 0); by_tagcore(cb); }
static void stack_at_null(struct cb *cb) { sp(cb, 0); by_tagcore(cb); }

/* ---- a stack that may grow: the area at CB_STACK, with room down to the text */

static void main_stack(struct cb *cb, u64 type, u64 at)
{
	auxv_entry(cb, type, CB_STACK + 64);
	cb->segs[2].p_vaddr = CB_TEXT + 2 * CB_PAGE;
	sp(cb, at);
	by_tagcore(cb);
}

static const u64 heap_end = CB_TEXT + 4 * CB_PAGE;
static void far_below(struct cb *cb) { main_stack(cb, AT_RANDOM, heap_end + GAP); }
static void just_below(struct cb *cb) { main_stack(cb, AT_EXECFN, CB_STACK - 8); }
static void in_the_gap(struct cb *cb) { main_stack(cb, AT_RANDOM, heap_end + GAP - 16); }
static void above_no_access(struct cb *cb) { in_the_gap(cb); cb->segs[2].p_flags = 0; }
static void of_another_stack(struct cb *cb)
{
	main_stack(cb, AT_PHDR, CB_STACK - 8);
	auxv_entry(cb, AT_PHDR, CB_TEXT);
}
static void past_the_limit(struct cb *cb)
{
	main_stack(cb, AT_RANDOM, CB_STACK + (32 << 20) - (8 << 20));
	auxv_entry(cb, AT_RANDOM, CB_STACK + (32 << 20));
	cb->segs[3].p_vaddr += 32 << 20;
}

/* One that is larger already. */
static void no_limit(struct cb *cb)
{
	past_the_limit(cb);
	cb->segs[3].p_memsz = 9 << 20;
	sp(cb, CB_STACK + (16 << 20));
	set_reg(cb, 0, cb->arch.sp, CB_STACK + (32 << 20));
}

static void grows_by_its_flags(struct cb *cb)
{
	tagcore_note(cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf /bin/prog\n"
				  "402000-404000 rw-p 0 - whole anon [heap]\n"
				  "700000-702000 rw-p 0 gd whole anon [stack]\n");
	main_stack(cb, AT_PAGESZ, CB_STACK - 8);
	auxv_entry(cb, AT_PAGESZ, CB_PAGE);
}

/* ---- headers anywhere in the file */

static void put_ehdr(struct cb *cb, struct buf *b)
{
	struct buf head = { 0 };
	struct err e;

	cb_ok(elffmt_put_ehdr(cb->arch.fmt, &cb->ehdr, &head, &e), &e);
	memcpy(b->p, head.p, head.len);
	buf_fini(&head);
}

static void phdrs_last(struct cb *cb, struct buf *b)
{
	size_t len = cb->ehdr.e_phnum * elffmt_phdr_size(cb->arch.fmt), from = (size_t)cb->ehdr.e_phoff;
	struct buf table = { 0 };
	struct err e;

	cb->ehdr.e_phoff = b->len;
	put_ehdr(cb, b);
	cb_ok(buf_add(&table, b->p + from, len, &e), &e);
	memset(b->p + from, 0, len);
	cb_ok(buf_add(b, table.p, len, &e), &e);
	buf_fini(&table);
}

static void section_in_heap(struct cb *cb, struct buf *b)
{
	cb->ehdr.e_shoff = cb->segs[2].p_offset + 64;
	cb->ehdr.e_shnum = 1;
	cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(cb->arch.fmt);
	put_ehdr(cb, b);
	memset(b->p + cb->ehdr.e_shoff, 0, cb->ehdr.e_shentsize);
}

static void phdrs_in_heap(struct cb *cb, struct buf *b)
{
	phdrs_last(cb, b);
	/* The file's last bytes, which were the stack's, are the table's. */
	memmove(b->p + cb->ehdr.e_phoff - CB_PAGE, b->p + cb->ehdr.e_phoff, b->len - cb->ehdr.e_phoff);
	b->len = cb->ehdr.e_phoff;
	cb->ehdr.e_phoff -= CB_PAGE;
	put_ehdr(cb, b);
}

/* The header of a thread that is not in streaming mode. */
static void ssve(struct cb *cb, u32 type, u32 size)
{
	u8 raw[16] = { 0 };

	uint_put(CB_LE64, raw, 4, size);
	uint_put(CB_LE64, raw + 8, 2, 32);
	cb_note_add(cb, "LINUX", type, raw, sizeof(raw));
}
static void ssve_pointer(struct cb *cb) { ssve(cb, NT_ARM_SSVE, 8); }
static void za_pointer(struct cb *cb) { ssve(cb, NT_ARM_ZA, 8); }

static void good_ones(void **state)
{
	static const struct mutation good[] = {
		{ .what = "worker", .notes = worker }, { .what = "worker, not the kernel's", .notes = worker_by_tagcore },
		{ .what = "worker of aarch64", .notes = worker_by_tagcore, .mte = true },
		{ .what = "large frame", .notes = far_below }, { .what = "a frame", .notes = just_below },
		{ .what = "no limit", .notes = no_limit }, { .what = "gd", .notes = grows_by_its_flags },
		{ .what = "above an area that cannot be accessed", .notes = above_no_access },
		{ .what = "program headers last", .bytes = phdrs_last },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		mut_good(&good[i]);
}

static const struct mutation bad[] = {
	{ "thread-pc", "at NULL, with a stack", .notes = jump_to_null },
	{ "thread-sp", "at NULL, in code", .notes = stack_at_null },
	{ "thread-sp", "in the guard gap", .notes = in_the_gap },
	{ "thread-sp", "below a stack that does not grow", .notes = of_another_stack },
	{ "thread-sp", "past the limit of stacks", .notes = past_the_limit },
	{ "seg-data-overlap", "section headers", .bytes = section_in_heap },
	{ "seg-data-overlap", "program headers", .bytes = phdrs_in_heap },
};

/* The first finding of @id: of what severity, and with what in it. */
static void finds(const struct mutation *m, const char *id, enum check_severity severity, const char *part)
{
	struct findings l = { 0 };
	size_t i = 0;

	check_mutated(m, &l);
	while (i < l.n && strcmp(l.f[i].check->id, id))
		i++;
	if (i == l.n)
		fail_msg("%s: no %s", m->what, id);
	if (l.f[i].severity != severity || !strstr(l.f[i].msg, part))
		fail_msg("%s: %s %s", m->what, check_severity_name(l.f[i].severity), l.f[i].msg);
	assert_int_equal(findings_count(&l, CHECK_WARNING) > 0, severity == CHECK_WARNING);
	findings_fini(&l);
}

static void astray(struct cb *cb) { pc(cb, 0x10); }
static void sp_astray(struct cb *cb) { sp(cb, 0x10); }
static void no_stack(struct cb *cb) { cb->segs[3].p_filesz = 0; }
static void no_text(struct cb *cb) { auxv_entry(cb, AT_ENTRY, 0x1000); }
static void no_vdso(struct cb *cb) { auxv_entry(cb, AT_SYSINFO_EHDR, CB_HEAP - 1); }

/* The kernel writes what it has; of others the same may be a mistake. */
static void severity_depends_on_the_maker(void **state)
{
	static const struct { const char *id; void (*notes)(struct cb *cb); } rows[] = {
		{ "thread-pc", astray }, { "thread-sp", sp_astray }, { "auxv-address", no_text },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mutation m = { rows[i].id, rows[i].id, .notes = rows[i].notes };

		finds(&m, rows[i].id, CHECK_INFO, "");
		m.late = m.notes;
		m.notes = by_tagcore;
		finds(&m, rows[i].id, CHECK_WARNING, "");
	}
}

/* Whoever left it out, and why: there is no backtrace. */
static void a_missing_stack_is_a_warning(void **state)
{
	const struct mutation m = { "thread-stack", "by the kernel", .notes = no_stack };

	(void)state;
	finds(&m, "thread-stack", CHECK_WARNING, "");
}

static void guarded(struct cb *cb) { no_stack(cb); cb->segs[3].p_flags = 0; }

static void an_overflow_is_the_threads(void **state)
{
	const struct mutation m = { "thread-stack", "in the guard", .notes = guarded };

	(void)state;
	finds(&m, "thread-stack", CHECK_INFO, "used up its stack");
}

static void vdso_is_gone(void **state)
{
	const struct mutation m = { .what = "vdso", .notes = by_tagcore, .late = no_vdso };

	(void)state;
	finds(&m, "auxv-address", CHECK_INFO, "the vdso is no longer there");
}

static void size_of_a_pointer(void **state)
{
	const struct mutation good = { .what = "SSVE", .notes = ssve_pointer, .mte = true };
	const struct mutation faulty = { .what = "ZA", .notes = za_pointer, .mte = true };

	(void)state;
	finds(&good, "note-sve", CHECK_INFO, "size of a pointer");
	finds(&faulty, "note-sve", CHECK_WARNING, "ZA says that it has 8 bytes");
}

/* ---- PRSTATUS with the layout of the machine that gdb ran on */

static void host_prstatus(struct cb *cb)
{
	const struct arch *host = arch_find(EM_X86_64, CB_LE64, 0);
	u8 regs[216];
	struct prstatus s = { .pid = 4711, .cursig = 5, .regs = { .p = regs, .len = sizeof(regs) } };
	struct buf *b = &cb_note_at(cb, NT_PRSTATUS, 1)->desc;
	struct err e;

	for (size_t i = 0; i < sizeof(regs) / 8; i++)
		uint_put(cb->arch.fmt, regs + 8 * i, 8, CB_TEXT + i);
	b->len = 0;
	cb_ok(prstatus_put(host, &s, b, &e), &e);
}

static void host_layout_is_used(void **state)
{
	static const struct { u16 machine; struct elffmt fmt; } rows[] = {
		{ EM_RISCV, CB_LE64 }, { EM_SPARCV9, CB_BE64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct opened o;
		const struct core *c = &o.core;
		const struct core_thread *t;
		u64 value = 0;

		cb_good(&o.cb, rows[i].machine, rows[i].fmt);
		host_prstatus(&o.cb);
		open_built(&o);
		t = core_thread_find(c, 4711);
		assert_non_null(t);
		assert_int_equal(t->cursig, 5);
		assert_int_equal(core_thread_sp(c, t, &value, NULL), 0);
		assert_int_equal(value, CB_TEXT + c->arch->gregs.regs[c->arch->sp].off / 8);
		fini(&o);
	}
}

static void host_layout_is_named(void **state)
{
	const struct mutation m = { .what = "host", .notes = host_prstatus, .machine = EM_RISCV };
	struct findings l = { 0 };

	(void)state;
	check_mutated(&m, &l);
	assert_true(l.n >= 1);
	assert_string_equal(l.f[0].check->id, "note-size");
	assert_non_null(strstr(l.f[0].msg, "layout of x86_64"));
	findings_fini(&l);
}

int main(void)
{
	struct CMUnitTest tests[8 + ARRAY_SIZE(bad)] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(severity_depends_on_the_maker),
		cmocka_unit_test(a_missing_stack_is_a_warning),
		cmocka_unit_test(an_overflow_is_the_threads),
		cmocka_unit_test(vdso_is_gone),
		cmocka_unit_test(size_of_a_pointer),
		cmocka_unit_test(host_layout_is_used),
		cmocka_unit_test(host_layout_is_named),
	};

	mut_tests(bad, ARRAY_SIZE(bad), tests + 8);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
