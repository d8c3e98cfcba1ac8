/* stack_folded.h - stacks for flame graphs: a line each, "main;work;read 12". */
#pragma once

#include <stdio.h>

#include "cli/stack_group.h"
#include "cli/stack_print.h"

/*
 * The outermost function first, ";" between them, then the number of threads;
 * equal lines once, sorted.  A stack that ends early begins with "[incomplete]",
 * code without a symbol is "[its module's name]".  flamegraph.pl and its kin read it.
 */
int stack_folded(struct stack_print *p, const struct stack_groups *g, struct err *e) must_check;
