#include "stackbuild.h"
#include "dirs.h"

#include <sys/stat.h>

#include "base/util.h"

/* Which module an address is of, and which file or memory a module is made of. */

static struct module *main_of(struct sb_open *o)
{
	struct module *m = module_at(o->u, sb_pc(0));

	assert_non_null(m);
	return m;
}

/* ---- modules */

static void the_program_and_the_list(void **state)
{
	const struct unwind_opts opts = { 0 };
	struct sb_open o;
	struct module *m;

	(void)state;
	sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
	sb_open(&o, &opts);
	assert_int_equal(o.u->n_mods, 2);
	m = main_of(&o);
	assert_true(m->is_main);
	assert_string_equal(m->path, "/bin/prog");
	assert_int_equal(m->start, CB_TEXT);
	assert_int_equal(m->end, CB_TEXT + 2 * CB_PAGE);
	assert_int_equal(m->build_id_len, 20);
	assert_ptr_equal(module_at(o.u, CB_TEXT), m);
	assert_ptr_equal(module_at(o.u, CB_TEXT + 2 * CB_PAGE - 1), m);
	assert_null(module_at(o.u, CB_TEXT - 1));
	assert_null(module_at(o.u, CB_TEXT + 2 * CB_PAGE));
	/* What FILE lacks: from where it is loaded to the end of its data. */
	m = module_at(o.u, SB_LIB);
	assert_non_null(m);
	assert_false(m->is_main);
	assert_string_equal(m->path, "/lib/libgone.so");
	assert_int_equal(m->start, SB_LIB);
	assert_int_equal(m->end, SB_LIB + 2 * CB_PAGE);
	assert_ptr_equal(module_at(o.u, SB_LIB + 2 * CB_PAGE - 1), m);
	assert_null(module_at(o.u, SB_LIB + 2 * CB_PAGE));
	sb_close(&o);
}

/* The list with entry @i changed after it was written. */
static size_t modules_with(u64 base, const char *name, u64 ld, int next)
{
	const struct unwind_opts opts = { .sysroot = "/proc/self/ns", .debuginfo_path = "" };
	struct unwind *u = NULL;
	struct core core = { 0 };
	struct err e = { 0 };
	char path[32];
	struct sb s;
	size_t n;
	int fd;

	sb_begin(&s, EM_X86_64, CB_LE64, ET_DYN);
	sb_write(&s);
	sb_link(&s, 1, base, name, ld, next);
	fd = cb_file_of(&s.file, path);
	cb_ok(core_open(&core, path, &e), &e);
	cb_ok(unwind_open(&u, &core, &opts, &e), &e);
	n = u->n_mods;
	for (size_t i = 1; i < n; i++)
		assert_true(u->mods[i - 1].start <= u->mods[i].start);
	unwind_close(u);
	core_close(&core);
	close(fd);
	sb_fini(&s);
	return n;
}

static void what_the_list_adds(void **state)
{
	const u64 ld = SB_LIB + CB_PAGE + 0x80;

	(void)state;
	assert_int_equal(modules_with(SB_LIB, "/lib/a", ld, -1), 2);
	/* Each module of a circular list is added once. */
	assert_int_equal(modules_with(SB_LIB, "/lib/a", ld, 1), 2);
	assert_int_equal(modules_with(SB_LIB, "/lib/a", ld, 0), 2);
	/* No name; dynamic section in no memory, below its base, or in a module that is known; base in one that is. */
	assert_int_equal(modules_with(SB_LIB, "", ld, -1), 1);
	assert_int_equal(modules_with(SB_LIB, "/lib/a", SB_LIB + 0x80, -1), 1);
	assert_int_equal(modules_with(ld + 1, "/lib/a", ld, -1), 1);
	assert_int_equal(modules_with(CB_TEXT - CB_PAGE, "/lib/a", CB_TEXT + 0x80, -1), 1);
	assert_int_equal(modules_with(CB_TEXT + CB_PAGE, "/lib/a", ld, -1), 1);
	/* Below the program, and sorted in before it; it ends with the area of its data. */
	assert_int_equal(modules_with(CB_TEXT - CB_PAGE, "/lib/a", ld, -1), 2);
}

