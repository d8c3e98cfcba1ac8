#include <string.h>

#include "base/util.h"
#include "cli/view_text.h"

enum { COLUMNS = 96 };

const char *view_set_value(const struct view_set *s, unsigned index, char out[VIEW_REG_MAX])
{
	struct bytes b;
	size_t skip = 0;

	if (s->thread && !core_thread_has_reg(s->core, s->thread, s->set, index))
		return NULL;
	if (reg_bytes(s->arch, s->set, index, s->desc, &b, NULL) || 2 * b.len + 3 > VIEW_REG_MAX)
		return NULL;
	view_hex(b, s->arch->fmt, out);
	while (b.len <= 8 && skip + 1 < 2 * b.len && out[2 + skip] == '0')
		skip++;
	out += skip;
	out[0] = '0';
	out[1] = 'x';
	return out;
}

/* As many cells a line as fit; all but the last of a line are padded. */
void view_set_text(FILE *f, const struct view_set *s, int indent)
{
	size_t name = 0, value = 0, columns, n = 0;
	char buf[VIEW_REG_MAX];
	int pad = 0;

	for (unsigned i = 0; i < s->set->n_regs; i++) {
		name = max(name, strlen(s->set->regs[i].name));
		value = max(value, (size_t)2 + 2 * s->set->regs[i].size);
	}
	columns = max((size_t)1, COLUMNS / (name + value + 3));
	for (unsigned i = 0; i < s->set->n_regs; i++) {
		const char *text = view_set_value(s, i, buf);

		if (!text)
			continue;
		if (n++ % columns)
			fprintf(f, "%*s  ", pad, "");
		else
			fprintf(f, "%s%*s", n == 1 ? "" : "\n", indent, "");
		fprintf(f, "%-*s %s", (int)name, s->set->regs[i].name, text);
		pad = (int)(value - strlen(text));
	}
	if (!n)
		fprintf(f, "%*s%zu bytes, registers not known%s", indent, "", s->desc.len,
			s->thread && s->thread->partial ? ": the thread did not stop" : "");
	else if (s->thread && s->thread->partial && s->set == &s->core->arch->gregs)
		fprintf(f, "\n%*sno others: the thread did not stop", indent, "");
	fputc('\n', f);
}
