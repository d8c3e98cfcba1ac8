#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"

/*
 * Programs that a sanitizer has ended (ASAN_OPTIONS=abort_on_error=1).  AddressSanitizer holds a copy of its report while
 * it ends the program, from the start of a page: "=====...", then "==PID==ERROR: AddressSanitizer: KIND on address ..."
 * (gcc 12 and LLVM 14, lib/asan/asan_report.cpp: ~ScopedInErrorReport(), buffer_copy).
 */
enum { REPORT_MAX = 16384, LINE_SIZE = 240, PAGES_MAX = 1 << 20 };

/* Of a report.  Each line without its end; "" where there is none. */
struct report {
	u64 at;
	char kind[64];		/* "heap-use-after-free" */
	char error[LINE_SIZE], access[LINE_SIZE], located[LINE_SIZE], summary[LINE_SIZE];
};

/* Colours of a terminal are no part of it, nor what cannot be printed. */
static void clean(char *s)
{
	char *to = s;

	while (*s) {
		if (*s == '\033') {
			s += strcspn(s, "m\n");
			s += *s == 'm';
			continue;
		}
		if ((u8)*s >= 0x20 || *s == '\n')
			*to++ = *s;
		s++;
	}
	*to = 0;
}

static void copy_line(const char *from, char out[LINE_SIZE])
{
	put_fmt(out, LINE_SIZE, "%.*s", (int)min(strcspn(from, "\n"), (size_t)LINE_SIZE - 1), from);
}

/* The first line in @text with @part in it. */
static void find_line(const char *text, const char *part, char out[LINE_SIZE])
{
	const char *at = strstr(text, part);

	*out = 0;
	while (at && at > text && at[-1] != '\n')
		at--;
	if (at)
		copy_line(at, out);
}

static bool parse(char *text, struct report *out)
{
	static const char tool[] = "ERROR: AddressSanitizer: ";
	const char *error, *line;

	clean(text);
	line = text + strspn(text, "=");
	if (*line == '\n')
		line++;
	error = strstr(line, tool);
	/* Of the first line: "==12==ERROR: ". */
	if (strncmp(line, "==", 2) || !error || error > line + strcspn(line, "\n"))
		return false;
	copy_line(error + strlen("ERROR: "), out->error);
	error += strlen(tool);
	put_fmt(out->kind, sizeof(out->kind), "%.*s", (int)min(strcspn(error, " :\n("), sizeof(out->kind) - 1), error);
	find_line(error, " of size ", out->access);
	find_line(error, " is located ", out->located);
	find_line(error, "SUMMARY: ", out->summary);
	return *out->kind;
}

static bool read_report(struct crash *c, u64 at, struct report *out)
{
	char *text = calloc(1, REPORT_MAX + 1);
	enum mem_state state;
	bool found = false;
	struct err ignored;
	size_t n = 0;

	*out = (struct report){ .at = at };
	if (text && !core_read(c->core, at, text, REPORT_MAX, &state, &n, &ignored) && state == MEM_PRESENT)
		found = parse(text, out);
	free(text);
	return found;
}

struct search {
	struct report *out;
	unsigned tries;		/* left: each reads much, and a core may say anything */
};

static bool page_is_report(struct crash *c, const struct core_area *a, u64 at, void *arg)
{
	struct search *s = arg;
	u64 word;

	(void)a;
	return s->tries && space_uint(c->u, at, 2, &word) && word == ('=' << 8 | '=') && s->tries-- && read_report(c, at, s->out);
}

static bool find_report(struct crash *c, struct report *out)
{
	struct search s = { .out = out, .tries = 64 };

	return find_own_page(c, UINT64_MAX, PAGES_MAX, page_is_report, &s);
}

