/* unwind.h - backtraces of the threads of a core, with names, files and lines. */
#pragma once

#include "base/err.h"
#include "base/types.h"
#include "core/core.h"

/* How a frame was found, the surest first. */
enum frame_by {
	FRAME_BY_REGISTERS,	/* the thread's own registers */
	FRAME_BY_CFI,		/* call frame information of the frame below it: .eh_frame, .debug_frame */
	FRAME_BY_EXIDX,		/* the table for exceptions of 32-bit Arm, .ARM.exidx, at a call: it is exact there */
	FRAME_BY_SIGNAL,	/* what the kernel saved when it called the handler below it */
	FRAME_BY_CODE,		/* what the code of the frame below it does with the stack, read without running it */
	FRAME_BY_LINK,		/* the return address where a call leaves it: nothing was run since, or no other call */
	FRAME_BY_TAIL_CALL,	/* not on the stack: it ended in a tail call; every way from its caller to the frame below leads through it */
	FRAME_BY_LIKELY_TAIL_CALL, /* probably the same: some calls on the way have unknown targets */
	FRAME_BY_FP,		/* the chain of frame pointers; a caller that keeps none is skipped */
};
/* "registers", "cfi", "exidx", "signal", "code", "link", "tail-call", "likely-tail-call", "frame-pointer". */
const char *frame_by_name(enum frame_by by);

/*
 * A frame.  @pc is where it goes on: in all but the first and those that a
 * signal interrupted (@exact) it is the address after the call, so names are looked up
 * one byte before it.  @signal: a signal handler returns through this frame.
 */
struct frame {
	u64 pc;
	u64 sp;		/* stack pointer, or 0 if unknown */
	bool exact;
	bool signal;
	bool gap;	/* of a tail call: there may be others beside it, of which several are possible */
	bool doubt;	/* no call instruction is before @pc, and no table led here: kept only if a later frame confirms it */
	enum frame_by by;
};

/* Why a stack ends where it ends. */
enum stack_end {
	STACK_OUTERMOST,	/* the first function of the thread: nothing is missing */
	STACK_NO_REGISTERS,	/* the core has none of this thread */
	STACK_NO_CODE,		/* the program counter is in no executable memory */
	STACK_NO_TABLE,		/* no table, code or convention leads to the caller */
	STACK_NO_RETURN,	/* the return address is 0, which proves nothing: it may have been overwritten */
	STACK_NO_MEMORY,	/* the memory that has the return address is not there */
	STACK_SWITCHED,		/* a function that changed the stack pointer to another stack, and no table says from where */
	STACK_LOOP,		/* the caller's frame would not be above this one */
	STACK_LIMIT,		/* max_frames */
};

/* The backtrace of a thread.  Owns @frames. */
struct stack {
	const struct core_thread *thread;
	struct frame *frames;	/* the innermost first */
	size_t n;
	size_t cap;
	enum stack_end end;
	bool is_coroutine;	/* STACK_OUTERMOST, of a stack that is not the thread's own */
	char why[192];		/* the same as a sentence, with the place */
	const char *unwinder;	/* "libdw", "libunwind" */
};
void stack_fini(struct stack *s);

struct fetch;
struct unwind;

/* All optional; zero means the default.  Strings are borrowed until unwind_close(). */
struct unwind_opts {
	const char *exe;		/* the program itself, instead of what the core names */
	const char *sysroot;		/* goes before every path that the core names; a directory */
	const char *debuginfo_path;	/* directories with ":" between them; default /usr/lib/debug */
	const char *unwinder;		/* "libdw", "libunwind"; NULL or "auto": the better result of each thread */
	bool no_tail_calls;		/* frames of tail calls need debug information, which takes its time */
	u32 max_frames;			/* 0: UNWIND_FRAMES_MAX */
	/*
	 * For a process that is locked in: opens a file for reading, as modfile_open() does, by asking one that is
	 * not; and the connection to debuginfod that was made before, which stays its maker's.
	 */
	int (*open_file)(void *arg, const char *path, struct err *e);
	void *open_arg;
	struct fetch *fetch;
	const struct unwind *dirs;	/* has the directories above already: broker_dirs() */
	pid_t pid;			/* of the live process that the core was taken of: /proc/PID/root, map_files; or 0 */
};
enum { UNWIND_FRAMES_MAX = 4096 };

