/* xsave.h - NT_X86_XSAVE_LAYOUT: where each component is in the NT_X86_XSTATE notes. */
#pragma once

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/*
 * Appends the note, if @notes has an NT_X86_XSTATE note; once a process, after
 * all threads.  Since v6.12, commit ba386777a30b; arch/x86/kernel/fpu/xstate.c:
 * elf_coredump_extra_notes_write().
 */
int xsave_layout_note(struct elffmt fmt, struct buf *notes, struct err *e) must_check;
