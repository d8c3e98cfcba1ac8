#include "base/uapi.h"
#include "base/util.h"
#include "core/core_priv.h"

/*
 * Where a thread's shadow stack is, by its registers; that works for cores without
 * VmFlags, too.  Linux 7.0: struct user_gcs, arch/arm64/include/uapi/asm/ptrace.h,
 * with PR_SHADOW_STACK_ENABLE; ssp_get(), arch/x86/kernel/fpu/regset.c; struct
 * user_cfi_state, arch/riscv/include/uapi/asm/ptrace.h.
 */
static const struct pointer {
	u16 machine;
	u32 type;
	u8 at;		/* 8 bytes */
	u8 enabled;	/* bit of the first 8 bytes, or 0: a thread without one has no note */
} pointers[] = {
	{ EM_AARCH64, NT_ARM_GCS, 16, 1 << 0 },
	{ EM_X86_64, NT_X86_SHSTK, 0, 0 },
	{ EM_RISCV, NT_RISCV_USER_CFI, 8, 1 << 3 },
};

static bool pointer_of(const struct core *c, const struct core_thread *t, const struct pointer *p, u64 *out)
{
	const struct core_note *n = core_thread_note(c, t, "LINUX", p->type);
	u64 state;

	if (!n || bytes_uint(n->note.desc, c->fmt, 0, 8, &state, NULL) || (p->enabled && !(state & p->enabled)))
		return false;
	return !bytes_uint(n->note.desc, c->fmt, p->at, 8, out, NULL);
}

static void mark(struct core *c, const struct pointer *p)
{
	for (size_t i = 0; i < c->n_threads; i++) {
		const struct core_area *a;
		u64 addr;

		if (!pointer_of(c, &c->threads[i], p, &addr))
			continue;
		a = core_area_find(c, addr);
		if (a && a->start <= addr)
			c->areas[a - c->areas].shadow_stack = true;
	}
}

void core_mark_shadow_stacks(struct core *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
		if (pointers[i].machine == c->ehdr.e_machine)
			mark(c, &pointers[i]);
}
