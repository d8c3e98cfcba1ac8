/* pass.h - the order in which memory is copied: all at once, or what a snapshot lacks first. */
#pragma once

#include "dump/dump_priv.h"

enum pass {
	PASS_ALL,	/* headers, notes and all memory, front to back */
	PASS_LACKED,	/* memory that a snapshot lacks, at its places in the output or in the spool */
	PASS_REST,	/* headers, notes, and all other memory; what is in the spool comes from there */
};

/* Hands one pass to d->queue: each area's memory, then all tags.  Read from d->source, by d->pages. */
int pass_copy(struct dump *d, enum pass which, struct err *e) must_check;
/* PASS_LACKED has no area. */
bool pass_lacks_nothing(const struct dump *d);
