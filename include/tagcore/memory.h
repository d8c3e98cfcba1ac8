/* tagcore/memory.h - the bytes of memory in a core, and what is not in it. */
#pragma once

#include <tagcore/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Three states that must not be confused: what is absent was not zero, and was not unmapped. */
enum tagcore_memory_state {
	TAGCORE_MEMORY_UNMAPPED,	/* the process had nothing there */
	TAGCORE_MEMORY_ABSENT,		/* it had, but the bytes are not in this file */
	TAGCORE_MEMORY_PRESENT,
};

/*
 * The state at @addr, and in *until (which may be NULL) the end of the range from @addr on
 * that has it.  *until == addr only where @addr is the last address of all.
 */
TAGCORE_API enum tagcore_memory_state tagcore_memory_state_at(const struct tagcore_core *core, uint64_t addr,
							    uint64_t *until);
/*
 * Looks at memory at @addr: *state holds for the next *n bytes, 0 < *n <= len (0 only for
 * @len 0).  @buf has them if they are present, else it is not written.  To read all of a
 * range, go on at addr + *n.
 */
TAGCORE_API int tagcore_memory_read(struct tagcore_core *core, uint64_t addr, void *buf, size_t len,
				    enum tagcore_memory_state *state, size_t *n,
				    struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* Reads all of [addr, addr + len), or fails: TAGCORE_ERR_TRUNCATED where a part is absent, _INPUT where it is unmapped. */
TAGCORE_API int tagcore_memory_read_all(struct tagcore_core *core, uint64_t addr, void *buf, size_t len,
					struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* @addr without the tag of a pointer, where the machine ignores that. */
TAGCORE_API uint64_t tagcore_memory_untag(const struct tagcore_core *core, uint64_t addr);

/* What is not in the file. */
struct tagcore_missing {
	int has_range;		/* 0: it is no memory, or its place is not known; @start and @end are 0 */
	uint64_t start;
	uint64_t end;
	uint64_t bytes;		/* end - start; without a range, as far as it is known */
	int tags_only;		/* not 0: the bytes are there, only their memory tags are not */
	int lost;		/* not 0: it was in the file once, which has lost it since */
	const char *reason;	/* valid during the call */
};
/*
 * Calls @fn for all that is missing, those with a range first: what could not be read, what a
 * rule left out, what was cut off.  A value other than 0 from
 * @fn ends the walk and is returned; *error is untouched then.
 */
TAGCORE_API int tagcore_missing_each(struct tagcore_core *core,
				     int (*fn)(const struct tagcore_missing *missing, void *arg), void *arg,
				     struct tagcore_error *error) TAGCORE_MUST_CHECK;

#ifdef __cplusplus
}
#endif
