#include "checkmut.h"

/* Memory tags: a good core with them, and one mutation each. */

/* Segments 4 and 5 are the tags of heap (2) and stack (3). */
static void tags_cut(struct cb *cb, struct buf *b) { (void)cb; b->len -= 100; }
static void tags_wrap(struct cb *cb) { cb->segs[5].p_vaddr = 0ULL - CB_PAGE; cb->segs[3].p_vaddr = 0ULL - CB_PAGE; }
static void tags_old(struct cb *cb) { cb->segs[4].p_type = CORE_PT_MEMTAG_OLD; }
static void tags_of_nothing(struct cb *cb) { cb->segs[5].p_filesz = cb->segs[5].p_memsz = 0; }
static void tags_many(struct cb *cb) { cb->segs[5].p_filesz += 128; }
static void tags_odd(struct cb *cb) { cb->segs[5].p_filesz = 100; }
static void tags_short_area(struct cb *cb) { cb->segs[5].p_filesz = 128; cb->segs[5].p_memsz = CB_PAGE; }
static void tags_astray(struct cb *cb) { cb->segs[5].p_vaddr += 0x100000; }
static void tags_twice(struct cb *cb) { cb->segs[5].p_vaddr = cb->segs[4].p_vaddr; }
static void tags_flags(struct cb *cb) { cb->segs[4].p_flags = PF_R; }
static void tags_paddr(struct cb *cb) { cb->segs[4].p_paddr = CB_HEAP; }
static void tags_align(struct cb *cb) { cb->segs[4].p_align = 1; }
static void tags_alone(struct cb *cb) { cb->segs[3].p_filesz = 0; }
static void tags_first_page(struct cb *cb) { cb->segs[5].p_filesz = 128; }
static void tags_filtered(struct cb *cb) { cb->segs[3].p_filesz = cb->segs[5].p_filesz = 0; }
static void tags_none(struct cb *cb) { (void)cb; }

static void swap_segs(struct cb *cb, size_t a, size_t b)
{
	GElf_Phdr tmp = cb->segs[a];

	cb->segs[a] = cb->segs[b];
	cb->segs[b] = tmp;
}

static void tags_descend(struct cb *cb) { swap_segs(cb, 4, 5); }
static void tags_before_load(struct cb *cb) { swap_segs(cb, 3, 4); }

static void tags_gap(struct cb *cb)
{
	static const char line[] = "600000-601000 memory tags cannot be read\n";

	cb_note_add(cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, line, sizeof(line) - 1);
}

static void tags_first(struct cb *cb) { swap_segs(cb, 1, 4); swap_segs(cb, 2, 5); }
/* The headers are at the end now; those of notes and tags are there, and no PT_LOAD. */
static void loads_cut(struct cb *cb, struct buf *b)
{
	u8 table[3 * sizeof(Elf64_Phdr)];
	struct buf head = { 0 };
	struct err e;

	memcpy(table, b->p + sizeof(Elf64_Ehdr), sizeof(table));
	cb->ehdr.e_phoff = b->len;
	cb_ok(buf_add(b, table, sizeof(table), &e), &e);
	cb_ok(elffmt_put_ehdr(cb->arch.fmt, &cb->ehdr, &head, &e), &e);
	memcpy(b->p, head.p, head.len);
	buf_fini(&head);
}

static const struct mutation mutations[] = {
	{ "seg-truncated", "tags", .bytes = tags_cut, .mte = true },
	{ "seg-wrap", "tags", .late = tags_wrap, .mte = true, .also = "thread-sp" },
	{ "mte-old-type", "0x70000001", .late = tags_old, .mte = true },
	{ "mte-big-endian", "big", .late = tags_none, .mte = true, .data = ELFDATA2MSB, .also = "elf-machine" },
	{ "mte-empty", "memsz 0", .notes = tags_of_nothing, .mte = true },
	{ "mte-size", "a page more", .notes = tags_many, .mte = true },
	{ "mte-page", "100 bytes", .notes = tags_odd, .mte = true },
	{ "mte-load", "other size", .notes = tags_short_area, .mte = true },
	{ "mte-load", "no area", .late = tags_astray, .mte = true },
	{ "mte-overlap", "heap twice", .late = tags_twice, .mte = true },
	{ "mte-order", "descending", .late = tags_descend, .mte = true },
	{ "mte-order", "before a PT_LOAD", .late = tags_before_load, .mte = true },
	{ "mte-fields", "flags", .late = tags_flags, .mte = true },
	{ "mte-fields", "paddr", .late = tags_paddr, .mte = true },
	{ "mte-fields", "align", .late = tags_align, .mte = true },
	{ "mte-unsaved", "no memory", .notes = tags_alone, .mte = true, .also = "thread-stack", .too = "quirk-elfutils-absent" },
	{ "mte-unsaved", "first page", .notes = tags_first_page, .mte = true },
	{ "mte-no-data", "filtered", .notes = tags_filtered, .mte = true, .also = "thread-stack", .too = "quirk-elfutils-absent" },
	{ "tagcore-gaps", "tags", .notes = tags_gap, .mte = true },
};

static void good_tags_have_no_finding(void **state)
{
	(void)state;
	mut_good(&(struct mutation){ .mte = true });
}

static void every_check_of_tags_has_a_mutation(void **state)
{
	static const char *const mine[] = { "mte-", NULL };

	(void)state;
	mut_all_there(mutations, ARRAY_SIZE(mutations), mine, false);
}

/* A PT_LOAD that may be among the lost headers is not missed. */
static void cut_headers_are_no_astray_tags(void **state)
{
	const struct mutation m = { .late = tags_first, .bytes = loads_cut, .mte = true };
	struct findings l = { 0 };
	bool cut = false;

	(void)state;
	check_mutated(&m, &l);
	for (size_t i = 0; i < l.n; i++) {
		cut |= !strcmp(l.f[i].check->id, "phdr-truncated");
		assert_string_not_equal(l.f[i].check->id, "mte-load");
	}
	assert_true(cut);
	findings_fini(&l);
}

int main(void)
{
	struct CMUnitTest tests[3 + ARRAY_SIZE(mutations)] = {
		cmocka_unit_test(good_tags_have_no_finding),
		cmocka_unit_test(every_check_of_tags_has_a_mutation),
		cmocka_unit_test(cut_headers_are_no_astray_tags),
	};

	mut_tests(mutations, ARRAY_SIZE(mutations), tests + 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
