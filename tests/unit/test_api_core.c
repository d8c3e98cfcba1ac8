#include "apiopen.h"

#include <errno.h>
#include <fcntl.h>

#include "packbuild.h"

/* A core by the public interface, against what the library itself knows of it. */

static void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void same_area(const struct tagcore_area *a, const struct vma *v)
{
	assert_int_equal(a->start, v->start);
	assert_int_equal(a->end, v->end);
	assert_int_equal(a->offset, v->pgoff);
	assert_int_equal(a->flags, v->flags);
	assert_int_equal(a->inode, v->ino);
	same_text(a->name, v->name);
}

static void areas_are_iterated(void **state)
{
	const struct tagcore_area *a;
	struct tagcore_error error;
	struct mm mm = { 0 };
	struct err e = { 0 };
	struct both b;
	struct vma *v;
	size_t n = 0;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	cb_ok(mm_open_core(&mm, &b.in.core, &e), &e);
	VMA_ITERATOR(vmi, &mm, 0);
	TAGCORE_AREA_ITER(it, tagcore_core_mm(b.out), 0);
	for_each_vma(vmi, v) {
		a = tagcore_area_next(&it);
		assert_non_null(a);
		same_area(a, v);
		n++;
	}
	assert_null(tagcore_area_next(&it));
	assert_int_equal(tagcore_area_iter_end(&it, &error), 0);
	assert_int_equal(vma_iter_end(&vmi, &e), 0);
	assert_int_equal(n, 3);
	assert_string_equal(tagcore_mm_backend(tagcore_core_mm(b.out)), "core");
	mm_close(&mm);
	close_both(&b);
}

static void a_walk_goes_both_ways(void **state)
{
	const struct tagcore_area *a;
	struct both b;
	size_t n = 0;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	TAGCORE_AREA_ITER(it, tagcore_core_mm(b.out), CB_HEAP + 1);
	tagcore_for_each_area_range(it, a, CB_STACK)
		n++;
	assert_int_equal(n, 1);
	/* By value: a copy of an iterator is an iterator. */
	struct tagcore_area_iter copy = it;

	tagcore_area_iter_set(&copy, CB_STACK);
	assert_int_equal(tagcore_area_next(&copy)->start, CB_STACK);
	assert_int_equal(tagcore_area_prev(&copy)->start, CB_HEAP);
	assert_int_equal(tagcore_area_prev(&copy)->start, CB_TEXT);
	assert_null(tagcore_area_prev(&copy));
	assert_int_equal(tagcore_area_iter_end(&copy, NULL), 0);
	tagcore_area_iter_set(&it, 0);
	n = 0;
	tagcore_for_each_tagged_area(it, a) {
		assert_true(a->flags & TAGCORE_AREA_MTE);
		n++;
	}
	assert_int_equal(n, 2);
	assert_int_equal(tagcore_area_iter_end(&it, NULL), 0);
	close_both(&b);
}

struct pages {
	u64 saved, holes, stop_at;
	u64 skip;	/* areas that begin here are not walked */
};

static int not_skipped(const struct tagcore_area *a, void *arg)
{
	const struct pages *p = arg;

	return a->start != p->skip;
}

static int on_run(const struct tagcore_area *a, const struct tagcore_page_run *r, void *arg)
{
	struct pages *p = arg;

	assert_true(r->start >= a->start && r->end <= a->end && r->start < r->end);
	assert_int_equal(r->flags, TAGCORE_PAGE_SAVED);
	p->saved += r->end - r->start;
	return p->stop_at == r->start ? 77 : 0;
}

static int on_hole(const struct tagcore_area *a, uint64_t start, uint64_t end, void *arg)
{
	struct pages *p = arg;

	(void)a;
	p->holes += end - start;
	return p->stop_at == start ? -88 : 0;
}

static const struct tagcore_page_walk_ops page_ops = {
	.size = sizeof(page_ops), .test_area = not_skipped, .run = on_run, .hole = on_hole,
};

static int walk_pages(struct both *b, struct pages *p, struct tagcore_error *error)
{
	return tagcore_page_walk(tagcore_core_mm(b->out), tagcore_core_pages(b->out), 0, UINT64_MAX, &page_ops, p, error);
}

