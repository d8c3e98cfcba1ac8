#include "corebuild.h"

#include "base/util.h"
#include "elf/linkmap.h"

/* The dynamic linker's list in memory that is built here, from MEM on; PAGES_MAX - 1 is the last page there is. */
enum {
	MEM = 0x10000,
	PAGES_MAX = 80,
	PHDRS = MEM,
	DYNAMIC = MEM + 0x1000,
	R_DEBUG = MEM + 0x1800,
	LINKS = MEM + 0x2000,		/* entry i at LINKS + i * LINK_SIZE */
	LINK_SIZE = 0x20,
	NAMES = MEM + 0x24000,
	LINKS_MOST = 4096,		/* as in linkmap.c */
	SEEN_MAX = 16,
};

struct world {
	struct linkmap_reader r;
	u8 *mem;
	u64 missing;	/* this page cannot be read */
	u64 phnum;
	size_t read;	/* bytes */
	size_t reads;
	struct link seen[SEEN_MAX];
	char names[SEEN_MAX][64];
	size_t n;
	int answer;	/* of the callback */
};

static bool read_mem(void *arg, u64 addr, void *buf, size_t len)
{
	struct world *w = arg;
	u64 page = addr / CB_PAGE * CB_PAGE;

	w->reads++;
	w->read += len;
	if (addr < MEM || addr - MEM > PAGES_MAX * CB_PAGE - len || page == w->missing || (addr + len - 1) / CB_PAGE * CB_PAGE == w->missing)
		return false;
	memcpy(buf, w->mem + (addr - MEM), len);
	return true;
}

static void put(struct world *w, u64 addr, unsigned size, u64 value)
{
	uint_put(w->r.fmt, w->mem + (addr - MEM), size, value);
}

static void put_word(struct world *w, u64 addr, u64 value)
{
	put(w, addr, w->r.word, value);
}

static void put_phdr(struct world *w, unsigned i, u32 type, u64 vaddr)
{
	GElf_Phdr p = { .p_type = type, .p_vaddr = vaddr };
	struct buf b = { 0 };
	struct err e;

	cb_ok(elffmt_put_phdr(w->r.fmt, &p, &b, &e), &e);
	memcpy(w->mem + (PHDRS - MEM) + i * b.len, b.p, b.len);
	w->phnum = max(w->phnum, (u64)i + 1);
	buf_fini(&b);
}

static void put_link(struct world *w, unsigned i, u64 name, u64 next)
{
	u64 at = LINKS + i * LINK_SIZE, word = w->r.word;

	put_word(w, at, 0x1000 * (i + 1));
	put_word(w, at + word, name);
	put_word(w, at + 2 * word, 0x1000 * (i + 1) + 8);
	put_word(w, at + 3 * word, next);
}

static u64 link_at(unsigned i)
{
	return LINKS + i * LINK_SIZE;
}

/* Three entries: the program "", "/lib/one", "/lib/two"; the program is loaded where its headers say, plus @bias. */
static void begin(struct world *w, struct elffmt fmt, u64 bias)
{
	*w = (struct world){ .missing = 1 };
	w->mem = calloc(PAGES_MAX, CB_PAGE);
	assert_non_null(w->mem);
	w->r = (struct linkmap_reader){ .fmt = fmt, .word = fmt.class == ELFCLASS64 ? 8 : 4, .read = read_mem, .arg = w };
	put_phdr(w, 0, PT_PHDR, PHDRS - bias);
	put_phdr(w, 1, PT_LOAD, MEM - bias);
	put_phdr(w, 2, PT_DYNAMIC, DYNAMIC - bias);
	put_word(w, DYNAMIC, DT_NEEDED);
	put_word(w, DYNAMIC + 2 * w->r.word, DT_DEBUG);
	put_word(w, DYNAMIC + 3 * w->r.word, R_DEBUG);
	put_word(w, R_DEBUG, 1);
	put_word(w, R_DEBUG + w->r.word, link_at(0));
	put_link(w, 0, NAMES, link_at(1));
	put_link(w, 1, NAMES + 0x40, link_at(2));
	put_link(w, 2, NAMES + 0x80, 0);
	strcpy((char *)w->mem + (NAMES - MEM) + 0x40, "/lib/one");
	strcpy((char *)w->mem + (NAMES - MEM) + 0x80, "/lib/two");
}

static int on_link(const struct link *l, void *arg, struct err *e)
{
	struct world *w = arg;

	(void)e;
	if (w->n < SEEN_MAX) {
		w->seen[w->n] = *l;
		snprintf(w->names[w->n], sizeof(w->names[0]), "%s", l->name);
	}
	w->n++;
	return w->answer;
}

static size_t walk(struct world *w)
{
	struct err e = { 0 };

	w->n = w->reads = w->read = 0;
	assert_int_equal(linkmap_walk(&w->r, PHDRS, w->phnum, on_link, w, &e), w->answer);
	return w->n;
}

static void end(struct world *w)
{
	free(w->mem);
}

static const struct elffmt fmts[] = {
	{ ELFCLASS64, ELFDATA2LSB }, { ELFCLASS64, ELFDATA2MSB }, { ELFCLASS32, ELFDATA2LSB }, { ELFCLASS32, ELFDATA2MSB },
};

static void good(void **state)
{
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		begin(&w, fmts[i], i % 2 ? 0x4000 : 0);
		assert_int_equal(walk(&w), 3);
		assert_string_equal(w.names[0], "");
		assert_string_equal(w.names[1], "/lib/one");
		assert_string_equal(w.names[2], "/lib/two");
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(w.seen[k].base, 0x1000 * (k + 1));
			assert_int_equal(w.seen[k].ld, 0x1000 * (k + 1) + 8);
		}
		end(&w);
	}
}

