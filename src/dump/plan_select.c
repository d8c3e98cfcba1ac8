/* plan_select.c - what the user selects with --include and --exclude. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/text.h"
#include "dump/plan.h"

static const char *option_of(bool include)
{
	return include ? "--include" : "--exclude";
}

/* "START-END"; false when it is not one. */
static bool parse_range(const char *text, u64 *start, u64 *end)
{
	const char *dash = strchr(text, '-');
	char first[32];

	if (!dash || (size_t)(dash - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = 0;
	return !text_parse_u64(first, 16, false, start) && !text_parse_end(dash + 1, end);
}

/* Names of mappings are paths from the root, "[heap]" and its like, or "anon_inode:" and its like. */
static bool could_be_name(const char *text)
{
	return strpbrk(text, "/[*?:");
}

int plan_select_parse(const char *text, bool include, struct plan_select *out, struct err *e)
{
	struct plan_select s = { .include = include, .text = text };

	if (!*text)
		return err_set(e, ERR_USAGE, "%s needs START-END or a glob on the mapping's name", option_of(include));
	if (!parse_range(text, &s.start, &s.end)) {
		if (strchr(text, '-') && !could_be_name(text))
			return err_set(e, ERR_USAGE, "%s %s is not a range START-END in hexadecimal, and no name of a "
				       "mapping", option_of(include), text);
		s.glob = text;
		*out = s;
		return 0;
	}
	/* As the target prints its pointers: with their tags, where the machine has them. */
	s.start = arch_untag(arch_native(), s.start);
	s.end = arch_untag(arch_native(), s.end);
	if (s.start >= s.end)
		return err_set(e, ERR_USAGE, "range %s is empty", text);
	*out = s;
	return 0;
}

/* Length of "[...]" without its brackets, or 0: to fnmatch(3) it is one character out of a class. */
static size_t bracketed(const char *s)
{
	size_t len = strlen(s);

	return len > 2 && s[0] == '[' && strchr(s, ']') == s + len - 1 ? len - 2 : 0;
}

/* "[anon:*]": the brackets are the name's own. */
static bool bracketed_matches(const char *glob, const char *name)
{
	char in_glob[256], in_name[256];
	size_t n = bracketed(glob), m = bracketed(name);

	if (!n || !m || n >= sizeof(in_glob) || m >= sizeof(in_name))
		return false;
	memcpy(in_glob, glob + 1, n);
	memcpy(in_name, name + 1, m);
	in_glob[n] = in_name[m] = 0;
	return fnmatch(in_glob, in_name, 0) == 0;
}

static bool name_matches(const char *glob, const char *name)
{
	return !strcmp(glob, name) || bracketed_matches(glob, name) || fnmatch(glob, name, 0) == 0;
}

bool plan_select_matches(const struct plan_select *s, const struct vma *v)
{
	if (s->glob)
		return name_matches(s->glob, v->name ? v->name : "");
	return v->start < s->end && s->start < v->end;
}

const struct plan_select *plan_selected(const struct area *a, const struct plan_opts *o)
{
	for (size_t i = o->n_select; i-- > 0;)
		if (plan_select_matches(&o->select[i], a->vma))
			return &o->select[i];
	return NULL;
}

enum plan_select_effect plan_select_effect(const struct plan_select *s, const struct areas *areas,
					   const struct plan *p, const struct plan_opts *o, const char **why)
{
	const char *refused = NULL;
	bool any = false, done = false;

	for (size_t i = 0; i < areas->n; i++) {
		if (!plan_select_matches(s, areas->v[i].vma))
			continue;
		any = true;
		/* A later option has decided, or the area is saved: as the user said. */
		if (!s->include || plan_selected(&areas->v[i], o) != s || p->v[i].action != PLAN_OMIT)
			done = true;
		else
			refused = p->v[i].rule->why;
	}
	*why = done ? NULL : refused;
	return !any ? PLAN_SELECT_NOTHING : done ? PLAN_SELECT_DONE : PLAN_SELECT_REFUSED;
}
