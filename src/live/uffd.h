/* uffd.h - how the target's own monitors of userfaultfd(2) watch. */
#pragma once

#include "live/target.h"

/*
 * True when all that can protect pages against reading (VM_UFFD_RWP) do it without being
 * asked: then whoever reads a page waits for nobody, and the page is marked as read.  False,
 * too, when the target has no such monitor open: it may be that another process has it.
 */
bool uffd_is_async(const struct target *t);
