#include "stackbuild.h"

#include "base/util.h"
#include "unwind/dwarf/debuginfo.h"

/*
 * Strings that do not end in their section: they are not used, and those that do are.
 * What is read beyond a section AddressSanitizer sees, as libelf has each in memory of its own.
 */

static GElf_Shdr *section(struct eb *eb, const char *name)
{
	for (size_t i = 1; i <= eb->n_sections; i++)
		if (!strcmp(eb->sections[i].name, name))
			return &eb->sections[i].sh;
	fail_msg("no section %s", name);
	return NULL;
}

/* The last string does not end. */
static void last(struct eb *eb, const char *name)
{
	const GElf_Shdr *sh = section(eb, name);

	assert_int_equal(eb->b.p[sh->sh_offset + sh->sh_size - 1], 0);
	eb->b.p[sh->sh_offset + sh->sh_size - 1] = 'x';
}

/* None does, that is, from @at on. */
static void from(struct eb *eb, const char *name, size_t at)
{
	const GElf_Shdr *sh = section(eb, name);

	for (; at < sh->sh_size; at++)
		if (!eb->b.p[sh->sh_offset + at])
			eb->b.p[sh->sh_offset + at] = 'x';
}

static void all(struct eb *eb, const char *name)
{
	from(eb, name, 0);
}

/* The first @text in the section, and what follows. */
static void from_text(struct eb *eb, const char *name, const char *text)
{
	const GElf_Shdr *sh = section(eb, name);
	const u8 *start = eb->b.p + sh->sh_offset, *p = memmem(start, sh->sh_size, text, strlen(text) + 1);

	assert_non_null(p);
	from(eb, name, (size_t)(p - start));
}

static void nothing(struct eb *eb) { (void)eb; }
static void symbol(struct eb *eb) { last(eb, ".strtab"); }
static void symbols(struct eb *eb) { all(eb, ".strtab"); }

static void dynamic_symbol(struct eb *eb)
{
	all(eb, ".strtab");
	last(eb, ".dynstr");
}

/* What is in the debug information is asked then. */
static void both_tables(struct eb *eb)
{
	all(eb, ".strtab");
	all(eb, ".dynstr");
}

static void name(struct eb *eb)
{
	both_tables(eb);
	last(eb, ".debug_str");
}

static void names(struct eb *eb)
{
	both_tables(eb);
	all(eb, ".debug_str");
}

static void path(struct eb *eb) { last(eb, ".debug_line_str"); }
static void paths(struct eb *eb) { all(eb, ".debug_line_str"); }

static void name_in_place(struct eb *eb)
{
	both_tables(eb);
	from_text(eb, ".debug_info", "leaf");
}

static void directory_in_place(struct eb *eb)
{
	from_text(eb, ".debug_info", "/top");
}

/* libdw takes one of two sections with the same name. */
static void twice(struct eb *eb)
{
	const GElf_Shdr *sh = section(eb, ".shstrtab");
	u8 *p = memmem(eb->b.p + sh->sh_offset, sh->sh_size, ".debug_aranges", 15);

	assert_non_null(p);
	memcpy(p, ".debug_str", 11);
}

#define LINES_OF(leaf) "tiny src/a.c:15, " leaf " src/a.c:42"
static const struct {
	const char *what;
	bool dwarf5;
	void (*damage)(struct eb *eb);
	const char *leaf, *caller, *start;
} rows[] = {
	{ "good", false, nothing, LINES_OF("leaf"), "a::caller() src/a.c:27", "_start src/a.c:27" },
	{ "good, DWARF 5", true, nothing, LINES_OF("leaf"), "a::caller() src/a.c:27", "_start src/a.c:27" },
	{ "the last symbol", false, symbol, LINES_OF("leaf"), "a::caller() src/a.c:27", "- src/a.c:27" },
	/* From .dynsym, which is found without sections then. */
	{ "all symbols", false, symbols, LINES_OF("leaf"), "a::caller() src/a.c:27", "_start src/a.c:27" },
	{ "a dynamic symbol", false, dynamic_symbol, LINES_OF("leaf"), "a::caller() src/a.c:27", "- src/a.c:27" },
	{ "both tables", false, both_tables, LINES_OF("leaf"), "a::caller() src/a.c:27", "- src/a.c:27" },
	/* Its other name is there. */
	{ "the last name", true, name, LINES_OF("leaf"), "a::caller() src/a.c:27", "- src/a.c:27" },
	{ "all names", true, names, "- src/a.c:15, - src/a.c:42", "- src/a.c:27", "- src/a.c:27" },
	/* libdw takes no line table in part. */
	{ "the last path", true, path, "tiny -:0, leaf -:0", "a::caller() -:0", "_start -:0" },
	{ "all paths", true, paths, "tiny -:0, leaf -:0", "a::caller() -:0", "_start -:0" },
	{ "a name in its place", false, name_in_place, "- src/a.c:15", "a::caller() src/a.c:27", "- src/a.c:27" },
	{ "a directory in its place", false, directory_in_place, "leaf -:0", "a::caller() -:0", "_start -:0" },
	{ "two of a name", true, twice, "leaf -:0", "a::caller() -:0", "_start -:0" },
};

