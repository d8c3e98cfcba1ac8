/* tagcore/stack.h - backtraces of the threads of a core, or of a live process. */
#pragma once

#include <sys/types.h>

#include <tagcore/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tagcore_unwind_options {
	size_t size;			/* sizeof(struct tagcore_unwind_options) */
	const char *exe;		/* the program, instead of the file that the core names */
	const char *sysroot;		/* a directory that is the root of every path that the core names */
	const char *debuginfo_path;	/* directories of debug files, with ":" between them; default /usr/lib/debug */
	const char *unwinder;		/* "libdw", "libunwind"; NULL: the better result of both, for each thread */
	uint32_t max_frames;		/* 0: 4096 */
	int no_tail_calls;		/* not 0: debug information is not read to find frames of tail calls */
	/* Of a live process: */
	uint32_t stop_timeout_ms;	/* how long its threads are waited for; 0: 1000 */
	const volatile sig_atomic_t *cancel;	/* as that of tagcore_dump_options; until the open call returns */
};

/* Ready to unwind: a core with the files that its memory was mapped from.  One thread at a time. */
struct tagcore_unwind;

/*
 * For the threads of @core, which must outlive *unwind.  Files are looked for when they
 * are needed, and used only if their build-id is that of the core's memory.  With
 * $DEBUGINFOD_URLS set, what is not found is fetched by a child process, which is waited for
 * by its own id.  @options may be NULL.
 */
TAGCORE_API int tagcore_unwind_open_core(struct tagcore_unwind **unwind, struct tagcore_core *core,
					 const struct tagcore_unwind_options *options,
					 struct tagcore_error *error) TAGCORE_MUST_CHECK;
/*
 * For the threads of process @pid: it is stopped for some milliseconds, in which its
 * stacks are copied, and runs on before this returns.  What tagcore/dump.h says of
 * permissions and of child processes holds here, too.
 */
TAGCORE_API int tagcore_unwind_open_pid(struct tagcore_unwind **unwind, pid_t pid,
					const struct tagcore_unwind_options *options,
					struct tagcore_error *error) TAGCORE_MUST_CHECK;
TAGCORE_API void tagcore_unwind_close(struct tagcore_unwind *unwind);
/* The core that the threads are of; of a process, one of its stacks alone, which @unwind owns. */
TAGCORE_API struct tagcore_core *tagcore_unwind_core(struct tagcore_unwind *unwind);

/* How a live process was stopped. */
struct tagcore_unwind_process {
	pid_t pid;		/* the process, also when a thread of it was named */
	uint64_t pause_us;	/* for how long, in microseconds */
	size_t n_unstopped;	/* threads that did not stop: their stacks end with TAGCORE_STACK_NO_REGISTERS */
};
/* Valid until @unwind is closed; NULL: it is of a core. */
TAGCORE_API const struct tagcore_unwind_process *tagcore_unwind_get_process(const struct tagcore_unwind *unwind);

/* How a frame was found, the surest first. */
enum tagcore_frame_by {
	TAGCORE_FRAME_BY_REGISTERS,	/* the registers of the thread */
	TAGCORE_FRAME_BY_CFI,		/* call frame information: .eh_frame, .debug_frame */
	TAGCORE_FRAME_BY_EXIDX,		/* .ARM.exidx */
	TAGCORE_FRAME_BY_SIGNAL,	/* what the kernel saved for a signal handler */
	TAGCORE_FRAME_BY_CODE,		/* the instructions of the function, read and not run */
	TAGCORE_FRAME_BY_LINK,		/* a return address where a call leaves it */
	TAGCORE_FRAME_BY_TAIL_CALL,	/* the frame is gone, and every way here leads through it */
	TAGCORE_FRAME_BY_LIKELY_TAIL_CALL,	/* the same, as far as is known */
	TAGCORE_FRAME_BY_FP,		/* the chain of frame pointers */
};

/* A frame. */
struct tagcore_frame {
	uint64_t pc;		/* where it goes on */
	uint64_t sp;		/* 0: unknown */
	enum tagcore_frame_by by;
	const char *by_name;	/* "registers", "cfi", … */
	int exact;		/* not 0: @pc is the instruction itself; else the one after a call */
	int signal;		/* not 0: a signal handler returns through this frame */
	int gap;		/* not 0: other frames of tail calls may be missing beside it */
};

