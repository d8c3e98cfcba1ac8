#include "corebuild.h"

#include "base/util.h"
#include "core/modules.h"

/* Modules of a built core: an ELF image is put into its first page of text, or of heap. */
enum { ID_LEN = 20, NOTE_OFF = 0x300 };

struct image_spec {
	u16 type;		/* ET_* */
	u64 vaddr;		/* of its one PT_LOAD, at offset 0 */
	u64 memsz;
	u64 note_len;		/* p_filesz of its PT_NOTE; 0: as it is */
	size_t id_len;
	u16 phnum;		/* 0: two */
};

struct found {
	struct core_module m[8];
	char path[8][64];
	size_t n;
};

struct built {
	struct cb cb;
	struct buf file;
	struct core core;
	char path[32];
	int fd;
};

static int add(const struct core_module *m, void *arg, struct err *e)
{
	struct found *f = arg;

	(void)e;
	assert_true(f->n < ARRAY_SIZE(f->m));
	core_text_copy(m->path, f->path[f->n], sizeof(f->path[0]));
	f->m[f->n++] = *m;
	return 0;
}

static void image_make(struct elffmt fmt, const struct image_spec *s, struct buf *out)
{
	GElf_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT }, .e_type = s->type,
			.e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = elffmt_ehdr_size(fmt),
			.e_ehsize = (u16)elffmt_ehdr_size(fmt), .e_phentsize = (u16)elffmt_phdr_size(fmt),
			.e_phnum = s->phnum ? s->phnum : 2 };
	GElf_Phdr load = { .p_type = PT_LOAD, .p_vaddr = s->vaddr, .p_filesz = CB_PAGE, .p_memsz = s->memsz };
	GElf_Phdr note = { .p_type = PT_NOTE, .p_vaddr = s->vaddr + NOTE_OFF, .p_offset = NOTE_OFF, .p_align = 4 };
	struct buf notes = { 0 };
	u8 id[128];
	struct err e;

	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (u8)(0xa0 + i);
	cb_ok(note_put(&notes, fmt, "GNU", 5, "property", 8, &e), &e);
	cb_ok(note_put(&notes, fmt, "GNU", NT_GNU_BUILD_ID, id, s->id_len, &e), &e);
	note.p_filesz = s->note_len ? s->note_len : notes.len;
	cb_ok(elffmt_put_ehdr(fmt, &h, out, &e), &e);
	cb_ok(elffmt_put_phdr(fmt, &load, out, &e), &e);
	cb_ok(elffmt_put_phdr(fmt, &note, out, &e), &e);
	cb_ok(buf_zero(out, NOTE_OFF - out->len, &e), &e);
	cb_ok(buf_add(out, notes.p, notes.len, &e), &e);
	buf_fini(&notes);
}

static void put_image(struct built *b, size_t seg, const struct image_spec *s)
{
	struct buf image = { 0 };

	image_make(b->cb.arch.fmt, s, &image);
	memcpy(b->file.p + b->cb.data_at[seg], image.p, image.len);
	buf_fini(&image);
}

static void auxv_put(struct cb *cb, u64 type, u64 value)
{
	struct cb_note *n = cb_note_at(cb, NT_AUXV, 0);

	n->desc.len = 0;
	cb_long(cb, &n->desc, type);
	cb_long(cb, &n->desc, value);
	cb_long(cb, &n->desc, AT_NULL);
	cb_long(cb, &n->desc, 0);
}

static void begin(struct built *b, struct elffmt fmt)
{
	*b = (struct built){ 0 };
	cb_good(&b->cb, fmt.class == ELFCLASS64 && fmt.data == ELFDATA2LSB ? EM_X86_64 : CB_NO_MACHINE, fmt);
	/* Offset 0 of "/bin/prog", where a module begins. */
	memset(cb_note_at(&b->cb, NT_FILE, 0)->desc.p + 4 * b->cb.arch.word, 0, b->cb.arch.word);
}

static void bytes_make(struct built *b)
{
	cb_layout(&b->cb);
	cb_write(&b->cb, &b->file);
}

