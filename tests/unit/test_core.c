#include "corebuild.h"

#include "base/util.h"
#include "check/check.h"

/* A core built and opened; closed by fini(). */
struct opened {
	struct cb cb;
	struct buf file;
	struct core core;
	char path[32];
	int fd;
};

static void open_built(struct opened *o)
{
	struct err e = { 0 };

	cb_layout(&o->cb);
	o->file = (struct buf){ 0 };
	cb_write(&o->cb, &o->file);
	o->fd = cb_file_of(&o->file, o->path);
	cb_ok(core_open(&o->core, o->path, &e), &e);
}

static void fini(struct opened *o)
{
	core_close(&o->core);
	close(o->fd);
	buf_fini(&o->file);
	cb_fini(&o->cb);
}

static enum mem_state state_of(struct core *c, u64 addr, size_t len, u8 *buf, size_t *n)
{
	enum mem_state s = 99;
	struct err e = { 0 };

	cb_ok(core_read(c, addr, buf, len, &s, n, &e), &e);
	return s;
}

static void expect(struct core *c, u64 addr, enum mem_state want, size_t want_n)
{
	static u8 buf[16 * CB_PAGE];
	size_t n = 0;

	assert_int_equal(state_of(c, addr, sizeof(buf), buf, &n), want);
	assert_int_equal(n, want_n);
	for (size_t i = 0; want == MEM_PRESENT && i < n; i++)
		assert_int_equal(buf[i], cb_byte(addr + i));
}

static void check_memory(struct core *c)
{
	expect(c, CB_TEXT, MEM_PRESENT, CB_PAGE);
	expect(c, CB_TEXT + 1, MEM_PRESENT, CB_PAGE - 1);
	expect(c, CB_TEXT + CB_PAGE, MEM_ABSENT, CB_PAGE);
	expect(c, CB_TEXT + 2 * CB_PAGE, MEM_UNMAPPED, 16 * CB_PAGE);
	expect(c, CB_HEAP - CB_PAGE, MEM_UNMAPPED, CB_PAGE);
	expect(c, CB_HEAP, MEM_PRESENT, 2 * CB_PAGE);
	expect(c, CB_STACK + CB_PAGE, MEM_PRESENT, CB_PAGE);
	expect(c, UINT64_MAX - 1, MEM_UNMAPPED, 1);
}

static void check_threads(struct core *c)
{
	struct prpsinfo ps;
	struct core_siginfo si;
	struct err e = { 0 };

	assert_int_equal(c->n_threads, 2);
	assert_int_equal(c->threads[0].tid, CB_TID1);
	assert_int_equal(c->threads[0].cursig, 11);
	assert_int_equal(c->threads[1].tid, CB_TID2);
	assert_ptr_equal(core_thread_find(c, CB_TID2), &c->threads[1]);
	assert_null(core_thread_find(c, 1));
	assert_non_null(core_thread_note(c, &c->threads[1], "CORE", NT_PRFPREG));
	assert_null(core_thread_note(c, &c->threads[1], "CORE", NT_SIGINFO));
	cb_ok(core_prpsinfo(c, &ps, &e), &e);
	assert_string_equal(ps.psargs, "prog --work");
	assert_int_equal(ps.uid, 1000);
	cb_ok(core_siginfo_get(c, core_note_find(c, 0, "CORE", NT_SIGINFO)->note.desc, &si, &e), &e);
	assert_int_equal(si.signo, 11);
	assert_int_equal(si.code, 1);
	assert_int_equal(si.addr, 0x1234);
	assert_string_equal(core_tool(c, NULL, 0), "kernel");
}

static void check_areas(struct core *c)
{
	static const u64 starts[] = { CB_TEXT, CB_HEAP, CB_STACK };
	struct mm mm = { 0 };
	struct err e = { 0 };
	struct vma *v;
	size_t n = 0;

	cb_ok(mm_open_core(&mm, c, &e), &e);
	VMA_ITERATOR(vmi, &mm, 0);
	for_each_vma(vmi, v) {
		assert_true(n < 3);
		assert_int_equal(v->start, starts[n]);
		assert_int_equal(v->end, starts[n] + 2 * CB_PAGE);
		assert_int_equal(v->flags, n ? VM_READ | VM_WRITE : VM_READ | VM_EXEC);
		if (n) {
			assert_null(v->name);
		} else {
			assert_string_equal(v->name, "/bin/prog");
			assert_int_equal(v->pgoff, 3 * CB_PAGE);
		}
		n++;
	}
	cb_ok(vma_iter_end(&vmi, &e), &e);
	assert_int_equal(n, 3);
	mm_close(&mm);
}