/* The one that begins last before an address is asked. */
static void overlapping(void **state)
{
	const struct core_module more[] = {
		{ .start = CB_TEXT - CB_PAGE, .end = CB_TEXT + 64 * CB_PAGE }, { .start = CB_TEXT + CB_PAGE, .end = CB_TEXT + 3 * CB_PAGE },
	};
	const struct unwind_opts opts = { 0 };
	struct sb_open o;
	struct err e = { 0 };

	(void)state;
	sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
	sb_open(&o, &opts);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		cb_ok(modules_add(o.u, &more[i], &e), &e);
	/* Not before they are sorted. */
	assert_null(module_at(o.u, CB_TEXT - 1));
	assert_int_equal(module_at(o.u, CB_TEXT + CB_PAGE)->start, CB_TEXT);
	cb_ok(modules_load(o.u, &e), &e);
	assert_int_equal(module_at(o.u, CB_TEXT - 1)->start, CB_TEXT - CB_PAGE);
	assert_int_equal(module_at(o.u, CB_TEXT)->start, CB_TEXT);
	assert_int_equal(module_at(o.u, CB_TEXT + CB_PAGE)->start, CB_TEXT + CB_PAGE);
	assert_null(module_at(o.u, CB_TEXT + 3 * CB_PAGE));
	sb_close(&o);
}

static void too_many(void **state)
{
	const struct core_module more = { .start = CB_HEAP, .end = CB_HEAP + CB_PAGE };
	const struct unwind_opts opts = { 0 };
	struct unwind_note n = { 0 };
	struct sb_open o;
	struct err e = { 0 };
	size_t i = 0;

	(void)state;
	sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
	sb_open(&o, &opts);
	assert_false(unwind_note(o.u, &i, &n));
	for (i = 0; i < 10000; i++)
		cb_ok(modules_add(o.u, &more, &e), &e);
	assert_int_equal(o.u->n_mods, 8192);
	i = 0;
	assert_true(unwind_note(o.u, &i, &n));
	assert_null(n.module);
	assert_non_null(strstr(n.text, "more modules"));
	assert_false(unwind_note(o.u, &i, &n));
	sb_close(&o);
}

/* ---- files */

/* The core has only the first page of the program, so that it can be made of a file only. */
static void begin_with_file(struct sb_open *o, bool build_id)
{
	sb_begin(&o->s, EM_X86_64, CB_LE64, ET_DYN);
	if (!build_id) {
		eb_fini(&o->s.eb);
		o->s.eb = (struct eb){ .arch = &o->s.cb.arch, .type = ET_DYN, .r_debug = SB_R_DEBUG, .no_build_id = true };
		eb_make(&o->s.eb);
	}
	o->s.cb.segs[1].p_filesz = CB_PAGE;
}