static void the_callback_ends_it(void **state)
{
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	w.answer = 7;
	assert_int_equal(walk(&w), 1);
	end(&w);
}

/* Without PT_PHDR the program is where its headers say. */
static void without_phdr(void **state)
{
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	put_phdr(&w, 0, PT_NOTE, 0);
	assert_int_equal(walk(&w), 3);
	end(&w);
	begin(&w, fmts[0], 0x4000);
	put_phdr(&w, 0, PT_NOTE, 0);
	assert_int_equal(walk(&w), 0);
	end(&w);
}

static void nothing_to_find(void **state)
{
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	put_phdr(&w, 2, PT_NOTE, 0);
	assert_int_equal(walk(&w), 0);
	put_phdr(&w, 2, PT_DYNAMIC, DYNAMIC);
	assert_int_equal(walk(&w), 3);
	/* DT_DEBUG after the end, with the value 0, or no DT_DEBUG. */
	put_word(&w, DYNAMIC, DT_NULL);
	assert_int_equal(walk(&w), 0);
	put_word(&w, DYNAMIC, DT_NEEDED);
	put_word(&w, DYNAMIC + 3 * w.r.word, 0);
	assert_int_equal(walk(&w), 0);
	put_word(&w, DYNAMIC + 2 * w.r.word, DT_HASH);
	assert_int_equal(walk(&w), 0);
	end(&w);
}

/* A dynamic section without end, and program headers without number, are not read for ever. */
static void no_end_of_tables(void **state)
{
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	for (u64 at = DYNAMIC; at < MEM + PAGES_MAX * CB_PAGE; at += 16)
		put_word(&w, at, DT_NEEDED);
	assert_int_equal(walk(&w), 0);
	assert_in_range(w.reads, 100, 3000);
	w.phnum = UINT64_MAX;
	assert_int_equal(walk(&w), 0);
	assert_in_range(w.reads, 100, 3000);
	end(&w);
}

static void cut(void **state)
{
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	put_link(&w, 1, NAMES + 0x40, 0x10);
	assert_int_equal(walk(&w), 2);
	/* The name of the second is not there, as the program's often is: the list goes on. */
	put_link(&w, 1, MEM - 64, link_at(2));
	assert_int_equal(walk(&w), 3);
	assert_string_equal(w.names[1], "");
	assert_string_equal(w.names[2], "/lib/two");
	w.missing = LINKS;
	assert_int_equal(walk(&w), 0);
	w.missing = DYNAMIC;
	assert_int_equal(walk(&w), 0);
	end(&w);
}

/* A circle of any length ends after three rounds at most, wherever it begins. */
static void circles(void **state)
{
	struct world w;

	(void)state;
	for (unsigned len = 1; len <= 9; len++)
		for (unsigned tail = 0; tail <= 5; tail++) {
			begin(&w, fmts[0], 0);
			for (unsigned i = 0; i < tail + len; i++)
				put_link(&w, i, NAMES, link_at(i + 1 < tail + len ? i + 1 : tail));
			walk(&w);
			assert_in_range(w.n, tail + len, 3 * (tail + len));
			end(&w);
		}
}

static void too_many(void **state)
{
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	for (unsigned i = 0; i < LINKS_MOST + 4; i++)
		put_link(&w, i, NAMES, link_at(i + 1));
	assert_int_equal(walk(&w), LINKS_MOST);
	end(&w);
}

/* Names end by 4,095 bytes; of all of them no more than a MiB is read. */
static void long_names(void **state)
{
	u8 *name;
	struct world w;

	(void)state;
	begin(&w, fmts[0], 0);
	name = w.mem + (NAMES - MEM);
	memset(name, 'x', 4095);
	assert_int_equal(walk(&w), 3);
	assert_int_equal(strlen(w.names[0]), sizeof(w.names[0]) - 1);
	name[4095] = 'x';
	assert_int_equal(walk(&w), 3);
	assert_string_equal(w.names[0], "");
	name[4095] = 0;
	for (unsigned i = 0; i < LINKS_MOST; i++)
		put_link(&w, i, NAMES, link_at(i + 1));
	assert_int_equal(walk(&w), LINKS_MOST);
	assert_in_range(w.read, 1 << 20, (1 << 20) + LINKS_MOST * 4 * 8 + CB_PAGE);
	end(&w);
}

/* A name may end with its page, and the next page be missing. */
static void name_at_the_end_of_a_page(void **state)
{
	struct world w;
	u64 page = NAMES + CB_PAGE;

	(void)state;
	begin(&w, fmts[0], 0);
	put_link(&w, 1, page - 9, link_at(2));
	strcpy((char *)w.mem + (page - 9 - MEM), "/lib/end");
	w.missing = page;
	assert_int_equal(walk(&w), 3);
	assert_string_equal(w.names[1], "/lib/end");
	/* And over its end. */
	put_link(&w, 1, page - 8, link_at(2));
	memcpy(w.mem + (page - 8 - MEM), "/lib/over", 10);
	assert_int_equal(walk(&w), 3);
	assert_string_equal(w.names[1], "");
	w.missing = 1;
	assert_int_equal(walk(&w), 3);
	assert_string_equal(w.names[1], "/lib/over");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),			cmocka_unit_test(the_callback_ends_it),
		cmocka_unit_test(without_phdr),		cmocka_unit_test(nothing_to_find),
		cmocka_unit_test(no_end_of_tables),	cmocka_unit_test(cut),
		cmocka_unit_test(circles),		cmocka_unit_test(too_many),
		cmocka_unit_test(long_names),		cmocka_unit_test(name_at_the_end_of_a_page),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
