#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explain/hang.h"

/* What the rows of processes that hang share: the threads that a verdict is about, and how sure it can be. */

enum { OTHERS_MAX = 8 };

/* The verdict is about this thread first; its evidence has it as place. */
void hang_about(struct crash *c, const struct hang_thread *t)
{
	struct err e;

	c->thread = t->thread;
	c->v->tid = t->tid;
	stack_fini(&c->v->stack);
	c->v->stack = (struct stack){ 0 };
	c->v->frame = 0;
	if (t->thread && unwind_thread(c->u, t->thread, &c->v->stack, &e))
		stack_fini(&c->v->stack);
}

/* Another's frames, after those. */
void hang_about_too(struct crash *c, const struct hang_thread *t)
{
	struct verdict *v = c->v;
	struct err e;

	if (!v->others)
		v->others = calloc(OTHERS_MAX, sizeof(*v->others));
	if (v->others && v->n_others < OTHERS_MAX && t->thread &&
	    !unwind_thread(c->u, t->thread, &v->others[v->n_others], &e))
		v->n_others++;
}

void hang_show(struct crash *c, const struct hang_thread *t)
{
	char text[300];

	show_tid(c, t->tid, "%s", hang_text(t, text, sizeof(text)));
}

/* What is missing of a core, where it matters. */
void hang_show_core(struct crash *c, const struct hang_thread *t)
{
	if (!c->hang->live && t->call && (t->call->has_fd || t->kind == WAIT_EVENTS))
		show_tid(c, 0, "a core does not say what its descriptors are: /proc had that while the process ran");
}

const struct hang_thread *hang_thread_of(const struct crash *c, s32 tid)
{
	return &c->hang->v[hang_find(c->hang, tid)];
}

bool hang_moved(const struct hang_thread *t)
{
	return t->live && t->live->moved;
}

bool hang_is_idle(const struct hang_thread *t)
{
	return t->kind == WAIT_EVENTS || t->kind == WAIT_INPUT || t->kind == WAIT_COND || t->kind == WAIT_SEM ||
	       t->kind == WAIT_SIGNAL || t->kind == WAIT_FUTEX || t->kind == WAIT_BARRIER;
}

/* Of threads that do not go on: a core is one moment. */
void hang_sure(struct crash *c, enum sure live, const char *text)
{
	if (c->hang->live)
		say_sure(c, live, "it did not go on in %" PRIu64 " ms; %s", c->hang->live->between_ns / 1000000, text);
	else
		say_sure(c, SURE_POSSIBLE, "a core is one moment: it may have waited for a short time only; %s", text);
}

/* It wanted a processor for most of the time, and had one: others may have had it meanwhile. */
bool hang_is_busy(const struct crash *c, const struct hang_thread *t)
{
	return t->live && t->live->ran_ns && c->hang->live->between_ns &&
	       t->live->ran_ns + t->live->ready_ns > c->hang->live->between_ns / 4 * 3;
}
