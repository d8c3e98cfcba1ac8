# Programs of 32-bit Arm on arm64: our core and the kernel's of the same process.  What is read
# from them outside is in host/cores.t.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
[ -x "$TARGETS/calls32" ] || skip_all "no compiler for 32-bit Arm on the host"
"$TARGETS/calls32" exit 2>/dev/null || skip_all "this processor runs no 32-bit programs"
machine_begin
# The kernel stores CPU numbers in the rseq area between the two dumps.
GLIBC_TUNABLES=glibc.pthread.rseq=0
export GLIBC_TUNABLES

# compare WHAT PROGRAM ARG...
compare()
{
	what=$1
	shift
	start "$@"
	until_true 20 all_asleep || diag "not asleep"
	run "$TAGCORE" dump --force -o ours "$PID"
	is "$what: dump" "$rc" 0
	[ "$rc" -eq 0 ] || diag <err
	exits 0 "$what: ours has the process's memory" "$CORECMP" mem ours "$PID"
	[ "$rc" -eq 0 ] || diag <out
	kernel_core kernel ABRT
	exits 0 "$what: as the kernel's" "$CORECMP" kernel ours kernel
	diag <out
	for core in ours kernel; do
		exits 0 "$what: $core validates without a warning" "$TAGCORE" validate --strict $core
		[ "$rc" -eq 0 ] || diag <out
	done
}

all_asleep()
{
	for task in "/proc/$PID/task"/*; do
		in_state "$PID/task/${task##*/}" S || return 1
	done
}

for program in calls32 calls32-thumb; do
	compare "$program" $program read epoll_wait epoll_pwait recv_timeo futex rt_sigtimedwait
	# Every broken call is made again, by svc of four bytes and of two.
	start $program
	run "$TAGCORE" dump --force -o ours "$PID"
	run "$TAGCORE" dump --force -o ours "$PID"
	kill -USR1 "$PID"
	ok "$program: all calls are woken" wait_line "$LOG" '^finished' 60
	is "$program: by what should wake them" "$(sed -n 's/^result //p' "$LOG" | grep -vc 'woken ok$')" 0
	num "$program: which are many" "$(grep -c '^result' "$LOG")" -ge 9
done
compare "without a thread pointer" calls32 plain
if [ -x "$TARGETS/threads32" ]; then
	compare "of glibc" threads32 3
	compare "every kind of area" kinds32
	compare "signals blocked and pending" sigs32
else
	skip "of glibc" "no cross compiler for it on the host"
fi
done_testing
