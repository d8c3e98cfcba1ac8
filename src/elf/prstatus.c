#include <string.h>

#include "base/util.h"
#include "elf/note.h"

/*
 * struct elf_prstatus and struct elf_prpsinfo (Linux 6.12,
 * include/linux/elfcore.h) are the same list of fields on every machine; what
 * differs is the size of a long, of a user id, of the registers, and in few of
 * microseconds and the alignment.  So the layout is a table, walked with C's
 * alignment rule, in both directions.
 */
enum width {
	W_CHAR,		/* one byte */
	W_SHORT,
	W_INT,
	W_LONG,		/* arch.word */
	W_USEC,		/* arch.usec_size, or arch.word */
	W_UGID,		/* arch.ugid_size */
	W_REGS,		/* arch.gregs.size, aligned to arch.regs_align, or to arch.word */
	W_TEXT16,
	W_TEXT80,
};

struct field {
	const char *name;
	u16 at;		/* in the host's struct */
	u8 size;	/* of the host's member */
	bool is_signed;
	enum width width;
};

#define FIELD(s, m, sgn, w) { #m, offsetof(struct s, m), sizeof(((struct s *)0)->m), sgn, w }

static const struct field prstatus_fields[] = {
	FIELD(prstatus, si_signo, true, W_INT),
	FIELD(prstatus, si_code, true, W_INT),
	FIELD(prstatus, si_errno, true, W_INT),
	FIELD(prstatus, cursig, true, W_SHORT),
	FIELD(prstatus, sigpend, false, W_LONG),
	FIELD(prstatus, sighold, false, W_LONG),
	FIELD(prstatus, pid, true, W_INT),
	FIELD(prstatus, ppid, true, W_INT),
	FIELD(prstatus, pgrp, true, W_INT),
	FIELD(prstatus, sid, true, W_INT),
	FIELD(prstatus, utime[0], true, W_LONG),
	FIELD(prstatus, utime[1], true, W_USEC),
	FIELD(prstatus, stime[0], true, W_LONG),
	FIELD(prstatus, stime[1], true, W_USEC),
	FIELD(prstatus, cutime[0], true, W_LONG),
	FIELD(prstatus, cutime[1], true, W_USEC),
	FIELD(prstatus, cstime[0], true, W_LONG),
	FIELD(prstatus, cstime[1], true, W_USEC),
	FIELD(prstatus, regs, false, W_REGS),
	FIELD(prstatus, fpvalid, true, W_INT),
};

static const struct field prpsinfo_fields[] = {
	FIELD(prpsinfo, state, true, W_CHAR),
	FIELD(prpsinfo, sname, true, W_CHAR),
	FIELD(prpsinfo, zomb, true, W_CHAR),
	FIELD(prpsinfo, nice, true, W_CHAR),
	FIELD(prpsinfo, flag, false, W_LONG),
	FIELD(prpsinfo, uid, false, W_UGID),
	FIELD(prpsinfo, gid, false, W_UGID),
	FIELD(prpsinfo, pid, true, W_INT),
	FIELD(prpsinfo, ppid, true, W_INT),
	FIELD(prpsinfo, pgrp, true, W_INT),
	FIELD(prpsinfo, sid, true, W_INT),
	FIELD(prpsinfo, fname, false, W_TEXT16),
	FIELD(prpsinfo, psargs, false, W_TEXT80),
};

/* Where a field is on disk. */
struct place {
	size_t off;
	size_t len;
	size_t align;
};

static struct place scalar(const struct arch *a, size_t len)
{
	return (struct place){ .len = len, .align = a->max_align ? min(len, (size_t)a->max_align) : len };
}

static struct place place_of(const struct arch *a, enum width w)
{
	switch (w) {
	case W_CHAR:	return scalar(a, 1);
	case W_SHORT:	return scalar(a, 2);
	case W_INT:	return scalar(a, 4);
	case W_LONG:	return scalar(a, a->word);
	case W_USEC:	return scalar(a, a->usec_size ? a->usec_size : a->word);
	case W_UGID:	return scalar(a, a->ugid_size);
	case W_REGS:	return (struct place){ .len = a->gregs.size,
					       .align = scalar(a, a->regs_align ? a->regs_align : a->word).align };
	case W_TEXT16:	return (struct place){ .len = 16, .align = 1 };
	case W_TEXT80:	return (struct place){ .len = 80, .align = 1 };
	}
	return (struct place){ .align = 1 };
}

/* The field's place, given that the one before it ends at *at; *at and *align move on. */
static struct place place_next(const struct arch *a, const struct field *f, size_t *at, size_t *align)
{
	struct place p = place_of(a, f->width);

	p.off = (size_t)align_up(*at, p.align);
	*at = p.off + p.len;
	*align = max(*align, p.align);
	return p;
}

static size_t total_size(const struct arch *a, const struct field *f, size_t n)
{
	size_t at = 0, align = 1;

	for (size_t i = 0; i < n; i++)
		place_next(a, &f[i], &at, &align);
	return (size_t)align_up(at, align);
}

static u64 host_get(const struct field *f, const u8 *m)
{
	u64 v = 0;
	s32 v32;

	if (f->size == 4 && f->is_signed) {
		memcpy(&v32, m, 4);
		return (u64)(s64)v32;
	}
	memcpy(&v, m, f->size);
	if (f->size == 8)
		return v;
	if (f->size == 4) {
		u32 u;

		memcpy(&u, m, 4);
		return u;
	}
	return *m;
}

