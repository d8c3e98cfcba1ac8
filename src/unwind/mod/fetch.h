/* fetch.h - files from servers of debuginfod, in a process of its own that has limits and can be ended at any time. */
#pragma once

#include "unwind/mod/mod.h"

enum fetch_kind { FETCH_DEBUGINFO, FETCH_EXECUTABLE };
enum { FETCH_PATH_SIZE = 4096, FETCH_WHY_SIZE = 192 };

/*
 * The file of build-id @id from the servers that DEBUGINFOD_URLS names, or from what they sent
 * before: its path in the cache of libdebuginfod.  False when not found;
 * @why is a sentence then, or "" if that need not be reported.
 *
 * A server that passes a limit of time or size is the last one that is asked, as is one
 * that was waited for when a signal came that ends programs.  What was received
 * of an unfinished file is removed.
 */
bool fetch_file(struct unwind *u, enum fetch_kind kind, const u8 *id, size_t len, char path[FETCH_PATH_SIZE],
		char why[FETCH_WHY_SIZE]);
void fetch_close(struct fetch *f);
