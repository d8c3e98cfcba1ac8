/* crash.h - the crash that rows of the table look at, and what they say about it. */
#pragma once

#include "explain/explain.h"
#include "unwind/frame/frame.h"

struct mte;
struct hang;

/* What an integer division was by. */
struct divisor {
	bool known;
	char name[40];		/* "ecx", "memory at 0x1234" */
	u64 value;
	u32 size;		/* in bytes */
};

enum { SIGINFO_SIZE = 128 };
struct crash {
	struct unwind *u;
	struct core *core;
	struct explain_opts opts;
	const struct core_thread *thread;
	const char *signal;	/* "SEGV", or "" */
	s32 signo;
	bool has_si;
	struct core_siginfo si;
	u8 si_raw[SIGINFO_SIZE];
	bool is_fault;		/* the kernel sent the signal for what the thread did */
	bool has_regs;
	struct cpu_regs regs;
	u64 pc, sp;		/* 0 where not known */
	u64 addr;		/* of the fault, without a pointer's tag */
	bool has_addr;
	bool is_kernel_code;	/* si_code is SI_KERNEL, which has no address */
	bool is_alignment;	/* x86's alignment check: the kernel gives no address */
	bool is_inferred;	/* the fault's address and kind are not the kernel's words: they follow from instruction and areas */
	bool is_sent_again;	/* of such a fault: the process has sent the signal to itself, at the instruction */
	bool has_esr;		/* arm64's syndrome, from a signal's frame: */
	u64 esr;
	struct access access;
	struct divisor divisor;	/* of the instruction, of x86 */
	char function[128];	/* in which it happened, or "" */
	struct mte *mte;	/* tagfault.c's, made when needed */
	bool no_mte;
	char *message;		/* abort_message.c's, looked for once */
	bool no_message;
	struct hang *hang;	/* NULL: a crash */
	struct verdict *v;
};

/* ---- crash_signal.c: what the kernel says of the signal */

enum { SI_KERNEL_CODE = 0x80 };	/* include/uapi/asm-generic/siginfo.h: SI_KERNEL */
/* What follows from c->si and @signo. */
void crash_set_signal(struct crash *c, s32 signo);
/* An int or a word at @at of siginfo_t's union, in bytes from the union's start. */
u64 crash_si_uint(const struct crash *c, u64 at, unsigned size);
bool crash_is(const struct crash *c, const char *signal);
/* One that the kernel sends for an instruction or a call, by whomever it was sent this time. */
bool crash_is_of_faults(const struct crash *c);
/* The process has sent it to itself: kill(2), tgkill(2), and what is made of them. */
bool crash_is_from_itself(const struct crash *c);
/* A fault of that signal with that code, as si_code numbers it everywhere but on MIPS. */
bool crash_is_code(const struct crash *c, const char *signal, s32 code);

/* ---- function.c */

/* The function of frame @i of the stack, or "". */
const char *crash_function(struct crash *c, size_t i, char *out, size_t size);

/* ---- memory_text.c */

/* The string at @at, cut where it does not fit, or "" where there is none; whatever its bytes are. */
void memory_text_raw(struct crash *c, u64 at, char *out, size_t size);
/* The same, or "" where it is not printable. */
void memory_text(struct crash *c, u64 at, char *out, size_t size);

/* ---- fault_frame.c */

/* What the signal's frame at @sp, of that form, interrupted, if that was a fault: @c with its signal and registers. */
bool crash_read_frame(struct crash *c, const struct signal_frame *row, u64 sp, struct crash *out);
/* A system call is before @pc: a signal that was sent comes when one returns, as a rule. */
bool crash_is_after_call(const struct crash *c, u64 pc);

/* ---- left_frame.c */

/* The same of a frame whose handler has returned to where the thread is now; *at: where it still has the stack pointer. */
bool crash_find_left(struct crash *c, struct crash *out, u64 *at);

/* ---- caught.c */

/* A signal that was sent, after a fault: a handler has reported that and ended the process, there or in another thread. */
void crash_find_caught(struct crash *c);

/* ---- gather.c */

