/* explain_print.h - a verdict as text or JSON. */
#pragma once

#include "cli/stack_print.h"
#include "explain/explain.h"

/* The version of the JSON document: keys are added, never renamed; it grows when one changes its meaning. */
enum { EXPLAIN_SCHEMA = 1 };

/* @v may have no kind: its sentence says why.  @p: as for stack_print_frames(). */
int explain_print(struct stack_print *p, const struct verdict *v, struct err *e) must_check;
/* The verdict on one line after @head, if there is one that is more than possible; for text beside other things. */
int explain_print_line(FILE *out, const char *head, struct unwind *u, struct err *e) must_check;
/* For explain_crash(): what the command knows of names. */
extern const struct explain_opts explain_with_names;
/* The table of diagnoses. */
void explain_print_list(FILE *out, bool json);
