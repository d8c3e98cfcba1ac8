/* maps_line.h - one line of /proc/PID/maps, which is also the first of an area in smaps. */
#pragma once

#include "base/err.h"
#include "mm/vma.h"

/*
 * Parses the @len bytes at @line, which exclude the newline and are followed
 * by a NUL.  out->name points into @line.  ERR_INPUT when anything is not as
 * the kernel prints it: Linux 6.12, fs/proc/task_mmu.c: show_map_vma().
 */
int maps_line_parse(const char *line, size_t len, struct vma *out, struct err *e) must_check;