static void host_put(const struct field *f, u8 *m, u64 v, size_t disk_len)
{
	unsigned unused = (unsigned)(64 - 8 * disk_len);
	u32 v32;
	u8 v8;

	if (f->is_signed)
		v = (u64)((s64)(v << unused) >> unused);
	v32 = (u32)v;
	v8 = (u8)v;
	memcpy(m, f->size == 8 ? (void *)&v : f->size == 4 ? (void *)&v32 : (void *)&v8, f->size);
}

static void field_put(const struct arch *a, const struct field *f, struct place p, const u8 *s, u8 *disk)
{
	const u8 *m = s + f->at;
	struct bytes regs;

	if (f->width == W_REGS) {
		memcpy(&regs, m, sizeof(regs));
		if (regs.len)
			memcpy(disk + p.off, regs.p, min(regs.len, p.len));
	} else if (f->width == W_TEXT16 || f->width == W_TEXT80) {
		memcpy(disk + p.off, m, strnlen((const char *)m, p.len));
	} else {
		uint_put(a->fmt, disk + p.off, (unsigned)p.len, host_get(f, m));
	}
}

static void field_get(const struct arch *a, const struct field *f, struct place p, struct bytes desc, u8 *s)
{
	u8 *m = s + f->at;
	struct bytes regs = { .p = desc.p + p.off, .len = p.len, .off = desc.off + p.off };

	if (f->width == W_REGS) {
		memcpy(m, &regs, sizeof(regs));
	} else if (f->width == W_TEXT16 || f->width == W_TEXT80) {
		memcpy(m, desc.p + p.off, p.len);
		m[p.len] = 0;
	} else {
		host_put(f, m, uint_get(a->fmt, desc.p + p.off, (unsigned)p.len), p.len);
	}
}

static int struct_put(const struct arch *a, const struct field *f, size_t n, const void *s, struct buf *b,
		      struct err *e)
{
	size_t at = 0, align = 1, begin = b->len;
	int r = buf_zero(b, total_size(a, f, n), e);

	for (size_t i = 0; !r && i < n; i++)
		field_put(a, &f[i], place_next(a, &f[i], &at, &align), s, b->p + begin);
	return r;
}

static int struct_get(const struct arch *a, const struct field *f, size_t n, struct bytes desc, void *s,
		      struct err *e)
{
	size_t at = 0, align = 1, size = total_size(a, f, n);

	if (desc.len < size)
		return err_at(e, ERR_TRUNCATED, desc.off, "%zu bytes, %s has %zu", desc.len, a->name, size);
	for (size_t i = 0; i < n; i++)
		field_get(a, &f[i], place_next(a, &f[i], &at, &align), desc, s);
	return 0;
}

size_t prstatus_size(const struct arch *a)
{
	return total_size(a, prstatus_fields, ARRAY_SIZE(prstatus_fields));
}

const struct arch *prstatus_arch(const struct arch *a, size_t len)
{
	if (!a || prstatus_size(a) == len)
		return a;
	for (size_t i = 0; arches[i]; i++) {
		const struct arch *other = arches[i];

		if (other->machine == a->machine && other->fmt.class == a->fmt.class &&
		    other->fmt.data == a->fmt.data && prstatus_size(other) == len)
			return other;
	}
	return a;
}

/* Some hosts know 32-bit structures, too: then that of the same class is it.  x86_64 and aarch64 come first. */
const struct arch *prstatus_host(const struct arch *a, size_t len)
{
	const struct arch *other_class = NULL;

	if (prstatus_size(a) == len)
		return NULL;
	for (size_t i = 0; arches[i]; i++) {
		if (prstatus_size(arches[i]) != len)
			continue;
		if (arches[i]->fmt.class == a->fmt.class)
			return arches[i];
		if (!other_class)
			other_class = arches[i];
	}
	return other_class;
}

int prstatus_get(const struct arch *a, struct bytes desc, struct prstatus *out, struct err *e)
{
	const struct arch *host = prstatus_host(a, desc.len);
	struct prstatus s = { 0 };
	int r = struct_get(host ? host : a, prstatus_fields, ARRAY_SIZE(prstatus_fields), desc, &s, e);

	if (r)
		return err_wrap(e, "PRSTATUS");
	s.regs.len = min(s.regs.len, (size_t)a->gregs.size);
	*out = s;
	return 0;
}

int prstatus_put(const struct arch *a, const struct prstatus *s, struct buf *b, struct err *e)
{
	return struct_put(a, prstatus_fields, ARRAY_SIZE(prstatus_fields), s, b, e);
}

size_t prpsinfo_size(const struct arch *a)
{
	return total_size(a, prpsinfo_fields, ARRAY_SIZE(prpsinfo_fields));
}

int prpsinfo_get(const struct arch *a, struct bytes desc, struct prpsinfo *out, struct err *e)
{
	struct prpsinfo s = { 0 };
	int r = struct_get(a, prpsinfo_fields, ARRAY_SIZE(prpsinfo_fields), desc, &s, e);

	if (!r)
		*out = s;
	return r ? err_wrap(e, "PRPSINFO") : 0;
}

int prpsinfo_put(const struct arch *a, const struct prpsinfo *s, struct buf *b, struct err *e)
{
	return struct_put(a, prpsinfo_fields, ARRAY_SIZE(prpsinfo_fields), s, b, e);
}