static void put_bytes(const char *path, const void *p, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* @path as the program's file is used, and @note is part of what is said. */
static void expect_file_of(struct sb_open *o, const char *path, const char *note)
{
	const struct unwind_opts opts = { .exe = path };
	struct unwind_note n = { .text = NULL };
	struct module *m;
	size_t i = 0;

	sb_open(o, &opts);
	m = main_of(o);
	assert_non_null(module_elf(o->u, m));
	assert_null(m->image);
	assert_string_equal(m->file, path);
	if (unwind_note(o->u, &i, &n) != (note != NULL))
		fail_msg("%s", n.text ? n.text : "no note");
	if (note && !strstr(n.text, note))
		fail_msg("%s is not in: %s", note, n.text);
	sb_close(o);
}

/* What is said of options that cannot be followed: nothing is opened then. */
static void expect_refused_opts(struct sb_open *o, struct unwind_opts opts, const char *why)
{
	struct core core = { 0 };
	struct unwind *u = NULL;
	struct err e = { 0 };
	char path[32];
	int fd;

	if (!opts.debuginfo_path)
		opts.debuginfo_path = "";
	sb_write(&o->s);
	fd = cb_file_of(&o->s.file, path);
	cb_ok(core_open(&core, path, &e), &e);
	assert_true(unwind_open(&u, &core, &opts, &e) < 0);
	assert_null(u);
	if (!strstr(e.msg, why))
		fail_msg("%s is not in: %s", why, e.msg);
	core_close(&core);
	close(fd);
	sb_fini(&o->s);
}

static void expect_refused(struct sb_open *o, const char *path, const char *why)
{
	expect_refused_opts(o, (struct unwind_opts){ .exe = path }, why);
}

static void by_build_id(void **state)
{
	struct sb_open o;
	u8 *id;

	(void)state;
	begin_with_file(&o, true);
	put_bytes("good", o.s.eb.b.p, o.s.eb.b.len);
	id = memmem(o.s.eb.b.p, o.s.eb.b.len, "\xb1\xb1\xb1\xb1", 4);
	id[19] ^= 1;
	put_bytes("other", o.s.eb.b.p, o.s.eb.b.len);
	id[19] ^= 1;
	expect_file_of(&o, "good", NULL);
	begin_with_file(&o, true);
	expect_refused(&o, "other", "other is not the program of the core: its build-id is b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b0, the core has b1b1");
	begin_with_file(&o, false);
	put_bytes("none", o.s.eb.b.p, o.s.eb.b.len);
	sb_fini(&o.s);
	begin_with_file(&o, true);
	expect_refused(&o, "none", "its build-id is none");
}

/* Without a build-id in the core: the segments have to be those that were mapped, and the entry point, too. */
static void by_layout(void **state)
{
	struct sb_open o;

	(void)state;
	begin_with_file(&o, false);
	put_bytes("good", o.s.eb.b.p, o.s.eb.b.len);
	/* Shorter than what was mapped of it: p_filesz of the first program header, which is PT_LOAD. */
	uint_put(CB_LE64, o.s.eb.b.p + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), 8, CB_PAGE);
	put_bytes("short", o.s.eb.b.p, o.s.eb.b.len);
	uint_put(CB_LE64, o.s.eb.b.p + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), 8, EB_SIZE);
	expect_file_of(&o, "good", "cannot be verified");
	begin_with_file(&o, false);
	expect_refused(&o, "short", "its segments are others");
	/* The core does not have the page that the build-id is in. */
	begin_with_file(&o, true);
	put_bytes("good", o.s.eb.b.p, o.s.eb.b.len);
	o.s.cb.segs[1].p_filesz = 0;
	expect_file_of(&o, "good", "cannot be verified");
}

/* A part as long as a number can say: what the core does not have of it is passed over at once. */
static void endless_part(void **state)
{
	struct sb_open o;

	(void)state;
	begin_with_file(&o, false);
	uint_put(CB_LE64, o.s.eb.b.p + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), 8, INT64_MAX);
	put_bytes("endless", o.s.eb.b.p, o.s.eb.b.len);
	sb_fini(&o.s);
	begin_with_file(&o, false);
	expect_file_of(&o, "endless", "cannot be verified");
}

/* Without a build-id in the core: what it has of the file must be the file's, found by its name or named. */
static void by_contents(void **state)
{
	const struct unwind_opts opts = { .sysroot = "root" };
	struct sb_open o;
	struct module *m;

	(void)state;
	assert_int_equal(mkdir("root", 0700) || mkdir("root/bin", 0700), 0);
	for (int other = 0; other < 2; other++) {
		begin_with_file(&o, false);
		for (size_t i = 0; i < EB_FUNC_SIZE * 2; i++)
			o.s.eb.b.p[EB_CODE + i] ^= other ? 0xff : 0;
		put_bytes("root/bin/prog", o.s.eb.b.p, o.s.eb.b.len);
		for (size_t i = 0; i < EB_FUNC_SIZE * 2; i++)
			o.s.eb.b.p[EB_CODE + i] ^= other ? 0xff : 0;
		sb_open(&o, &opts);
		m = main_of(&o);
		module_elf(o.u, m);
		assert_int_equal(m->file != NULL, !other);
		assert_non_null(strstr(m->note, other ? "512 of 4096 bytes that the core has of it are others; not used" : "cannot be verified"));
		sb_close(&o);
	}
	begin_with_file(&o, false);
	expect_refused(&o, "root/bin/prog", "512 of 4096 bytes that the core has of it are others, the first one at 0x400200");
	unlink("root/bin/prog");
	rmdir("root/bin");
	rmdir("root");
}