/* ---- what is said of a function */

static int add_name(const struct symbol *s, void *arg, struct err *e)
{
	char *text = arg;
	size_t len = strlen(text);

	(void)e;
	snprintf(text + len, 256 - len, "%s%s %s:%u", len ? ", " : "", s->function ? s->function : "-",
		 s->file ? s->file : "-", s->line);
	return 0;
}

static void expect_name(const char *what, struct sb_open *o, enum eb_func f, const char *want)
{
	const struct frame frame = { .pc = CB_TEXT + eb_func_off(f) + (f == EB_LEAF ? 0x10 : 0x20), .exact = true };
	struct err e = { 0 };
	char got[256] = "";

	cb_ok(unwind_symbols(o->u, &frame, SYMBOL_SOURCE | SYMBOL_INLINES, add_name, got, &e), &e);
	if (strcmp(got, want))
		fail_msg("%s: %s, and not %s", what, got, want);
}

static void begin(struct sb *s, bool dwarf5, void (*damage)(struct eb *eb))
{
	sb_begin(s, EM_X86_64, CB_LE64, ET_DYN);
	if (dwarf5)
		sb_use_strings(s);
	damage(&s->eb);
}

static void strings_without_end(void **state)
{
	struct sb_open o;
	char exe[32];
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct unwind_opts opts = { .exe = exe };

		begin(&o.s, rows[i].dwarf5, rows[i].damage);
		fd = cb_file_of(&o.s.eb.b, exe);
		sb_open(&o, &opts);
		expect_name(rows[i].what, &o, EB_LEAF, rows[i].leaf);
		expect_name(rows[i].what, &o, EB_CALLER, rows[i].caller);
		expect_name(rows[i].what, &o, EB_START, rows[i].start);
		sb_close(&o);
		close(fd);
	}
}

/* A program that is found in the core's memory only, as the vdso is: its names end where DT_STRSZ says. */
static void of_memory(void **state)
{
	static const struct {
		const char *what;
		void (*damage)(struct eb *eb);
		const char *leaf, *start;
	} images[] = {
		{ "good", nothing, "leaf -:0", "_start -:0" },
		{ "a dynamic symbol", dynamic_symbol, "leaf -:0", "- -:0" },
		{ "both tables", both_tables, "- -:0", "- -:0" },
	};
	const struct unwind_opts opts = { 0 };
	struct sb_open o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		begin(&o.s, false, images[i].damage);
		sb_open(&o, &opts);
		expect_name(images[i].what, &o, EB_LEAF, images[i].leaf);
		expect_name(images[i].what, &o, EB_START, images[i].start);
		sb_close(&o);
	}
}

/* By name, of all symbols at once. */
static void names_without_end(void **state)
{
	struct found_names found;
	struct sb_open o;
	char exe[32];
	int fd;

	(void)state;
	for (int damaged = 0; damaged < 2; damaged++) {
		const struct unwind_opts opts = { .exe = exe };
		struct module *m;

		begin(&o.s, false, damaged ? symbol : nothing);
		fd = cb_file_of(&o.s.eb.b, exe);
		sb_open(&o, &opts);
		m = module_at(o.u, sb_pc(0));
		assert_non_null(module_elf(o.u, m));
		names_find(o.u, m, "leaf", &found);
		assert_int_equal(found.n, 1);
		names_find(o.u, m, "_start", &found);
		assert_int_equal(found.n, !damaged);
		sb_close(&o);
		close(fd);
	}
}

/* A damaged table may have anything in it: the function at an address begins in the module that is there. */
static void symbol_begins_in_its_module(void **state)
{
	struct sb_open o;
	char exe[32];
	int fd;

	(void)state;
	for (int below = 0; below < 2; below++) {
		const struct unwind_opts opts = { .exe = exe };
		u8 *sym;

		begin(&o.s, false, nothing);
		sym = o.s.eb.b.p + section(&o.s.eb, ".symtab")->sh_offset + sizeof(Elf64_Sym);
		uint_put(CB_LE64, sym + offsetof(Elf64_Sym, st_value), 8, below ? -(u64)CB_PAGE : 0);
		uint_put(CB_LE64, sym + offsetof(Elf64_Sym, st_size), 8, 2 * CB_PAGE);
		fd = cb_file_of(&o.s.eb.b, exe);
		sb_open(&o, &opts);
		assert_int_equal(symbol_at(o.u, CB_TEXT + 0x210)->name != NULL, !below);
		sb_close(&o);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_without_end), cmocka_unit_test(of_memory), cmocka_unit_test(names_without_end),
		cmocka_unit_test(symbol_begins_in_its_module),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
