# Frames of functions whose last act was a tail call: what must have been on the way is shown, and marked.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

cat >lib.c <<'END'
#include <unistd.h>
extern volatile int sink, stop;
static __attribute__((noinline)) int lib_wait(int n)
{
	while (!stop)
		pause();
	return sink + n;
}
__attribute__((noinline)) int lib_inner(int n) { sink += 3; return lib_wait(n * 5); }
__attribute__((noinline)) int lib_outer(int n) { sink += 4; return lib_inner(n * 7); }
END
cat >tail.c <<'END'
#include <stdio.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
typedef int fn(int);
volatile int sink, stop;
int lib_outer(int n);

#ifdef CRASH	/* where nobody waits: what QEMU runs */
#define pause() (*(volatile int *)16 = 1)
#define lib_outer outer
#endif
NOINLINE int leaf(int n)
{
	while (!stop)
		pause();
	return sink + n;
}
NOINLINE int inner(int n) { sink++; return leaf(n + sink); }
NOINLINE int outer(int n) { sink--; return inner(n * 3); }

/* Two ways. */
NOINLINE int left(int n) { sink -= 5; return leaf(n * 3); }
NOINLINE int right(int n) { sink -= 7; return leaf(n * 9); }
NOINLINE int either(int n) { sink -= 2; if (n > 5) return left(n); return right(n * 3); }
NOINLINE int before(int n) { sink -= 2; return either(n * 2); }
NOINLINE int joined(int n) { sink -= 4; return leaf(n - 3); }
NOINLINE int to_left(int n) { sink -= 5; return joined(n * 3); }
NOINLINE int to_right(int n) { sink -= 7; return joined(n * 9); }
NOINLINE int behind(int n) { sink -= 2; if (n > 500) return to_left(n); return to_right(n); }

/* A way that is known, and perhaps another. */
fn *volatile other = leaf;
NOINLINE int perhaps(int n) { sink -= 2; if (n > 500) return other(n); return leaf(n + 7); }

/* Round and round. */
NOINLINE int odd(int n);
NOINLINE int even(int n) { sink += n; if (n > 1) return odd(n - 1); return leaf(n + 1); }
NOINLINE int odd(int n) { sink -= n; return even(n - 1); }

/* Calls what leads to leaf(), too. */
NOINLINE int plain(int n) { sink += leaf(n + 9); return n + sink; }

NOINLINE int call(int n, fn *f) { int r = f(n); r += f(n); return r + 1; }
fn *volatile called = outer;

#ifdef TAIL_MAIN
#define MAIN real_main
#else
#define MAIN main
#endif
NOINLINE int MAIN(int argc, char **argv)
{
	int r = 0;

	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	switch (*argv[1]) {
	case 'o': r = outer(argc); break;
	case 'i': r = call(argc, called); break;
	case 'w': r = before(argc); break;
	case 'b': r = behind(argc); break;
	case 'p': r = perhaps(argc); break;
	case 'c': r = even(argc); break;
	case 'n': r = plain(argc); break;
	case 'l': r = lib_outer(argc); break;
	}
	return r + sink;
}
#ifdef TAIL_MAIN
int main(int argc, char **argv) { sink--; return MAIN(argc, argv); }
#endif
END

# The functions of a backtrace of ours up to main, innermost first; of tail calls: -, likely ones: ?, with others beside: +.
functions_of()
{
	awk '/^#/ {
		name = $3
		sub(/\+.*/, "", name)
		# From glibc 2.41 on, pause() calls functions without a symbol.
		if (/ - [^ ]*\/libc\.so/) next
		mark = ""
		if (/\(tail call/) mark = "-"
		if (/tail call, likely/) mark = "?"
		if (/perhaps among others\)/) mark = mark "+"
		printf "%s%s ", name, mark
		if (name == "main") exit
	}' "$1"
}

# no_more WHO: all functions in the file its, a line each, are in ours, in this order.
no_more()
{
	awk '$0 == "leaf" || $0 == "lib_wait" { ours = 1 } $0 == "main" { exit } ours' its >their.list
	functions_of ours | tr ' ' '\n' | sed 's/[-?+]*$//' >our.list
	[ -s their.list ] || { skip "$1 has no more than we" "it shows nothing"; return; }
	in_order their.list our.list && more=0 || more=1
	is "$1 has no more than we" "$more" 0 || diag "it: $(tr '\n' ' ' <their.list)" "we: $(functions_of ours)"
}

# against_others NAME LETTER: gdb and LLDB, live.  LLDB takes two seconds: in make check of the two cases with most to miss.
against_others()
{
	case $2 in b | l) with_lldb=lldb ;; *) with_lldb=$(soak_or '' lldb) ;; esac
	if have gdb; then
		gdb -nx -batch -p "$PID" -ex bt >backtrace 2>err
		sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\{0,1\}\([A-Za-z_]*\).*/\2/p' backtrace >its
		no_more "$1: gdb"
	fi
	if [ -n "$with_lldb" ] && have lldb; then
		timeout 60 lldb -b -p "$PID" -o bt -o detach >backtrace 2>err </dev/null
		sed -n 's/^ *frame #[0-9]*: 0x[0-9a-f]* [^`]*`\([A-Za-z_]*\).*/\1/p' backtrace | uniq >its
		no_more "$1: LLDB"
	fi
}

# case NAME LETTER WANT: live and, where others are asked, too, a full core and a core of stacks.
check_case()
{
	of=$name name="$name, $1" letter=$2 want=$3
	start ./tail "$letter"
	ok "$name: live" "$TAGCORE" stack "$PID"
	is "$name: live: the functions" "$(functions_of out)" "$want main "
	cp out ours
	if [ "$OTHERS" = yes ]; then
		check_cores
		# gdb goes round a circle once, whether the program did or not.
		[ "$letter" = c ] || against_others "$name" "$letter"
	fi
	finish
	name=$of
}

