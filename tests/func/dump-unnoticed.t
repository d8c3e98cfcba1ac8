# dump --snapshot: system calls, signals, masks, registers and sequences of the target are as they would have been without it.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
: "${SNAPSHOTS:=1 2 3}"

# ---- no call comes back; the thread in it is the only one that can make the copy
SLOW_CALLS='nanosleep clock_nanosleep futex_expires'
for call in $("$TARGETS/blocked" list); do
	# epoll_pwait: with a stricter mask, see below.
	case " $SLOW_CALLS io_getevents epoll_pwait " in *" $call "*) continue ;; esac
	start blocked spin "$call"
	if grep -q '^skip' "$LOG"; then
		skip "$call" "$(grep '^skip' "$LOG")"
		finish
		continue
	fi
	# A signal that is blocked changes nothing.
	case $call in rt_sigtimedwait) ;; *) kill -USR2 "$PID" ;; esac
	for i in 1 2; do
		"$TAGCORE" dump -q --force --snapshot=require -o core.call "$PID" 2>err || fail "$call: $(cat err)"
	done
	matches_not "$call: it does not end" "$LOG" '^result'
	kill -USR1 "$PID"
	wait_line "$LOG" '^finished'
	is "$call" "$(sed -n "s/^result $call //p" "$LOG")" "woken ok"
	finish
done

# Those that end by themselves end in time: what is left of a relative limit is not forgotten.
: "${SLEEP_FOR:=6}"
BLOCKED_SLEEP=$SLEEP_FOR
export BLOCKED_SLEEP
pids=
for call in $SLOW_CALLS; do
	start blocked spin "$call"
	pids="$pids $PID"
	echo "$call $LOG" >"sleeper.$PID"
done
unset BLOCKED_SLEEP
# It is that time passes that is the point here: more than half of it, so that a limit that began anew would be late.
sleep $((SLEEP_FOR / 2 + 1))
for PID in $pids; do
	read -r call LOG <"sleeper.$PID"
	snapshot "$call: after more than half of its time"
	kill -USR1 "$PID"
done
for PID in $pids; do
	read -r call LOG <"sleeper.$PID"
	wait_line "$LOG" '^finished' 60
	is "$call: ends in time" "$(sed -n "s/^result $call //p" "$LOG")" "woken ok"
done

# All at once.
start blocked
snapshot "many calls"
snapshot "many calls, again"
kill -USR1 "$PID"
ok "all are woken" wait_line "$LOG" '^finished' 30
is "and as they should" "$(grep '^result' "$LOG" | grep -v ' woken ok$')" ""

# ---- a mask that belongs to a call
for call in sigsuspend ppoll pselect epoll_pwait; do
	start masks $call
	cat "/proc/$PID/task"/*/status | grep '^Sig[PBIC]\|^Shd' >before
	snapshot "$call with a mask: the thread makes the copy"
	matches_not "$call with a mask: it goes on" "$LOG" "^$call"
	until_true 5 in_state "$PID/task/$(newest_thread "$PID")" S
	cat "/proc/$PID/task"/*/status | grep '^Sig[PBIC]\|^Shd' >after
	ok "$call with a mask: signals and masks are the same" diff before after
	kill -USR2 "$PID"
	wait_line "$LOG" "^$call"
	is "$call with a mask: its signal comes, and the thread's own mask is back" "$(grep "^$call" "$LOG")" \
		"$call -1 EINTR handled 1 mask kept"
	finish
