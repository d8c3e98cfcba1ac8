#include "helper.h"

#include <elf.h>

#include "base/util.h"
#include "dump/interrupted.h"

/* Frames of signals, as dump --stacks finds them in memory: the kernel's here, and one of each machine. */

static u8 alternate[64 << 10], copied[sizeof(alternate)];

/* Its frame is above, on the alternate stack, which AddressSanitizer would not have read as a whole. */
__attribute__((no_sanitize("address"))) static void on_signal(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)si;
	(void)context;
	for (size_t i = 0; i < sizeof(copied); i++)
		copied[i] = ((volatile u8 *)alternate)[i];
}

/* How many frames are there that interrupted something near @sp. */
static int count_frames(u64 sp)
{
	const struct arch *a = arch_native();
	struct stack_piece m = { .p = copied, .len = sizeof(copied), .start = (uintptr_t)alternate };
	struct interrupted in;
	int n = 0;

	for (size_t row = 0; row < a->frame.n_signals; row++)
		for (size_t at = 0; at < sizeof(copied); at += a->word)
			n += interrupted_read(a, &a->frame.signals[row], &m, m.start + at, &in) &&
			     in.alt_start == m.start && in.alt_end == m.start + m.len &&
			     in.sp < sp && sp - in.sp < 1 << 20;
	return n;
}

static void of_this_kernel(void **state)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_ONSTACK | SA_SIGINFO }, before;
	stack_t st = { .ss_sp = alternate, .ss_size = sizeof(alternate) }, st_before;

	(void)state;
	assert_int_equal(sigaltstack(&st, &st_before), 0);
	assert_int_equal(sigaction(SIGUSR2, &sa, &before), 0);
	raise(SIGUSR2);
	sigaction(SIGUSR2, &before, NULL);
	sigaltstack(&st_before, NULL);
	assert_int_equal(count_frames((uintptr_t)__builtin_frame_address(0)), 1);
}

/* ---- every row: built from what it says */

enum { BASE = 0x10000, ROOM = 8192, AT = 1024, SP = 0x345678 };

struct built {
	const struct arch *a;
	const struct signal_frame *f;
	u8 bytes[ROOM];
	u64 sp;
};

static void put(struct built *b, u64 addr, unsigned size, u64 value)
{
	assert_in_range(addr - BASE, 0, ROOM - size);
	uint_put(b->a->fmt, b->bytes + (addr - BASE), size, value);
}

static void put_saved_sp(struct built *b)
{
	for (size_t i = 0; i < b->f->n_saved; i++) {
		const struct saved_regs *run = &b->f->saved[i];
		unsigned size = run->size ? run->size : b->a->word;

		if (!run->set && b->a->sp >= run->reg && b->a->sp < run->reg + run->n)
			put(b, b->sp + b->f->context + run->off + (u64)(b->a->sp - run->reg) * size, size, SP);
	}
}

static struct built build(const struct arch *a, const struct signal_frame *f)
{
	struct built b = { .a = a, .f = f, .sp = BASE + AT };

	put_saved_sp(&b);
	if (f->alt_stack) {
		put(&b, b.sp + f->alt_stack, a->word, BASE);
		put(&b, b.sp + f->alt_size, a->word, ROOM);
		return b;
	}
	if (f->magic) {
		put(&b, b.sp, 4, f->magic);
		return b;
	}
	put(&b, b.sp + f->sp_again, a->word, SP);
	put(&b, b.sp + (u64)f->signo, 4, SIGSEGV);
	put(&b, b.sp - a->word, a->word, 0x5678);
	return b;
}

static bool is_found(const struct built *b, size_t len, struct interrupted *in)
{
	struct stack_piece m = { .p = b->bytes, .len = len, .start = BASE };

	return interrupted_read(b->a, b->f, &m, b->sp, in);
}

static void check_row(const struct arch *a, const struct signal_frame *f)
{
	struct built b = build(a, f);
	struct interrupted in;

	assert_true(is_found(&b, ROOM, &in));
	assert_int_equal(in.sp, SP);
	assert_int_equal(in.alt_end - in.alt_start, f->alt_stack ? ROOM : 0);
	/* The frame goes on where the memory ends. */
	assert_false(is_found(&b, AT + f->context, &in));
	if (f->alt_stack) {
		put(&b, b.sp + f->alt_size, a->word, AT);
		assert_false(is_found(&b, ROOM, &in));
		put(&b, b.sp + f->alt_size, a->word, AT + 1);
		assert_true(is_found(&b, ROOM, &in));
		put(&b, b.sp + f->alt_stack, a->word, b.sp + 1);
	} else {
		put(&b, b.sp + f->sp_again, a->word, SP + 4);
	}
	assert_false(is_found(&b, ROOM, &in));
}

static void of_every_machine(void **state)
{
	struct built b;
	struct interrupted in;

	(void)state;
	for (const struct arch *const *a = arches; *a; a++)
		for (size_t i = 0; i < (*a)->frame.n_signals; i++) {
			const struct signal_frame *f = &(*a)->frame.signals[i];

			if (f->alt_stack || f->sp_again || f->magic) {
				check_row(*a, f);
				continue;
			}
			b = (struct built){ .a = *a, .f = f, .sp = BASE + AT };
			assert_false(is_found(&b, ROOM, &in));
		}
}

/* Where a machine ignores the upper byte of an address, the alternate stack's may have one. */
static void tagged(void **state)
{
	const struct arch *a = arch_find(EM_AARCH64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB }, 0);
	struct built b = build(a, &a->frame.signals[0]);
	struct interrupted in;

	(void)state;
	put(&b, b.sp + b.f->alt_stack, 8, BASE | 0x5ull << 56);
	assert_true(is_found(&b, ROOM, &in));
	assert_int_equal(in.alt_start, BASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_this_kernel), cmocka_unit_test(of_every_machine), cmocka_unit_test(tagged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