static void look(struct built *b, struct found *f)
{
	struct err e = { 0 };

	*f = (struct found){ .n = 0 };
	b->fd = cb_file_of(&b->file, b->path);
	cb_ok(core_open(&b->core, b->path, &e), &e);
	cb_ok(core_modules(&b->core, add, f, &e), &e);
}

static void fini(struct built *b)
{
	core_close(&b->core);
	close(b->fd);
	buf_fini(&b->file);
	cb_fini(&b->cb);
}

static void expect(const struct found *f, size_t i, u64 start, u64 end, const char *path, size_t id_len)
{
	assert_true(i < f->n);
	assert_int_equal(f->m[i].start, start);
	assert_int_equal(f->m[i].end, end);
	assert_string_equal(f->path[i], path);
	assert_int_equal(f->m[i].build_id_len, id_len);
	for (size_t k = 0; k < id_len; k++)
		assert_int_equal(f->m[i].build_id[k], 0xa0 + k);
}

static void library_and_vdso_are_found(void **state)
{
	const struct elffmt *fmt = *state;
	const struct image_spec prog = { .type = ET_DYN, .memsz = 2 * CB_PAGE - 100, .id_len = ID_LEN };
	/* A vdso may be linked to an address of its own. */
	const struct image_spec vdso = { .type = ET_DYN, .vaddr = 0xff700000, .memsz = 0x800, .id_len = 8 };
	struct found f;
	struct built b;

	begin(&b, *fmt);
	auxv_put(&b.cb, AT_SYSINFO_EHDR, CB_HEAP);
	bytes_make(&b);
	put_image(&b, 1, &prog);
	put_image(&b, 2, &vdso);
	look(&b, &f);
	assert_int_equal(f.n, 2);
	expect(&f, 0, CB_TEXT, CB_TEXT + 2 * CB_PAGE, "/bin/prog", ID_LEN);
	/* After the owner's name, in the first note. */
	assert_int_equal(f.m[0].build_id_addr, CB_TEXT + NOTE_OFF + 12 + 4 + 8 + 12 + 4);
	expect(&f, 1, CB_HEAP, CB_HEAP + CB_PAGE, "[vdso]", 8);
	fini(&b);
}

static void without_header_it_is_known_by_name(void **state)
{
	struct found f;
	struct built b;

	(void)state;
	begin(&b, CB_LE64);
	bytes_make(&b);
	look(&b, &f);
	assert_int_equal(f.n, 1);
	expect(&f, 0, CB_TEXT, CB_TEXT + 2 * CB_PAGE, "/bin/prog", 0);
	assert_false(f.m[0].has_header);
	fini(&b);
}

static void file_of_data_is_no_module(void **state)
{
	struct found f;
	struct built b;

	(void)state;
	begin(&b, CB_LE64);
	b.cb.segs[1].p_flags = PF_R;
	bytes_make(&b);
	look(&b, &f);
	assert_int_equal(f.n, 0);
	fini(&b);
}

/* NT_FILE: text and heap are both the first page of one file, and only the second is saved. */
static void header_mapped_twice_is_one_module(void **state)
{
	const u64 longs[] = { 2, CB_PAGE, CB_TEXT, CB_TEXT + CB_PAGE, 0, CB_HEAP, CB_HEAP + CB_PAGE, 0 };
	const struct image_spec exec = { .type = ET_EXEC, .vaddr = CB_TEXT, .memsz = CB_HEAP - CB_TEXT + CB_PAGE,
					 .id_len = ID_LEN };
	struct cb_note *n;
	struct found f;
	struct err e;
	struct built b;

	(void)state;
	begin(&b, CB_LE64);
	n = cb_note_at(&b.cb, NT_FILE, 0);
	n->desc.len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
		cb_long(&b.cb, &n->desc, longs[i]);
	cb_ok(buf_add(&n->desc, "/bin/prog\0/bin/prog", 20, &e), &e);
	b.cb.segs[1].p_filesz = 0;
	bytes_make(&b);
	put_image(&b, 2, &exec);
	look(&b, &f);
	assert_int_equal(f.n, 1);
	expect(&f, 0, CB_TEXT, CB_HEAP + CB_PAGE, "/bin/prog", ID_LEN);
	fini(&b);
}

