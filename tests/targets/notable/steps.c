/*
 * steps.c - functions without tables, to be gone through instruction by instruction:
 * says where the first begins, stops, and calls it.  With an argument, also through
 * functions of the C library.
 */
#include "../target.h"

#include <stdbool.h>

static volatile int sink;
static bool with_library;

#define CASE noinline __attribute__((used))

static CASE int case_leaf(int n)
{
	return n * 3 + 1;
}

static CASE int case_saved(int a, int b, int c, int d)
{
	int r = case_leaf(a + sink), s = case_leaf(b), t = case_leaf(c);

	return r * a + s * b + t * c + case_leaf(d) * d;
}

static CASE int case_array(int n)
{
	volatile int v[40];
	int r = 0;

	for (int i = 0; i < 40; i += 13)
		v[i] = case_leaf(n + i);
	for (int i = 0; i < 40; i += 13)
		r += v[i];
	return r;
}

static CASE int case_early(int n)
{
	if (n < 0)
		return -1;
	if (n == 0)
		return case_leaf(1);
	int r = case_saved(n, n + 1, n + 2, n + 3);

	if (r == sink - 1)
		return r;
	return r + case_array(r);
}

static CASE int case_alloca(int n)
{
	volatile char *p = __builtin_alloca((size_t)(n & 63) + 1);

	p[0] = (char)n;
	p[n & 63] = (char)case_leaf(n);
	return p[0] + case_leaf(p[n & 63]);
}

static CASE int case_aligned(int n)
{
	volatile int v[16] __attribute__((aligned(64)));

	v[n & 15] = case_leaf(n);
	return v[n & 15] + case_leaf(v[n & 15]);
}

static CASE int case_aligned_alloca(int n)
{
	volatile int v[8] __attribute__((aligned(32)));
	volatile char *p = __builtin_alloca((size_t)(n & 31) + 1);

	p[0] = (char)case_leaf(n);
	v[n & 7] = p[0];
	return v[n & 7] + case_leaf(p[0]);
}

static CASE int case_switch(int n, int m)
{
	switch (n) {
	case 0: return case_leaf(m) + 1;
	case 1: sink += case_saved(m, 1, 2, 3); break;
	case 2: sink ^= case_array(m); break;
	case 3: return case_leaf(m) - 7;
	case 4: sink += case_leaf(m) / 3; break;
	case 5: sink -= case_aligned(m); break;
	case 6: return case_alloca(m);
	case 7: sink = sink * 3 + case_early(m); break;
	default: return 0;
	}
	return sink + case_leaf(n);
}

static CASE int case_many(int a, int b, int c, int d, int e, int f, int g, int h, int i)
{
	return case_leaf(a) + case_leaf(b + g) + c * d - e * f + case_leaf(h) * i;
}

static CASE void case_never(int n)
{
	if (n > 1000000)
		exit(n);
	sink += n;
}

static CASE void case_dies(void)
{
	case_never(2000000);
	abort();
}

static CASE int case_cold(int n)
{
	volatile char text[100];

	if (__builtin_expect(n == 4711, 0)) {
		case_dies();
		__builtin_unreachable();
	}
	text[n & 63] = (char)n;
	case_never(text[n & 63]);
	return case_leaf(text[n & 63]);
}

static CASE int case_recurse(int n)
{
	if (n <= 0)
		return case_many(1, 2, 3, 4, 5, 6, 7, 8, 9);
	return case_recurse(n - 1) + case_leaf(n);
}

struct big {
	int v[24];
};

static CASE struct big case_by_value(struct big b, int n)
{
	b.v[n % 24] += case_leaf(n);
	return b;
}

static CASE int case_struct(int n)
{
	struct big b = { { 0 } };

	b = case_by_value(b, n);
	b = case_by_value(b, n + 1);
	return b.v[n % 24];
}

static CASE int case_tail(int n)
{
	sink += case_leaf(n);
	return case_array(n);
}

static CASE double case_double(double x, int n)
{
	double y = x * case_leaf(n);

	return y + x + case_leaf((int)y);
}

static CASE int case_large(int n)
{
	volatile char v[20000];

	v[n] = (char)n;
	v[n + 8000] = (char)case_leaf(n);
	return v[n + 8000] + case_leaf(v[n]);
}

static CASE int case_loops(int n)
{
	int r = 0;

	for (int i = 0; i < n; i++) {
		if (i == 3)
			continue;
		for (int j = 0; j < i; j++) {
			if (j == 2)
				break;
			r += case_leaf(i ^ j);
		}
		while (r > 100)
			r -= case_array(i) & 63, r--;
	}
	return r;
}

static int case_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Through functions of the C library, which may have no tables either. */
static CASE int case_library(int n)
{
	int v[] = { n, 3, n + 7, -1, 12, 5 };
	char text[200];
	char *p;

	qsort(v, 6, sizeof(v[0]), case_compare);
	snprintf(text, sizeof(text), "%d %s %.3f %x", n, "text", n / 7.0, v[2]);
	p = strdup(text);
	n += (int)strtod(strchr(p, '.'), NULL) + (int)strtol(p, NULL, 0);
	free(p);
	return n + (int)strlen(text);
}

static int (*volatile case_by_pointer)(int) = case_tail;

static CASE int case_root(int n)
{
	int r = case_early(n) + case_early(0) + case_early(-1) + case_alloca(n) + case_aligned(n);

	r += case_aligned_alloca(n) + case_cold(n) + case_recurse(4) + case_struct(n) + case_tail(n) + case_large(n);
	for (int i = 0; i < 9; i++)
		r += case_switch(i, n + i);
	r += (int)case_double(r, n) + case_loops(6) + case_by_pointer(n);
	/* Only if asked: where the library has tables, these steps are of no use, and many. */
	return with_library ? r + case_library(n) : r;
}

int main(int argc, char **argv)
{
	extern char __executable_start, etext;

	(void)argv;
	with_library = argc > 1;
	target_begin();
	printf("%p %p %p\n", (void *)case_root, (void *)&__executable_start, (void *)&etext);
	fflush(stdout);
	raise(SIGSTOP);
	sink = case_root(5);
	return 0;
}
