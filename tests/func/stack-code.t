# Backtraces through functions without a table: in a program, and in a C library without any.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
case $(uname -m) in
x86_64) ;;
*) skip_all "code is not read on $(uname -m)" ;;
esac

# The functions of ours in a backtrace and main, a thread on a line, innermost first.
own()
{
	awk '/^TID / { if (n++) printf "; " }
		match($0, /^#[0-9]+ +0x[0-9a-f]+ (case_[a-z]+|main)\+/) { f = $3; sub(/\+.*/, "", f); printf "%s ", f }' "$@"
}

# The addresses in a backtrace of a program at a fixed place.
places()
{
	awk '/^#/ { print $2 }' "$@"
}

# check_case PROGRAM CASE FUNCTIONS
check_case()
{
	name="$1 $2" want=$3
	start "$1" "$2"
	target_asleep
	ok "$name: live" "$TAGCORE" stack "$PID"
	is "$name: live: all functions" "$(own out)" "$want"
	matches "$name: live: says how they were found" out 'main.*found by reading code'
	# The first is a full one.
	for how in --limit=1G --stacks; do
		ok "$name: dump $how" "$TAGCORE" dump --force -q $how -o core "$PID"
		ok "$name: dump $how: stack, under the sanitizers" "$SANITIZED" stack core
		is "$name: dump $how: all functions" "$(own out)" "$want"
	done
	finish "$CHILD"
}

# The thread sleeps where it wants to be, not on the way there.
target_asleep()
{
	until_true 10 is_asleep || diag "not asleep"
}

is_asleep()
{
	for t in /proc/"$PID"/task/*; do
		grep -q '^State:.S' "$t/status" || return 1
	done
}

check_case notable-glibc pause "case_pause main "
check_case notable-glibc join "case_join main ; case_pause case_thread "
if [ -x "$TARGETS/notable-musl" ]; then
	check_case notable-musl pause "case_pause main "
	check_case notable-musl sort "case_pause case_compare case_sort main "
	check_case notable-musl-static read "case_read main "
	check_case notable-musl-static sleep "case_sleep main "
	check_case notable-musl-static cond "case_cond main "
	check_case notable-musl-static signal "case_pause case_handler case_signal main "
	check_case notable-musl-static join "case_join main ; case_pause case_thread "
else
	skip "a C library without tables" "no musl-gcc"
fi

# Without symbols the same places, in the same order; the last may be left out.
if [ -x "$TARGETS/notable-musl-static" ]; then
	for c in pause cond signal sort; do
		start notable-musl-static $c
		target_asleep
		run "$TAGCORE" stack "$PID"
		places out >named
		finish "$CHILD"
		start notable-musl-stripped $c
		target_asleep
		run "$TAGCORE" stack "$PID"
		places out >unnamed
		finish "$CHILD"
		head -n "$(wc -l <unnamed)" named >most
		num "$c without symbols: no more than one frame less" "$(wc -l <unnamed)" -ge "$(($(wc -l <named) - 1))"
		is "$c without symbols: the same frames" "$(cat unnamed)" "$(cat most)"
	done
fi

# The disassembler is loaded when it is needed, and it may be broken.
start notable-glibc pause
target_asleep
mkdir -p broken
for so in libcapstone.so.4 libcapstone.so.5 libcapstone.so.6; do echo 'no library' >broken/$so; done
run env LD_LIBRARY_PATH="$PWD/broken" "$TAGCORE" stack "$PID"
matches "without capstone: says so" err 'capstone could not be loaded [(]libcapstone.so.[0-9]+[)]: code that has no unwind tables is not read'
matches_not "and how nothing was found" out 'found by reading code'
ok "what reads no code does not need it" env LD_LIBRARY_PATH="$PWD/broken" "$TAGCORE" inspect core
finish "$CHILD"
done_testing
