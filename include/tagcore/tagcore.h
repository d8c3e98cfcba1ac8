/*
 * tagcore/tagcore.h - all of libtagcore: processes saved as core files, and core files read.
 *
 * tagcore/error.h has the rules that hold for every function; libtagcore(3) is the manual.
 */
#pragma once

#include <tagcore/area.h>
#include <tagcore/check.h>
#include <tagcore/core.h>
#include <tagcore/dump.h>
#include <tagcore/error.h>
#include <tagcore/memory.h>
#include <tagcore/module.h>
#include <tagcore/note.h>
#include <tagcore/page.h>
#include <tagcore/stack.h>
#include <tagcore/tag.h>
#include <tagcore/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is in use: "0.2.0". */
TAGCORE_API const char *tagcore_version(void);

#ifdef __cplusplus
}
#endif