/* One test for each class and byte order: the same core must read the same. */
static void reads_alike(void **state)
{
	const struct elffmt *fmt = *state;
	struct opened o;

	cb_good(&o.cb, CB_NO_MACHINE, *fmt);
	open_built(&o);
	assert_null(o.core.arch);
	assert_int_equal(o.core.n_segs, 4);
	assert_false(core_is_truncated(&o.core));
	check_threads(&o.core);
	check_areas(&o.core);
	check_memory(&o.core);
	fini(&o);
}

static void registers_come_by_table(void **state)
{
	const struct arch *const *a = *state;
	struct opened o;
	struct err e = { 0 };
	u64 pc, sp;

	cb_good(&o.cb, (*a)->machine, (*a)->fmt);
	open_built(&o);
	assert_ptr_equal(o.core.arch, *a);
	check_threads(&o.core);
	cb_ok(core_thread_pc(&o.core, &o.core.threads[1], &pc, &e), &e);
	cb_ok(core_thread_sp(&o.core, &o.core.threads[1], &sp, &e), &e);
	assert_int_equal(pc, CB_TEXT + 0x100);
	assert_int_equal(sp, CB_STACK + 0x1000);
	fini(&o);
}

static void tagcore_note(struct cb *cb, u32 type, const char *text)
{
	cb_note_add(cb, TAGCORE_OWNER, type, text, strlen(text));
}

static void tagcore_notes_are_read(void **state)
{
	char name[CORE_NAME_MAX], tool[32];
	struct err e = { 0 };
	struct mm mm = { 0 };
	struct opened o;
	struct vma v;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	tagcore_note(&o.cb, NT_TAGCORE_INFO, "version 1.2.3\nmode stop\n");
	tagcore_note(&o.cb, NT_TAGCORE_THREADS, "1002 S worker one\n1001 R prog\n");
	tagcore_note(&o.cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf-header /bin/a b\\012\n"
				     "500000-501000 rw-s 0 dd omit dontdump \n"
				     "600000-602000 rw-p 0 mt whole anon [heap]\n"
				     "700000-702000 rw-p 0 ? whole anon [stack]\n");
	open_built(&o);
	assert_string_equal(core_tool(&o.core, tool, sizeof(tool)), "tagcore 1.2.3");
	assert_string_equal(core_thread_name(&o.core, &o.core.threads[1], name), "worker one");
	assert_int_equal(o.core.threads[1].state, 'S');
	assert_int_equal(o.core.n_noted_areas, 4);
	cb_ok(mm_open_core(&mm, &o.core, &e), &e);
	assert_int_equal(mm_find(&mm, CB_TEXT, &v, &e), 1);
	assert_string_equal(v.name, "/bin/a b\\012");
	assert_int_equal(v.flags, VM_READ | VM_EXEC | VM_KNOWN);
	/* An area without a segment was there all the same. */
	assert_int_equal(mm_find(&mm, 0x500000, &v, &e), 1);
	assert_int_equal(v.start, 0x500000);
	assert_int_equal(v.flags, VM_READ | VM_WRITE | VM_SHARED | VM_KNOWN | VM_DONTDUMP);
	expect(&o.core, 0x500000, MEM_ABSENT, CB_PAGE);
	assert_int_equal(mm_find(&mm, CB_HEAP, &v, &e), 1);
	assert_true(vma_is_mte(&v));
	assert_int_equal(mm_find(&mm, CB_STACK, &v, &e), 1);
	assert_false(v.flags & VM_KNOWN);
	mm_close(&mm);
	fini(&o);
}

struct gaps {
	struct core_gap g[8];
	size_t n;
};

static int gap_add(const struct core_gap *g, void *arg, struct err *e)
{
	struct gaps *gaps = arg;

	(void)e;
	assert_true(gaps->n < ARRAY_SIZE(gaps->g));
	gaps->g[gaps->n++] = *g;
	return 0;
}

static void expect_gap(const struct gaps *g, size_t i, u64 start, u64 end, const char *reason)
{
	assert_true(i < g->n);
	assert_int_equal(g->g[i].start, start);
	assert_int_equal(g->g[i].end, end);
	assert_string_equal(g->g[i].reason, reason);
}

static int add_saved(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	(void)v;
	(void)e;
	assert_int_equal(r->flags, PAGE_SAVED);
	*(u64 *)arg += r->end - r->start;
	return 0;
}

