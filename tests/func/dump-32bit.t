# dump of 32-bit processes (i386 on x86-64, arm on arm64): 32-bit cores, as the kernel makes them;
# and of threads that run code of the other word size.  More system calls: dump-syscalls-32bit.t.
. "$TOP/tests/func/lib.sh"
[ -x "$TARGETS/calls32" ] || skip_all "no compiler here makes 32-bit programs"
"$TARGETS/calls32" exit 2>/dev/null || skip_all "this kernel or processor runs no 32-bit programs"
need_ptrace
case $(uname -m) in
x86_64)	machine=i386 ;;
*)	machine=arm ;;
esac

# Every thread is in its call.
asleep()
{
	for asleep_task in "/proc/$1/task"/*; do
		in_state "$1/task/${asleep_task##*/}" S || return 1
	done
}

# call_results WHAT: a test for every call's result in LOG
call_results()
{
	sed -n 's/^result \([^ ]*\) .*/\1/p' "$LOG" | sort >results
	while read -r call; do
		is "$1: $call" "$(sed -n "s/^result $call //p" "$LOG")" "woken ok"
	done <results
}

# woken WHAT N: the last target's calls, N at least, end as they would have without a dump
woken()
{
	kill -USR1 "$PID"
	ok "$1: all are woken" wait_line "$LOG" '^finished' 30
	call_results "$1"
	num "$1: many were tested" "$(grep -c '^result' "$LOG")" -ge "$2"
}

# All but nanosleep, which ends by itself.
calls='read epoll_wait epoll_wait_fast epoll_pwait poll recv_timeo futex rt_sigtimedwait'
n_threads=9

# dumped PROGRAM: in every way there is
dumped()
{
	what=$1
	# shellcheck disable=SC2086 # a list
	start "$1" $calls
	until_true 10 asleep "$PID" || diag "not asleep"
	exits 0 "$what: --dry-run" "$TAGCORE" dump --dry-run "$PID"
	matches "$what: --dry-run: its areas" out "^[0-9a-f]*-[0-9a-f]* r-[-x]p first-page .*/$1 "
	exits 0 "$what: dump" "$TAGCORE" dump --json --force -o ours "$PID"
	is_json "$what: --json" out
	json_is "$what: all threads" out .dumps[0].threads $n_threads
	json_is "$what: nothing is missing" out '.dumps[0].missing#' 0
	"$TAGCORE" dump -q -o - "$PID" 2>err >stream
	is "$what: streamed" "$? $(cat err)" "0 "
	exits 0 "$what: as gcore" "$GCORE" -o gcore "$PID"
	for core in ours stream "gcore.$PID"; do
		exits 0 "$what: $core validates" "$TAGCORE" validate --strict "$core"
		[ "$rc" -eq 0 ] || diag <out
		exits 0 "$what: $core has the process's memory" "$CORECMP" mem "$core" "$PID"
		[ "$rc" -eq 0 ] || diag <out
	done
	runs_free "$PID" "$what"
	for n in 1 2 3; do
		"$TAGCORE" dump -q --force -o again "$PID" || fail "$what: dump $n again"
	done
	woken "$what" 8
	finish
	start "$1" nanosleep
	"$TAGCORE" dump -q --force -o again "$PID" || fail "$what: dump of one that sleeps"
	woken "$what" 1
	finish
}

[ ! -x "$TARGETS/calls32-thumb" ] || dumped calls32-thumb
dumped calls32

# ---- what others and we read from it
exits 0 "summary" "$TAGCORE" inspect --json ours
json_is "machine" out .machine $machine
json_is "class" out .class 32
exits 0 "threads" "$TAGCORE" inspect threads --json ours
for call in $calls; do
	is "a thread in $call" "$(grep -c "\"name\": *\"$call\"" out)" 1
done
is "readelf: class" "$(readelf -hW ours | sed -n 's/ *Class: *//p')" ELF32
exits 0 "registers" "$TAGCORE" inspect registers ours
case $machine in
i386)
	is "SSE registers of all threads, twice" "$(grep -c 'xmm3 .*0xaaaa0003444444440000000401020307' out)" $((2 * n_threads))
	is "x87 registers" "$(grep -c 'st0 .*0x3fffb8aa3b295c17f0bc' out)" $((3 * n_threads))
	is "each thread's TLS" "$(grep -c 'base_addr0 ' out)" $n_threads
	;;