static void pages_are_walked(void **state)
{
	struct tagcore_error error = { .code = 5 };
	struct pages all = { 0 }, no_heap = { .skip = CB_HEAP }, run = { .stop_at = CB_HEAP }, hole = { .stop_at = CB_TEXT + CB_PAGE };
	struct tagcore_page_walk_ops none = { .size = sizeof(none) };
	struct both b;

	(void)state;
	open_good(&b);
	assert_int_equal(walk_pages(&b, &all, &error), 0);
	assert_int_equal(all.saved, 5 * CB_PAGE);
	assert_int_equal(all.holes, CB_PAGE);
	assert_int_equal(walk_pages(&b, &no_heap, &error), 0);
	assert_int_equal(no_heap.saved, 3 * CB_PAGE);
	/* What the caller's function returns is no error of the library's. */
	assert_int_equal(walk_pages(&b, &run, &error), 77);
	assert_int_equal(walk_pages(&b, &hole, &error), -88);
	assert_int_equal(error.code, 5);
	assert_int_equal(tagcore_page_walk(tagcore_core_mm(b.out), tagcore_core_pages(b.out), 0, UINT64_MAX, &none, NULL,
					   NULL), 0);
	close_both(&b);
}

static void memory_has_three_states(void **state)
{
	static const struct { u64 addr; enum tagcore_memory_state want; u64 until; } rows[] = {
		{ CB_TEXT, TAGCORE_MEMORY_PRESENT, CB_TEXT + CB_PAGE },
		{ CB_TEXT + CB_PAGE, TAGCORE_MEMORY_ABSENT, CB_TEXT + 2 * CB_PAGE },
		{ CB_TEXT + 2 * CB_PAGE, TAGCORE_MEMORY_UNMAPPED, CB_HEAP },
		{ CB_HEAP + 5, TAGCORE_MEMORY_PRESENT, CB_HEAP + 2 * CB_PAGE },
	};
	struct tagcore_error error;
	struct both b;
	u8 buf[64];

	(void)state;
	open_good(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum tagcore_memory_state s = 99;
		uint64_t until = 0;
		size_t n = 0;

		assert_int_equal(tagcore_memory_state_at(b.out, rows[i].addr, &until), rows[i].want);
		assert_int_equal(until, rows[i].until);
		api_ok(tagcore_memory_read(b.out, rows[i].addr, buf, sizeof(buf), &s, &n, &error), &error);
		assert_int_equal(s, rows[i].want);
		assert_int_equal(n, sizeof(buf));
		for (size_t k = 0; s == TAGCORE_MEMORY_PRESENT && k < n; k++)
			assert_int_equal(buf[k], cb_byte(rows[i].addr + k));
	}
	assert_int_equal(tagcore_memory_state_at(b.out, CB_TEXT, NULL), TAGCORE_MEMORY_PRESENT);
	api_ok(tagcore_memory_read_all(b.out, CB_HEAP + CB_PAGE - 3, buf, 6, &error), &error);
	assert_int_equal(buf[5], cb_byte(CB_HEAP + CB_PAGE + 2));
	assert_int_equal(tagcore_memory_read_all(b.out, CB_TEXT + CB_PAGE - 3, buf, 6, &error), TAGCORE_ERR_TRUNCATED);
	assert_int_equal(tagcore_memory_read_all(b.out, CB_HEAP + 2 * CB_PAGE - 3, buf, 6, &error), TAGCORE_ERR_INPUT);
	close_both(&b);
}

struct missing_rows {
	struct tagcore_missing row[8];
	char reason[8][160];
	size_t n;
	int stop;
};

static int add_missing(const struct tagcore_missing *m, void *arg)
{
	struct missing_rows *rows = arg;

	snprintf(rows->reason[rows->n], sizeof(rows->reason[0]), "%s", m->reason);
	rows->row[rows->n++] = *m;
	return rows->stop;
}

static void what_is_missing_is_listed(void **state)
{
	static const char text[] = "600000-601000 cannot be read\n"
				   "700000-701000 memory tags cannot be read\n"
				   "? 4096 lost: notes\n"
				   "+3 12288 more ranges\n";
	struct missing_rows rows = { 0 }, first = { .stop = 9 };
	struct tagcore_error error;
	struct both b;

	(void)state;
	cb_good(&b.in.cb, EM_AARCH64, CB_LE64);
	cb_note_add(&b.in.cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text) - 1);
	open_both(&b);
	api_ok(tagcore_missing_each(b.out, add_missing, &rows, &error), &error);
	/* The second page of the text is in no note. */
	assert_int_equal(rows.n, 5);
	assert_true(rows.row[0].has_range && rows.row[0].start == CB_HEAP && rows.row[0].bytes == CB_PAGE);
	assert_string_equal(rows.reason[0], "cannot be read");
	assert_true(rows.row[1].tags_only && !rows.row[0].tags_only);
	assert_int_equal(rows.row[2].start, CB_TEXT + CB_PAGE);
	assert_true(!rows.row[3].has_range && rows.row[3].lost && rows.row[3].bytes == 4096);
	assert_true(!rows.row[4].has_range && rows.row[4].bytes == 12288);
	assert_int_equal(tagcore_missing_each(b.out, add_missing, &first, &error), 9);
	assert_int_equal(first.n, 1);
	assert_int_equal(tagcore_core_get_info(b.out)->truncated, 1);
	close_both(&b);
}

