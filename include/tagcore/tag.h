/* tagcore/tag.h - memory tags (arm64 MTE) in a core: four bits for each granule of 16 bytes. */
#pragma once

#include <tagcore/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of memory that share a tag. */
#define TAGCORE_TAG_GRANULE 16

/* Three states that must not be confused: an absent tag was not 0. */
enum tagcore_tag_state {
	TAGCORE_TAG_NONE,	/* no tags were kept for this memory */
	TAGCORE_TAG_ABSENT,	/* they were, but are not in this file */
	TAGCORE_TAG_KNOWN,
};

/* Granules of [start, end) that share state and tag. */
struct tagcore_tag_run {
	uint64_t start;
	uint64_t end;
	enum tagcore_tag_state state;	/* ABSENT or KNOWN */
	uint8_t tag;			/* 0 to 15; 0 unless KNOWN */
};
/*
 * Calls @fn for each run of known or absent tags in [start, end), cut to it, in address
 * order; what is between them has no tags.  A value other than 0 from @fn ends the walk and
 * is returned; *error is untouched then.
 */
TAGCORE_API int tagcore_tags_each(struct tagcore_core *core, uint64_t start, uint64_t end,
				  int (*fn)(const struct tagcore_tag_run *run, void *arg), void *arg,
				  struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* The tag of the granule at @addr, a pointer's own tag not counting; *tag is written only when it is known. */
TAGCORE_API int tagcore_tag_at(struct tagcore_core *core, uint64_t addr, enum tagcore_tag_state *state, uint8_t *tag,
			       struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* The tag in bits 59:56 of a pointer. */
TAGCORE_API uint8_t tagcore_tag_of_pointer(uint64_t pointer);

/* How the accesses of a thread are checked: prctl(2), PR_SET_TAGGED_ADDR_CTRL.  Both @sync and @async: as the CPU prefers. */
struct tagcore_tag_control {
	int tagged_addresses;	/* not 0: system calls take tagged pointers */
	int sync;
	int async;
	int store_only;		/* not 0: loads are not checked */
	uint16_t include_mask;	/* bit n: new tags may be n */
};
/* That of @thread, until the next call for the core; NULL: the core does not say. */
TAGCORE_API const struct tagcore_tag_control *tagcore_tag_control_of(struct tagcore_core *core,
								      const struct tagcore_thread *thread);

#ifdef __cplusplus
}
#endif
