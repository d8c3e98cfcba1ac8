/* stack_group.h - threads whose stacks are equal, for processes of many threads. */
#pragma once

#include <stdio.h>

#include "unwind/unwind.h"

/* Threads with the same frames, found in the same ways, that end alike. */
struct stack_group {
	struct stack stack;	/* of the first of them */
	const struct core_thread **threads;	/* in the core's order; borrowed from it */
	size_t n;
	size_t cap;
	size_t id;		/* from 0, in the order of their first threads */
};

/* A zeroed one is empty. */
struct stack_groups {
	struct stack_group **v;
	size_t n;
	size_t cap;
	void *tree;		/* of tsearch(3), by content */
};
void stack_groups_fini(struct stack_groups *g);

/* Finds or makes the group of @s, which is copied, and adds its thread; *out is owned by @g. */
int stack_groups_add(struct stack_groups *g, const struct stack *s, const struct stack_group **out,
		     struct err *e) must_check;

/* "1998 threads: TID 1002-2999 (worker 0-1997)": how many, and which; long lists are cut. */
void stack_group_head(FILE *f, const struct core *core, const struct stack_group *g);