static void segments_and_notes_are_listed(void **state)
{
	struct both b;
	uint64_t page;

	(void)state;
	open_good(&b);
	assert_int_equal(tagcore_core_segments(b.out), b.in.core.n_segs);
	for (size_t i = 0; i < b.in.core.n_segs; i++) {
		const struct tagcore_segment *s = tagcore_core_segment(b.out, i);

		assert_int_equal(s->type, b.in.core.segs[i].p_type);
		assert_int_equal(s->vaddr, b.in.core.segs[i].p_vaddr);
		assert_int_equal(s->memsz, b.in.core.segs[i].p_memsz);
		assert_int_equal(s->in_file, s->filesz);
	}
	assert_null(tagcore_core_segment(b.out, b.in.core.n_segs));
	assert_int_equal(tagcore_core_notes(b.out), b.in.core.n_notes);
	for (size_t i = 0; i < b.in.core.n_notes; i++) {
		const struct note *want = &b.in.core.notes[i].note;
		const struct tagcore_note *n = tagcore_core_note(b.out, i);

		assert_string_equal(n->owner, want->owner);
		assert_int_equal(n->type, want->type);
		assert_int_equal(n->size, want->desc.len);
		assert_memory_equal(n->data, want->desc.p, n->size);
		assert_int_equal(n->offset, want->off);
	}
	assert_string_equal(tagcore_core_note(b.out, 0)->type_name, "NT_PRSTATUS");
	assert_int_equal(tagcore_core_note(b.out, 0)->tid, CB_TID1);
	assert_null(tagcore_core_note(b.out, b.in.core.n_notes));
	assert_int_equal(tagcore_core_auxv(b.out, AT_PAGESZ, &page), 1);
	assert_int_equal(page, CB_PAGE);
	assert_int_equal(tagcore_core_auxv(b.out, AT_ENTRY, &page), 0);
	close_both(&b);
}

static int on_entry(uint64_t type, uint64_t value, void *arg)
{
	*(u64 *)arg += type == AT_PAGESZ && value == CB_PAGE;
	return type == AT_PAGESZ ? 8 : 0;
}

static void entries_and_files_are_listed(void **state)
{
	const struct tagcore_file *f;
	struct both b;
	u64 seen = 0;

	(void)state;
	open_good(&b);
	assert_int_equal(tagcore_auxv_each(b.out, on_entry, &seen), 8);
	assert_int_equal(seen, 1);
	assert_int_equal(tagcore_core_files(b.out), 1);
	f = tagcore_core_file(b.out, 0);
	assert_true(f->start == CB_TEXT && f->end == CB_TEXT + 2 * CB_PAGE && f->offset == 3 * CB_PAGE);
	assert_string_equal(f->path, "/bin/prog");
	assert_null(tagcore_core_file(b.out, 1));
	close_both(&b);
}

/* NT_ARM_TAGGED_ADDR_CTRL: PR_TAGGED_ADDR_ENABLE, PR_MTE_TCF_SYNC and a mask from bit 3 on. */
static void tag_checks_of_a_thread(void **state)
{
	const struct tagcore_tag_control *c;
	struct both b;
	u8 raw[8];

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	uint_put(CB_LE64, raw, 8, 1 | 1 << 1 | 0xfffeull << 3);
	cb_note_add(&b.in.cb, "LINUX", NT_ARM_TAGGED_ADDR_CTRL, raw, sizeof(raw));
	open_both(&b);
	c = tagcore_tag_control_of(b.out, tagcore_core_thread(b.out, 1));
	assert_non_null(c);
	assert_true(c->tagged_addresses && c->sync && !c->async && !c->store_only);
	assert_int_equal(c->include_mask, 0xfffe);
	assert_null(tagcore_tag_control_of(b.out, tagcore_core_thread(b.out, 0)));
	assert_null(tagcore_tag_control_of(b.out, NULL));
	close_both(&b);
}