/* Everything above, of the thread that crashed.  False when there is none; c->v->sentence says so. */
bool crash_gather(struct crash *c, struct err *e, int *r);

/* ---- registers.c */

/* The general register of that name, as the machine's table has it, whatever its width: "eax", "w3". */
bool crash_reg(const struct crash *c, const char *name, struct access_reg *out);
/* By index of the machine's registers; "" for one past the end. */
const char *crash_reg_at(const struct crash *c, unsigned i, u64 *value);
unsigned crash_n_regs(const struct crash *c);
/* c->regs, c->pc and c->sp, of c->thread. */
void crash_find_registers(struct crash *c);

/* ---- access.c */

/* c->access, of the instruction at c->pc. */
void access_find(struct crash *c);
/* "write of 4 bytes at 0x10", "access at 0x10"; and where: " in parse_name()". */
const char *access_text(const struct crash *c, char *out, size_t size);
/* The bytes of the instruction at pc as read: how many. */
size_t access_code(struct crash *c, u8 *out, size_t size);
enum { INSN_BYTES = 15 };
/* The same as evidence. */
void access_show_code(struct crash *c);

/* ---- place.c: what is at an address */

struct place {
	const struct core_area *area;	/* NULL: nothing is mapped there */
	u64 start, end;
	u32 prot;
	bool prot_known;
	bool is_stack;		/* a thread's stack pointer is in it */
	s32 tid;		/* of that thread */
	bool is_file;
	char name[200];		/* "/lib/libc.so.6", "the stack of thread 12", "anonymous memory" */
	u64 pgoff;		/* of a file, at @start */
	struct core_text path;	/* of that file */
};
void place_at(struct crash *c, u64 addr, struct place *out);
/* "r-- anonymous memory 0x1000-0x2000". */
const char *place_text(const struct place *p, char *out, size_t size);
/* The section of the module's file that has @addr: ".rodata", or false. */
bool place_section(struct crash *c, u64 addr, char *out, size_t size);
/* Object of the verdict: the mapping. */
void place_is_object(struct crash *c, const struct place *p, const char *state);
/* Not below @addr: the first area; and the last one that ends at or below it.  NULL: none. */
const struct core_area *place_above(const struct crash *c, u64 addr);
const struct core_area *place_below(const struct crash *c, u64 addr);
/* By the areas: such an access to @addr cannot be made. */
bool place_is_refused(struct crash *c, u64 addr, enum access_type type);
/* x86-64: bits 63:47 are not equal. */
bool place_is_canonical(const struct crash *c, u64 addr);

/* ---- say.c: the verdict, piece by piece */

/* " in FUNCTION", of c->function, or "". */
const char *crash_in(const struct crash *c, char out[160]);

/* Text into @out, cut where it does not fit. */
void put_fmt(char *out, size_t size, const char *fmt, ...) printf_like(3, 4);

void say(struct crash *c, const char *fmt, ...) printf_like(2, 3);
void say_sure(struct crash *c, enum sure sure, const char *fmt, ...) printf_like(3, 4);
/* Evidence: of the thread's frame where it happened, with an address; of the thread; of memory. */
void show_insn(struct crash *c, const char *fmt, ...) printf_like(2, 3);
void show_thread(struct crash *c, const char *fmt, ...) printf_like(2, 3);
void show_frame(struct crash *c, size_t frame, const char *fmt, ...) printf_like(3, 4);
/* Of another thread; 0: of the process. */
void show_tid(struct crash *c, s32 tid, const char *fmt, ...) printf_like(3, 4);
void show_mem(struct crash *c, u64 addr, const char *fmt, ...) printf_like(3, 4);
void also_possible(struct crash *c, const char *kind, const char *fmt, ...) printf_like(3, 4);
void try_next(struct crash *c, const char *fmt, ...) printf_like(2, 3);
/* row_memory.c: what the bytes of a pointer show, text or an allocator's fill. */
void show_pattern(struct crash *c, u64 value);
/* The instruction and its registers, and the signal; what most rows begin with. */
void show_access(struct crash *c);
