#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "elf/elffmt.h"
#include "repair/repairs.h"

static int add_change(struct repaired *r, const struct repair *repair, u64 off, const char *msg, struct err *e)
{
	int err = array_grow((void **)&r->changes, r->n_changes, &r->cap_changes, sizeof(*r->changes), "repair", e);
	char *copy = err ? NULL : strdup(msg);

	if (err)
		return err;
	if (!copy)
		return err_set(e, -ENOMEM, "repair");
	r->changes[r->n_changes++] = (struct repair_change){ .repair = repair, .off = off, .msg = copy };
	return 0;
}

int repair_did(struct repair_ctx *x, struct err *e, u64 off, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	if (x->n++ >= REPAIR_CHANGES_MAX)
		return 0;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return add_change(x->out, x->repair, off, msg, e);
}

int repair_put(struct repair_ctx *x, u64 off, const void *p, size_t len, struct err *e)
{
	return overlay_put(x->out->overlay, off, p, len, e);
}

int repair_put_ehdr(struct repair_ctx *x, const GElf_Ehdr *h, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = elffmt_put_ehdr(x->core->fmt, h, &b, e);

	return r ? r : repair_put(x, 0, b.p, b.len, e);
}

int repair_put_phdr(struct repair_ctx *x, size_t i, const GElf_Phdr *p, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = elffmt_put_phdr(x->core->fmt, p, &b, e);

	return r ? r : repair_put(x, core_phdr_off(x->core, i), b.p, b.len, e);
}

int repair_did_more(struct repair_ctx *x, struct err *e)
{
	char msg[64];

	if (x->n <= REPAIR_CHANGES_MAX)
		return 0;
	snprintf(msg, sizeof(msg), "and %zu more", x->n - REPAIR_CHANGES_MAX);
	return add_change(x->out, x->repair, 0, msg, e);
}
