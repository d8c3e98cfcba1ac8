#include "cmocka_all.h"

#include <fcntl.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "unwind/mod/mod.h"

/* Which packed sections of a file are used, by what their headers say and, of .gnu_debugdata, by what is in it. */

enum { MIB = 1 << 20, SECTIONS_MAX = 8 };
struct section {
	const char *name;
	u64 flags;
	const void *p;
	size_t len;
};

/* As libelf writes it; @class, @data: of the file. */
static Elf *file_of(const struct section *s, size_t n, int class, int data)
{
	char names[256] = "";
	size_t at = 1;
	int fd = memfd_create("elf", MFD_CLOEXEC);
	Elf *elf = elf_begin(fd, ELF_C_WRITE, NULL);
	GElf_Ehdr eh;

	assert_non_null(elf);
	assert_true(gelf_newehdr(elf, class) != 0);
	gelf_getehdr(elf, &eh);
	eh.e_ident[EI_DATA] = (unsigned char)data;
	eh.e_machine = EM_X86_64;
	eh.e_type = ET_EXEC;
	eh.e_version = EV_CURRENT;
	eh.e_shstrndx = (u16)(n + 1);
	gelf_update_ehdr(elf, &eh);
	for (size_t i = 0; i <= n; i++) {
		Elf_Scn *scn = elf_newscn(elf);
		Elf_Data *d = elf_newdata(scn);
		GElf_Shdr sh;

		gelf_getshdr(scn, &sh);
		sh.sh_type = i == n ? SHT_STRTAB : SHT_PROGBITS;
		sh.sh_name = (u32)at;
		sh.sh_flags = i == n ? 0 : s[i].flags;
		strcpy(names + at, i == n ? ".shstrtab" : s[i].name);
		at += strlen(names + at) + 1;
		*d = (Elf_Data){ .d_buf = i == n ? names : (void *)(uintptr_t)s[i].p, .d_type = ELF_T_BYTE, .d_align = 1,
				 .d_size = i == n ? sizeof(names) : s[i].len, .d_version = EV_CURRENT };
		gelf_update_shdr(scn, &sh);
	}
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_int_equal(elf_cntl(elf, ELF_C_FDREAD), 0);
	close(fd);
	return elf;
}

/* A section that says it unpacks to @size; @len bytes of it, the header among them. */
static struct section flagged(const char *name, u64 size, size_t len)
{
	Elf64_Chdr *h = calloc(1, len);

	*h = (Elf64_Chdr){ .ch_type = ELFCOMPRESS_ZLIB, .ch_size = size, .ch_addralign = 1 };
	return (struct section){ name, SHF_COMPRESSED, h, len };
}

static struct section gnu(const char *name, u64 size, size_t len)
{
	u8 *p = calloc(1, len);

	memcpy(p, "ZLIB", 4);
	for (int i = 0; i < 8; i++)
		p[4 + i] = (u8)(size >> (56 - 8 * i));
	return (struct section){ name, 0, p, len };
}

static struct section xz(const void *in, size_t len)
{
	size_t room = len / 2 + 65536, n = 0;
	u8 *out = malloc(room);

	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, len, out, &n, room), LZMA_OK);
	return (struct section){ ".gnu_debugdata", 0, out, n };
}

static size_t unused(struct unwind *u, const struct section *s, size_t n)
{
	Elf *elf = file_of(s, n, ELFCLASS64, ELFDATA2LSB);
	bool fits;
	size_t r;

	fits = sections_fit(u, elf);
	assert_true(!fits || u->unpacked || !n);
	*u = (struct unwind){ 0 };
	r = sections_bound(u, elf);
	assert_int_equal(fits, !r);
	/* What is not used is not found by its name, nor is it packed. */
	*u = (struct unwind){ 0 };
	assert_int_equal(sections_bound(u, elf), 0);
	for (size_t i = 0; r && i < n; i++)
		assert_int_equal(section_find(elf, s[i].name), i >= r);
	elf_end(elf);
	return r;
}

