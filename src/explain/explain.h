/* explain.h - why a process ended: one verdict of a table, how sure it is, and what it rests on. */
#pragma once

#include "unwind/unwind.h"

/* How sure a verdict is. */
enum sure {
	SURE_CERTAIN,	/* nothing else leaves these traces */
	SURE_LIKELY,	/* something else could, but rarely does */
	SURE_POSSIBLE,	/* one of several */
};
/* "certain", "likely", "possible". */
const char *sure_name(enum sure s);

enum access_type { ACCESS_UNKNOWN, ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
/* "read", "write", "fetch", or NULL. */
const char *access_name(enum access_type t);

/* A register of an access; @name is "" where there is none. */
struct access_reg {
	char name[8];
	bool known;
	u64 value;
};

/* The access that failed.  What is not known is 0, or ACCESS_UNKNOWN. */
struct access {
	enum access_type type;
	u32 size;
	bool has_addr;
	u64 addr;		/* with a pointer's tag, as far as it is known */
	bool is_decoded;	/* an operand of the instruction leads to the address: @base, @index, @scale, @disp are its */
	struct access_reg base, index;
	u32 scale;
	s64 disp;
	bool must_align;	/* the instruction faults where the address is no multiple of @size */
	bool by_ret;		/* the address was on the stack, to return to */
	char insn[80];		/* as text, or "" */
	char extension[16];	/* of the instruction set that it is of: "avx512", or "" */
};

/* What the address is in, or beside: a block of the heap, a mapping. */
struct object {
	bool is_set;
	u64 start, end;
	char state[16];		/* "live", "freed", "header", "tagged", "mapped", "read-only", "guard", "stack" */
	s64 offset;		/* of the address from @start */
};

enum { EVIDENCE_MAX = 32, CANDIDATES_MAX = 8, NEXT_MAX = 4, VERDICT_TEXT_MAX = 480, EVIDENCE_TEXT_MAX = 320 };
struct evidence {
	char what[EVIDENCE_TEXT_MAX];
	char where[64];		/* thread, frame, address */
};
struct candidate {
	const char *kind;	/* of the table, or NULL */
	char what[EVIDENCE_TEXT_MAX];
};

/* ---- of a process that hangs */

/*
 * What /proc says of a thread after the stop, by two looks; what is not known is 0.  A call is as
 * /proc/PID/task/TID/syscall has it.
 */
struct live_thread {
	s32 tid;
	s32 ns_tid;		/* the same in its own PID namespace, the innermost */
	char state;		/* of /proc/PID/task/TID/stat */
	bool has_call;
	u64 nr;
	u64 args[6];
	bool moved;		/* it ran between the looks */
	u64 ran_ns;		/* for how long */
	u64 ready_ns;		/* and for how long it had no processor, but wanted one */
	char wchan[48];		/* the kernel's function that it sleeps in */
};
struct live_fd {
	s32 fd;
	char name[160];		/* a path, "pipe:[12]", "tcp 127.0.0.1:80, listening" */
	u64 inode;		/* of a pipe or socket, or 0 */
	char others[120];	/* who has the other end, where a thread waits for that: "written by process 12 (cat)"; or "" */
	bool is_own;		/* only the process itself has the other end */
};
struct live_child {
	s32 pid;
	char state;
	char comm[64];
};
/* A lock of a file that the process waits for, and who has it. */
struct live_file_lock {
	char kind[8];		/* "FLOCK", "POSIX", "OFDLCK" */
	s32 pid;		/* 0: not known */
	char comm[64];
};
enum { LIVE_FILE_LOCKS_MAX = 4 };
/* All sorted by their numbers. */
struct live {
	struct live_thread *threads;
	size_t n_threads;
	struct live_fd *fds;
	size_t n_fds;
	struct live_child *children;
	size_t n_children;
	struct live_file_lock file_locks[LIVE_FILE_LOCKS_MAX];
	size_t n_file_locks;
	s32 pid;
	s32 parent;		/* its process id, or 0 */
	s32 *parent_tids;	/* its threads, by their ids in their own PID namespace */
	size_t n_parent_tids;
	u64 between_ns;		/* the two looks */
};
/* NULL: there is none. */
const struct live_thread *live_thread_find(const struct live *l, s32 tid);
const struct live_fd *live_fd_find(const struct live *l, s32 fd);

/* What a thread waits for. */
struct wait {
	s32 tid;
	char call[32];		/* the system call */
	char on[288];		/* "mutex 0x1234", "fd 3, pipe:[12]", "" */
	s32 owner;		/* the thread that it waits for, or 0 */
};
/* A circle of threads, each of which waits for the next; in verdict.locked from @from on. */
struct deadlock {
	size_t from, n;
};

struct verdict {
	const struct diagnosis *kind;	/* NULL: there is no verdict, and @sentence says why */
	char sentence[VERDICT_TEXT_MAX];
	enum sure sure;
	char why_sure[EVIDENCE_TEXT_MAX];
	bool has_access;
	bool has_tags;		/* of a memory tag fault: */
	u8 pointer_tag, memory_tag;
	struct access access;
	struct object object;
	s32 tid;		/* 0: none */
	bool caught;		/* a handler ran for it and ended the process: see @frame */
	size_t frame;		/* of @stack, where it happened */
	struct stack stack;
	struct evidence evidence[EVIDENCE_MAX];
	size_t n_evidence;
	struct candidate candidates[CANDIDATES_MAX];
	size_t n_candidates;
	char next[NEXT_MAX][EVIDENCE_TEXT_MAX];
	size_t n_next;
	struct wait *waits;	/* by thread; of a process that has not crashed */
	size_t n_waits;
	s32 *locked;		/* the threads of all deadlocks */
	size_t n_locked;
	struct deadlock *deadlocks;
	size_t n_deadlocks;
	struct stack *others;	/* of the other threads that the verdict is about */
	size_t n_others;
};
void verdict_fini(struct verdict *v);

/* What the caller knows. */
struct explain_opts {
	/* The name of call @nr of a machine (AUDIT_ARCH_*) in @out, or false. */
	bool (*call_name)(u32 audit_arch, s32 nr, char *out, size_t size);
	const struct live *live;	/* of a process, or NULL */
	void (*next_thread)(void);	/* called before each thread that is unwound, or NULL */
};

/*
 * The verdict on the thread that crashed, or why the process hangs if none has.  1 with one, 0 where no row of the table applies: out->sentence says what
 * is known all the same.  Fill @out with zeros before; its strings may hold anything that a core holds.
 */
int explain_core(struct unwind *u, const struct explain_opts *opts, struct verdict *out, struct err *e) must_check;
/* The same of a crash alone, for a line among other output. */
int explain_crash(struct unwind *u, const struct explain_opts *opts, struct verdict *out, struct err *e) must_check;

struct crash;

/* A row: the first whose function says so is the verdict. */
struct diagnosis {
	const char *name;
	const char *applies;	/* to what: a signal, "arm64"; diagnosis_of_hang */
	bool (*find)(struct crash *c);
	const char *sentence;	/* what it says, ended by no stop */
	const char *rests_on;
};
/* What rows of processes that have not crashed apply to. */
extern const char diagnosis_of_hang[];
extern const struct diagnosis diagnoses[];
extern const size_t n_diagnoses;
