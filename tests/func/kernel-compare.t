# The same process dumped by tagcore, then by the kernel (SIGABRT): the same core.
# What may differ is listed, with reasons, in tests/targets/corecmp.c.
. "$TOP/tests/func/lib.sh"
need_ptrace
# Every sh has ulimit -c.
# shellcheck disable=SC3045
ulimit -c unlimited 2>/dev/null || skip_all "no core files: $(grep core /proc/self/limits)"
pattern_file=/proc/sys/kernel/core_pattern
pattern=$(cat $pattern_file)

if [ -w $pattern_file ] && is_root; then
	own_core_pattern "$PWD/kernel.%p"
else
	case $pattern in
	core)	;;
	*)	skip_all "core_pattern is '$pattern' and we may not change it" ;;
	esac
fi

# The kernel's core of PID, as the file kernel.
kernel_core()
{
	kill -ABRT "${KILL:-$PID}"
	wait "$CHILD" 2>/dev/null
	not_mine "$CHILD"
	rm -f kernel
	for f in "kernel.$PID" core "core.$PID"; do
		[ ! -f "$f" ] || mv "$f" kernel
	done
	[ -s kernel ]
}

# The kernel stores a thread's CPU number in its rseq area at every return to user
# space, so also between the two dumps: without rseq memory is the same.
GLIBC_TUNABLES=glibc.pthread.rseq=0
export GLIBC_TUNABLES

# compare WHAT TARGET ARG...
compare()
{
	what=$1
	shift
	start "$@"
	# The thread that the signal is meant for takes it, and is the first in the core:
	# kernel/signal.c, complete_signal().  With the leader gone, that is ours, too.
	KILL=$(live_of "$PID")
	"$TAGCORE" dump -q --force -o ours "$PID" 2>err
	rc=$?
	only_lost "$what" ours
	is "$what: dump" "$rc $(cat err)" "$([ -s ours.lost ]; echo $((!$?))) "
	if ! kernel_core; then
		fail "$what: the kernel made no core (core_pattern $(cat $pattern_file))"
		return
	fi
	exits 0 "$what: as the kernel's" "$CORECMP" kernel ours kernel ours.lost
	[ "$rc" -ne 0 ] || diag <out
	exits 0 "$what: the kernel's validates" "$TAGCORE" validate kernel
	exits 0 "$what: ours validates" "$TAGCORE" validate ours
}

compare "threads" threads 8
compare "threads, static" threads-static 3
compare "one thread" threads 0
compare "the first thread has exited" leaderexit 4
compare "every kind of area" kinds
compare "strange names" names
compare "1,000 areas" manyareas 1000
compare "signals blocked and pending" sigs
compare "other settings (nice, arguments)" /usr/bin/env nice -n 5 "$TARGETS/threads" 2 "a long argument with spaces in it, to be cut at eighty bytes, as the kernel does it too"
if [ -x "$TARGETS/calls32" ] && "$TARGETS/calls32" exit 2>/dev/null; then
	# Not in a call with a time limit, which the kernel sets going again as another, restart_syscall(2).
	for program in calls32 calls32-thumb; do
		[ ! -x "$TARGETS/$program" ] ||
			compare "32-bit: $program" $program read epoll_wait epoll_pwait recv_timeo futex rt_sigtimedwait
	done
	compare "32-bit, without a thread pointer" calls32 plain
	if [ -x "$TARGETS/threads32" ]; then
		compare "32-bit, of glibc" threads32 3
		compare "32-bit, the first thread has exited" leaderexit32 4
		compare "32-bit, every kind of area" kinds32
		compare "32-bit, signals blocked and pending" sigs32
	else
		skip "32-bit, of glibc" "no cross compiler for it here"
	fi
else
	skip "32-bit" "no compiler here makes such programs, or the kernel does not run them"
fi

# A filter of the process's own.
start kinds
KILL=$PID
if echo 0x1f >"/proc/$PID/coredump_filter" 2>/dev/null; then
	"$TAGCORE" dump -q --force -o ours "$PID"
	only_lost "coredump_filter 0x1f" ours "$(past_of_kinds)"
	kernel_core
	exits 0 "coredump_filter 0x1f: as the kernel's" "$CORECMP" kernel ours kernel ours.lost
else
	skip "coredump_filter 0x1f" "cannot write coredump_filter"
fi
done_testing