static u64 saved_bytes(struct core *c)
{
	static const struct page_walk_ops ops = { .run = add_saved };
	struct page_source src;
	struct err e = { 0 };
	struct mm mm = { 0 };
	u64 saved = 0;

	cb_ok(mm_open_core(&mm, c, &e), &e);
	page_source_open_core(&src, c);
	cb_ok(page_walk(&mm, &src, 0, UINT64_MAX, &ops, &saved, &e), &e);
	page_source_close(&src);
	mm_close(&mm);
	return saved;
}

/* The MISSING note stands in a second PT_NOTE, after all memory; its NUL padding is no line. */
static void missing_note_of_a_second_segment_is_read(void **state)
{
	static const char text[64] = "600800-601000 Input/output error\n+3 12288 more ranges\n";
	struct gaps gaps = { .n = 0 };
	struct err e = { 0 };
	struct opened o;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text));
	o.cb.n_late_notes = 1;
	open_built(&o);
	assert_int_equal(o.core.n_note_segs, 2);
	assert_int_equal(o.core.n_missing, 1);
	assert_int_equal(o.core.more_missing, 3);
	assert_int_equal(o.core.more_missing_bytes, 12288);
	expect(&o.core, CB_HEAP, MEM_PRESENT, 0x800);
	expect(&o.core, CB_HEAP + 0x800, MEM_ABSENT, 0x800);
	expect(&o.core, CB_HEAP + CB_PAGE, MEM_PRESENT, CB_PAGE);
	assert_int_equal(saved_bytes(&o.core), 5 * CB_PAGE - 0x800);
	cb_ok(core_gaps(&o.core, gap_add, &gaps, &e), &e);
	assert_int_equal(gaps.n, 2);
	expect_gap(&gaps, 0, CB_HEAP + 0x800, CB_HEAP + CB_PAGE, "Input/output error");
	expect_gap(&gaps, 1, CB_TEXT + CB_PAGE, CB_TEXT + 2 * CB_PAGE, "left out by the core's maker");
	fini(&o);
}

/* An area that begins inside what AREAS, or FILE, has as one: its offset counts from there. */
static void offset_of_a_part_counts_from_the_whole(void **state)
{
	static const char text[] = "600000-602000 rw-s 5000 - whole shared /dev/shm/x\n";
	struct opened o;
	struct mm mm = { 0 };
	struct vma *v;
	struct err e = { 0 };
	size_t n = 0;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, TAGCORE_OWNER, NT_TAGCORE_AREAS, text, sizeof(text) - 1);
	o.cb.segs[2].p_filesz = o.cb.segs[2].p_memsz = CB_PAGE;
	cb_seg_add(&o.cb, PT_LOAD, PF_R | PF_W, CB_HEAP + CB_PAGE, CB_PAGE, CB_PAGE);
	o.cb.segs[1].p_vaddr += CB_PAGE;
	o.cb.segs[1].p_filesz = o.cb.segs[1].p_memsz = CB_PAGE;
	open_built(&o);
	cb_ok(mm_open_core(&mm, &o.core, &e), &e);
	VMA_ITERATOR(vmi, &mm, 0);
	for_each_vma(vmi, v) {
		static const u64 offsets[][2] = {
			{ CB_TEXT, 3 * CB_PAGE }, { CB_TEXT + CB_PAGE, 4 * CB_PAGE }, { CB_HEAP, 5 * CB_PAGE },
			{ CB_HEAP + CB_PAGE, 6 * CB_PAGE },
		};

		for (size_t i = 0; i < 4; i++)
			if (v->start == offsets[i][0]) {
				assert_int_equal(v->pgoff, offsets[i][1]);
				n++;
			}
	}
	assert_int_equal(n, 4);
	mm_close(&mm);
	fini(&o);
}

static void truncated_memory_is_absent(void **state)
{
	struct gaps gaps = { .n = 0 };
	struct err e = { 0 };
	struct opened o;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	core_close(&o.core);
	assert_int_equal(ftruncate(o.fd, (off_t)o.file.len - CB_PAGE - 16), 0);
	cb_ok(core_open(&o.core, o.path, &e), &e);
	assert_true(core_is_truncated(&o.core));
	expect(&o.core, CB_STACK, MEM_PRESENT, CB_PAGE - 16);
	expect(&o.core, CB_STACK + CB_PAGE - 16, MEM_ABSENT, CB_PAGE + 16);
	cb_ok(core_gaps(&o.core, gap_add, &gaps, &e), &e);
	expect_gap(&gaps, 1, CB_STACK + CB_PAGE - 16, CB_STACK + 2 * CB_PAGE, "the file is cut short");
	fini(&o);
}