done
# A signal that only the call blocks comes when it is made again, which any stop does; it does not end it.
start masks stricter
# In the call: before, the signal would not be blocked.
wait_state "$PID" S
kill -34 "$PID"
exits 2 "a call's stricter mask: no copy by that thread" "$TAGCORE" dump -q --snapshot=require -o core.stricter "$PID"
matches "and why" err 'no snapshot: no thread of the process waits in a system call, free of signals'
kill -USR1 "$PID"
wait_line "$LOG" '^stricter'
like "it is not ended" "$(grep '^stricter' "$LOG")" "stricter 1 handled ? then 1"
finish
start masks stricter plain
wait_state "$PID" S
kill -34 "$PID"
# A signal to the process is the other thread's.
until_true 5 in_state "$PID/task/$(newest_thread "$PID")" S
snapshot "a call's stricter mask: by another thread"
kill -USR1 "$PID"
wait_line "$LOG" '^stricter'
like "nor now" "$(grep '^stricter' "$LOG")" "stricter 1 handled ? then 1"
finish

# ---- registers, and signals that wait
start regs
diag "$(grep '^vectors' "$LOG")"
for core in core.before core.after; do
	ok "registers: $core" "$TAGCORE" dump -q -o "$core" "$PID"
	waiter=$(newest_thread "$PID")
	"$TAGCORE" inspect registers --thread "$waiter" "$core" >"$core.text"
	[ $core = core.after ] || for i in $SNAPSHOTS; do
		snapshot "registers: snapshot $i"
	done
done
num "there are some" "$(wc -l <core.before.text)" -ge 20
ok "a waiting thread's are the same, in all sets" diff core.before.text core.after.text
kill -USR2 "$PID"
wait_line "$LOG" '^re[gs]'
is "and as it runs on" "$(grep '^re[gs]' "$LOG" | tail -n 1)" "registers kept"
finish
start sigs
wait_line "$LOG" '^second'
"$HELPER" pend "$PID" 7
until_true 5 in_state "$PID" S
cat "/proc/$PID/task"/*/status | grep '^Sig[PBIC]\|^Shd' >before
for i in $SNAPSHOTS; do
	snapshot "signals pending: snapshot $i"
done
cat "/proc/$PID/task"/*/status | grep '^Sig[PBIC]\|^Shd' >after
ok "they are pending, blocked, ignored and caught as before" diff before after
is "all of them, and in order" "$(report)" "process 0 thread 0 pending 7"
finish

# ---- threads that compute, and their restartable sequences
start spin 2
for i in $SNAPSHOTS; do
	snapshot "computing: snapshot $i"
done
like "nothing was disturbed" "$(report)" 'ok *'
finish
"$TARGETS/rseq" 0 >log 2>&1 &
mine $!
until_true 10 has_line log '^ready\|^no rseq'
if grep -q '^no rseq' log; then
	skip "rseq" "the C library or the kernel has none"
else
	start rseq 3
	for i in $SNAPSHOTS; do
		snapshot "rseq: snapshot $i"
	done
	like "rseq: no round was lost or counted twice" "$(report)" 'sums [1-9]*'
	matches_not "rseq: no difference" "$LOG" differ
	finish
fi

# ---- stopped by a signal: which ends some calls, epoll_wait(2) among them (signal(7)), also without us
stopped_and_continued()
{
	kill -STOP "$PID"
	wait_state "$PID" T
	"$@"
	kill -CONT "$PID"
	report | sed 's/ rounds .*//'
}

# shellcheck disable=SC2317 # as an argument
states()
{
	for t in "/proc/$PID/task"/*; do
		until_true 2 in_state "$PID/task/${t##*/}" T
		state "$PID/task/${t##*/}"
	done | sort | uniq -c | tr -s ' '
}

# shellcheck disable=SC2317 # as an argument
twice_and_states()
{
	for i in 1 2; do
		"$TAGCORE" dump -q --force --snapshot=require -o core.stopped "$PID" 2>>err.stopped && echo "$i" >>stopped
	done
	states >states
}
start unnoticed
stopped_and_continued true >control
finish
start unnoticed
stopped_and_continued twice_and_states >answer
is "snapshots of a stopped process" "$(wc -l <stopped) $(cat err.stopped)" "2 "
is "it stays stopped, every thread of it" "$(cat states)" " 7 T"
is "and has noticed no more than that it was stopped" "$(cat answer)" "$(cat control)"
runs_free "$PID" "a stopped process"
done_testing
