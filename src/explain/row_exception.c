#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"

/* Programs that the C++ library has ended. */

/* While one is thrown, or where it may not leave a function: not only while one is handled. */
static const char *const throwing[] = {
	"__cxa_throw", "__cxa_rethrow", "rethrow_exception", "_Unwind_RaiseException", "_Unwind_Resume", "__gxx_personality_v0",
	"__cxa_call_terminate", "__cxa_call_unexpected", "__clang_call_terminate",
};
/* gcc's table for a function that no exception may leave (libstdc++-v3/libsupc++/eh_call.cc, eh_personality.cc), */
static const char *const forbidding[] = { "__gxx_personality_v0", "__cxa_call_terminate" };
/* and clang's code in it, which runs when what is further in has been left (clang/lib/CodeGen/ItaniumCXXABI.cpp). */
static const char *const left[] = { "__clang_call_terminate" };
static const char *const terminating[] = { "std::terminate", "__cxxabiv1::__terminate", "__gnu_cxx::__verbose_terminate_handler" };

/* " in NAME" of who is further out than frame @from, and not of a handler that std::terminate() has called. */
static const char *thrown_in(struct crash *c, size_t from, char out[160])
{
	char name[128];

	*out = 0;
	if (abort_caller_from(c, from, name, sizeof(name)))
		put_fmt(out, 160, " in %s", name);
	return out;
}

static void say_uncaught(struct crash *c, const struct exception *x, size_t frame)
{
	char in[160], value[240] = "";
	size_t at;

	if (*x->value)
		put_fmt(value, sizeof(value), ": %s", x->value);
	else if (*x->text)
		put_fmt(value, sizeof(value), x->is_standard ? ": \"%s\"" : "; it probably has the text \"%s\"", x->text);
	thrown_in(c, frame, in);
	if (abort_frame(c, left, ARRAY_SIZE(left), &at))
		say(c, "a C++ exception of type %s was not caught%s, which it may not leave (noexcept, or a destructor)%s", x->type,
		    *in ? in : " in a function", value);
	else if (abort_frame(c, forbidding, ARRAY_SIZE(forbidding), &at))
		say(c, "a C++ exception of type %s%s%s%s reached a function that it may not leave (noexcept, or a destructor)%s", x->type,
		    *in ? ", thrown" : "", in, *in ? "," : "", value);
	else
		say(c, "a C++ exception of type %s was not caught%s%s", x->type, in, value);
	say_sure(c, SURE_CERTAIN, "it is being thrown, and functions on the stack are of its way to std::terminate()");
}

static void show_exception(struct crash *c, const struct exception *x)
{
	show_mem(c, x->object, "the exception, of type %s", x->type);
	show_mem(c, x->found_at, "the stack has a pointer to it");
	if (*x->text)
		show_mem(c, x->object + 8, "its string is \"%s\"%s", x->text, x->is_standard ? "" : " (if it holds it as std::runtime_error does)");
}

bool row_exception(struct crash *c)
{
	struct exception x;
	char in[160];
	size_t end, thrown;
	bool is_thrown;

	if (!crash_is_abort(c) || abort_message(c))
		return false;
	is_thrown = abort_frame(c, throwing, ARRAY_SIZE(throwing), &thrown);
	if ((!is_thrown && !abort_frame(c, terminating, ARRAY_SIZE(terminating), &end)) || !exception_find(c, &x))
		return false;
	if (is_thrown) {
		say_uncaught(c, &x, thrown);
	} else {
		say(c, "std::terminate() was called%s, while a C++ exception of type %s existed", thrown_in(c, end, in), x.type);
		say_sure(c, SURE_POSSIBLE, "nothing on the stack is throwing it: it may have been caught");
	}
	show_exception(c, &x);
	return true;
}

/* libstdc++-v3/libsupc++/pure.cc: __cxa_pure_virtual(), which std::terminate() follows; libc++ calls abort(3) there. */
bool row_pure_virtual(struct crash *c)
{
	static const char *const pure[] = { "__cxa_pure_virtual", "__cxa_deleted_virtual" };
	char in[160];
	size_t at;

	if (!crash_is_abort(c) || !abort_frame(c, pure, ARRAY_SIZE(pure), &at))
		return false;
	say(c, "a pure virtual function was called%s: the object is being constructed or destroyed, or was", thrown_in(c, at, in));
	say_sure(c, SURE_CERTAIN, "SIGABRT, and the function that stands for pure virtual ones is on the stack");
	show_frame(c, at, "the C++ library's function that is called in place of a pure virtual one");
	try_next(c, "look for calls of virtual functions in constructors and destructors, and for threads that use the object meanwhile");
	return true;
}

/* What has called std::terminate() where no exception is thrown. */
static const struct cause {
	const char *function, *what;
} causes[] = {
	{ "std::thread::~thread", "a std::thread was destroyed that was neither joined nor detached" },
	{ "std::thread::operator=", "a std::thread was assigned to that was neither joined nor detached" },
	{ "__cxa_rethrow", "\"throw;\" where no exception is handled" },
};

bool row_terminate(struct crash *c)
{
	char in[160];
	size_t end, at;

	if (!crash_is_abort(c) || abort_message(c) || !abort_frame(c, terminating, ARRAY_SIZE(terminating), &end))
		return false;
	thrown_in(c, end, in);
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (abort_frame(c, &causes[i].function, 1, &at) && at > end && at <= end + 2) {
			say(c, "%s%s: std::terminate() was called", causes[i].what, in);
			say_sure(c, SURE_CERTAIN, "SIGABRT, and %s called std::terminate()", causes[i].function);
			show_frame(c, at, "%s called std::terminate()", causes[i].function);
			return true;
		}
	say(c, "std::terminate() was called%s, and no exception is in memory", in);
	say_sure(c, SURE_LIKELY, "SIGABRT, and std::terminate() is on the stack");
	show_frame(c, end, "std::terminate()");
	try_next(c, "look for calls of std::terminate() itself, and for a std::thread that was neither joined nor detached");
	return true;
}