/* Why a stack ends where it ends. */
enum tagcore_stack_end {
	TAGCORE_STACK_OUTERMOST,	/* the first function of the thread: nothing is missing */
	TAGCORE_STACK_NO_REGISTERS,
	TAGCORE_STACK_NO_CODE,		/* the program counter is in no executable memory */
	TAGCORE_STACK_NO_TABLE,		/* nothing says where the caller is */
	TAGCORE_STACK_NO_RETURN,	/* the return address is 0 */
	TAGCORE_STACK_NO_MEMORY,	/* the memory that has the return address is not there */
	TAGCORE_STACK_SWITCHED,		/* the stack pointer was changed to another stack */
	TAGCORE_STACK_LOOP,
	TAGCORE_STACK_LIMIT,		/* max_frames */
};

/* The backtrace of one thread. */
struct tagcore_stack;

/*
 * The backtrace of @thread, of the core of @unwind.  A stack that ends early is no error.
 * *stack does not depend on @unwind, and is released by tagcore_stack_free().
 */
TAGCORE_API int tagcore_unwind_thread(struct tagcore_stack **stack, struct tagcore_unwind *unwind,
				  const struct tagcore_thread *thread,
				  struct tagcore_error *error) TAGCORE_MUST_CHECK;
TAGCORE_API void tagcore_stack_free(struct tagcore_stack *stack);
TAGCORE_API size_t tagcore_stack_frames(const struct tagcore_stack *stack);
/* Number @i, of which 0 is the innermost; NULL past the end.  Valid until the stack is freed. */
TAGCORE_API const struct tagcore_frame *tagcore_stack_frame(const struct tagcore_stack *stack, size_t i);
TAGCORE_API enum tagcore_stack_end tagcore_stack_get_end(const struct tagcore_stack *stack);
/* The same as a sentence, with the place.  Valid until the stack is freed. */
TAGCORE_API const char *tagcore_stack_why(const struct tagcore_stack *stack);
/* "libdw" or "libunwind". */
TAGCORE_API const char *tagcore_stack_unwinder(const struct tagcore_stack *stack);

/* What is known of the code of a frame.  Valid during the call. */
struct tagcore_symbol {
	const char *function;	/* demangled; NULL: unknown */
	const char *linkage;	/* as in the symbol table; NULL: unknown */
	uint64_t offset;	/* of pc from the start of the function */
	const char *module;	/* path, as the process had it; NULL: unknown */
	uint64_t module_start;
	const uint8_t *build_id;
	size_t build_id_size;	/* 0: unknown */
	const char *file;	/* source; NULL: unknown */
	uint32_t line;		/* 0: unknown */
	uint32_t column;
	int is_inline;		/* not 0: inlined into the next one of this frame */
};
/* What is wanted besides function and module; either costs the time to read debug information. */
enum tagcore_symbol_want {
	TAGCORE_SYMBOL_SOURCE	= 1 << 0,	/* file, line and column */
	TAGCORE_SYMBOL_INLINES	= 1 << 1,	/* functions that are inlined there */
};
/*
 * Calls @fn for the code of @frame: with TAGCORE_SYMBOL_INLINES first for each function that is
 * inlined there, the innermost first; then, always, for the function itself.  A value
 * other than 0 from @fn ends the walk and is returned; *error is untouched then.
 */
TAGCORE_API int tagcore_symbols_each(struct tagcore_unwind *unwind, const struct tagcore_frame *frame, unsigned want,
				     int (*fn)(const struct tagcore_symbol *symbol, void *arg), void *arg,
				     struct tagcore_error *error) TAGCORE_MUST_CHECK;

/* What there is to say about a file: that it was not found, that it is another one. */
struct tagcore_unwind_remark {
	const char *module;	/* path; NULL: unknown, or about no module */
	uint64_t start;
	const char *text;
};
/* The next remark; *i begins at 0.  NULL: there are no more so far.  Valid until the next call for @unwind. */
TAGCORE_API const struct tagcore_unwind_remark *tagcore_unwind_next_remark(struct tagcore_unwind *unwind, size_t *i);

#ifdef __cplusplus
}
#endif