static void impossible_headers_are_not_used(void **state)
{
	static const struct image_spec wild[] = {
		{ .type = ET_DYN, .memsz = CB_PAGE, .id_len = CORE_BUILD_ID_MAX + 1 },
		{ .type = ET_DYN, .memsz = CB_PAGE, .note_len = 8, .id_len = ID_LEN },
		{ .type = ET_CORE, .memsz = CB_PAGE, .id_len = ID_LEN },
		{ .type = ET_DYN, .memsz = ~0ULL, .id_len = ID_LEN },
		{ .type = ET_DYN, .memsz = 0, .id_len = ID_LEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		struct found f;
		struct built b;

		begin(&b, CB_LE64);
		bytes_make(&b);
		put_image(&b, 1, &wild[i]);
		look(&b, &f);
		assert_int_equal(f.n, 1);
		assert_int_equal(f.m[0].build_id_len, 0);
		assert_true(f.m[0].end <= CB_TEXT + 2 * CB_PAGE);
		fini(&b);
	}
}

/* More headers and longer notes than are there: what is there is read. */
static void more_than_is_there_is_read_as_far_as_it_goes(void **state)
{
	const struct image_spec spec = { .type = ET_DYN, .memsz = 2 * CB_PAGE, .note_len = 1ULL << 40,
					 .id_len = ID_LEN, .phnum = 0xffff };
	struct found f;
	struct built b;

	(void)state;
	begin(&b, CB_LE64);
	bytes_make(&b);
	put_image(&b, 1, &spec);
	look(&b, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.m[0].build_id_len, ID_LEN);
	fini(&b);
}

static void any_byte_is_survived(void **state)
{
	static const u8 values[] = { 0x00, 0xff, 0x7f, 0x80 };
	const struct image_spec spec = { .type = ET_DYN, .memsz = 2 * CB_PAGE, .id_len = ID_LEN };
	struct found f;
	struct built b;
	struct err e;

	(void)state;
	begin(&b, CB_LE64);
	bytes_make(&b);
	put_image(&b, 1, &spec);
	look(&b, &f);
	for (size_t i = 0; i < NOTE_OFF + 64; i++)
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			u64 off = b.cb.data_at[1] + i;

			assert_int_equal(pwrite(b.fd, &values[k], 1, (off_t)off), 1);
			f.n = 0;
			cb_ok(core_modules(&b.core, add, &f, &e), &e);
			assert_int_equal(pwrite(b.fd, b.file.p + off, 1, (off_t)off), 1);
		}
	fini(&b);
}

static void present_bytes_end_where_they_end(void **state)
{
	u8 buf[3 * CB_PAGE];
	struct found f;
	struct err e;
	struct built b;
	size_t n;

	(void)state;
	begin(&b, CB_LE64);
	bytes_make(&b);
	look(&b, &f);
	cb_ok(core_read_present(&b.core, CB_TEXT + 16, buf, sizeof(buf), &n, &e), &e);
	assert_int_equal(n, CB_PAGE - 16);
	assert_int_equal(buf[n - 1], cb_byte(CB_TEXT + CB_PAGE - 1));
	cb_ok(core_read_present(&b.core, CB_TEXT + CB_PAGE, buf, sizeof(buf), &n, &e), &e);
	assert_int_equal(n, 0);
	cb_ok(core_read_present(&b.core, UINT64_MAX, buf, sizeof(buf), &n, &e), &e);
	assert_int_equal(n, 0);
	fini(&b);
}

