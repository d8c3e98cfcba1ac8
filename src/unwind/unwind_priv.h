/* unwind_priv.h - what the files of this room share: modules, memory, registers, and the backends' one question. */
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "core/modules.h"
#include "unwind/unwind.h"

/* A module of the core, and the file that was found to be it. */
struct module {
	struct unwind *u;
	u64 start;
	u64 end;
	char *path;		/* as the process had it, or NULL */
	char *note;		/* why no file, or that it could not be verified; or NULL */
	Elf *elf;		/* NULL until looked, and when there is none */
	int fd;
	char *file;		/* where it was found; NULL: it is a copy of the core's memory */
	u8 *image;		/* that copy */
	u64 bias;		/* from the addresses in @elf to memory; wraps */
	bool looked;
	bool needed;		/* what @note says matters */
	bool is_main;		/* the program itself */
	bool go_known, is_go;	/* first.c: it is of Go */
	u8 build_id[CORE_BUILD_ID_MAX];
	size_t build_id_len;
	struct units *units;	/* units.c's index, if it was needed */
	struct names *names;	/* names.c's */
	struct splits *splits;	/* split.c's */
};

/* Registers by DWARF number, as far as they are known. */
enum { CPU_REGS_MAX = 128 };
struct cpu_regs {
	u64 pc;
	bool exact;	/* pc is where it goes on, not the address behind a call */
	bool doubt;	/* pc was found without tables, and no call instruction is before it */
	u64 mode;	/* the bits that tell the instruction set at pc: struct syscall_abi, mode_mask */
	u64 floor;	/* where sp is not known: frames lie at this address or above */
	u64 v[CPU_REGS_MAX];
	bool have[CPU_REGS_MAX];
};

/* Why the last read of memory failed, for stack->why. */
struct read_fault {
	bool is_set;
	u64 addr;
	enum mem_state state;
};

/* The symbol at an address: threads wait in the same places, and libdw looks at every symbol of a module anew. */
struct symbol_slot {
	u64 at;
	bool is_set;
	u8 type;		/* STT_FUNC and so on */
	const char *name;	/* NULL: none; libdw's */
	u64 start;
	u64 size;		/* 0: unknown */
};
enum { SYMBOL_SLOTS = 1024 };

/* calls.c: the entries of the call that returns to @pc, and of the function that it is in. */
struct call_memo {
	u64 pc;
	bool is_set;
	bool is_call;		/* there is one */
	Dwarf_Die call, function;
	u64 bias;
};
enum { CALL_MEMOS = 1024, CALL_DIES_MAX = 1 << 26 };

/* text.c: where the strings of an Elf's symbols, or of a Dwarf's entries, are; all that begin in these end there. */
struct text_range {
	const char *start, *end;
};
enum { TEXT_SLOTS = 64, TEXT_RANGES_MAX = 12 };
struct text_slot {
	const void *of;		/* NULL: unused */
	bool is_bounded;
	u8 n;
	struct text_range v[TEXT_RANGES_MAX];
};

struct unwind {
	struct core *core;
	struct unwind_opts opts;
	char *sysroot;		/* dirs.c: opts.sysroot, real; and the directories of debug files */
	char **debugdirs;
	size_t n_debugdirs;
	size_t cap_debugdirs;
	u64 entry;		/* of the program of --exe where the core has no AT_ENTRY; or 0 */
	char *exe_note;		/* why the program of --exe is not used; or NULL */
	struct module *mods;	/* sorted by start, the first n_sorted of them */
	size_t n_mods;
	size_t n_sorted;
	size_t cap_mods;
	bool too_many;		/* some were left out */
	bool is_elsewhere;	/* the file of a module is not here by its name, or is another */
	u64 image_bytes;	/* of all module->image */
	u64 ret_cookie;		/* core_return_cookie() */
	u64 insn_mask;		/* bits of a code address that a signature is in; of the thread at work */
	struct { bool known; u16 dwarf; u64 value; } vectors;	/* of the thread at work: struct vector_length */
	struct read_fault fault;
	u64 code_reads;		/* armwalk.c: how many there were */
	struct dw *dw;		/* libdw's; also for names */
	struct uw *uw;		/* libunwind's, or NULL */
	struct fetch *fetch;	/* fetch.c's; NULL until needed */
	u64 packed, unpacked;	/* of all files: what their packed sections have, and make of it */
	struct code_reader *code;	/* NULL until needed */
	char *demangled;	/* the last one */
	struct symbol_slot symbols[SYMBOL_SLOTS];
	struct call_memo calls[CALL_MEMOS];
	struct text_slot texts[TEXT_SLOTS];
	struct tail_memo *tails;	/* tailcall.c's; NULL until needed */
	u64 dies_left;		/* that may still be looked at for calls: a hostile core must not keep us for ever */
	char unversioned[1024];	/* the last symbol without its version */
};