static void by_size_and_ratio(void **state)
{
	const struct {
		u64 size;
		size_t len;
		size_t unused;
	} rows[] = {
		{ 4096, 64, 0 }, { 64 * MIB, 64, 0 }, { 80 * MIB, 64, 1 }, { 64 * MIB + 32 * MIB, MIB + 24, 0 },
		{ 64 * MIB + 32 * MIB + 32, MIB + 24, 1 }, { UINT64_MAX, MIB, 1 }, { UINT64_MAX - 1, 64, 1 },
	};
	struct unwind u = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct section s[] = { flagged(".debug_info", rows[i].size, rows[i].len), gnu(".zdebug_info", rows[i].size, rows[i].len) };

		u = (struct unwind){ 0 };
		assert_int_equal(unused(&u, s, 1), rows[i].unused);
		u = (struct unwind){ 0 };
		if (rows[i].len == 64)
			assert_int_equal(unused(&u, s + 1, 1), rows[i].unused);
		for (size_t k = 0; k < ARRAY_SIZE(s); k++)
			free((void *)(uintptr_t)s[k].p);
	}
}

/* Each is small enough, all together are not; and the same in one file after the other. */
static void the_sum_counts(void **state)
{
	struct section s[] = { flagged(".debug_info", 40 * MIB, 64), flagged(".debug_line", 40 * MIB, 64) };
	struct unwind u = { 0 };
	Elf *one, *two;

	(void)state;
	one = file_of(s, 2, ELFCLASS64, ELFDATA2LSB);
	assert_false(sections_fit(&u, one));
	assert_int_equal(u.unpacked, 0);
	assert_int_equal(sections_bound(&u, one), 1);
	assert_true(section_find(one, ".debug_info"));
	assert_false(section_find(one, ".debug_line"));
	two = file_of(s, 1, ELFCLASS64, ELFDATA2LSB);
	assert_false(sections_fit(&u, two));
	assert_int_equal(u.unpacked, 40 * MIB);
	elf_end(one);
	elf_end(two);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++)
		free((void *)(uintptr_t)s[i].p);
}

static void other_classes_and_orders(void **state)
{
	Elf32_Chdr h = { .ch_type = 1u << 24, .ch_size = __builtin_bswap32(1u << 31), .ch_addralign = 1u << 24 };
	const struct section s[] = { { ".debug_info", SHF_COMPRESSED, &h, sizeof(h) }, { ".debug_str", SHF_COMPRESSED, &h, 4 } };
	struct unwind u = { 0 };
	Elf *elf = file_of(s, 2, ELFCLASS32, ELFDATA2MSB);

	(void)state;
	/* The second has no whole header. */
	assert_int_equal(sections_bound(&u, elf), 2);
	elf_end(elf);
}

static void tables_of_symbols(void **state)
{
	const size_t len = 100 * MIB;
	u8 *zeros = calloc(1, len);
	struct section large = xz(zeros, len), small = xz(zeros, MIB), junk = { ".gnu_debugdata", 0, "no xz", 5 };
	struct section inner[] = { flagged(".symtab", 4096, 64) }, nested;
	struct unwind u = { 0 };
	Elf *elf = file_of(inner, 1, ELFCLASS64, ELFDATA2LSB);
	size_t n = 0;
	char *raw = elf_rawfile(elf, &n);

	(void)state;
	assert_true(large.len < MIB);
	assert_int_equal(unused(&u, &large, 1), 1);
	u = (struct unwind){ 0 };
	assert_int_equal(unused(&u, &small, 1), 0);
	u = (struct unwind){ 0 };
	sections_bound(&u, elf);
	/* In what is unpacked a section is packed again: nobody would look at its size. */
	nested = xz(raw, n);
	u = (struct unwind){ 0 };
	assert_int_equal(unused(&u, &nested, 1), 1);
	{
		Elf *bad = file_of(&junk, 1, ELFCLASS64, ELFDATA2LSB);

		u = (struct unwind){ 0 };
		assert_int_equal(sections_bound(&u, bad), 0);
		elf_end(bad);
	}
	elf_end(elf);
	free(zeros);
	free((void *)(uintptr_t)large.p);
	free((void *)(uintptr_t)small.p);
	free((void *)(uintptr_t)nested.p);
	free((void *)(uintptr_t)inner[0].p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_size_and_ratio),
		cmocka_unit_test(the_sum_counts),
		cmocka_unit_test(other_classes_and_orders),
		cmocka_unit_test(tables_of_symbols),
	};

	elf_version(EV_CURRENT);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