static void what_is_no_program(void **state)
{
	static const struct { const char *path, *why; } refused[] = {
		{ "machine", "machine is of another machine" }, { "text", "text is no ELF file" }, { "empty", "empty is no ELF file" },
		{ "core", "core is no program: its e_type is 4" }, { "dir", "dir is no regular file" },
		{ "fifo", "fifo is no regular file" }, { "/dev/zero", "/dev/zero is no regular file" },
		{ "loop", "open loop: Too many levels" }, { "absent", "open absent: No such file" }, { "", "open : No such file" },
	};
	struct sb_open o;

	(void)state;
	begin_with_file(&o, true);
	o.s.eb.b.p[18] = EM_AARCH64;
	put_bytes("machine", o.s.eb.b.p, o.s.eb.b.len);
	o.s.eb.b.p[18] = EM_X86_64;
	o.s.eb.b.p[16] = ET_CORE;
	put_bytes("core", o.s.eb.b.p, o.s.eb.b.len);
	sb_fini(&o.s);
	put_file("text", "hello\n");
	put_file("empty", "");
	assert_int_equal(mkdir("dir", 0700) || mkfifo("fifo", 0600) || symlink("loop", "loop"), 0);
	/* None of them is waited for. */
	alarm(60);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		begin_with_file(&o, true);
		expect_refused(&o, refused[i].path, refused[i].why);
	}
	alarm(0);
	rmdir("dir");
}

static void what_is_no_directory(void **state)
{
	struct sb_open o;

	(void)state;
	put_file("file", "");
	assert_int_equal(mkdir("dir", 0700), 0);
	begin_with_file(&o, true);
	expect_refused_opts(&o, (struct unwind_opts){ .sysroot = "absent" }, "--sysroot: open absent: No such file");
	begin_with_file(&o, true);
	expect_refused_opts(&o, (struct unwind_opts){ .sysroot = "file" }, "--sysroot: file is no directory");
	begin_with_file(&o, true);
	expect_refused_opts(&o, (struct unwind_opts){ .sysroot = "" }, "--sysroot: open : No such file");
	begin_with_file(&o, true);
	expect_refused_opts(&o, (struct unwind_opts){ .debuginfo_path = "dir:absent" }, "--debuginfo-path: open absent: No such file");
	begin_with_file(&o, true);
	expect_refused_opts(&o, (struct unwind_opts){ .debuginfo_path = "file:dir" }, "--debuginfo-path: file is no directory");
	rmdir("dir");
}

/* Names in the working directory; one of a directory of debug files that is absolute is below the sysroot if it is there. */
static void relative_directories(void **state)
{
	char *cwd = getcwd(NULL, 0), *in_root = NULL;
	struct unwind u = { .opts = { .sysroot = "root/.", .debuginfo_path = "debug::/usr/share:/proc" } };
	struct err e = { 0 };

	(void)state;
	assert_non_null(cwd);
	assert_int_equal(mkdir("root", 0700) || mkdir("debug", 0700) || mkdir("root/usr", 0700) || mkdir("root/usr/share", 0700), 0);
	assert_int_equal(asprintf(&in_root, "%s/root/usr/share", cwd) < 0, 0);
	cb_ok(dirs_open(&u, &e), &e);
	assert_string_equal(u.opts.sysroot + strlen(cwd), "/root");
	assert_int_equal(u.n_debugdirs, 3);
	assert_string_equal(u.debugdirs[0] + strlen(cwd), "/debug");
	assert_string_equal(u.debugdirs[1], in_root);
	assert_string_equal(u.debugdirs[2], "/proc");
	dirs_close(&u);
	assert_int_equal(rmdir("debug") || rmdir("root/usr/share") || rmdir("root/usr") || rmdir("root"), 0);
	free(in_root);
	free(cwd);
}

