/* api.h - what the files of src/api share: the public handles, and how internal errors become public ones. */
#pragma once

#include "core/core.h"
#include "mm/pagewalk.h"
#include "mm/vma.h"

#include <tagcore/tagcore.h>

/* A public number is the internal one, so that none needs to be translated. */
#define SAME(public, ours) _Static_assert((int)(public) == (int)(ours), #public)

struct tagcore_mm {
	struct mm mm;
};

struct tagcore_pages {
	struct page_source src;
};

/* A core, and what accessors hand out of it. */
struct tagcore_core {
	struct core core;
	struct tagcore_mm mm;
	struct tagcore_pages pages;
	struct tagcore_core_info info;
	struct core_procinfo process;
	char machine[CORE_MACHINE_MAX];
	char maker[64];
	char signal_name[24];
	struct tagcore_thread *threads;	/* one for each of core.threads */
	char (*names)[CORE_NAME_MAX];
	struct tagcore_segment segment;
	struct tagcore_note note;
	struct tagcore_file file;
	struct tagcore_tag_control tag_control;
	char owner[CORE_OWNER_MAX];
};

/* Copies @from, of code @r, to the caller's @to, which may be NULL; returns @r. */
int api_error(struct tagcore_error *to, int r, const struct err *from);
int api_fail(struct tagcore_error *to, int code, const char *fmt, ...) printf_like(3, 4);

/*
 * @options, of a caller who may know fewer members than we, or more, into the @size bytes
 * at @to; those that he does not know, and all if it is NULL, are 0.  ERR_UNSUPPORTED for
 * members that we do not know and that are not 0.
 */
int api_options(void *to, size_t size, const void *options, struct tagcore_error *error) must_check;

/* An empty handle, and the handle of c->core, which has been opened. */
struct tagcore_core *api_core_make(struct tagcore_error *error);
int api_core_fill(struct tagcore_core *c, struct tagcore_error *error) must_check;
/* *file as tagcore_open_options have it. */
int api_core_file(struct core_file *file, const struct tagcore_open_options *options, struct tagcore_error *error) must_check;
/* The thread that the caller has a pointer to, or NULL with an error. */
const struct core_thread *api_thread(const struct tagcore_core *c, const struct tagcore_thread *t,
				     struct tagcore_error *error);
void api_area(const struct vma *v, struct tagcore_area *out);

/*
 * What a walk returns that ended with @r: @ended if by what the caller's function returned, which
 * is no error of ours.
 */
int api_walked(bool ended, int r, struct tagcore_error *error, const struct err *e);