/* "READ of size 4 at 0x602000000010 thread T0" */
static void set_access(struct crash *c, const struct report *r)
{
	struct access a = { 0 };
	char type[8];

	if (sscanf(r->access, "%7[A-Z] of size %" SCNu32 " at 0x%" SCNx64, type, &a.size, &a.addr) != 3)
		return;
	a.has_addr = true;
	a.type = !strcmp(type, "READ") ? ACCESS_READ : !strcmp(type, "WRITE") ? ACCESS_WRITE : ACCESS_UNKNOWN;
	c->access = a;
	c->v->has_access = true;
}

/* "0x13 is located 3 bytes inside of 10-byte region [0x10,0x1a)" */
static void set_object(struct crash *c, const struct report *r)
{
	const char *region = strstr(r->located, "region [");
	u64 start, end;

	if (!region || sscanf(region, "region [0x%" SCNx64 ",0x%" SCNx64 ")", &start, &end) != 2 || end < start || !c->v->has_access)
		return;
	c->v->object = (struct object){ .is_set = true, .start = start, .end = end, .offset = (s64)(c->access.addr - start) };
	put_fmt(c->v->object.state, sizeof(c->v->object.state), "%s", strstr(r->kind, "after-free") ? "freed" : "live");
}

/* Each is shown as the sanitizer wrote it: what it says of stacks, globals and containers has many forms. */
bool row_sanitizer_report(struct crash *c)
{
	const char *where;
	struct report r;
	char in[160];

	if (!crash_is_abort(c) || !abort_came_by(c, "__asan", in, sizeof(in)) || !find_report(c, &r))
		return false;
	set_access(c, &r);
	set_object(c, &r);
	where = strstr(r.located, " is located ");
	say(c, "AddressSanitizer has found %s%s%s%s%s%.160s", r.kind, abort_in(c, in), *r.access ? ": " : "", r.access, where ? ", " : "",
	    where ? where + strlen(" is located ") : "");
	say_sure(c, SURE_CERTAIN, "SIGABRT, and AddressSanitizer's report is in memory");
	show_mem(c, r.at, "the report: \"%.250s\"", r.error);
	if (*r.summary)
		show_mem(c, r.at, "\"%.250s\"", r.summary);
	try_next(c, "the report has the stacks of the allocation and of free(3); tagcore inspect memory 0x%" PRIx64 " 4096 CORE shows it", r.at);
	return true;
}

/* ": divrem_overflow" of "__ubsan_handle_divrem_overflow_abort", or "". */
static const char *failed_check(struct crash *c, char out[80])
{
	static const char begin[] = "__ubsan_handle_", end[] = "_abort";
	char name[128];
	size_t len;

	*out = 0;
	if (!abort_came_by(c, begin, name, sizeof(name)) || strncmp(name, begin, strlen(begin)))
		return out;
	len = strlen(name);
	if (len > strlen(end) && !strcmp(name + len - strlen(end), end))
		name[len - strlen(end)] = 0;
	put_fmt(out, 80, ": %.70s", name + strlen(begin));
	return out;
}

bool row_sanitizer(struct crash *c)
{
	static const struct { const char *part, *tool; } tools[] = {
		{ "__asan", "AddressSanitizer" }, { "__hwasan", "HWAddressSanitizer" }, { "__tsan", "ThreadSanitizer" },
		{ "__msan", "MemorySanitizer" }, { "__ubsan", "UndefinedBehaviorSanitizer" },
	};
	char in[160], check[80];

	for (size_t i = 0; crash_is_abort(c) && i < ARRAY_SIZE(tools); i++) {
		if (!abort_came_by(c, tools[i].part, in, sizeof(in)))
			continue;
		say(c, "%s has ended the program%s%s", tools[i].tool, abort_in(c, in), failed_check(c, check));
		say_sure(c, SURE_CERTAIN, "SIGABRT, and functions of the sanitizer called abort");
		show_thread(c, "%s is on the stack; its report is not in memory", tools[i].tool);
		try_next(c, "look at what the program has written to standard error, or where log_path is, for the report");
		return true;
	}
	return false;
}