/* ---- modules.c */

/* All that the core tells of, then the program and what the dynamic linker had loaded, if those are not among it. */
int modules_load(struct unwind *u, struct err *e) must_check;
int modules_add(struct unwind *u, const struct core_module *m, struct err *e) must_check;
/* Takes over what @m owns, which is empty then. */
int modules_take(struct unwind *u, struct module *m, struct err *e) must_check;
int program_load(struct unwind *u, struct err *e) must_check;
/* Places @m as its file and the auxiliary vector say; false when they contradict each other. */
bool program_place(const struct unwind *u, struct module *m);
/* AT_EXECFN, or NULL.  The caller frees it. */
char *program_name(struct unwind *u);
/* Where the program begins: AT_ENTRY, or what --exe says. */
bool program_entry(const struct unwind *u, u64 *out);
/* Finds out which module the program of --exe is, and gives it that file; an error if it is not the core's program. */
int exe_load(struct unwind *u, struct err *e) must_check;
/* Where the program has its program headers in memory, and how many: the auxiliary vector's word, or of --exe. */
bool program_headers(const struct unwind *u, u64 *at, u64 *n);
int links_load(struct unwind *u, struct err *e) must_check;
void modules_close(struct unwind *u);
void module_fini(struct module *m);
/* The pages that a file's PT_LOADs take, [lo, hi), addresses as in the file; false when it has none. */
bool module_span(Elf *elf, u64 *lo, u64 *hi);
/* m->bias, of its place and file. */
void module_set_bias(struct module *m);
/* The module that covers @addr, or NULL. */
struct module *module_at(const struct unwind *u, u64 addr);
/* Its ELF file, looked for at the first call; NULL when there is none that can be trusted. */
Elf *module_elf(struct unwind *u, struct module *m);

/* ---- modfile.c, image.c, debugfile.c */

/*
 * A regular file that a core or another file names: below --sysroot or the live process's root as if that were the
 * root directory.  As open_regular().
 */
int modfile_open(const struct unwind *u, const char *path, struct err *e) must_check;
/* The name of an open file, without symbolic links; false when it has none any more. */
bool modfile_real(int fd, char *out, size_t size);
/* A build-id as text. */
const char *modfile_hex(const u8 *p, size_t len, char out[2 * CORE_BUILD_ID_MAX + 1]);
/* u->sysroot and u->debugdirs, of the options; an error if one that the user named is no directory. */
int dirs_open(struct unwind *u, struct err *e) must_check;
void dirs_close(struct unwind *u);

/* Opens the file that is module @m, verified by its build-id: fills fd, file, elf; or note. */
void modfile_find(struct unwind *u, struct module *m);
/* Without a build-id: could the file be what the process had mapped? */
bool modfile_layout_fits(const struct unwind *u, const struct module *m, Elf *elf);
/* Hides the sections of m->elf that would unpack to too much, and says so in a note. */
void modfile_bound(struct unwind *u, struct module *m);
/* Closes that file again: it is not the one, because of @why. */
void modfile_refuse(struct module *m, const char *why);
void modfile_note(struct module *m, const char *text);
/* Behind what is said already. */
void modfile_add_note(struct module *m, const char *text);
/* Makes an ELF file of the core's own memory; false when a part that counts is not there. */
bool modfile_from_memory(struct unwind *u, struct module *m);

