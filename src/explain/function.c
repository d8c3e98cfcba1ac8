#include "base/util.h"
#include "explain/crash.h"

struct name_buf {
	char *out;
	size_t size;
};

static int keep_name(const struct symbol *s, void *arg, struct err *e)
{
	struct name_buf *b = arg;

	(void)e;
	put_fmt(b->out, b->size, "%s", s->function ? s->function : "");
	return 0;
}

const char *crash_function(struct crash *c, size_t i, char *out, size_t size)
{
	struct name_buf b = { out, size };
	struct err e;

	*out = 0;
	if (i < c->v->stack.n && unwind_symbols(c->u, &c->v->stack.frames[i], 0, keep_name, &b, &e))
		*out = 0;
	/* Without debug information only what is exported has a name: that is mostly what was called. */
	if (!*out && i + 1 < c->v->stack.n && unwind_called(c->u, &c->v->stack.frames[i + 1], keep_name, &b, &e))
		*out = 0;
	return out;
}