static void the_core_is_described(void **state)
{
	const struct tagcore_core_info *i;
	struct both b;

	(void)state;
	open_good(&b);
	i = tagcore_core_get_info(b.out);
	assert_int_equal(i->kind, TAGCORE_KIND_PROCESS);
	assert_string_equal(i->kind_name, "core");
	assert_string_equal(i->machine, "x86_64");
	assert_int_equal(i->bits, 64);
	assert_int_equal(i->big_endian, 0);
	assert_int_equal(i->pid, CB_TID1);
	assert_int_equal(i->uid, 1000);
	assert_string_equal(i->command, "prog");
	assert_string_equal(i->arguments, "prog --work");
	assert_int_equal(i->signal, 11);
	assert_string_equal(i->signal_name, "SIGSEGV");
	assert_int_equal(i->signal_code, 1);
	assert_int_equal(i->has_fault_address, 1);
	assert_int_equal(i->fault_address, 0x1234);
	assert_ptr_equal(i->crashed, tagcore_core_thread(b.out, 0));
	assert_int_equal(i->size, b.in.core.file.size);
	assert_int_equal(i->truncated, 0);
	assert_null(i->compression);
	close_both(&b);
}

static void tags_are_read(void **state)
{
	enum tagcore_tag_state s = 99;
	struct tagcore_error error;
	struct both b;
	u8 tag = 77;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	/* A pointer's own tag does not count. */
	api_ok(tagcore_tag_at(b.out, 0x0b00000000000000 | (CB_HEAP + 35), &s, &tag, &error), &error);
	assert_int_equal(s, TAGCORE_TAG_KNOWN);
	assert_int_equal(tag, cb_tag(CB_HEAP + 35));
	assert_int_equal(tagcore_tag_of_pointer(0x0b00000000000000), 0xb);
	assert_int_equal(tagcore_memory_untag(b.out, 0x0b00000000600000), CB_HEAP);
	tag = 77;
	api_ok(tagcore_tag_at(b.out, CB_TEXT, &s, &tag, &error), &error);
	assert_int_equal(s, TAGCORE_TAG_NONE);
	assert_int_equal(tag, 77);
	close_both(&b);
}

struct tag_walk {
	u64 at;
	int stop;
};

static int next_tag(const struct tagcore_tag_run *run, void *arg)
{
	struct tag_walk *w = arg;

	assert_int_equal(run->start, w->at);
	assert_int_equal(run->state, TAGCORE_TAG_KNOWN);
	for (; w->at < run->end; w->at += TAGCORE_TAG_GRANULE)
		assert_int_equal(run->tag, cb_tag(w->at));
	return w->stop;
}

static void tags_come_in_runs(void **state)
{
	struct tag_walk w = { .at = CB_HEAP + 32 }, first = { .at = CB_HEAP, .stop = 3 };
	struct tagcore_error error;
	struct both b;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	api_ok(tagcore_tags_each(b.out, CB_HEAP + 32, CB_HEAP + CB_PAGE, next_tag, &w, &error), &error);
	assert_int_equal(w.at, CB_HEAP + CB_PAGE);
	assert_int_equal(tagcore_tags_each(b.out, 0, UINT64_MAX, next_tag, &first, &error), 3);
	assert_int_equal(first.at, CB_HEAP + 16);
	close_both(&b);
}

static int count(const struct tagcore_module *m, void *arg)
{
	size_t *n = arg;

	(void)m;
	++*n;
	return 0;
}

/* As the file is packed, everything is the same. */
static void packed_cores_are_opened(void **state)
{
	struct tagcore_open_options small = { .size = sizeof(small), .unpack_limit = 4096 };
	struct tagcore_core *core;
	struct tagcore_error error;
	struct buf packed = { 0 };
	char path[32];
	int fd;
	struct cb cb;
	u8 byte;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		struct buf plain = { 0 };

		if (!i)
			cb_layout(&cb);
		cb_write(&cb, &plain);
		packers[i].pack(&plain, &packed);
		fd = cb_file_of(&packed, path);
		api_ok(tagcore_core_open(&core, path, NULL, &error), &error);
		assert_non_null(tagcore_core_get_info(core)->compression);
		assert_int_equal(tagcore_core_get_info(core)->size, plain.len);
		assert_int_equal(tagcore_core_get_info(core)->file_size, packed.len);
		api_ok(tagcore_memory_read_all(core, CB_STACK + 77, &byte, 1, &error), &error);
		assert_int_equal(byte, cb_byte(CB_STACK + 77));
		tagcore_core_close(core);
		/* Of what is unpacked as a whole. */
		if (!strcmp(packers[i].name, "gz"))
			assert_int_equal(tagcore_core_open(&core, path, &small, &error), TAGCORE_ERR_LIMIT);
		close(fd);
		buf_fini(&packed);
		buf_fini(&plain);
	}
	cb_fini(&cb);
}