/* What the core has not, the verified file has, if it was not written to. */
static void memory_of_the_file(void **state)
{
	const struct unwind_opts opts = { .exe = "good" }, none = { .exe = NULL };
	struct sb_open o;
	u8 buf[64];

	(void)state;
	begin_with_file(&o, true);
	put_bytes("good", o.s.eb.b.p, o.s.eb.b.len);
	sb_open(&o, &opts);
	assert_true(space_read(o.u, CB_TEXT + CB_PAGE - 32, buf, sizeof(buf)));
	assert_memory_equal(buf, o.s.eb.b.p + CB_PAGE - 32, sizeof(buf));
	assert_true(space_read(o.u, CB_TEXT + 2 * CB_PAGE - 32, buf, 32));
	assert_false(space_read(o.u, CB_TEXT + 2 * CB_PAGE - 32, buf, 33));
	assert_int_equal(o.u->fault.state, MEM_UNMAPPED);
	sb_close(&o);
	begin_with_file(&o, true);
	sb_open(&o, &none);
	assert_false(space_read(o.u, CB_TEXT + CB_PAGE - 32, buf, sizeof(buf)));
	assert_int_equal(o.u->fault.state, MEM_ABSENT);
	assert_int_equal(o.u->fault.addr, CB_TEXT + CB_PAGE);
	sb_close(&o);
	begin_with_file(&o, true);
	uint_put(CB_LE64, o.s.eb.b.p + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_flags), 4, PF_R | PF_W | PF_X);
	put_bytes("good", o.s.eb.b.p, o.s.eb.b.len);
	sb_open(&o, &opts);
	assert_false(space_read(o.u, CB_TEXT + CB_PAGE - 32, buf, sizeof(buf)));
	sb_close(&o);
}

/* ---- images of the core's memory */

/* The first program header, PT_LOAD of all, and the header that leads to it, are changed in the core's memory. */
static void with_headers(struct sb_open *o, void (*change)(GElf_Ehdr *eh, GElf_Phdr *load))
{
	struct elffmt fmt = o->s.cb.arch.fmt;
	size_t at = elffmt_ehdr_size(fmt);
	struct buf h = { 0 };
	GElf_Ehdr eh;
	GElf_Phdr p;
	struct err e;

	cb_ok(elffmt_get_ehdr(fmt, (struct bytes){ .p = o->s.eb.b.p, .len = at }, &eh, &e), &e);
	cb_ok(elffmt_get_phdr(fmt, (struct bytes){ .p = o->s.eb.b.p + at, .len = elffmt_phdr_size(fmt) }, &p, &e), &e);
	change(&eh, &p);
	cb_ok(elffmt_put_ehdr(fmt, &eh, &h, &e), &e);
	cb_ok(elffmt_put_phdr(fmt, &p, &h, &e), &e);
	memcpy(o->s.eb.b.p, h.p, h.len);
	buf_fini(&h);
}

static void as_it_is(GElf_Ehdr *eh, GElf_Phdr *p) { (void)eh; (void)p; }
static void not_writable_and_cut(GElf_Ehdr *eh, GElf_Phdr *p) { (void)eh; p->p_filesz = p->p_memsz = EB_SIZE + 1; }
static void writable_and_cut(GElf_Ehdr *eh, GElf_Phdr *p) { not_writable_and_cut(eh, p); p->p_flags |= PF_W; }
static void huge(GElf_Ehdr *eh, GElf_Phdr *p) { (void)eh; p->p_flags |= PF_W; p->p_filesz = (256u << 20) + 1; }
static void over_the_top(GElf_Ehdr *eh, GElf_Phdr *p) { (void)eh; p->p_flags |= PF_W; p->p_filesz = UINT64_MAX - 1; p->p_offset = CB_PAGE; }
static void of_a_machine(GElf_Ehdr *eh, GElf_Phdr *p) { (void)p; eh->e_machine = EM_AARCH64; }
static void too_many_headers(GElf_Ehdr *eh, GElf_Phdr *p) { (void)p; eh->e_phnum = 129; }
static void headers_elsewhere(GElf_Ehdr *eh, GElf_Phdr *p) { (void)p; eh->e_phoff = UINT64_MAX - 64; }
static void sections_elsewhere(GElf_Ehdr *eh, GElf_Phdr *p) { (void)p; eh->e_shoff = UINT64_MAX - 64; }
static void no_load(GElf_Ehdr *eh, GElf_Phdr *p) { (void)eh; p->p_type = PT_NULL; }
static void empty(GElf_Ehdr *eh, GElf_Phdr *p) { (void)eh; p->p_filesz = 63; }

