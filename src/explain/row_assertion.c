#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/arguments.h"
#include "explain/rows.h"

/*
 * Assertions that failed.  glibc keeps their text; of other libraries the function for failed assertions is on the
 * stack, and what it was called with are constants in the code.
 */

enum { TEXT_MAX = 240 };

/* Which argument is what. */
struct form {
	const char *function;
	int text, file, line;	/* -1: there is none */
};
static const struct form of_c[] = {
	{ "__assert_fail", 0, 1, 2 },		/* glibc and musl: assert.h */
	{ "__assert_perror_fail", -1, 1, 2 }, { "__assert2", 3, 0, 1 } /* bionic */, { "__assert13", 3, 0, 1 } /* NetBSD */,
	{ "__assert_rtn", 3, 1, 2 },
};
static const struct form of_cxx[] = {
	{ "std::__glibcxx_assert_fail", 3, 0, 1 },	/* GCC 12, libstdc++-v3/src/c++11/debug.cc */
	{ "std::__replacement_assert", 3, 0, 1 },	/* before: bits/c++config */
	{ "__libcpp_verbose_abort", 0, -1, -1 },	/* LLVM 15, libcxx: a format */
};

static const struct form *find_form(struct crash *c, const struct form *forms, size_t n, size_t *at)
{
	for (size_t i = 0; i < n; i++)
		if (abort_frame(c, &forms[i].function, 1, at))
			return &forms[i];
	return NULL;
}

/* ": TEXT, FILE:LINE" as far as the code shows it, or "". */
static bool by_code(struct crash *c, const struct form *f, size_t at, char *out, size_t size)
{
	struct arguments a;
	char text[TEXT_MAX], file[TEXT_MAX];

	*out = 0;
	if (f->text < 0 || !arguments_of_call(c, at + 1, &a) || !argument_text(c, &a.v[f->text], text, sizeof(text)))
		return false;
	if (f->file >= 0 && a.v[f->line].known && argument_text(c, &a.v[f->file], file, sizeof(file)))
		put_fmt(out, size, ": %s, %s:%" PRIu64, text, file, a.v[f->line].value);
	else
		put_fmt(out, size, ": %s", text);
	return true;
}

/* "prog: file.c:12: func: Assertion `x' failed." */
bool row_assertion(struct crash *c)
{
	if (!abort_has_message(c, "Assertion `"))
		return false;
	say(c, "an assertion failed: %.400s", abort_message(c));
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the C library holds the message of assert(3)");
	abort_show_message(c);
	return true;
}

/* A library whose function for what has failed is on the stack, and what is said of it. */
struct library {
	const struct form *forms;
	size_t n;
	const char *failed, *whose, *function, *options, *without;
};

static bool say_failed(struct crash *c, const struct library *l)
{
	char in[160], text[2 * TEXT_MAX + 32];
	const struct form *f;
	bool has_text;
	size_t at;

	f = find_form(c, l->forms, l->n, &at);
	if (!f)
		return false;
	has_text = by_code(c, f, at, text, sizeof(text));
	say(c, "%s failed%s%s", l->failed, abort_in(c, in), has_text ? text : l->without);
	say_sure(c, SURE_CERTAIN, "SIGABRT, and %s %s is on the stack%s", l->whose, l->function,
		 has_text ? "; the text is what the code calls it with" : "");
	show_frame(c, at, "the %s", l->function);
	try_next(c, "tagcore stack %s shows the line%s", l->options, has_text ? "" : "; the text was written to standard error");
	return true;
}

/* musl and others keep no message, and perhaps it is not in the core. */
bool row_assertion_only(struct crash *c)
{
	static const struct library c_library = {
		of_c, ARRAY_SIZE(of_c), "an assertion", "the C library's", "function for failed assertions", "--source", "; its text is not in memory",
	};

	return crash_is_abort(c) && !abort_message(c) && say_failed(c, &c_library);
}

/* -D_GLIBCXX_ASSERTIONS, and hardened modes of libc++. */
bool row_cxx_assertion(struct crash *c)
{
	static const struct library cxx_library = {
		of_cxx, ARRAY_SIZE(of_cxx), "a check of the C++ library has", "the C++ library's", "function for failed checks",
		"--source --inlines", "",
	};

	return crash_is_abort(c) && say_failed(c, &cxx_library);
}