static void descriptors_stay_the_callers(void **state)
{
	struct tagcore_core *core;
	struct tagcore_error error;
	struct both b;

	(void)state;
	open_good(&b);
	api_ok(tagcore_core_open_fd(&core, b.in.fd, "mine", NULL, &error), &error);
	assert_int_equal(tagcore_core_threads(core), 2);
	tagcore_core_close(core);
	assert_true(fcntl(b.in.fd, F_GETFD) >= 0);
	close_both(&b);
}

static void what_is_no_core_is_an_error(void **state)
{
	static const char text[128] = "not a core";
	struct buf b = { .p = (u8 *)text, .len = sizeof(text) };
	struct tagcore_core *core = (void *)&b;
	struct tagcore_error error;
	char path[32];
	int fd = cb_file_of(&b, path);

	(void)state;
	assert_int_equal(tagcore_core_open(&core, path, NULL, &error), TAGCORE_ERR_INPUT);
	assert_int_equal(error.code, TAGCORE_ERR_INPUT);
	assert_non_null(strstr(error.message, path));
	assert_string_equal(tagcore_error_kind(error.code), "bad input");
	assert_int_equal(tagcore_core_open(&core, "/no/such/core", NULL, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/no/such/core"));
	assert_int_equal(tagcore_core_open(&core, "/", NULL, &error), -EISDIR);
	assert_int_equal(tagcore_core_open(&core, "/dev/null", NULL, &error), TAGCORE_ERR_UNSUPPORTED);
	assert_int_equal(tagcore_core_open_fd(&core, -1, NULL, NULL, &error), -EBADF);
	assert_int_equal(tagcore_core_open(&core, NULL, NULL, &error), TAGCORE_ERR_USAGE);
	/* Nobody has to want the reason; nothing is written on failure. */
	assert_int_equal(tagcore_core_open(&core, path, NULL, NULL), TAGCORE_ERR_INPUT);
	assert_ptr_equal(core, &b);
	tagcore_core_close(NULL);
	close(fd);
}

/* Of a caller who was compiled with an older header, or with a newer one. */
static void options_grow(void **state)
{
	struct { struct tagcore_open_options o; u64 newer; } more = { .o = { .size = sizeof(more) } };
	struct tagcore_open_options wrong = { 0 };
	size_t old = sizeof(old);
	struct tagcore_core *core;
	struct tagcore_error error;
	struct both b;

	(void)state;
	open_good(&b);
	api_ok(tagcore_core_open(&core, b.in.path, (void *)&old, &error), &error);
	tagcore_core_close(core);
	api_ok(tagcore_core_open(&core, b.in.path, &more.o, &error), &error);
	tagcore_core_close(core);
	more.newer = 1;
	assert_int_equal(tagcore_core_open(&core, b.in.path, &more.o, &error), TAGCORE_ERR_UNSUPPORTED);
	assert_int_equal(tagcore_core_open(&core, b.in.path, &wrong, &error), TAGCORE_ERR_USAGE);
	close_both(&b);
}

static void a_walk_can_be_cancelled(void **state)
{
	volatile sig_atomic_t cancel = 0;
	struct tagcore_open_options o = { .size = sizeof(o), .cancel = &cancel };
	struct tagcore_core *core;
	struct tagcore_error error;
	struct both b;
	size_t n = 0;

	(void)state;
	open_good(&b);
	api_ok(tagcore_core_open(&core, b.in.path, &o, &error), &error);
	cancel = 1;
	assert_int_equal(tagcore_modules_each(core, count, &n, &error), TAGCORE_ERR_CANCELLED);
	cancel = 0;
	assert_int_equal(tagcore_modules_each(core, count, &n, &error), 0);
	tagcore_core_close(core);
	close_both(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_are_iterated),
		cmocka_unit_test(a_walk_goes_both_ways),
		cmocka_unit_test(pages_are_walked),
		cmocka_unit_test(memory_has_three_states),
		cmocka_unit_test(what_is_missing_is_listed),
		cmocka_unit_test(segments_and_notes_are_listed),
		cmocka_unit_test(entries_and_files_are_listed),
		cmocka_unit_test(tag_checks_of_a_thread),
		cmocka_unit_test(the_core_is_described),
		cmocka_unit_test(tags_are_read),
		cmocka_unit_test(tags_come_in_runs),
		cmocka_unit_test(packed_cores_are_opened),
		cmocka_unit_test(descriptors_stay_the_callers),
		cmocka_unit_test(what_is_no_core_is_an_error),
		cmocka_unit_test(options_grow),
		cmocka_unit_test(a_walk_can_be_cancelled),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
