# A signal to dump, stack or gcore at any moment of the stop does not show in the target's system calls.
. "$TOP/tests/func/lib.sh"
need_ptrace
: "${PATIENT:=patient}"
# Moments, not sanitizers: without them there is time for more.
plain_build
life 280
start "$PATIENT" 64

broken()
{
	report | sed 's/broken \([0-9]*\).*/\1/'
}

# ended_at SIGNAL COMMAND...: at moments from just after the first thread was seized; ROUNDS, in how many
# of them it was ended by the signal (ENDED), and in how many a call of the target came back (SHOWN)
ended_at()
{
	ROUNDS=0 ENDED=0 SHOWN=0
	sig=$1
	shift
	before=$(broken)
	for us in 0 20 50 100 150 200 300 400 600 800 1200 2000 4000; do
		"$HELPER" end-at "$PID" "$sig" $us "$@" >out 2>err
		# What it has finished before is its core, not what a signal leaves behind.
		if grep -q '^ended 0$' out; then rm -f d/core; else ENDED=$((ENDED + 1)); fi
		ROUNDS=$((ROUNDS + 1))
		now=$(broken)
		[ "$now" = "$before" ] || SHOWN=$((SHOWN + 1))
		before=$now
	done
	diag "$*: signal $sig, $ROUNDS times, ended by it: $ENDED, shown: $SHOWN"
}

mkdir d
for sig in 15 2; do
	ended_at $sig "$TAGCORE" dump -q --force -o d/core "$PID"
	is "dump, signal $sig: no call of the target came back" $SHOWN 0
	num "dump, signal $sig: it was ended in its course" $ENDED -ge 1
	nothing_left "dump, signal $sig" d
	rm -f d/core
done
ended_at 15 "$TAGCORE" stack "$PID"
is "stack: no call of the target came back" $SHOWN 0
ended_at 15 "$GCORE" -o d/gcore "$PID"
is "gcore: no call of the target came back" $SHOWN 0
rm -f d/gcore.*

# Nobody can set a call right that has come back in the moment when we are killed.  How often that is depends
# on the load; what can be had is below: each call is set right as its thread stops.
ended_at 9 "$TAGCORE" dump -q --force -o d/core "$PID"
# Killed after it had its name.
rm -f d/core
runs_free "$PID" "after all that"
finish

# ---- each call is set right as its thread stops, while another is waited for that does not
# Where the threads named "waits" run on: the program counter, last of /proc/TID/syscall
counters()
{
	for task in "/proc/$PID/task"/*; do
		grep -q waits "$task/comm" && sed 's/.* //' "$task/syscall"
	done
}

# Each counter has changed since: the thread will make its call again.
all_set_right()
{
	in_state "$PID" t && counters | paste - counters.before | awk '$1 == $2 { same = 1 } END { exit same || NR < 6 }'
}

for sig in KILL SEGV TERM; do
	start "$PATIENT" 6 vfork
	counters >counters.before
	"$TAGCORE" dump -q --stop-timeout 60 -o d/core "$PID" 2>err &
	dumper=$!
	mine $dumper
	if until_true 20 all_set_right; then
		pass "SIG$sig: calls are set right before all have stopped"
	else
		fail "SIG$sig: calls are set right before all have stopped"
		counters | paste - counters.before | diag
	fi
	# What is ignored does not end a call, though who is traced is shown it.
	[ $sig = KILL ] || kill -WINCH "$PID"
	[ $sig = KILL ] || kill -CHLD "$PID"
	kill -$sig $dumper
	wait $dumper 2>/dev/null
	not_mine $dumper
	until_true 10 in_state "$PID" S
	is "SIG$sig: no call of the target came back" "$(report)" "broken 0 handled 0"
	finish
done

# ---- a signal to the process ends the call of the one thread that takes it
handled()
{
	[ "$(report)" = "broken 0 handled $1" ]
}

start "$PATIENT" 6 vfork
counters >counters.before
for n in 1 2 3 4 5 6; do
	"$TAGCORE" dump -q --stop-timeout 60 -o d/core "$PID" 2>err &
	dumper=$!
	mine $dumper
	until_true 20 all_set_right || diag "calls are not set right"
	kill -37 "$PID"	# SIGRTMIN + 3
	kill -TERM $dumper
	wait $dumper 2>/dev/null
	not_mine $dumper
	until_true 10 handled $n || break
done
is "a signal meanwhile: one thread takes it, and its call alone came back, six times" "$(report)" \
	"broken 0 handled 6"
done_testing
