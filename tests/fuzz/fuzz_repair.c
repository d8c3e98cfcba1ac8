/* fuzz_repair.c - the input repaired, in memory. */
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "elf/elffmt.h"
#include "repair/repair.h"

#include "fuzz.h"

/* What the harness does is nothing to find a way through. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

enum { OUT_MAX = 4 << 20 };	/* bytes of a repaired core; more is only looked at */

/* ---- a file of memory to read */

static int mem_read_at(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	struct mem *m = f->priv;
	u64 size = m->reads ? f->size : m->size;

	(void)e;
	m->reads -= m->reads > 0;
	*n = off < size ? (size_t)min((u64)len, size - off) : 0;
	if (*n)
		memcpy(buf, m->p + off, *n);
	return 0;
}

static void mem_close(struct core_file *f)
{
	(void)f;
}

static const struct core_file_ops mem_ops = { .name = "memory", .read_at = mem_read_at, .close = mem_close };

struct core_file mem_file(struct mem *m, size_t size)
{
	return (struct core_file){ .ops = &mem_ops, .priv = m, .size = size };
}

/* ---- and one to write */

static int out_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	return buf_add(w->priv, p, len, e);
}

static int out_skip(struct writer *w, u64 len, struct err *e)
{
	return buf_zero(w->priv, (size_t)len, e);
}

static int out_finish(struct writer *w, struct err *e)
{
	(void)w;
	(void)e;
	return 0;
}

static void out_abort(struct writer *w)
{
	(void)w;
}

static const struct writer_ops out_ops = {
	.name = "memory", .emit = out_emit, .skip = out_skip, .finish = out_finish, .abort = out_abort,
};

/* ---- */

static bool open_repaired(struct repaired *r, struct mem *m, size_t size)
{
	struct core_file file = mem_file(m, size);
	struct err e = { 0 };
	int rc;

	file.cancel = &cli_cancelled;
	rc = core_file_unpack(&file, &e);
	if (!rc)
		rc = repair_open(r, &file, "core", &cli_cancelled, &e);
	core_file_close(&file);
	must(!rc || (rc < 0 && e.code == rc && *e.msg), "repair_open: %d", rc);
	return !rc;
}

static bool write_all(struct repaired *r, struct buf *out)
{
	struct writer w scoped(writer_close) = { .ops = &out_ops, .priv = out };
	struct err e = { 0 };

	if (r->size > OUT_MAX)
		return false;
	if (!repair_write(r, &w, &e) && !writer_finish(&w, &e)) {
		must(out->len == r->size, "%zu bytes, not %llu", out->len, (unsigned long long)r->size);
		return true;
	}
	must(e.code && *e.msg, "an error without a sentence");
	return false;
}

static void assert_same(const struct findings *expected, const struct findings *found)
{
	for (size_t i = 0; i < min(expected->n, found->n); i++)
		must(expected->f[i].check == found->f[i].check && expected->f[i].off == found->f[i].off,
		     "reported %s: %s\nfound %s: %s", expected->f[i].check->id, expected->f[i].msg, found->f[i].check->id,
		     found->f[i].msg);
	must(expected->n == found->n, "reported %zu findings, found %zu, the next of which is %s", expected->n, found->n,
	     expected->n < found->n ? found->f[expected->n].msg : expected->f[found->n].msg);
}

/* What is in two places at once cannot be repaired in one place without changing the other. */
static bool shares_bytes(const struct buf *out, const struct findings *l)
{
	struct bytes b = { .p = out->p, .len = out->len };
	struct elffmt fmt;
	GElf_Ehdr h;

	if (elffmt_ident(b, &fmt, NULL) || elffmt_get_ehdr(fmt, b, &h, NULL) || h.e_phoff < elffmt_ehdr_size(fmt))
		return true;
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->f[i].check->id, "seg-data-overlap"))
			return true;
	return false;
}

static void assert_repaired(struct repaired *r, const struct buf *out)
{
	struct mem m = { .p = out->p, .reads = SIZE_MAX };
	struct core_file file = mem_file(&m, out->len);
	struct repaired again scoped(repair_close) = { 0 };
	struct findings l scoped(findings_fini) = { 0 };
	struct err e = { 0 };

	must(!check_open_file(&file, "repaired", &l, &e), "%s", e.msg);
	assert_same(&r->left, &l);
	must(open_repaired(&again, &m, out->len), "what is repaired cannot be opened");
	/* Damage that cannot be repaired may hide some that can. */
	must(!again.n_changes || findings_count(&l, CHECK_ERROR) || shares_bytes(out, &l), "repaired again: %s: %s", again.changes[0].repair->id, again.changes[0].msg);
}

void fuzz_repair(const u8 *data, size_t size)
{
	struct mem m = { .p = data, .reads = SIZE_MAX };
	struct repaired r scoped(repair_close) = { 0 };
	struct buf out scoped(buf_fini) = { 0 };

	if (!open_repaired(&r, &m, size))
		return;
	for (size_t i = 0; i < r.n_changes; i++)
		must(*r.changes[i].msg, "%s: no sentence", r.changes[i].repair->id);
	if (write_all(&r, &out) && !cli_cancelled)
		assert_repaired(&r, &out);
}

#ifdef __clang__
#pragma clang attribute pop
#endif
