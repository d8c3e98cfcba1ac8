/* os_regs.c - the register sets of a system other than Linux, made of its tables and the machine's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "core/core_priv.h"

enum { SETS_MAX = 8, REGS_MAX = 96 };

/* @arch is the machine's, but for its sets; sets[0] is arch.gregs. */
struct core_os {
	struct arch arch;
	struct regset sets[1 + SETS_MAX];
	u16 off[1 + SETS_MAX];	/* of the set in its note's descriptor */
	struct reg regs[1 + SETS_MAX][REGS_MAX];
};

/* Linux's set of that name, or NULL. */
static const struct regset *machine_set(const struct arch *a, const char *name)
{
	if (!strcmp(a->gregs.name, name))
		return &a->gregs;
	for (size_t i = 0; i < a->n_sets; i++)
		if (!strcmp(a->sets[i].name, name))
			return &a->sets[i];
	return NULL;
}

/* The register of a set whose name are the @len bytes at @name, or NULL. */
static struct reg *reg_named(struct reg *regs, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(regs[i].name) == len && !memcmp(regs[i].name, name, len))
			return &regs[i];
	return NULL;
}

/* Gives the registers that @text names their places.  What it does not name is not there: of size 0. */
static void place_regs(struct reg *regs, size_t n, const char *text, unsigned word)
{
	u16 at = 0;

	for (size_t i = 0; i < n; i++)
		regs[i].size = regs[i].off = 0;
	while (*text) {
		size_t all = strcspn(text, " "), len = strcspn(text, ": ");
		u16 size = len < all ? (u16)strtoul(text + len + 1, NULL, 10) : (u16)word;
		struct reg *r = reg_named(regs, n, text, len);

		if (r) {
			r->off = at;
			r->size = size;
		}
		at = (u16)(at + size);
		text += all + (text[all] == ' ');
	}
}

/* Sets that Linux has not: their few registers have short names, which are kept here. */
static const struct reg segbases[] = { { "fs_base", 0, 0, -1 }, { "gs_base", 0, 0, -1 } };
static const struct regset extra_sets[] = { { .name = "segbases", .regs = segbases, .n_regs = ARRAY_SIZE(segbases) } };

static void add_set(struct core_os *o, const struct arch *machine, const struct os *os, const struct os_set *row,
		    size_t slot)
{
	const struct regset *like = machine_set(machine, row->name);
	struct regset *s = &o->sets[slot];

	if (!like)
		like = &extra_sets[0];
	*s = (struct regset){ .name = row->name, .owner = os->owner, .type = row->type, .regs = o->regs[slot],
			      .n_regs = (u16)min((size_t)like->n_regs, (size_t)REGS_MAX) };
	memcpy(o->regs[slot], like->regs, s->n_regs * sizeof(*like->regs));
	if (row->regs)
		place_regs(o->regs[slot], s->n_regs, row->regs, row->word);
	o->off[slot] = row->off;
}

/* True when the core has a note for the row. */
static bool has_note(const struct core *c, const struct os_set *row)
{
	const struct core_note *n = core_os_note(c, row->type);

	return n && (!row->size || row->size == n->note.desc.len);
}

static bool is_for(const struct core *c, const struct os_set *row)
{
	return row->machine == c->arch->machine && row->word == c->arch->gregs.regs[c->arch->sp].size;
}

static bool has_set(const struct core_os *o, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (o->sets[i].name && !strcmp(o->sets[i].name, name))
			return true;
	return false;
}

/* The general registers have their place in any case: with none of them known when there is no row. */
static size_t fill(const struct core *c, struct core_os *o)
{
	static const struct os_set none = { .name = "general", .regs = "" };
	size_t n = 1;

	for (size_t i = 0; i < c->os->n_sets; i++) {
		const struct os_set *row = &c->os->sets[i];
		bool general = !strcmp(row->name, c->arch->gregs.name);

		if (!is_for(c, row) || !has_note(c, row) || has_set(o, n, row->name))
			continue;
		if (general)
			add_set(o, c->arch, c->os, row, 0);
		else if (n < ARRAY_SIZE(o->sets))
			add_set(o, c->arch, c->os, row, n++);
	}
	if (!o->sets[0].name)
		add_set(o, c->arch, c->os, &none, 0);
	return n;
}

int core_load_os(struct core *c, struct err *e)
{
	struct core_os *o;

	if (!c->arch)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(e, -ENOMEM, "register sets");
	o->arch = *c->arch;
	o->arch.n_sets = (u16)(fill(c, o) - 1);
	o->arch.gregs = o->sets[0];
	o->arch.sets = o->sets + 1;
	c->os_tables = o;
	c->arch = &o->arch;
	c->layout = o->arch;
	return 0;
}

void core_close_os(struct core *c)
{
	free(c->os_tables);
}

/* The set in slot @i, if the note is one that holds it and is long enough. */
static bool set_in(const struct core *c, const struct note *n, size_t i, struct core_regset *out)
{
	const struct core_os *o = c->os_tables;
	u16 off = o->off[i];

	if (!o->sets[i].type || o->sets[i].type != n->type || !note_owner_is(n->owner, c->os->owner) || off >= n->desc.len)
		return false;
	*out = (struct core_regset){ .set = i ? &o->sets[i] : &c->arch->gregs };
	return !bytes_sub(n->desc, off, n->desc.len - off, &out->desc, NULL);
}

static bool os_note_regset(const struct core *c, const struct note *n, size_t *at, struct core_regset *out)
{
	while (c->os_tables && *at < 1u + c->arch->n_sets)
		if (set_in(c, n, (*at)++, out))
			return true;
	return false;
}

bool core_note_regset(const struct core *c, const struct note *n, size_t *at, struct core_regset *out)
{
	struct prstatus st;

	if (c->os)
		return os_note_regset(c, n, at, out);
	if (!c->arch || (*at)++)
		return false;
	*out = (struct core_regset){ .set = arch_regset(c->arch, n->owner, n->type), .desc = n->desc };
	if (n->type == NT_PRSTATUS && !strcmp(n->owner, "CORE")) {
		out->set = &c->arch->gregs;
		if (prstatus_get(c->arch, n->desc, &st, NULL))
			return false;
		out->desc = st.regs;
	}
	return out->set;
}

bool core_thread_next_regset(const struct core *c, const struct core_thread *t, struct core_regset_iter *it,
			     struct core_regset *out)
{
	s32 own = (s32)(t - c->threads);

	if (it->note < t->note)
		*it = (struct core_regset_iter){ .note = t->note };
	for (; it->note < c->n_notes && c->notes[it->note].thread <= own; it->note++, it->at = 0)
		if (c->notes[it->note].thread == own &&
		    core_note_regset(c, &c->notes[it->note].note, &it->at, out))
			return true;
	return false;
}

bool core_thread_regset(const struct core *c, const struct core_thread *t, const char *name, struct core_regset *out)
{
	struct core_regset_iter it = { 0 };

	while (core_thread_next_regset(c, t, &it, out))
		if (!strcmp(out->set->name, name))
			return true;
	return false;
}
