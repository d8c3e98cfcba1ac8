# explain: programs that GLib has ended, and that it has not.
# shellcheck disable=SC3045 # every sh has ulimit -c
. "$TOP/tests/func/lib.sh"
plain_build
ulimit -c unlimited 2>/dev/null || skip_all "no core files: $(grep core /proc/self/limits)"
is_root || skip_all "needs root: core_pattern is set"
cat >glib.c <<'END'
#include <stdlib.h>
/* As the headers of GLib have it, which need not be here. */
extern void g_log(const char *domain, int level, const char *format, ...);
extern void g_assertion_message_expr(const char *domain, const char *file, int line, const char *function, const char *expr);
extern void *g_slist_append(void *list, void *data);
extern void g_slist_foreach(void *list, void (*each)(void *, void *), void *data);
enum { FATAL = 1 << 2, WARNING = 1 << 4 };
#define APART __attribute__((noinline)) static
APART void start_up(int level) { g_log("Shop", level, "cannot open %s: error %d", "/etc/shop.conf", 13); }
APART void check(void) { g_assertion_message_expr("Shop", "shop.c", 12, "check", "n_orders > 0"); }
APART void stop(void *data, void *how)
{
	(void)data;
	if (*(char *)how == 's')
		__asm__ volatile(
#ifdef __aarch64__
			"brk #0"
#else
			"int3"
#endif
			);
	abort();
}
int main(int argc, char **argv)
{
	switch (argv[1][0]) {
	case 'e': start_up(FATAL); break;
	case 'w': start_up(WARNING); break;
	case 'c': check(); break;
	default: g_slist_foreach(g_slist_append(NULL, argv), stop, argv[1]);
	}
	return argc;
}
END
cc -g -O1 -o glib glib.c -l:libglib-2.0.so.0 2>complaint || skip_all "no GLib: $(head -n 1 complaint)"
own_core_pattern "$PWD/core.of"

# verdict HOW CONFIDENCE KIND PATTERN
verdict()
{
	rm -f core.of
	(exec 9<&-; G_DEBUG=fatal-warnings exec ./glib "$1") >said 2>&1
	exits 0 "$1: there is a verdict" "$TAGCORE" explain core.of
	like "$1: the sentence" "$(sed -n 1p out)" "$4"
	like "$1: the kind, and how sure" "$(sed -n 2p out)" "$2 ($3): *"
}
verdict error certain glib-fatal-message "GLib has ended the program for a fatal message in start_up: cannot open /etc/shop.conf: error 13"
verdict warning certain glib-fatal-message "GLib has ended the program for a fatal message in start_up: cannot open /etc/shop.conf: error 13"
verdict check certain glib-assertion "an assertion of GLib failed in check: Shop:ERROR:shop.c:12:check: assertion failed: (n_orders > 0)"
# What GLib has called ends the program by itself.
verdict stop certain breakpoint "a breakpoint instruction in stop, *"
verdict abort likely abort "the program has ended itself by SIGABRT, as abort(3) does in stop, *"
done_testing
