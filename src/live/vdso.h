/* vdso.h - the vdso's pages without faulting them into the target. */
#pragma once

#include "live/target.h"
#include "mm/pagewalk.h"
#include "mm/vma.h"

/*
 * Our own vdso, when it is the target's too: as long, and equal in every page
 * that the target has mapped in.  One kernel gives all processes of one word
 * size the same image.  NULL: it is not, or that cannot be known.  Lives as long as
 * the process.
 */
const u8 *vdso_ours(const struct target *t, struct page_source *pages, const struct vma *v);
