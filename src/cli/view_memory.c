#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"
#include "elf/tags.h"

enum {
	LINE = TAG_GRANULE,	/* a line of the dump is a granule: it has one tag */
	CHUNK = 16 * 1024,	/* read at a time */
	LEN_DEFAULT = 256,
};

/* What is known of [base, base + CHUNK). */
struct chunk {
	u64 base;
	u8 bytes[CHUNK];
	u8 state[CHUNK];		/* enum mem_state */
	u8 tag_state[CHUNK / LINE];	/* enum tag_state */
	u8 tag[CHUNK / LINE];
};

/* @len bytes from @start on: the last of all addresses has no end in 64 bits. */
static int range_parse(const struct view_ctx *v, u64 *start, u64 *len, struct err *e)
{
	int r = view_addr_parse(v->core, v->operands[0], start, e);

	*len = LEN_DEFAULT;
	if (r)
		return r;
	if (v->n_operands > 1 && text_parse_u64(v->operands[1], 0, true, len))
		return err_set(e, ERR_USAGE, "%s is not a number of bytes", v->operands[1]);
	*len = min(*len, *start ? -*start : UINT64_MAX);
	return 0;
}

static int cancelled(const struct core *c, struct err *e)
{
	return c->cancel && *c->cancel ? err_set(e, ERR_CANCELLED, "interrupted") : 0;
}

static int add_tag(const struct core_tag_run *run, void *arg, struct err *e)
{
	struct chunk *k = arg;

	(void)e;
	/* Counts lines, not addresses: there is no address after the last one. */
	for (u64 i = (run->start - k->base) / LINE; i <= (run->end - 1 - k->base) / LINE; i++) {
		k->tag_state[i] = (u8)run->state;
		k->tag[i] = run->tag;
	}
	return 0;
}

/* Fills in [from, to) of the chunk; the tags are those of whole lines. */
static int chunk_fill(struct view_ctx *v, struct chunk *k, size_t from, size_t to, struct err *e)
{
	int r = cancelled(v->core, e);

	for (size_t at = from, n = 0; !r && at < to; at += n) {
		enum mem_state state = MEM_UNMAPPED;

		r = core_read(v->core, k->base + at, k->bytes + at, to - at, &state, &n, e);
		if (!r)
			memset(k->state + at, (int)state, n);
	}
	memset(k->tag_state, TAG_NONE, sizeof(k->tag_state));
	return r || !v->tags ? r : core_tag_runs(v->core, k->base, range_end(k->base, to), add_tag, k, e);
}

static void print_tag(FILE *f, const struct chunk *k, size_t line)
{
	switch ((enum tag_state)k->tag_state[line]) {
	case TAG_KNOWN:		fprintf(f, "[%x]  ", k->tag[line]); break;
	case TAG_ABSENT:	fputs("[-]  ", f); break;
	case TAG_NONE:		fputs("     ", f); break;
	}
}

static void print_byte(FILE *f, const struct chunk *k, size_t at)
{
	switch ((enum mem_state)k->state[at]) {
	case MEM_PRESENT:	fprintf(f, "%02x", k->bytes[at]); break;
	case MEM_ABSENT:	fputs("--", f); break;
	case MEM_UNMAPPED:	fputs("**", f); break;
	}
}

static char printable(const struct chunk *k, size_t at)
{
	if (k->state[at] != MEM_PRESENT)
		return ' ';
	return isascii(k->bytes[at]) && isprint(k->bytes[at]) ? (char)k->bytes[at] : '.';
}

/* The line at @at of the chunk; bytes outside [from, to) of it are left blank. */
static void print_line(struct view_ctx *v, const struct chunk *k, size_t at, size_t from, size_t to)
{
	char text[LINE + 1];

	fprintf(v->out, "0x%0*" PRIx64 "  ", v->core->fmt.class == ELFCLASS32 ? 8 : 12, k->base + at);
	if (v->tags)
		print_tag(v->out, k, at / LINE);
	for (size_t i = 0; i < LINE; i++) {
		bool in = at + i >= from && at + i < to;

		if (in)
			print_byte(v->out, k, at + i);
		else
			fputs("  ", v->out);
		fputs(i == LINE / 2 - 1 || i == LINE - 1 ? "  " : " ", v->out);
		text[i] = in ? printable(k, at + i) : ' ';
	}
	text[LINE] = 0;
	fprintf(v->out, "|%s|\n", text);
}

