#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "core/core_priv.h"

/*
 * A machine without tables: what follows from class and sizes.  In struct elf_prstatus
 * all before the registers is known from the size of a long; a struct elf_prpsinfo
 * of 124 bytes means 16-bit user ids (include/linux/elfcore.h).
 */
static void make_layout(struct core *c)
{
	const struct core_note *st = core_note_find(c, 0, "CORE", NT_PRSTATUS);
	const struct core_note *ps = core_note_find(c, 0, "CORE", NT_PRPSINFO);
	struct arch *a = &c->layout;
	size_t fixed;

	if (st && !c->os)
		c->arch = prstatus_arch(c->arch, st->note.desc.len);
	if (c->arch) {
		*a = *c->arch;
		return;
	}
	*a = (struct arch){ .name = "this machine", .machine = c->ehdr.e_machine, .fmt = c->fmt, .ugid_size = 4 };
	a->word = c->fmt.class == ELFCLASS32 ? 4 : 8;
	/* aarch64 of class 32 (ILP32) has no tables, and tags all the same. */
	a->top_byte_ignored = c->ehdr.e_machine == EM_AARCH64;
	if (c->os)
		return;
	if (ps && a->word == 4 && ps->note.desc.len == 124)
		a->ugid_size = 2;
	fixed = a->word == 4 ? 72 + 4 : 112 + 4;
	if (st && st->note.desc.len > fixed)
		a->gregs.size = (u16)align_down(min(st->note.desc.len - fixed, (size_t)0xffff), a->word);
}

/* The number after the "@"; if the only thread has none it is the process's. */
static s32 os_tid(const struct core *c, const struct core_thread *t)
{
	const char *at = strchr(c->notes[t->note].note.owner, '@');
	u64 tid = 0;

	if (c->os->tid_in_owner && at)
		return text_parse_u64(at + 1, 10, false, &tid) ? 0 : (s32)tid;
	if (!core_os_number(c, t, OS_TID, &tid) && t == c->threads)
		core_os_number(c, NULL, OS_PID, &tid);
	return (s32)tid;
}

static void os_thread_fill(const struct core *c, struct core_thread *t, u32 note)
{
	u64 signo = 0;

	t->note = note;
	t->tid = os_tid(c, t);
	if (core_os_number(c, t, OS_SIGNO, &signo))
		t->cursig = (s32)signo;
}

static void thread_fill(struct core *c, struct core_thread *t, u32 note)
{
	struct bytes desc = c->notes[note].note.desc;
	struct prstatus s = { 0 };
	u64 tid;

	*t = (struct core_thread){ .note = note };
	if (!prstatus_get(&c->layout, desc, &s, NULL)) {
		t->tid = s.pid;
		t->cursig = s.cursig;
	} else if (!bytes_uint(desc, c->fmt, c->layout.word == 4 ? 24 : 32, 4, &tid, NULL)) {
		t->tid = (s32)tid;
	}
}

static int tid_cmp(const void *a, const void *b, void *arg)
{
	const struct core_thread *t = arg;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	if (t[x].tid != t[y].tid)
		return t[x].tid < t[y].tid ? -1 : 1;
	return x < y ? -1 : x > y;
}

int core_load_threads(struct core *c, struct err *e)
{
	size_t n = 0;

	make_layout(c);
	c->threads = calloc(c->n_threads ? c->n_threads : 1, sizeof(*c->threads));
	c->by_tid = calloc(c->n_threads ? c->n_threads : 1, sizeof(*c->by_tid));
	if (!c->threads || !c->by_tid)
		return err_set(e, -ENOMEM, "%zu threads", c->n_threads);
	for (size_t i = 0; i < c->n_notes && n < c->n_threads; i++) {
		if (!c->notes[i].begins)
			continue;
		if (c->os)
			os_thread_fill(c, &c->threads[n], (u32)i);
		else
			thread_fill(c, &c->threads[n], (u32)i);
		c->by_tid[n] = (u32)n;
		n++;
	}
	qsort_r(c->by_tid, n, sizeof(*c->by_tid), tid_cmp, c->threads);
	return c->os ? core_load_os(c, e) : 0;
}

static int not_stopped(const struct core_thread *t, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "thread %d did not stop: its registers are not in the core", t->tid);
}

int core_thread_regs(const struct core *c, const struct core_thread *t, struct bytes *out, struct err *e)
{
	struct core_regset s;
	struct prstatus st;
	int r;

	if (!c->arch)
		return err_set(e, ERR_UNSUPPORTED, "no register table for machine %u", c->ehdr.e_machine);
	if (t->note == CORE_NO_NOTE)
		return not_stopped(t, e);
	if (c->os && !core_thread_regset(c, t, c->arch->gregs.name, &s))
		return err_set(e, ERR_UNSUPPORTED, "thread %d has no registers that are known", t->tid);
	if (c->os) {
		*out = s.desc;
		return 0;
	}
	r = prstatus_get(c->arch, c->notes[t->note].note.desc, &st, e);
	if (!r)
		*out = st.regs;
	return r;
}

/* A blocked thread has a stack; zeros are those of one that could not be asked. */
bool core_thread_is_bare(const struct core *c, const struct core_thread *t)
{
	struct bytes regs = { 0 };
	u64 pc = 0, sp = 0;

	return t->partial && (core_thread_regs(c, t, &regs, NULL) || arch_pc(c->arch, regs, &pc, NULL) ||
			      reg_get(c->arch, &c->arch->gregs, c->arch->sp, regs, &sp, NULL) || (!pc && !sp));
}

bool core_thread_has_reg(const struct core *c, const struct core_thread *t, const struct regset *set, unsigned i)
{
	const struct arch *a = c->arch;

	if (!t->partial || !a || set != &a->gregs)
		return true;
	return (i == a->pc || i == a->sp || (s32)i == a->syscall.orig_reg) && !core_thread_is_bare(c, t);
}

int core_thread_pc(const struct core *c, const struct core_thread *t, u64 *out, struct err *e)
{
	struct bytes regs = { 0 };
	int r = core_thread_regs(c, t, &regs, e);

	if (!r && core_thread_is_bare(c, t))
		r = not_stopped(t, e);
	return r ? r : arch_pc(c->arch, regs, out, e);
}

int core_thread_sp(const struct core *c, const struct core_thread *t, u64 *out, struct err *e)
{
	struct bytes regs = { 0 };
	int r = core_thread_regs(c, t, &regs, e);

	if (!r && core_thread_is_bare(c, t))
		r = not_stopped(t, e);
	return r ? r : reg_get(c->arch, &c->arch->gregs, c->arch->sp, regs, out, e);
}

const char *core_thread_name(const struct core *c, const struct core_thread *t, char out[CORE_NAME_MAX])
{
	struct prpsinfo ps;
	struct bytes name;

	out[0] = 0;
	if (t->name.p)
		return core_text_copy(t->name, out, CORE_NAME_MAX);
	if (c->os) {
		if (core_os_field(c, t, OS_THREAD_NAME, &name) ||
		    (c->n_threads == 1 && core_os_field(c, NULL, OS_NAME, &name)))
			core_text_copy((struct core_text){ .p = (const char *)name.p, .len = name.len }, out, CORE_NAME_MAX);
		return out;
	}
	/* pr_fname and pr_pid are the group leader's, whichever thread dumped: fs/binfmt_elf.c: fill_note_info(). */
	if (!core_prpsinfo(c, &ps, NULL) && (t->tid == ps.pid || c->n_threads == 1))
		memcpy(out, ps.fname, sizeof(ps.fname));
	return out;
}
