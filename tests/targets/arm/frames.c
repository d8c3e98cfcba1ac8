/*
 * frames.c - ends in the ways that are hard on backtraces of 32-bit Arm: in a leaf
 * function, in libraries, in a handler, in a jump to nowhere, after frames that
 * are large, of a size that is not known, with floating point registers saved, or
 * not built on every way.  Also C++: then functions have a personality.
 */
#include <alloca.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))

static volatile int zero;
static volatile char sink;
static int five = 5;
static volatile int *volatile place;

#ifdef __cplusplus
struct guard {
	~guard() { sink++; }
};
#define GUARD struct guard guard
#else
#define GUARD (void)0
#endif

#ifdef __cplusplus
extern "C" {
#endif
NOINLINE int case_leaf(int a);
NOINLINE int case_middle(int a);
NOINLINE int case_large(int a);
NOINLINE int case_sized(int n);
NOINLINE double case_float(double x, double y);
NOINLINE int case_switch(int a);
NOINLINE int case_wrapped(const int *p, int n);
NOINLINE int case_raise(void);
NOINLINE int case_abort(void);
NOINLINE int case_wild(void);
NOINLINE int case_library(void);
NOINLINE int case_crash(void);
NOINLINE int case_all(void);
void case_handler(int s);
void case_last(int s);
#ifdef __cplusplus
}
#endif

int case_leaf(int a)
{
	return a + *place;
}

int case_middle(int a)
{
	GUARD;
	int r = case_leaf(a + 1);

	return r + zero;
}

int case_large(int a)
{
	char b[5000];

	memset(b, a, sizeof(b));
	sink = b[a];
	return case_middle(a) + b[a + 1];
}

int case_sized(int n)
{
	volatile char *p = (volatile char *)alloca((size_t)n + 100);
	int r;

	p[3] = (char)n;
	r = case_large(n);
	return r + p[zero];
}

double case_float(double x, double y)
{
	double z = x * y;
	int r = case_sized((int)z);

	return z + y * r + x;
}

/* Early returns, and a table of jumps. */
int case_switch(int a)
{
	char t[40];

	if (a > 90)
		return a;
	memset(t, a, sizeof(t));
	sink = t[zero + 3];
	switch (a) {
	case 1: sink = 1; case_leaf(1); break;
	case 2: case_leaf(4); return case_middle(a);
	case 3: sink++; case_middle(9); return 8;
	case 4: sink = t[a]; case_leaf(2); return case_leaf(a) * 5;
	case 5: return case_middle(7) - 3;
	case 6: case_leaf(3); sink += 9; break;
	case 7: case_leaf(9); case_middle(1); return 12;
	}
	return case_leaf(a) + t[a];
}

int case_wrapped(const int *p, int n)
{
	int s = 0;

	if (!p)
		return 0;
	for (int i = 0; i < n; i++)
		s += case_leaf(i) * p[0] + case_switch(i);
	return s;
}

void case_handler(int s)
{
	(void)s;
	case_middle(7);
	sink++;
}

void case_last(int s)
{
	(void)s;
	sink = (char)case_abort();
}

int case_raise(void)
{
	GUARD;
	signal(SIGUSR1, case_handler);
	return raise(SIGUSR1) + zero;
}

int case_abort(void)
{
	GUARD;
	abort();
}

int case_wild(void)
{
	GUARD;
	int (*f)(void) = (int (*)(void))(size_t)zero;

	return f() + 1;
}

int case_library(void)
{
	GUARD;
	return (int)strlen((const char *)place) + 1;
}

/* The handler is called from where no call is. */
int case_crash(void)
{
	GUARD;
	signal(SIGSEGV, case_last);
	return case_sized(4) + 1;
}

/* Ends well: for those who put an instruction that ends it somewhere. */
int case_all(void)
{
	int r;

	place = &five;
	r = (int)case_float(2, 3);
	return r + case_wrapped(&five, 8);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int r = 0;

	/* No call is the last thing that is done: it would become a jump. */
	if (!strcmp(what, "leaf"))
		r = (int)case_float(argc, argc + 1);
	else if (!strcmp(what, "raise"))
		r = case_raise();
	else if (!strcmp(what, "abort"))
		r = case_abort();
	else if (!strcmp(what, "wild"))
		r = case_wild();
	else if (!strcmp(what, "library"))
		r = case_library();
	else if (!strcmp(what, "crash"))
		r = case_crash();
	else
		r = case_all();
	return r + zero;
}