static const struct {
	void (*change)(GElf_Ehdr *eh, GElf_Phdr *load);
	bool good;
} images[] = {
	{ as_it_is, true }, { not_writable_and_cut, false }, { writable_and_cut, true }, { huge, false },
	{ over_the_top, false }, { of_a_machine, false }, { too_many_headers, false }, { headers_elsewhere, false },
	{ sections_elsewhere, true }, { no_load, false }, { empty, false },
};

static void of_memory(void **state)
{
	const struct unwind_opts opts = { 0 };
	struct sb_open o;
	size_t n = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		struct module *m;

		sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
		with_headers(&o, images[i].change);
		sb_open(&o, &opts);
		m = main_of(&o);
		if ((module_elf(o.u, m) != NULL) != images[i].good)
			fail_msg("image %zu", i);
		assert_int_equal(m->image != NULL, images[i].good);
		if (images[i].good) {
			/* Its sections are its maker's word. */
			assert_int_equal(elf_getshdrnum(m->elf, &n), 0);
			assert_int_equal(n, 0);
			assert_int_equal(elf_getphdrnum(m->elf, &n), 0);
			assert_int_equal(n, o.s.eb.n_phdrs);
			assert_memory_equal(m->image + EB_CODE, o.s.eb.b.p + EB_CODE, EB_SIZE - EB_CODE);
			assert_int_equal(m->bias, CB_TEXT);
			assert_null(m->note);
		}
		sb_close(&o);
	}
}

/* The same bytes in every segment: what is copied for one module is bounded by its length. */
static void of_overlapping_segments(void **state)
{
	const struct unwind_opts opts = { 0 };
	struct sb_open o;

	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		/* All 128 that there may be: of one byte, or of all. */
		sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
		o.s.eb.b.p[offsetof(Elf64_Ehdr, e_phnum)] = 128;
		for (size_t i = 1; i < 128; i++) {
			struct buf b = { 0 };
			GElf_Phdr p = { .p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = big ? EB_SIZE : 1, .p_memsz = EB_SIZE };
			struct err e;

			cb_ok(elffmt_put_phdr(CB_LE64, &p, &b, &e), &e);
			memcpy(o.s.eb.b.p + sizeof(Elf64_Ehdr) + i * b.len, b.p, b.len);
			buf_fini(&b);
		}
		sb_open(&o, &opts);
		assert_int_equal(module_elf(o.u, main_of(&o)) != NULL, !big);
		sb_close(&o);
	}
}

/* And of all modules by a number. */
static void of_too_much(void **state)
{
	const struct unwind_opts opts = { 0 };
	struct sb_open o;

	(void)state;
	for (int more = 0; more < 2; more++) {
		sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
		sb_open(&o, &opts);
		o.u->image_bytes = (1u << 30) - EB_SIZE + (unsigned)more;
		assert_int_equal(module_elf(o.u, main_of(&o)) != NULL, !more);
		assert_int_equal(o.u->image_bytes, (1u << 30) - (more ? EB_SIZE - 1 : 0));
		sb_close(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_and_the_list),	cmocka_unit_test(what_the_list_adds),
		cmocka_unit_test(overlapping),			cmocka_unit_test(too_many),
		in_dir(by_build_id),
		in_dir(by_layout),				in_dir(endless_part),
		in_dir(by_contents),
		in_dir(what_is_no_program),
		in_dir(what_is_no_directory),			in_dir(relative_directories),
		in_dir(memory_of_the_file),			cmocka_unit_test(of_memory),
		cmocka_unit_test(of_overlapping_segments),	cmocka_unit_test(of_too_much),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
