#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"
#include "elf/tags.h"

struct tags_print {
	struct view_ctx *v;
	struct json_list *list;
	u64 n;
	u64 bytes[3];	/* of memory, by enum tag_state */
};

/* "START-END", extended to whole granules; or one address: its granule. */
static int range_parse(const struct core *c, const char *text, u64 *start, u64 *end, struct err *e)
{
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);
	u64 a = 0, b = 0;
	char first[32];
	int r;

	if (len >= sizeof(first))
		return err_set(e, ERR_USAGE, "%s is not START-END", text);
	memcpy(first, text, len);
	first[len] = 0;
	r = view_addr_parse(c, first, &a, e);
	if (r)
		return r;
	if (dash && text_parse_end(dash + 1, &b))
		return err_set(e, ERR_USAGE, "%s is not an address (hexadecimal)", dash + 1);
	b = core_untag(c, b);
	if (dash && a >= b)
		return err_set(e, ERR_USAGE, "range %s is empty", text);
	*start = align_down(a, TAG_GRANULE);
	if (add_overflow(align_down(dash ? b - 1 : a, TAG_GRANULE), TAG_GRANULE, end))
		*end = UINT64_MAX;
	return 0;
}

static void row_json(struct json_list *l, const struct core_tag_run *run)
{
	struct json_object *o = json_object_new_object();

	json_put_hex(o, "start", run->start);
	json_put_end(o, "end", run->end);
	json_put_tag(o, "tag", run->state, run->tag);
	json_list_add(l, o);
}

static int print_run(const struct core_tag_run *run, void *arg, struct err *e)
{
	struct tags_print *p = arg;
	char size[TEXT_SIZE_MAX], end[TEXT_END_MAX];

	(void)e;
	p->n++;
	p->bytes[run->state] += range_len(run->start, run->end);
	if (p->list) {
		row_json(p->list, run);
		return 0;
	}
	fprintf(p->v->out, "0x%" PRIx64 "-%s %10s  ", run->start, text_end(run->end, end),
		text_size(range_len(run->start, run->end), size));
	if (run->state == TAG_KNOWN)
		fprintf(p->v->out, "0x%x\n", run->tag);
	else
		fputs("absent\n", p->v->out);
	return 0;
}

static void print_total(const struct tags_print *p)
{
	char size[TEXT_SIZE_MAX];

	fprintf(p->v->out, "%" PRIu64 " run%s, the tags of %s", p->n, p->n == 1 ? "" : "s",
		text_size(p->bytes[TAG_KNOWN], size));
	if (p->bytes[TAG_ABSENT])
		fprintf(p->v->out, "; those of %s are absent", text_size(p->bytes[TAG_ABSENT], size));
	fputc('\n', p->v->out);
}

int view_tags(struct view_ctx *v, struct err *e)
{
	struct tags_print p = { .v = v };
	u64 start = 0, end = UINT64_MAX;
	struct json_list l;
	int r = v->n_operands ? range_parse(v->core, v->operands[0], &start, &end, e) : 0;

	if (r)
		return r;
	if (v->json) {
		l = json_list_begin(v->out);
		p.list = &l;
	}
	r = core_tag_runs(v->core, start, end, print_run, &p, e);
	if (v->json)
		json_list_end(&l);
	else if (!r)
		print_total(&p);
	return r;
}
