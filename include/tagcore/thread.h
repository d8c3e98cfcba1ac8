/* tagcore/thread.h - the threads of a core and their registers. */
#pragma once

#include <tagcore/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One thread.  Valid until the core is closed. */
struct tagcore_thread {
	int32_t tid;
	int signal;		/* that it was taking, by the core's own numbers; 0: none */
	int crashed;		/* not 0: it took the signal that ended the process */
	char state;		/* R, S, D, T … as in /proc/PID/stat, at the time of the dump; 0: unknown */
	int has_pc;		/* not 0: @pc is known */
	int has_sp;
	uint64_t pc;		/* program counter */
	uint64_t sp;		/* stack pointer */
	const char *name;	/* "": unknown */
};

/* How many threads the core has registers of. */
TAGCORE_API size_t tagcore_core_threads(const struct tagcore_core *core);
/* Number @i, in the order of the file; NULL past the end. */
TAGCORE_API const struct tagcore_thread *tagcore_core_thread(const struct tagcore_core *core, size_t i);
/* The thread with that id, or NULL. */
TAGCORE_API const struct tagcore_thread *tagcore_core_thread_find(const struct tagcore_core *core, int32_t tid);

/* A register.  Valid during the call. */
struct tagcore_register {
	const char *set;	/* the name of its set: "general", "fpregs" … */
	const char *name;
	const uint8_t *bytes;	/* in the byte order of the core */
	size_t size;		/* bytes; more than 8 for vectors */
	int dwarf;		/* its DWARF number, or -1 */
};
/*
 * Calls @fn for each register of @thread in the set with the name @set, or of all sets if
 * that is NULL.  A value other than 0 from @fn ends the walk and is returned; *error is
 * untouched then.  TAGCORE_ERR_UNSUPPORTED: no table has this machine's registers;
 * TAGCORE_ERR_INPUT: the thread has no such set.
 */
TAGCORE_API int tagcore_registers_each(struct tagcore_core *core, const struct tagcore_thread *thread, const char *set,
				       int (*fn)(const struct tagcore_register *reg, void *arg), void *arg,
				       struct tagcore_error *error) TAGCORE_MUST_CHECK;
/*
 * The value of the register with that @name, in the set @set, or in the first that has it if
 * that is NULL.  TAGCORE_ERR_UNSUPPORTED for one wider than 8 bytes; TAGCORE_ERR_INPUT: the
 * thread has no such register.
 */
TAGCORE_API int tagcore_register_get(struct tagcore_core *core, const struct tagcore_thread *thread, const char *set,
				     const char *name, uint64_t *value,
				     struct tagcore_error *error) TAGCORE_MUST_CHECK;

#ifdef __cplusplus
}
#endif