arm)
	is "VFP registers of all threads" "$(grep -c 'd31 .*0x89abcdef00000000' out)" $n_threads
	is "thread pointers" "$(grep -c tpidruro out)" $n_threads
	;;
esac
# For arm: tests/vm/host/cores.t.
if [ $machine = i386 ] && have gdb; then
	run gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'thread apply all bt' "$TARGETS/calls32" ours
	for call in read epoll epoll_fast epoll_pwait recv futex signal poll; do
		matches "gdb: a thread in wait_$call" out " (in )?wait_$call \\("
	done
	# The source need not be where the test runs.
	gdb_said err | grep -v 'No such file' >err.other
	matches_not "gdb: no warning" err.other '[Ww]arning'
else
	skip "gdb" "not installed, or not i386"
fi
if [ $machine = i386 ] && have lldb; then
	run lldb -b -x -c ours "$TARGETS/calls32" -o 'thread list'
	is "LLDB: all threads" "$(grep -c 'thread #' out)" $n_threads
	matches "LLDB: where one is" out 'wait_futex'
else
	skip "LLDB" "not installed, or not i386"
fi

# ---- user ids where there are 16 bits for them
if is_root && have setpriv; then
	start /usr/bin/env setpriv --reuid 100000 --regid 100001 --clear-groups "$TARGETS/calls32" plain
	exits 0 "large ids: dump" "$TAGCORE" dump -o ids "$PID"
	exits 0 "large ids: summary" "$TAGCORE" inspect --json ids
	json_is "large ids: as high2lowuid() has it" out .uid "$(cat /proc/sys/kernel/overflowuid)"
else
	skip "large ids" "not root, or no setpriv"
fi

# ---- a 32-bit file ends at 4 GiB
start full32
mkdir full
exits 2 "a whole address space: dump" "$TAGCORE" dump -o full/core "$PID"
matches "it says why, and what to do" err 'ends at 4 GiB: leave something out'
nothing_left "a whole address space" full
runs_free "$PID" "a whole address space"
exits 0 "with less of it" "$TAGCORE" dump --exclude 0x40000000-0x80000000 -o less "$PID"
exits 0 "that validates" "$TAGCORE" validate --strict less
[ "$rc" -eq 0 ] || diag <out
rm -f less
finish

# ---- threads in code of the other word size
if [ "$machine" = i386 ]; then
	start modes
	exits 0 "32-bit code in a 64-bit process: dump" "$TAGCORE" dump -o modes "$PID"
	exits 0 "the core validates" "$TAGCORE" validate --strict modes
	[ "$rc" -eq 0 ] || diag <out
	exits 0 "registers" "$TAGCORE" inspect registers modes
	is "three threads in 64-bit form" "$(grep -c ' r12 ' out)" 3
	matches "one in 32-bit code" out 'cs +0x23'
	matches "its registers are whole" out 'r12 +0x1212121234343434'
	is "so are its vectors, twice" "$(grep -c 'xmm7 *0x77777777777777777777777777777777' out)" 2
	runs_free "$PID" "32-bit code in a 64-bit process"
	ok "dump, again" "$TAGCORE" dump --force -o modes "$PID"
	is "32-bit code, and 32-bit calls of 64-bit code: no call came back" "$(report)" "broken 0"
	start wide32
	exits 0 "64-bit code in a 32-bit process: dump" "$TAGCORE" dump -o wide "$PID"
	exits 0 "the core validates" "$TAGCORE" validate wide
	[ "$rc" -eq 0 ] || diag <out
	exits 0 "registers" "$TAGCORE" inspect registers wide
	is "two threads in 32-bit form" "$(grep -c ' ebx ' out)" 2
	matches "one in 64-bit code" out 'cs +0x33'
	matches "what there is room for" out 'ebx +0x3456789a'
	runs_free "$PID" "64-bit code in a 32-bit process"
fi
done_testing