/* ---- parts.c: what of a file is in memory as it is in the file */

/* Of a segment or section that is not written to; addresses as in the file. */
struct part {
	u64 addr, off, len;
	bool is_code;
};
typedef int part_fn(const struct part *p, void *arg);
/* Calls @fn for each until one returns not 0, which is returned. */
int parts_each(Elf *elf, part_fn *fn, void *arg);
/* One that has all @len bytes at @addr. */
bool part_at(Elf *elf, u64 addr, u64 len, struct part *out);
/* @len bytes of @m's file, from @at in @p on. */
bool part_read(const struct module *m, const struct part *p, u64 at, void *buf, size_t len);

/* ---- resident.c: a file against the core's memory, which has it @bias above the file's addresses */

/* Bytes that both have, equal and not; and the address of the first that is not. */
struct likeness {
	u64 same, other, first;
};
/* Breakpoints and patches change less than one byte of so many. */
enum { PATCHED_RATIO = 16 };
/* What the memory has of it is another file's. */
bool resident_contradicts(struct unwind *u, const struct module *m, u64 bias, struct likeness *out);
/* Has the memory the build-id @id of the file, or another one in its place, which goes to @ours? */
enum resident_id { RESIDENT_ID_UNKNOWN, RESIDENT_ID_SAME, RESIDENT_ID_OTHER };
enum resident_id resident_build_id(struct unwind *u, const struct module *m, u64 bias, const u8 *id, size_t len,
				   u8 ours[CORE_BUILD_ID_MAX]);
/* Looks for the file in all memory: the number of places that it can be at, of which *bias is one. */
int resident_find(struct unwind *u, const struct module *m, const u8 *id, size_t id_len, u64 *bias, struct err *e) must_check;
/* A thread is in the file's code, if it is there. */
bool resident_runs(struct unwind *u, const struct module *m, u64 bias);

/* ---- sections.c: sections that are packed, before libelf and libdw unpack them */

/* Would that take too much memory?  It counts for the next ones where not. */
bool sections_fit(struct unwind *u, Elf *elf);
/* Hides those that would, and returns how many these are. */
size_t sections_bound(struct unwind *u, Elf *elf);
/* Is there a section whose name begins so? */
bool section_find(Elf *elf, const char *start);

/* ---- space.c: memory as the process had it */

/*
 * All @len bytes at @addr: from the core or, what is absent there, from the
 * unwritable segments of a verified file.  False, and u->fault, when they are not
 * to be had.
 */
bool space_read(struct unwind *u, u64 addr, void *buf, size_t len);
/* A word of the machine, or a number of @size bytes, in its byte order. */
bool space_word(struct unwind *u, u64 addr, u64 *out);
bool space_uint(struct unwind *u, u64 addr, unsigned size, u64 *out);
/*
 * A general register that a function has saved, as much of it as a word holds: MIPS
 * n32 and x32 save 8 bytes, of which the address is not the first ones on a
 * big-endian machine.
 */
bool space_reg(struct unwind *u, u64 addr, u64 *out);
/* @v as a word of the machine holds it; the same with its sign. */
u64 u64_of_word(const struct unwind *u, u64 v);
s64 s64_of_word(const struct unwind *u, u64 v);
/* Code was executable there. */
bool space_is_code(struct unwind *u, u64 addr);
/* No guard page and no hole is between @from and the higher @to: both may be of one stack. */
bool space_is_one(const struct unwind *u, u64 from, u64 to);
/* The code address @addr without signature, and what else is no address in it. */
u64 space_strip(const struct unwind *u, u64 addr);

/* ---- regs.c */

