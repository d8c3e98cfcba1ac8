/* apiopen.h - a core built, written, and opened twice: by the public interface, and inside, to hold one against the other. */
#pragma once

#include "coreopen.h"

#include <tagcore/tagcore.h>

struct both {
	struct opened in;
	struct tagcore_core *out;
};

static inline void api_ok(int r, const struct tagcore_error *error)
{
	if (r < 0)
		fail_msg("%d: %s", r, error->message);
}

/* b->in.cb has been built. */
cb_unused static void open_both(struct both *b)
{
	struct tagcore_error error = { 0 };

	open_built(&b->in);
	b->out = NULL;
	api_ok(tagcore_core_open(&b->out, b->in.path, NULL, &error), &error);
	assert_non_null(b->out);
}

cb_unused static void open_good(struct both *b)
{
	cb_good(&b->in.cb, EM_X86_64, CB_LE64);
	open_both(b);
}

cb_unused static void close_both(struct both *b)
{
	tagcore_core_close(b->out);
	fini(&b->in);
}