static int print_text(struct view_ctx *v, u64 start, u64 len, struct err *e)
{
	struct chunk *k auto_free = malloc(sizeof(*k));
	int r = 0;

	if (!k)
		return err_set(e, -ENOMEM, "memory");
	while (!r && len) {
		size_t from = start % LINE, to = from + (size_t)min(len, (u64)(CHUNK - from));

		k->base = start - from;
		r = chunk_fill(v, k, from, to, e);
		for (size_t line = 0; !r && line < to; line += LINE)
			print_line(v, k, line, from, to);
		start += to - from;
		len -= to - from;
	}
	return r;
}

static const char *const state_names[] = {
	[MEM_UNMAPPED] = "unmapped", [MEM_ABSENT] = "absent", [MEM_PRESENT] = "present",
};

/* @bytes: NULL unless present. */
static void row_json(struct json_list *l, u64 start, u64 len, enum mem_state state, const u8 *bytes, char *hex)
{
	struct json_object *o = json_object_new_object();

	json_put_hex(o, "start", start);
	json_put_end(o, "end", range_end(start, len));
	json_put_text(o, "state", state_names[state]);
	json_put_text(o, "bytes", bytes ? text_hex(bytes, (size_t)len, hex) : NULL);
	json_list_add(l, o);
}

/* The state at @start, and for how many of @len bytes it holds: the last of all addresses is alone in its own. */
static enum mem_state state_for(const struct core *c, u64 start, u64 len, u64 *n)
{
	u64 until, more;
	enum mem_state s = core_mem_state(c, start, &until);

	*n = min(len, until > start ? until - start : 1);
	if (*n < len && start + *n == UINT64_MAX && core_mem_state(c, UINT64_MAX, &more) == s)
		++*n;
	return s;
}

static int ranges_json(struct view_ctx *v, struct json_list *l, u64 start, u64 len, struct err *e)
{
	u8 *bytes auto_free = malloc(CHUNK);
	char *hex auto_free = malloc(2 * CHUNK + 1);
	int r = bytes && hex ? 0 : err_set(e, -ENOMEM, "memory");

	for (u64 n; !r && len; start += n, len -= n) {
		enum mem_state state = state_for(v->core, start, len, &n);
		size_t got = 0, part = 0;

		r = cancelled(v->core, e);
		if (state == MEM_PRESENT) {
			n = min(n, (u64)CHUNK);
			for (; !r && got < n; got += part)
				r = core_read(v->core, start + got, bytes + got, (size_t)n - got, &state, &part, e);
		}
		if (!r)
			row_json(l, start, n, state, state == MEM_PRESENT ? bytes : NULL, hex);
	}
	return r;
}

static int tag_json(const struct core_tag_run *run, void *arg, struct err *e)
{
	struct json_object *o = json_object_new_object();

	(void)e;
	json_put_hex(o, "start", run->start);
	json_put_end(o, "end", run->end);
	json_put_tag(o, "tag", run->state, run->tag);
	json_list_add(arg, o);
	return 0;
}

static int print_json(struct view_ctx *v, u64 start, u64 len, struct err *e)
{
	char last[TEXT_END_MAX];
	struct json_list l;
	u64 end = range_end(start, len);
	int r;

	fprintf(v->out, "{ \"start\": \"0x%" PRIx64 "\", \"end\": \"%s\", \"ranges\": ", start,
		text_end(end, last));
	l = json_list_begin(v->out);
	r = ranges_json(v, &l, start, len, e);
	json_list_end(&l);
	if (!r && v->tags) {
		fputs(", \"tags\": ", v->out);
		l = json_list_begin(v->out);
		r = core_tag_runs(v->core, start, end, tag_json, &l, e);
		json_list_end(&l);
	}
	fputs("}\n", v->out);
	return r;
}

int view_memory(struct view_ctx *v, struct err *e)
{
	u64 start = 0, len = 0;
	int r = range_parse(v, &start, &len, e);

	if (r)
		return r;
	return v->json ? print_json(v, start, len, e) : print_text(v, start, len, e);
}