/* The registers of @t; false when the core has none. */
bool regs_of_thread(struct unwind *u, const struct core_thread *t, struct cpu_regs *out);
/* DWARF's number of the general register at @index of the machine's, or -1. */
s32 regs_dwarf(const struct unwind *u, int index);
/* The general register at @index of the machine's, if it has a DWARF number and is known. */
bool regs_get(const struct unwind *u, const struct cpu_regs *r, int index, u64 *out);
void regs_set(const struct unwind *u, struct cpu_regs *r, int index, u64 value);
/* r->pc and r->mode, of a return address. */
void regs_return(const struct unwind *u, struct cpu_regs *r, u64 ret);
/* r->mode, if the general register at @index tells it. */
void regs_set_mode(const struct unwind *u, struct cpu_regs *r, unsigned index, u64 value);
/* The register of DWARF's number @n, if that tells how long vectors are. */
bool regs_vectors(const struct unwind *u, const struct cpu_regs *r, u64 n, u64 *out);
/* By its DWARF number; nothing, where that is none. */
void regs_set_dwarf(struct cpu_regs *r, s32 n, u64 value);

/* ---- step.c: where no table tells */

/* Goes to the caller of @r by the machine's calling convention; false when nothing there looks like one. */
bool step_link(struct unwind *u, struct cpu_regs *r);
bool step_leaf(struct unwind *u, struct cpu_regs *r);
bool step_signal(struct unwind *u, struct cpu_regs *r);
/* A signal handler returns to @pc, by its code; @sp is the stack pointer then, or 0 if unknown. */
bool step_is_signal(struct unwind *u, u64 pc, u64 sp);
/* The same of a return address @pc whose code is not to be had, by what the kernel puts at @sp. */
bool step_is_like_signal(struct unwind *u, u64 pc, u64 sp);
bool step_fp(struct unwind *u, struct cpu_regs *r);
/* What the code says of a return address. */
enum step_return {
	RETURN_NOWHERE,	/* not in code */
	RETURN_DOUBT,	/* no call is before it: interpreters and coroutines push such addresses, but any pointer to code is one */
	RETURN_UNKNOWN,	/* the code is not to be had, or not read here for this machine */
	RETURN_GOOD,
};
enum step_return step_return(struct unwind *u, u64 addr);
/* Could a call return to @addr? */
bool step_is_return(struct unwind *u, u64 addr);

/* ---- first.c */

/* It is the thread's first function: by the machine's convention, by where the program begins, or as makecontext(3) has it. */
bool step_is_first(struct unwind *u, const struct cpu_regs *r);
/* @pc is in the function at the program's entry point. */
bool step_is_entry(struct unwind *u, u64 pc, bool exact);
/*
 * The last frame of @s, which is at @r, is the first of its stack whatever a table says of it: s->end is set then.
 * @has_row: there is a row for the instruction before it.
 */
bool first_ends(struct unwind *u, const struct cpu_regs *r, bool has_row, struct stack *s);

/* ---- code.c */

/* The same by reading the code, for the machines of a table there. */
bool step_code(struct unwind *u, struct cpu_regs *r);
/*
 * The code before @ret calls the function at @start itself, perhaps through an entry
 * of a procedure linkage table; or nothing is left of what it called.
 */
bool code_call_is_plain(struct unwind *u, u64 ret, u64 start);
/* False when the code can be read and there is no call before @ret. */
bool code_is_after_call(struct unwind *u, u64 ret);
/* All ways from @pc on could be read, and none is to a return or to where nobody knows. */
bool code_never_returns(struct unwind *u, u64 pc);
/* Before each thread. */
void code_refill(struct code_reader *c);
void code_close(struct code_reader *c);
/* What could not be done, as a sentence; or NULL. */
const char *code_left_out(const struct code_reader *c);

/* ---- the backends */

/*
 * Appends the frames from @r on, by tables only; the first one is @r itself and
 * was found by @by.  Ends with s->end, and @r as it is in the last frame.
 */
struct unwinder_ops {
	const char *name;
	int (*walk)(struct unwind *u, struct cpu_regs *r, enum frame_by by, struct stack *s, struct err *e);
};
extern const struct unwinder_ops unwinder_dw_ops;
extern const struct unwinder_ops unwinder_uw_ops;