static void shrinking_file_is_an_error(void **state)
{
	struct err e = { 0 };
	enum mem_state s = 99;
	struct opened o;
	size_t n = 77;
	u8 byte;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	open_built(&o);
	assert_int_equal(ftruncate(o.fd, 100), 0);
	assert_int_equal(core_read(&o.core, CB_HEAP, &byte, 1, &s, &n, &e), ERR_TRUNCATED);
	assert_non_null(strstr(e.msg, "shorter while it was read"));
	assert_int_equal(s, 99);
	assert_int_equal(n, 77);
	fini(&o);
}

enum { MANY = 70000 };
static void xnum_counts_by_section_header(void **state)
{
	struct findings l = { 0 };
	struct err e = { 0 };
	struct opened o;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	/* Else LLDB would not know the system, and a check says so. */
	o.cb.ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	for (u64 i = 0; i < MANY; i++)
		cb_seg_add(&o.cb, PT_LOAD, PF_R, 0x10000000 + 2 * i * CB_PAGE, 0, CB_PAGE);
	open_built(&o);
	assert_int_equal(o.core.ehdr.e_phnum, PN_XNUM);
	assert_int_equal(o.core.xnum, CORE_XNUM_GOOD);
	assert_int_equal(o.core.n_segs, MANY + 4);
	assert_int_equal(o.core.n_areas, MANY + 3);
	expect(&o.core, 0x10000000 + 2 * (MANY - 1) * (u64)CB_PAGE, MEM_ABSENT, CB_PAGE);
	check_threads(&o.core);
	cb_ok(check_core(&o.core, &l, &e), &e);
	assert_int_equal(l.n, 0);
	/* Without the section header at its end the count is found all the same. */
	core_close(&o.core);
	assert_int_equal(ftruncate(o.fd, (off_t)o.cb.ehdr.e_shoff), 0);
	cb_ok(core_open(&o.core, o.path, &e), &e);
	assert_int_equal(o.core.xnum, CORE_XNUM_LOST);
	assert_int_equal(o.core.n_segs, MANY + 4);
	fini(&o);
	findings_fini(&l);
}

/* Every view's and check's input: nothing may crash, leak or loop, whatever is cut. */
static void exercise(struct core *c)
{
	struct findings l = { 0 };
	struct gaps gaps;
	struct err e = { 0 };
	u8 buf[64];
	enum mem_state s;
	size_t n;

	cb_ok(check_core(c, &l, &e), &e);
	findings_fini(&l);
	saved_bytes(c);
	gaps.n = 0;
	cb_ok(core_gaps(c, gap_add, &gaps, &e), &e);
	cb_ok(core_read(c, CB_STACK, buf, sizeof(buf), &s, &n, &e), &e);
	for (size_t i = 0; i < c->n_threads; i++)
		core_thread_name(c, &c->threads[i], (char[CORE_NAME_MAX]){ 0 });
}

