#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <libunwind.h>

#include "base/util.h"
#include "unwind/walk/walk.h"

/*
 * libunwind, the second opinion: for the machine it was built for, on memory,
 * registers and files of ours through its accessors.  Tables are found by
 * .eh_frame_hdr; where it would go on by frame pointers, without a word, it is
 * stopped, as libdw is.
 *
 * Its interpreter of expressions does not bound backward jumps (1.6.2 and 1.8,
 * dwarf_eval_expr()), but reads each byte through access_mem: that ends it.
 */
enum {
	STEP_READS = 1 << 17,	/* of memory: a frame takes some hundreds */
	THREAD_READS = 1 << 22,
};
struct uw {
	u32 step_reads;		/* that are left */
	u32 thread_reads;
	unw_addr_space_t as;
	/* unw_create_addr_space() copies what its own version has: 1.8 has more members than 1.6, under one soname. */
	union {
		unw_accessors_t fn;
		void *slot[32];
	} accessors;
	const struct cpu_regs *at;
	bool is_guess;		/* the last step was not by a table */
};

/*
 * Looks @ip up in the binary search table that @di describes.  libunwind exports
 * it for this use and declares it in no installed header (its own: dwarf.h;
 * Linux' perf does the same, tools/perf/util/unwind-libunwind-local.c).
 */
extern int UNW_ARCH_OBJ(dwarf_search_unwind_table)(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di,
						   unw_proc_info_t *pi, int need, void *arg);

/* ---- accessors: arg is the struct unwind */

static bool may_read(struct uw *w)
{
	if (!w->step_reads || !w->thread_reads)
		return false;
	w->step_reads--;
	w->thread_reads--;
	return true;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *val, int write, void *arg)
{
	struct unwind *u = arg;
	u64 word, bare;

	(void)as;
	if (write || !may_read(u->uw) || !space_word(u, addr, &word))
		return -UNW_EINVAL;
	bare = space_strip(u, word);
	*val = bare != word && space_is_code(u, bare) ? bare : word;
	return 0;
}

/* libunwind numbers general registers as DWARF does, on x86_64 and aarch64. */
static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *val, int write, void *arg)
{
	const struct unwind *u = arg;
	const struct cpu_regs *r = u->uw->at;
	u64 v;

	(void)as;
	if (write || reg < 0 || reg >= CPU_REGS_MAX)
		return -UNW_EBADREG;
	if (reg == regs_dwarf(u, u->core->arch->pc))
		*val = r->exact ? r->pc : r->pc - 1;
	else if (r->have[reg])
		*val = r->v[reg];
	else if (regs_vectors(u, r, (u64)reg, &v))
		*val = v;
	else
		return -UNW_EBADREG;
	return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *val, int write, void *arg)
{
	(void)as;
	(void)reg;
	(void)val;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int dyn_list(unw_addr_space_t as, unw_word_t *list, void *arg)
{
	(void)as;
	(void)list;
	(void)arg;
	return -UNW_ENOINFO;
}

static void put_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as;
	(void)pi;
	(void)arg;
}

/*
 * Address and length of the table in .eh_frame_hdr.  LSB 5.0, Core, 10.6.2: the
 * only encodings that linkers write are pcrel sdata4, udata4, datarel sdata4.
 */
static bool find_table(struct unwind *u, struct module *m, unw_dyn_info_t *di)
{
	static const u8 head[4] = { 1, 0x1b, 0x03, 0x3b };
	Elf *elf = module_elf(u, m);
	u8 raw[12];
	size_t n = 0;
	GElf_Phdr p;

	if (!elf || elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		u64 hdr, count;

		if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_GNU_EH_FRAME)
			continue;
		hdr = p.p_vaddr + m->bias;
		if (!space_read(u, hdr, raw, sizeof(raw)) || memcmp(raw, head, sizeof(head)))
			return false;
		count = min(uint_get(u->core->fmt, raw + 8, 4), p.p_memsz / 8);
		*di = (unw_dyn_info_t){ .start_ip = m->start, .end_ip = m->end, .format = UNW_INFO_FORMAT_REMOTE_TABLE };
		di->u.rti.segbase = hdr;
		di->u.rti.table_data = hdr + sizeof(raw);
		di->u.rti.table_len = count * 8 / sizeof(unw_word_t);
		return count != 0;
	}
	return false;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need, void *arg)
{
	struct unwind *u = arg;
	struct module *m = module_at(u, ip);
	unw_dyn_info_t di;

	if (!m || !find_table(u, m, &di))
		return -UNW_ENOINFO;
	return UNW_ARCH_OBJ(dwarf_search_unwind_table)(as, ip, &di, pi, need, arg);
}