int dw_open(struct unwind *u, struct err *e) must_check;
void dw_close(struct dw *dw);
Dwfl *dw_dwfl(const struct unwind *u);
/* What the tables say of an instruction. */
struct row {
	Dwarf_Frame *frame;	/* NULL: nothing; to be given to free(3) */
	bool is_signal;		/* augmentation "S": a signal handler returns to it */
};
/*
 * The row for @f, of which pc, sp and exact are set; sets f->signal and, for such a frame, f->exact: nothing was
 * called from there.
 */
struct row dw_row_of(struct unwind *u, struct frame *f);

/* ---- cfi.c, expr.c */

/* CFI_NO_RETURN: the table says where the return address is, and there is 0. */
enum cfi_step { CFI_STEPPED, CFI_OUTERMOST, CFI_NO_RETURN, CFI_FAILED, CFI_NO_TABLE };
/* From @r, which a row is for, to its caller; @r is as it was unless CFI_STEPPED. */
enum cfi_step cfi_step(struct unwind *u, Dwarf_Frame *f, struct cpu_regs *r);
/* The stack pointer, where it is not known but follows from the frame pointer by the row. */
bool cfi_sp(const struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r, u64 *out);
/* The row says that there is no caller: code that begins a thread. */
bool cfi_is_outermost(const struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r);
/* What the row says by its letter is not so: gcc's, of a frame that is measured in vectors. */
bool cfi_is_misleading(struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r);
/* The canonical frame address by the row. */
bool cfi_cfa(struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r, u64 *out);
/* What is on top of the stack when @ops have been done; false when they cannot be. */
bool expr_eval(struct unwind *u, const struct cpu_regs *r, u64 cfa, const Dwarf_Op *ops, size_t n, u64 *out);

/* ---- exidx_step.c */

/*
 * The same by 32-bit Arm's tables for exceptions; CFI_NO_TABLE when there is none
 * for it.  *by is how the caller was found.
 */
enum cfi_step exidx_step(struct unwind *u, const struct frame *f, struct cpu_regs *r, enum frame_by *by);

/* libunwind is for the machine it was built for; ERR_UNSUPPORTED for others. */
int uw_open(struct unwind *u, struct err *e) must_check;
void uw_close(struct uw *uw);

/* ---- unwind.c */

int stack_add(struct stack *s, const struct frame *f, struct err *e) must_check;
/* Sets s->end and the sentence. */
void stack_ends(struct stack *s, enum stack_end end, const char *fmt, ...) printf_like(3, 4);
/* STACK_NO_MEMORY or STACK_NO_TABLE, as u->fault says. */
void stack_ends_at(struct unwind *u, struct stack *s, u64 pc);
/* As @step says, which is none to a caller of @pc. */
void stack_ends_by(struct unwind *u, struct stack *s, enum cfi_step step, u64 pc);
/* @f, which would be the next frame, is in no code: a return address that is none.  s->end is set then. */
bool stack_leaves_code(struct unwind *u, struct stack *s, const struct frame *f);
/* The next frame would be one of these again. */
bool stack_loops(const struct stack *s, const struct frame *f);
/* A whole stack is better than a part; of parts, the one with more frames that are sure.  @b may be empty. */
bool stack_is_better(const struct stack *a, const struct stack *b);
/* No more frames are wanted.  Frames in doubt are followed beyond the limit, to what confirms them. */
bool stack_is_full(const struct unwind *u, const struct stack *s);

/* ---- symbols.c */

/* The symbol that has the code at @at, or begins before it.  Kept until some other one is looked up. */
const struct symbol_slot *symbol_at(struct unwind *u, u64 at);
/* The function at @at by its symbol: [*start, *end), of which the end may not be known and UINT64_MAX. */
bool symbol_bounds(struct unwind *u, u64 at, u64 *start, u64 *end);

/* ---- units.c, names.c, tailcall.c, split.c */

void units_free(struct units *us);
void names_free(struct names *names);
void tailcall_free(struct tail_memo *memos);
void splits_free(struct splits *s);

/* ---- demangle.c */

/* @name as its language writes it, or @name itself.  Borrowed until the next call. */
const char *demangle(struct unwind *u, const char *name);
