#include "apiopen.h"

#include <errno.h>
#include <fcntl.h>

#include "packbuild.h"

/* A core by the public interface, against what the library itself knows of it. */

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
		/* A core that is unpacked as a whole. */
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

/* For a caller that was compiled with an older header, or with a newer one. */
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
		cmocka_unit_test(segments_and_notes_are_listed),
		cmocka_unit_test(entries_and_files_are_listed),
		cmocka_unit_test(tag_checks_of_a_thread),
		cmocka_unit_test(the_core_is_described),
		cmocka_unit_test(packed_cores_are_opened),
		cmocka_unit_test(descriptors_stay_the_callers),
		cmocka_unit_test(what_is_no_core_is_an_error),
		cmocka_unit_test(options_grow),
		cmocka_unit_test(a_walk_can_be_cancelled),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
