/* fetch_child.h - what fetch.c and the process that it starts say to each other. */
#pragma once

#include <signal.h>

#include "unwind/mod/fetch.h"

struct fetch_question {
	u32 kind;		/* enum fetch_kind */
	u32 len;
	u8 id[CORE_BUILD_ID_MAX];
};

enum fetch_result { FETCH_GOOD, FETCH_NONE, FETCH_TOO_LARGE, FETCH_NOT_WRITTEN, FETCH_TOO_SLOW };
struct fetch_answer {
	u32 result;
	char path[FETCH_PATH_SIZE];	/* ends with 0 */
};

/* Answers questions that come in by @fd until that is closed, or @parent has ended; @max_bytes: of a file, or 0. */
_Noreturn void fetch_child(int fd, pid_t parent, const sigset_t *mask, u64 max_bytes);