/* On arm64 it is asked for, NULL or not, when the table has failed: to guess by what the function's first instructions do. */
static int get_proc_name(unw_addr_space_t as, unw_word_t addr, char *name, size_t len, unw_word_t *offset, void *arg)
{
	struct unwind *u = arg;

	(void)as;
	(void)addr;
	(void)name;
	(void)len;
	(void)offset;
	u->uw->is_guess = true;
	return -UNW_ENOINFO;
}

/* Since 1.8, and there it is called on arm64 whether it is set or not. */
static unw_word_t insn_mask(unw_addr_space_t as, void *arg)
{
	(void)as;
	return ((struct unwind *)arg)->insn_mask;
}

static void set_accessors(struct uw *w)
{
	/* ptrauth_insn_mask: after get_proc_name, get_elf_filename and get_proc_ip_range. */
	enum { MASK_SLOT = offsetof(unw_accessors_t, get_proc_name) / sizeof(void *) + 3 };

	w->accessors.fn = (unw_accessors_t){
		.find_proc_info = find_proc_info, .put_unwind_info = put_info, .get_dyn_info_list_addr = dyn_list,
		.access_mem = access_mem, .access_reg = access_reg, .access_fpreg = access_fpreg,
		.get_proc_name = get_proc_name,
	};
	w->accessors.slot[MASK_SLOT] = (void *)insn_mask;
}

/* ---- open and close */

/* libunwind is for the machine it was built for; ERR_UNSUPPORTED for others. */
static int uw_open(struct unwind *u, struct err *e)
{
	const struct core *c = u->core;
	struct uw *w;

	if (!c->arch || c->arch != arch_native())
		return err_set(e, ERR_UNSUPPORTED, "libunwind is for cores of this machine, and this one is of %s: use libdw",
			       c->arch ? c->arch->name : "another");
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, -ENOMEM, "libunwind");
	set_accessors(w);
	w->as = unw_create_addr_space(&w->accessors.fn, 0);
	if (!w->as) {
		free(w);
		return err_set(e, -ENOMEM, "libunwind");
	}
	unw_set_caching_policy(w->as, UNW_CACHE_NONE);
	u->uw = w;
	return 0;
}

void uw_close(struct uw *w)
{
	if (w)
		unw_destroy_addr_space(w->as);
	free(w);
}

/* ---- a walk */

/* What libunwind calls the instruction pointer is x30 on arm64, asked for which it gives the pc: that is no register. */
static void keep_registers(const struct unwind *u, unw_cursor_t *c, struct cpu_regs *r, u64 pc, bool exact)
{
	const struct arch *a = u->core->arch;

	*r = (struct cpu_regs){ .pc = pc, .exact = exact };
	for (int i = 0; i < a->gregs.n_regs; i++) {
		s32 n = regs_dwarf(u, i);
		unw_word_t v;

		if (n >= 0 && n < UNW_REG_LAST && n != UNW_REG_IP && !unw_get_reg(c, n, &v))
			regs_set(u, r, i, v);
	}
}

/* There is a table, and libunwind can go by it; else s->end is set. */
static bool has_table(struct unwind *u, const struct frame *f, Dwarf_Frame *row, const struct cpu_regs *r,
		      struct stack *s)
{
	unsigned long long pc = f->pc;
	unw_proc_info_t pi;

	if (find_proc_info(u->uw->as, f->exact && !f->signal ? f->pc : f->pc - 1, &pi, 0, u) < 0)
		stack_ends(s, STACK_NO_TABLE, "no call frame information for 0x%llx", pc);
	else if (row && cfi_is_misleading(u, row, r))
		stack_ends(s, STACK_NO_TABLE, "the call frame information for 0x%llx is not right as it stands", pc);
	else
		return true;
	return false;
}

/*
 * The signal frames are known by their table's augmentation: libunwind's versions
 * differ in what they call one.  The row of the table is the caller's to free.
 */
