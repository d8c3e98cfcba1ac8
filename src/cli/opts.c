#include <string.h>

#include "cli/opts.h"
#include "cli/table.h"

void opts_begin(struct opts_iter *it, const struct opt *table, int argc, char **argv)
{
	*it = (struct opts_iter){ .table = table, .argv = argv, .argc = argc, .at = 1, .operand = argc };
}

static bool arg_optional(const struct opt *o)
{
	return o->arg && o->arg[0] == '[';
}

/* Moves argv[at] after everything that is still to be looked at; keeps the operands' order. */
static void set_operand_aside(struct opts_iter *it)
{
	char *word = it->argv[it->at];

	memmove(&it->argv[it->at], &it->argv[it->at + 1], (size_t)(it->argc - it->at - 1) * sizeof(*it->argv));
	it->argv[it->argc - 1] = word;
	it->operand--;
}

static int take_arg(struct opts_iter *it, const struct opt *o, const char *attached, struct err *e)
{
	it->arg = NULL;
	if (!o->arg) {
		if (attached)
			return err_set(e, ERR_USAGE, "option %s%s takes no argument", it->dashes, it->name);
		return o->id;
	}
	if (attached || arg_optional(o)) {
		it->arg = attached;
		return o->id;
	}
	if (it->at >= it->operand)
		return err_set(e, ERR_USAGE, "option %s%s needs an argument: %s", it->dashes, it->name, o->arg);
	it->arg = it->argv[it->at++];
	return o->id;
}

static int next_short(struct opts_iter *it, struct err *e)
{
	char c = *it->cluster++;
	const char *rest = *it->cluster ? it->cluster : NULL;

	for (const struct opt *o = it->table; o->name; o++) {
		if (o->short_name != c)
			continue;
		snprintf(it->name, sizeof(it->name), "%c", c);
		it->dashes = "-";
		if (!o->arg || arg_optional(o)) {
			it->cluster = rest;
			return take_arg(it, o, NULL, e);
		}
		it->cluster = NULL;
		return take_arg(it, o, rest, e);
	}
	return err_set(e, ERR_USAGE, "unknown option -%c", c);
}

static int unknown_long(const struct opt *table, const char *word, size_t len, struct err *e)
{
	const struct table t = { .rows = table, .n = SIZE_MAX, .size = sizeof(*table) };
	char name[64], hint[CLOSEST_MAX];

	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	return err_set(e, ERR_USAGE, "unknown option --%.*s%s", (int)len, word, table_hint(t, name, "--", "", hint));
}

static int next_long(struct opts_iter *it, const char *word, struct err *e)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);

	for (const struct opt *o = it->table; o->name; o++) {
		if (strlen(o->name) != len || strncmp(o->name, word, len) != 0)
			continue;
		snprintf(it->name, sizeof(it->name), "%s", o->name);
		it->dashes = "--";
		return take_arg(it, o, eq ? eq + 1 : NULL, e);
	}
	return unknown_long(it->table, word, len, e);
}

int opts_next(struct opts_iter *it, struct err *e)
{
	if (it->cluster)
		return next_short(it, e);
	while (it->at < it->operand) {
		char *word = it->argv[it->at];

		if (word[0] != '-' || !word[1]) {
			set_operand_aside(it);
			continue;
		}
		it->at++;
		if (!strcmp(word, "--")) {
			while (it->at < it->operand)
				set_operand_aside(it);
			return 0;
		}
		if (word[1] == '-')
			return next_long(it, word + 2, e);
		it->cluster = word + 1;
		return next_short(it, e);
	}
	return 0;
}

void opts_help(FILE *f, const struct opt *table)
{
	char left[48];

	for (const struct opt *o = table; o->name; o++) {
		char shrt[8] = "    ";
		const char *sep = !o->arg ? "" : arg_optional(o) ? "" : " ";

		if (o->short_name)
			snprintf(shrt, sizeof(shrt), "-%c, ", o->short_name);
		snprintf(left, sizeof(left), "  %s--%s%s%s", shrt, o->name, sep, o->arg ? o->arg : "");
		fprintf(f, "%-31s  %s\n", left, o->help);
	}
}
