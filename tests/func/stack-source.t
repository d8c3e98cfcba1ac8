# Lines and inlined functions, as compilers write them down: with and without .debug_aranges, in a file apart,
# compressed, after link time optimization; and none without debug information.
. "$TOP/tests/func/lib.sh"
need_ptrace

cat >waits.c <<'END'
#include <stdio.h>
#include <unistd.h>

#define INLINE static inline __attribute__((always_inline))
volatile int sink;
INLINE void at_bottom(int n)
{
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		sink += pause() + n;	/* BOTTOM */
}
INLINE void at_middle(int n)
{
	sink++;
	at_bottom(n + sink);		/* MIDDLE */
}
__attribute__((noinline)) void at_top(int n)
{
	sink--;
	at_middle(n);			/* TOP */
}
int main(int argc, char **argv)
{
	(void)argv;
	at_top(argc);			/* MAIN */
	return sink;
}
END
line()
{
	sed -n "/\* $1 \*/=" waits.c
}
# A word each: the functions of waits.c with their lines.
lines_of()
{
	awk '/^#/ { name = $3; sub(/\+.*/, "", name) } / at .*waits\.c:/ { sub(/.*:/, ""); printf "%s:%s ", name, $0 }' "$1"
}
bottom="at_bottom:$(line BOTTOM)" middle="at_middle:$(line MIDDLE)" top="at_top:$(line TOP)" main="main:$(line MAIN)"

tried=0
while read -r name cc flags; do
	have "$cc" || { skip "$name" "no $cc"; continue; }
	# The words are flags.  In two steps, so that there is an object file for a file apart to be beside.
	# shellcheck disable=SC2086
	if ! "$cc" $flags -c -o waits.o waits.c >log 2>&1 || ! "$cc" $flags -o waits waits.o >>log 2>&1; then
		skip "$name" "$cc does not take $flags"
		continue
	fi
	tried=$((tried + 1))
	start ./waits
	ok "$name: live" "$TAGCORE" stack --source --inlines "$PID"
	is "$name: functions and lines" "$(lines_of out)" "$bottom $middle $top $main "
	is "$name: the inlined ones are shown" "$(grep -c '(inlined) - .*/waits$' out)" 2
	ok "$name: dump" "$TAGCORE" dump --force -q -o core "$PID"
	ok "$name: core" "$TAGCORE" stack --source core
	is "$name: core, without --inlines: where each function is called from" "$(lines_of out)" "at_top:$(line TOP) $main "
	finish
done <<'END'
gcc gcc -g -O2
gcc,DWARF4 gcc -gdwarf-4 -g -O2
gcc,little gcc -g1 -O2
gcc,types-apart gcc -g -O2 -fdebug-types-section
gcc,compressed gcc -g -O2 -gz
gcc,LTO gcc -g -O2 -flto
gcc,split gcc -g -O2 -gsplit-dwarf
gcc,split,DWARF4 gcc -gdwarf-4 -g -O2 -gsplit-dwarf
clang clang -g -O2
clang,aranges clang -g -O2 -gdwarf-aranges
clang,split clang -g -O2 -gsplit-dwarf
END
[ $tried -gt 0 ] || { skip "the rest" "no compiler"; done_testing; }

# ---- what is not there is not shown
gcc -g -O2 -gsplit-dwarf -c -o waits.o waits.c && gcc -o waits waits.o && rm -f waits.dwo
if [ -x waits ]; then
	start ./waits
	ok "file apart that has gone" "$TAGCORE" stack --source --inlines "$PID"
	is "file apart that has gone: the lines are in the program" "$(lines_of out)" "at_top:$(line BOTTOM) $main "
	# Between the ranges of main and at_top, which are of one unit.
	is "_start is nobody's line" "$(sed -n '/ _start+/,$p' out | grep -c ' at ')" 0
	finish
fi
done_testing