/*
 * Starts the process that asks servers of debuginfod, for processes that are forked later; NULL where
 * the user has named no server.  It is ended, with all that it has not finished, by its maker alone.
 */
struct fetch *unwind_fetch_start(void);
void unwind_fetch_end(struct fetch *f);

/* The library that is loaded when code is first read; a process that is locked in must be allowed to. */
extern const char unwind_code_library[];
/* From now on it is done without: for a process that may open nothing. */
void unwind_load_no_code(void);

/*
 * Gets ready to unwind the threads of @core, which must outlive *out.  Executables
 * are looked for when they are needed, and used only if their build-id is the one
 * in the core's memory.  An error if opts->exe cannot be the program of the core, or a
 * directory in @opts is not a directory.  ERR_USAGE: no such unwinder; ERR_UNSUPPORTED: the
 * one in @opts does not know the core's machine.
 */
int unwind_open(struct unwind **out, struct core *core, const struct unwind_opts *opts,
		struct err *e) must_check;
void unwind_close(struct unwind *u);

/* The backtrace of @t.  A stack that ends early is no error: out->end says why.  Fill @out with zeros before. */
int unwind_thread(struct unwind *u, const struct core_thread *t, struct stack *out,
		  struct err *e) must_check;

/* What is known of the code of a frame.  Strings are borrowed until the next call. */
struct symbol {
	const char *function;	/* demangled, or NULL */
	const char *linkage;	/* as in the symbol table, or NULL */
	u64 offset;		/* of pc from the function's start */
	const char *module;	/* path as the process had it, or NULL */
	u64 module_start;
	const u8 *build_id;
	size_t build_id_len;	/* 0: unknown */
	const char *file;	/* source, or NULL */
	u32 line;		/* 0: unknown */
	u32 column;
	bool is_inline;		/* inlined into the next one of this frame */
};

/* What to look up besides function and module; either reads the debug information, which is slow. */
enum symbol_want {
	SYMBOL_SOURCE	= 1 << 0,	/* file, line and column */
	SYMBOL_INLINES	= 1 << 1,	/* the functions that are inlined there */
};

/*
 * Calls @fn for the code of @f: with SYMBOL_INLINES, first for each function that
 * is inlined there, the innermost first; at last, always, for the function itself.
 * Not 0 from @fn ends the walk and is returned.
 */
int unwind_symbols(struct unwind *u, const struct frame *f, unsigned want,
		   int (*fn)(const struct symbol *s, void *arg, struct err *e), void *arg,
		   struct err *e) must_check;

/*
 * Calls @fn for the function that the call before @f's pc leads to, by the code and through the procedure linkage table, if
 * that is known and has a name; where the word is not there by which it goes, or leads to a function without a name, it has
 * the name of an import alone.  It is not the function of the frame below @f if it has ended in a tail call.
 */
int unwind_called(struct unwind *u, const struct frame *f, int (*fn)(const struct symbol *s, void *arg, struct err *e),
		  void *arg, struct err *e) must_check;

/*
 * A remark on the file of a module: not found, a file with another build-id, or not
 * verifiable; or on something that was left out.
 */
struct unwind_note {
	const char *module;	/* path, or NULL: unknown, or not about a module */
	u64 start;
	const char *text;
};
/* The next remark from index *i on, which begins at 0; false at the end.  Only on modules that were needed. */
bool unwind_note(const struct unwind *u, size_t *i, struct unwind_note *out);
