/* test_package.c - what inspect modules says of .note.package, whatever is in it. */
#include "viewshow.h"

#include "base/util.h"
#include "core/modules.h"

enum { NOTE_OFF = 0x200 };

struct row {
	const char *name;
	const char *json;	/* the descriptor */
	size_t len;		/* of it, with its NUL; 0: as the text has it */
	const char *text;	/* in the line, or NULL: there is no such line */
	const char *member;	/* "name" in JSON, or NULL: no package */
};

#define UNREADABLE "(its note cannot be read)"
#define TEXT(s) s, sizeof(s)
static char long_text[6000], deep_text[3000];

static const struct row rows[] = {
	{ "deb", "{\"type\":\"deb\",\"name\":\"hello\",\"version\":\"2.10-3\",\"architecture\":\"amd64\"}", 0,
	  "    package  deb hello 2.10-3 amd64\n", "hello" },
	{ "some of it", "{\"name\":\"hello\",\"osCpe\":\"cpe:/o:x\"}", 0, "    package  hello\n", "hello" },
	{ "padded", TEXT("{\"name\":\"hello\"}\0\0\0\0"), "    package  hello\n", "hello" },
	{ "none", NULL, 0, NULL, NULL },
	{ "no JSON", "hello", 0, UNREADABLE, NULL },
	{ "cut off", "{\"name\":\"hel", 0, UNREADABLE, NULL },
	{ "more after it", "{\"name\":\"hello\"} x", 0, UNREADABLE, NULL },
	{ "a list", "[\"name\"]", 0, UNREADABLE, NULL },
	{ "not UTF-8", "{\"name\":\"\xff\xfe\"}", 0, UNREADABLE, NULL },
	{ "control characters", "{\"name\":\"a\\u001b[2Jb\\nc\"}", 0, "    package  a\\033[2Jb\\012c\n",
	  "a\\033[2Jb\\012c" },
	{ "no string", "{\"name\":7,\"version\":\"1\"}", 0, "    package  1\n", "" },
	{ "too long", long_text, sizeof(long_text), UNREADABLE, NULL },
	{ "too deep", deep_text, sizeof(deep_text), UNREADABLE, NULL },
	{ "no NUL", "{\"name\":\"hello\"}", 16, "    package  hello\n", "hello" },
};

/* A program at CB_TEXT, whose one PT_NOTE is the package's. */
static void image(struct elffmt fmt, const struct row *row, struct buf *out)
{
	GElf_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT }, .e_type = ET_DYN,
			.e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = elffmt_ehdr_size(fmt),
			.e_ehsize = (u16)elffmt_ehdr_size(fmt), .e_phentsize = (u16)elffmt_phdr_size(fmt), .e_phnum = 2 };
	GElf_Phdr load = { .p_type = PT_LOAD, .p_filesz = 4 * CB_PAGE, .p_memsz = 4 * CB_PAGE };
	GElf_Phdr note = { .p_type = PT_NOTE, .p_vaddr = NOTE_OFF, .p_offset = NOTE_OFF, .p_align = 4 };
	struct buf notes = { 0 };
	struct err e;

	if (row->json)
		cb_ok(note_put(&notes, fmt, PACKAGE_OWNER, PACKAGE_TYPE, row->json,
			       row->len ? row->len : strlen(row->json) + 1, &e), &e);
	note.p_filesz = notes.len;
	cb_ok(elffmt_put_ehdr(fmt, &h, out, &e), &e);
	cb_ok(elffmt_put_phdr(fmt, &load, out, &e), &e);
	cb_ok(elffmt_put_phdr(fmt, &note, out, &e), &e);
	cb_ok(buf_zero(out, NOTE_OFF - out->len, &e), &e);
	if (notes.len)
		cb_ok(buf_add(out, notes.p, notes.len, &e), &e);
	buf_fini(&notes);
}

static void open_image(struct opened *o, const struct row *row)
{
	struct buf file = { 0 }, im = { 0 };
	struct err e = { 0 };

	cb_good(&o->cb, EM_X86_64, CB_LE64);
	o->cb.segs[1].p_filesz = 4 * CB_PAGE;
	o->cb.segs[1].p_memsz = 4 * CB_PAGE;
	o->core = (struct core){ 0 };
	cb_layout(&o->cb);
	cb_write(&o->cb, &file);
	image(CB_LE64, row, &im);
	memcpy(file.p + o->cb.data_at[1], im.p, im.len);
	o->fd = cb_file_of(&file, o->path);
	buf_fini(&im);
	buf_fini(&file);
	cb_ok(core_open(&o->core, o->path, &e), &e);
}

static void package_is_shown(void **state)
{
	const struct row *row = *state;
	struct json_object *doc, *package;
	struct opened o;
	char *text;

	open_image(&o, row);
	text = vs_shown(&o, view_modules, false, NULL);
	if (row->text)
		vs_expect(text, row->text);
	else if (strstr(text, "package"))
		fail_msg("%s", text);
	free(text);
	doc = vs_json(&o, view_modules);
	assert_true(json_object_object_get_ex(json_object_array_get_idx(doc, 0), "package", &package));
	if (row->member && *row->member)
		assert_string_equal(vs_member(package, "name"), row->member);
	else
		assert_int_equal(!package, !row->member);
	json_object_put(doc);
	fini(&o);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	snprintf(long_text, sizeof(long_text), "{\"name\":\"%04000d\"}", 0);
	memset(long_text + 4010, ' ', sizeof(long_text) - 4010);
	memset(deep_text, '[', sizeof(deep_text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = package_is_shown,
						.initial_state = (void *)&rows[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
