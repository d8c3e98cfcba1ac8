#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "explain/hang.h"

/* All threads of a process that has not crashed. */

void hang_free(struct hang *h)
{
	if (!h)
		return;
	free(h->v);
	free(h->by_own);
	free(h);
}

static int compare(const void *a, const void *b)
{
	const struct hang_thread *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Threads of the core, and those that did not stop, which only /proc has; once each. */
static int list(struct crash *c, struct err *e)
{
	struct hang *h = c->hang;
	size_t n_live = h->live ? h->live->n_threads : 0, n = 0, kept = 0;

	h->v = calloc(c->core->n_threads + n_live + 1, sizeof(*h->v));
	if (!h->v)
		return err_set(e, -ENOMEM, "%zu threads", c->core->n_threads);
	for (size_t i = 0; i < c->core->n_threads; i++) {
		h->v[n].thread = &c->core->threads[i];
		h->v[n++].tid = c->core->threads[i].tid;
	}
	for (size_t i = 0; i < n_live; i++)
		/* One that began later is none of those that were looked at. */
		if (!core_thread_find(c->core, h->live->threads[i].tid) && h->live->threads[i].state == 'D')
			h->v[n++].tid = h->live->threads[i].tid;
	qsort(h->v, n, sizeof(*h->v), compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || h->v[kept - 1].tid != h->v[i].tid)
			h->v[kept++] = h->v[i];
	h->n = kept;
	c->v->waits = calloc(kept + 1, sizeof(*c->v->waits));
	if (!c->v->waits)
		return err_set(e, -ENOMEM, "%zu threads", kept);
	c->v->n_waits = kept;
	for (size_t i = 0; i < kept; i++) {
		h->v[i].wait = &c->v->waits[i];
		h->v[i].wait->tid = h->v[i].tid;
		h->v[i].owner = SIZE_MAX;
		h->v[i].live = h->live ? live_thread_find(h->live, h->v[i].tid) : NULL;
	}
	return 0;
}

/* ---- the functions of a stack that are of a C library's locks; what was looked up is kept, by address */

enum { NAMES = 1 << 10, FRAMES_LOOKED = 8 };
struct named {
	u64 pc;
	bool called;		/* what the call before @pc leads to, not the function that has it */
	const struct lock_function *f;
	const struct wait_call *call;
	bool is_set, has_name;
	u64 module;		/* where it begins, or 0 */
	bool is_kernel;		/* the module is the vdso */
};

static int look_up(const struct symbol *s, void *arg, struct err *e)
{
	struct named *n = arg;
	const char *name = s->linkage ? s->linkage : s->function;

	(void)e;
	n->module = s->module_start;
	n->is_kernel = s->module && !strcmp(s->module, "[vdso]");
	if (!name)
		return 0;
	n->has_name = true;
	n->f = lock_function_find(s->function && lock_function_is_rust(s->function) ? s->function : name);
	n->call = wait_call_find(name + strspn(name, "_"));
	return 0;
}

static const struct named *name_of(struct crash *c, struct named *names, const struct frame *f, bool called)
{
	struct named *n = &names[((f->pc + called) * 0x9e3779b97f4a7c15ull) >> 54];
	struct err e;

	if (!n->is_set || n->pc != f->pc || n->called != called) {
		*n = (struct named){ .pc = f->pc, .called = called, .is_set = true };
		if (called ? unwind_called(c->u, f, look_up, n, &e) : unwind_symbols(c->u, f, 0, look_up, n, &e))
			n->f = NULL;
	}
	return n;
}

/*
 * Frame @i, or what the next one has called: a C library's exported functions often end in a tail call of one that has no name
 * without debug information (glibc 2.41: pthread_join(), pthread_mutex_timedlock(), pthread_mutex_lock() of a robust one).
 */
static struct named name_at(struct crash *c, struct named *names, const struct stack *s, size_t i)
{
	struct named n = *name_of(c, names, &s->frames[i], false);
	struct named called;

	if (n.has_name || i + 1 >= s->n)
		return n;
	called = *name_of(c, names, &s->frames[i + 1], true);
	called.module = n.module;
	called.is_kernel = n.is_kernel;
	return called;
}

/*
 * restart_syscall(2) goes on with a call that a stop has interrupted: which one, only the function says that made it.  The
 * registers have its arguments still.
 */
static void restarted(struct hang_thread *t, const struct named *n)
{
	if (strcmp(t->wait->call, "restart_syscall") != 0 || t->call)
		return;
	t->call = n->call;
	if (n->f)
		t->call = wait_call_find("futex");
	if (t->call) {
		t->kind = t->call->kind;
		t->timed = true;
		put_fmt(t->wait->call, sizeof(t->wait->call), "%s", t->call->name);
	}
}

/*
 * The function of the lock that the thread waits for, the outermost, or NULL.  *named: no other can be there, since all that
 * the library that makes the call has on the stack have names.
 */
static const struct lock_function *lock_function_of(struct crash *c, struct named *names, struct hang_thread *t,
						     const struct stack *s, bool *named)
{
	const struct lock_function *f = NULL;
	bool inside = true;
	u64 library = 0;

	*named = s->n > 1;
	for (size_t i = 0; i < s->n && i < FRAMES_LOOKED; i++) {
		struct named n = name_at(c, names, s, i);

		restarted(t, &n);
		/* The first frame may be the kernel's: __kernel_vsyscall() of i386. */
		library = library || n.is_kernel ? library : n.module;
		inside = inside && (n.is_kernel || n.module == library);
		*named = *named && (!inside || n.has_name);
		if (!n.f || (f && n.f->rank <= f->rank))
			continue;
		f = n.f;
		t->stack_from = s->frames[0].sp;
		t->stack_to = i + 1 < s->n ? s->frames[i + 1].sp : 0;
	}
	return f;
}

static int look_at(struct crash *c, struct named *names, struct hang_thread *t, struct err *e)
{
	struct stack s scoped(stack_fini) = { 0 };
	const struct lock_function *f = NULL;
	bool named = true;
	int r;

	hang_call(c, t);
	if (!t->in_call || !t->thread) {
		hang_call_on(c, t);
		return 0;
	}
	if (t->kind == WAIT_FUTEX || !t->call) {
		if (c->opts.next_thread)
			c->opts.next_thread();
		r = unwind_thread(c->u, t->thread, &s, e);
		if (r)
			return r;
		f = lock_function_of(c, names, t, &s, &named);
	}
	if (t->kind == WAIT_FUTEX)
		hang_lock(c, t, f, named);
	else
		hang_call_on(c, t);
	return 0;
}

/* A process that was not sent a signal which ends it. */
static bool is_alive(const struct crash *c)
{
	static const char *const harmless[] = { "", "STOP", "TSTP", "TTIN", "TTOU", "CONT" };

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (crash_is(c, harmless[i]))
			return true;
	return c->opts.live;
}

/* What ended it may have done so because it hung: somebody outside, or a watchdog within. */
static bool may_be_for_a_hang(const struct crash *c)
{
	static const char *const kinds[] = { "killed", "abort", "raised", "timer" };

	if (c->is_fault)
		return false;
	for (size_t i = 0; c->v->kind && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(c->v->kind->name, kinds[i]))
			return true;
	return !c->v->kind;
}

bool hang_gather(struct crash *c, struct err *e, int *r)
{
	struct named *names auto_free = NULL;

	*r = 0;
	if (c->core->os || core_kind_is_machine(c->core->kind) || !c->core->n_threads)
		return false;
	if (!is_alive(c) && !may_be_for_a_hang(c))
		return false;
	names = calloc(NAMES, sizeof(*names));
	c->hang = calloc(1, sizeof(*c->hang));
	*r = c->hang && names ? 0 : err_set(e, -ENOMEM, "threads");
	if (!*r) {
		c->hang->live = c->opts.live;
		*r = list(c, e);
	}
	if (!*r)
		*r = hang_own_tids(c, e);
	for (size_t i = 0; !*r && i < c->hang->n; i++)
		*r = look_at(c, names, &c->hang->v[i], e);
	if (!*r)
		*r = graph_make(c, e);
	return !*r;
}