check_cores()
{
	ok "$name: dump" "$TAGCORE" dump --force -q -o full "$PID"
	ok "$name: dump --stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
	for core in full mini; do
		for unwinder in libdw libunwind; do
			ok "$name: $core, by $unwinder" "$TAGCORE" stack --unwinder $unwinder $core
			is "$name: $core, by $unwinder: the functions" "$(functions_of out)" "$want main "
		done
	done
	ok "$name: mini, under the sanitizers" "$SANITIZED" stack mini
	is "$name: mini, under the sanitizers: the functions" "$(functions_of out)" "$want main "
}

# build CC FLAG...: tail and its library.
build()
{
	"$@" -w -shared -fPIC -o libtail.so lib.c >log 2>&1 && "$@" -w -o tail tail.c ./libtail.so >>log 2>&1
}

tried=0
while read -r name OTHERS cc flags; do
	have "$cc" || { skip "$name" "no $cc"; continue; }
	# The words are flags.
	# shellcheck disable=SC2086
	build "$cc" $flags || { skip "$name" "$cc does not take $flags"; continue; }
	tried=$((tried + 1))
	check_case "one way" o 'leaf inner- outer-'
	check_case "what two ways begin with" w 'leaf before-+'
	check_case "what two ways end with" b 'leaf joined-+'
	check_case "what is not known" p 'leaf perhaps?'
	check_case "a circle" c 'leaf even-+'
	check_case "none" n 'leaf plain'
	check_case "in a library" l 'lib_wait lib_inner- lib_outer-'
	# What is called by a pointer is known only where that is kept.
	[ "$cc" != gcc ] || check_case "by a pointer" i 'leaf inner- outer- call'
done <<'END'
gcc yes gcc -g -O2
gcc,DWARF4 no gcc -gdwarf-4 -g -O2
gcc,split no gcc -g -O2 -gsplit-dwarf
gcc,no-PLT no gcc -g -O2 -fno-plt
gcc,LTO no gcc -g -O2 -flto
clang,LLDB yes clang -g -O2 -glldb
clang,gdb,DWARF4 no clang -ggdb -gdwarf-4 -O2
END
[ $tried -gt 0 ] || { skip "the rest" "no compiler"; done_testing; }

# ---- as scripts see it
build gcc -g -O2
start ./tail w
# The number of leaf()'s frame: how many pause() has depends on the C library.
"$TAGCORE" stack "$PID" >text
leaf=$(($(grep '^#' text | grep -n ' leaf+' | cut -d: -f1) - 1))
ok "JSON" "$SANITIZED" stack --json "$PID"
json_is "JSON: how a caller was found" out ".threads[0].frames[$leaf].found_by" cfi
json_is "JSON: how one that is gone was found" out ".threads[0].frames[$((leaf + 1))].found_by" tail-call
json_is "JSON: beside it others may be" out ".threads[0].frames[$((leaf + 1))].gap" true
json_is "JSON: and not elsewhere" out ".threads[0].frames[$leaf].gap" false
n=$(json out '.threads[0].frames#')
ok "addresses only" "$TAGCORE" stack --raw "$PID"
is "addresses only: without the one that is gone" "$(grep -c '^#' out)" $((n - 1))
finish
start ./tail p
ok "JSON: what is not known" "$TAGCORE" stack --json "$PID"
json_is "JSON: what is not known: how it was found" out ".threads[0].frames[$((leaf + 1))].found_by" likely-tail-call
finish

# ---- main() itself, by the debug information of the C library
build gcc -g -O2 -DTAIL_MAIN
start ./tail o
ok "main" "$TAGCORE" stack --source "$PID"
if grep -q ' at .*libc_start_call_main' out; then
	is "main: it is shown" "$(functions_of out)" 'leaf inner- outer- real_main main- '
else
	skip "main: it is shown" "no debug information of the C library"
fi
finish

# ---- without debug information nothing is added
build gcc -O2
start ./tail o
ok "no debug information" "$TAGCORE" stack "$PID"
is "no debug information: what is on the stack" "$(functions_of out)" 'leaf main '
finish

# ---- programs of other machines, which QEMU's user mode runs and writes cores of
# shellcheck disable=SC3045 # the shells of Linux have it
ulimit -c unlimited 2>/dev/null || { skip "other machines" "no core files may be written here"; done_testing; }
while read -r triplet machine; do
	if ! have "$triplet-gcc" || ! have "qemu-$machine"; then
		skip "$machine" "no $triplet-gcc, or no qemu-$machine"
		continue
	fi
	if ! "$triplet-gcc" -w -g -O2 -fno-ipa-icf -funwind-tables -DCRASH -static -o "tail-$machine" tail.c >log 2>&1; then
		skip "$machine" "$triplet-gcc links no static program"
		continue
	fi
	while read -r letter want; do
		rm -f core qemu_*.core
		# The shell reports the signal: into the log.
		(timeout 30 "qemu-$machine" "./tail-$machine" "$letter"; :) >log 2>&1
		set -- qemu_*.core
		[ -f "$1" ] || { fail "$machine: $letter: there is a core"; diag <log; continue; }
		mv "$1" core
		ok "$machine: $letter" "$TAGCORE" stack --exe "tail-$machine" core
		is "$machine: $letter: the functions" "$(functions_of out)" "$want "
	done <<'CASES'
o leaf inner- outer- main
w leaf before-+ main
n leaf plain main
CASES
done <<'END'
aarch64-linux-gnu aarch64
arm-linux-gnueabihf arm
i686-linux-gnu i386
powerpc64le-linux-gnu ppc64le
s390x-linux-gnu s390x
END
done_testing