static void any_cut_is_survived(void **state)
{
	const struct elffmt *fmt = *state;
	struct buf file = { 0 };
	struct findings l = { 0 };
	struct err e = { 0 };
	struct core core;
	struct cb cb;
	char path[32];
	size_t len;
	int fd;

	cb_good(&cb, fmt->class == ELFCLASS64 && fmt->data == ELFDATA2LSB ? EM_X86_64 : CB_NO_MACHINE, *fmt);
	tagcore_note(&cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf /bin/prog\n");
	cb_layout(&cb);
	cb_write(&cb, &file);
	fd = cb_file_of(&file, path);
	for (len = file.len - 64; len < file.len; len -= 64) {
		assert_int_equal(ftruncate(fd, (off_t)len), 0);
		if (!core_open(&core, path, &e)) {
			exercise(&core);
			assert_true(core_is_truncated(&core));
		}
		core_close(&core);
		/* validate always says that it is not whole. */
		cb_ok(check_file(path, &l, &e), &e);
		assert_true(findings_count(&l, CHECK_ERROR) > 0);
		findings_fini(&l);
	}
	close(fd);
	buf_fini(&file);
	cb_fini(&cb);
}

/* Each byte of header, program headers and notes in turn becomes each of a few values. */
static void any_byte_is_survived(void **state)
{
	static const u8 values[] = { 0x00, 0xff, 0x7f, 0x80 };
	struct core core;
	struct opened o;
	struct err e;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	tagcore_note(&o.cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf /bin/prog\n");
	tagcore_note(&o.cb, NT_TAGCORE_MISSING, "600000-601000 gone\n");
	open_built(&o);
	for (size_t i = 0; i < o.cb.data_at[0] + o.cb.data_len[0]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			assert_int_equal(pwrite(o.fd, &values[k], 1, (off_t)i), 1);
			if (!core_open(&core, o.path, &e))
				exercise(&core);
			core_close(&core);
			assert_int_equal(pwrite(o.fd, o.file.p + i, 1, (off_t)i), 1);
		}
	fini(&o);
}

static void overlaps_are_cut(void **state)
{
	struct opened o;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_seg_add(&o.cb, PT_LOAD, PF_R, CB_HEAP + CB_PAGE, 2 * CB_PAGE, 2 * CB_PAGE);
	cb_seg_add(&o.cb, PT_LOAD, PF_R, CB_HEAP, CB_PAGE, CB_PAGE);
	open_built(&o);
	assert_int_equal(o.core.n_areas, 4);
	assert_int_equal(o.core.areas[2].start, CB_HEAP + 2 * CB_PAGE);
	expect(&o.core, CB_HEAP + 2 * CB_PAGE, MEM_PRESENT, CB_PAGE);
	fini(&o);
}

/* gdb writes no segment for a file's unchanged text: only NT_FILE has it. */
static void file_area_without_segment_is_absent(void **state)
{
	struct opened o;
	struct cb_note *n;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	n = cb_note_at(&o.cb, NT_FILE, 0);
	uint_put(CB_LE64, n->desc.p + 3 * 8, 8, CB_TEXT + 3 * CB_PAGE);
	open_built(&o);
	assert_int_equal(o.core.n_areas, 4);
	assert_int_equal(o.core.areas[1].seg, CORE_NO_SEG);
	expect(&o.core, CB_TEXT + 2 * CB_PAGE, MEM_ABSENT, CB_PAGE);
	expect(&o.core, CB_TEXT + 3 * CB_PAGE, MEM_UNMAPPED, 16 * CB_PAGE);
	fini(&o);
}

static void what_is_no_core_is_refused(void **state)
{
	struct buf text = { .p = (u8 *)"hello, world: this is not ELF\n", .len = 30 };
	struct core core;
	struct err e;
	char path[32];
	int fd = cb_file_of(&text, path);

	(void)state;
	assert_int_equal(core_open(&core, path, &e), ERR_INPUT);
	assert_int_equal(core.fault, CORE_FAULT_IDENT);
	assert_non_null(strstr(e.msg, path));
	core_close(&core);
	close(fd);
	assert_true(core_open(&core, "/", &e) < 0);
	assert_int_equal(core.fault, CORE_OK);
	assert_int_equal(core_open(&core, "/dev/null", &e), ERR_UNSUPPORTED);
}

int main(void)
{
	static struct elffmt le64 = { ELFCLASS64, ELFDATA2LSB }, be64 = { ELFCLASS64, ELFDATA2MSB };
	static struct elffmt le32 = { ELFCLASS32, ELFDATA2LSB }, be32 = { ELFCLASS32, ELFDATA2MSB };
	static const struct arch *x86, *arm;
	const struct CMUnitTest tests[] = {
		{ "reads_alike: 64-bit little", reads_alike, NULL, NULL, &le64 },
		{ "reads_alike: 64-bit big", reads_alike, NULL, NULL, &be64 },
		{ "reads_alike: 32-bit little", reads_alike, NULL, NULL, &le32 },
		{ "reads_alike: 32-bit big", reads_alike, NULL, NULL, &be32 },
		{ "registers_come_by_table: x86_64", registers_come_by_table, NULL, NULL, &x86 },
		{ "registers_come_by_table: aarch64", registers_come_by_table, NULL, NULL, &arm },
		cmocka_unit_test(tagcore_notes_are_read),
		cmocka_unit_test(missing_note_of_a_second_segment_is_read),
		cmocka_unit_test(offset_of_a_part_counts_from_the_whole),
		cmocka_unit_test(truncated_memory_is_absent),
		cmocka_unit_test(shrinking_file_is_an_error),
		cmocka_unit_test(xnum_counts_by_section_header),
		{ "any_cut_is_survived: 64-bit little", any_cut_is_survived, NULL, NULL, &le64 },
		{ "any_cut_is_survived: 32-bit big", any_cut_is_survived, NULL, NULL, &be32 },
		cmocka_unit_test(any_byte_is_survived),
		cmocka_unit_test(overlaps_are_cut),
		cmocka_unit_test(file_area_without_segment_is_absent),
		cmocka_unit_test(what_is_no_core_is_refused),
	};

	x86 = arch_find(EM_X86_64, le64, 0);
	arm = arch_find(EM_AARCH64, le64, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