static Dwarf_Frame *fill(struct unwind *u, unw_cursor_t *c, struct frame *f, const struct cpu_regs *seed)
{
	unw_word_t pc = 0, sp = 0;

	unw_get_reg(c, UNW_REG_IP, &pc);
	unw_get_reg(c, UNW_REG_SP, &sp);
	f->pc = seed ? seed->pc : space_strip(u, pc);
	f->sp = sp;
	return dw_row_of(u, f).frame;
}

/* A step to a return address of 0, which is no frame; but a signal may have met a jump to nowhere. */
static bool leads_to_zero(const struct unwind *u, unw_cursor_t *c, const struct frame *f)
{
	unw_word_t pc;

	return !f->signal && !unw_get_reg(c, UNW_REG_IP, &pc) && !space_strip(u, pc);
}

/*
 * After the last frame of the walk, from which no step succeeded.  libunwind returns 0 or
 * steps to 0 both where there is no caller and where its address is read as 0: the row decides.
 */
static void ends(struct unwind *u, struct stack *s, int step, Dwarf_Frame *row, const struct cpu_regs *r)
{
	u64 pc = s->frames[s->n - 1].pc;
	struct cpu_regs caller = *r;

	if (step == 0 && !u->fault.is_set && row)
		stack_ends_by(u, s, cfi_step(u, row, &caller), pc);
	else
		stack_ends_at(u, s, pc);
}

/*
 * libunwind begins with no frame whose stack pointer it cannot have, which a step
 * by frame pointer on arm64 does not tell.  0 is for one that is not known: no
 * memory is there.
 */
static void seed_sp(struct unwind *u, struct cpu_regs *seed)
{
	struct frame f = { .pc = seed->pc, .exact = seed->exact };
	int at = u->core->arch->sp;
	struct row row;
	u64 sp = 0;

	if (regs_get(u, seed, at, &sp))
		return;
	row = dw_row_of(u, &f);
	if (row.frame && !cfi_sp(u, row.frame, seed, &sp))
		sp = 0;
	free(row.frame);
	regs_set(u, seed, at, sp);
}

/* Adds the frame, and steps to its caller: 1 when there is one, 0 when s->end is set. */
static int walk_one(struct unwind *u, unw_cursor_t *c, const struct frame *f, Dwarf_Frame *row,
		    const struct cpu_regs *r, struct stack *s, struct err *e)
{
	int ret = walk_add(u, s, f, r, row, e), step;

	if (ret <= 0)
		return ret;
	if (!has_table(u, f, row, r, s))
		return 0;
	u->fault.is_set = false;
	u->uw->step_reads = STEP_READS;
	u->uw->is_guess = false;
	step = unw_step(c);
	if (u->uw->is_guess)
		step = -UNW_EBADFRAME;
	else if (step > 0 && leads_to_zero(u, c, f))
		step = 0;
	if (step > 0 && !u->fault.is_set)
		return 1;
	ends(u, s, step, row, r);
	return 0;
}

static int uw_walk(struct unwind *u, struct cpu_regs *r, enum frame_by by, struct stack *s, struct err *e)
{
	struct frame f = { .by = by, .exact = r->exact, .doubt = r->doubt };
	struct cpu_regs seed = *r;
	Dwarf_Frame *row;
	unw_cursor_t c;
	int ret;

	seed_sp(u, &seed);
	u->uw->at = &seed;
	u->uw->step_reads = STEP_READS;
	if (!s->n)
		u->uw->thread_reads = THREAD_READS;
	if (unw_init_remote(&c, u->uw->as, u)) {
		stack_ends(s, STACK_NO_REGISTERS, "libunwind needs more registers than the core has");
		return 0;
	}
	row = fill(u, &c, &f, &seed);
	r->exact = f.exact;
	for (;;) {
		ret = walk_one(u, &c, &f, row, r, s, e);
		free(row);
		if (ret <= 0)
			return ret;
		f = (struct frame){ .by = FRAME_BY_CFI, .exact = f.signal };
		row = fill(u, &c, &f, NULL);
		keep_registers(u, &c, r, f.pc, f.exact);
	}
}

static bool uw_is_open(const struct unwind *u)
{
	return u->uw;
}

const struct unwinder_ops unwinder_uw_ops = {
	.name = "libunwind", .open = uw_open, .is_open = uw_is_open, .walk = uw_walk,
};
