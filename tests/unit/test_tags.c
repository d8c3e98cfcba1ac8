#include "cmocka_all.h"

#include <elf.h>

#include "arch/arch.h"
#include "elf/tags.h"

static void low_nibble_is_the_lower_granule(void **state)
{
	static const u8 tags[] = { 0, 1, 2, 3, 0xf, 0xe, 0xa5 };
	static const u8 want[] = { 0x10, 0x32, 0xef, 0x05 };
	u8 packed[5] = { [4] = 0x77 };

	(void)state;
	tags_pack(tags, sizeof(tags), packed);
	assert_memory_equal(packed, want, sizeof(want));
	assert_int_equal(packed[4], 0x77);
	for (size_t i = 0; i < sizeof(tags); i++)
		assert_int_equal(tags_get(packed, i), tags[i] & 0xf);
}

static void nothing_to_pack(void **state)
{
	u8 packed = 0x77;

	(void)state;
	tags_pack(NULL, 0, &packed);
	assert_int_equal(packed, 0x77);
}

static void pointers(void **state)
{
	const struct arch *arm = arch_find(EM_AARCH64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB }, 0);
	const struct arch *x86 = arch_find(EM_X86_64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB }, 0);

	(void)state;
	assert_int_equal(tags_of_pointer(0x0b00ffff12345678), 0xb);
	assert_int_equal(tags_of_pointer(0xfb00ffff12345678), 0xb);
	assert_true(arch_untag(arm, 0x0b00ffff12345678) == 0x0000ffff12345678);
	assert_true(arch_untag(arm, 0xffff800012345678) == 0xffff800012345678);
	assert_true(arch_untag(x86, 0x0b00ffff12345678) == 0x0b00ffff12345678);
	assert_true(arch_untag(NULL, 0x0b00ffff12345678) == 0x0b00ffff12345678);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_nibble_is_the_lower_granule),
		cmocka_unit_test(nothing_to_pack),
		cmocka_unit_test(pointers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