/* A header after the program that says it begins before it. */
static void order_is_of_address(void **state)
{
	const struct image_spec prog = { .type = ET_EXEC, .vaddr = CB_TEXT, .memsz = 2 * CB_PAGE };
	const struct image_spec wrong_header = { .type = ET_EXEC, .vaddr = CB_TEXT - CB_PAGE,
					 .memsz = CB_HEAP + 2 * CB_PAGE - (CB_TEXT - CB_PAGE) };
	struct found f;
	struct built b;

	(void)state;
	begin(&b, CB_LE64);
	bytes_make(&b);
	put_image(&b, 1, &prog);
	put_image(&b, 2, &wrong_header);
	look(&b, &f);
	assert_int_equal(f.n, 2);
	expect(&f, 0, CB_TEXT, CB_TEXT + 2 * CB_PAGE, "/bin/prog", 0);
	expect(&f, 1, CB_TEXT, CB_HEAP + 2 * CB_PAGE, "", 0);
	fini(&b);
}

/*
 * Code and data are in the file's first page: the page that has the data has the headers, too, and
 * the one of the code is not saved.  Read-only: its linker's PT_GNU_RELRO.
 */
static void header_in_the_page_of_the_data(void **state)
{
	static const struct { u32 prot; u64 start; } pages[] = {
		{ PF_R | PF_W, CB_HEAP - 2 * CB_PAGE }, { PF_R, CB_HEAP - 2 * CB_PAGE }, { PF_R | PF_X, CB_HEAP },
	};
	const struct image_spec spec = { .type = ET_DYN, .memsz = CB_PAGE, .id_len = ID_LEN, .phnum = 3 };
	const GElf_Phdr data = { .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x800, .p_vaddr = 2 * CB_PAGE + 0x800,
				 .p_filesz = 0x800, .p_memsz = 0x800 };
	struct built b;
	struct found f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct buf h = { 0 };
		u8 *image;
		struct err e;

		begin(&b, CB_LE64);
		b.cb.segs[2].p_flags = pages[i].prot;
		bytes_make(&b);
		put_image(&b, 2, &spec);
		image = b.file.p + b.cb.data_at[2];
		uint_put(CB_LE64, image + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_flags), 4, PF_R | PF_X);
		cb_ok(elffmt_put_phdr(CB_LE64, &data, &h, &e), &e);
		memcpy(image + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), h.p, h.len);
		buf_fini(&h);
		look(&b, &f);
		assert_true(f.n >= 1);
		if (f.m[f.n - 1].start != pages[i].start)
			fail_msg("page %zu: at %#llx", i, (unsigned long long)f.m[f.n - 1].start);
		assert_int_equal(f.m[f.n - 1].build_id_len, ID_LEN);
		fini(&b);
	}
}

int main(void)
{
	static struct elffmt le64 = { ELFCLASS64, ELFDATA2LSB }, be64 = { ELFCLASS64, ELFDATA2MSB };
	static struct elffmt le32 = { ELFCLASS32, ELFDATA2LSB }, be32 = { ELFCLASS32, ELFDATA2MSB };
	const struct CMUnitTest tests[] = {
		{ "library_and_vdso_are_found: 64-bit little", library_and_vdso_are_found, NULL, NULL, &le64 },
		{ "library_and_vdso_are_found: 64-bit big", library_and_vdso_are_found, NULL, NULL, &be64 },
		{ "library_and_vdso_are_found: 32-bit little", library_and_vdso_are_found, NULL, NULL, &le32 },
		{ "library_and_vdso_are_found: 32-bit big", library_and_vdso_are_found, NULL, NULL, &be32 },
		cmocka_unit_test(without_header_it_is_known_by_name),
		cmocka_unit_test(file_of_data_is_no_module),
		cmocka_unit_test(header_mapped_twice_is_one_module),
		cmocka_unit_test(impossible_headers_are_not_used),
		cmocka_unit_test(more_than_is_there_is_read_as_far_as_it_goes),
		cmocka_unit_test(order_is_of_address),
		cmocka_unit_test(any_byte_is_survived),
		cmocka_unit_test(present_bytes_end_where_they_end),
		cmocka_unit_test(header_in_the_page_of_the_data),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
