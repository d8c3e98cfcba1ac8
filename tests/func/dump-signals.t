# dump: stops and signals of the target are as they would have been without us.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

# ---- group-stop
start threads 4
kill -STOP "$PID"
wait_state "$PID" T
ok "dump of a stopped process" "$TAGCORE" dump -o stopped "$PID"
until_true 2 in_state "$PID" T
is "is stopped after it, too" "$(state "$PID")" T
for t in "/proc/$PID/task"/*; do
	until_true 2 in_state "$PID/task/${t##*/}" T
	state "$PID/task/${t##*/}"
done | sort | uniq -c | tr -s ' ' >states
is "every thread of it" "$(cat states)" " 5 T"
is "no tracer is left" "$(status_of "$PID" TracerPid)" 0
ok "it validates" "$TAGCORE" validate stopped
ok "a second dump" "$TAGCORE" dump -o stopped2 "$PID"
kill -CONT "$PID"
until_true 5 in_state "$PID" S
is "SIGCONT makes it go on" "$(state "$PID")" S
is "and all threads live" "$(report)" "alive 4 heap intact"

# ---- a stop that comes with the dump: it must not be lost
for i in 1 2 3 4 5 6; do
	"$TAGCORE" dump -q --force -o with-stop "$PID" 2>err &
	dumper=$!
	mine $dumper
	kill -STOP "$PID"
	wait $dumper
	rc=$?
	not_mine $dumper
	[ $rc -eq 0 ] || diag "dump $i: exit $rc: $(cat err)"
	until_true 5 in_state "$PID" T || break
	kill -CONT "$PID"
	until_true 5 in_state "$PID" S || break
done
is "SIGSTOP during a dump: stopped, and goes on by SIGCONT, 6 times" "$i $(state "$PID")" "6 S"
for i in 1 2 3 4 5 6; do
	kill -STOP "$PID"
	wait_state "$PID" T
	"$TAGCORE" dump -q --force -o with-cont "$PID" 2>err &
	dumper=$!
	mine $dumper
	kill -CONT "$PID"
	wait $dumper
	not_mine $dumper
	until_true 5 in_state "$PID" S || break
done
is "SIGCONT during a dump: it goes on, 6 times" "$i $(state "$PID")" "6 S"
is "all threads live" "$(report)" "alive 4 heap intact"

# ---- pending signals are recorded and stay pending
start sigs
wait_line "$LOG" '^second'
tid=$(sed -n 's/^second //p' "$LOG")
"$HELPER" pend "$PID" 7
ok "dump with signals pending" "$TAGCORE" dump -o pending "$PID"
is "they are still pending, all and in order" "$(report)" "process 0 thread 0 pending 7"

# ---- every signal sent during dumps arrives once and in order
"$HELPER" queue "$PID" "$tid" 3000 1000 &
sender=$!
mine $sender
n=0 bad=0
while kill -0 $sender 2>/dev/null && ! gone $sender && [ $n -lt 200 ]; do
	"$TAGCORE" dump -q --force -o storm "$PID" 2>>storm.err || bad=$((bad + 1))
	n=$((n + 1))
done
wait $sender
is "the sender is done" $? 0
not_mine $sender
diag "$n dumps meanwhile"
is "every dump succeeded" "$bad $(head -n 3 storm.err)" "0 "
num "there were some" "$n" -ge 3
is "every signal came once and in order" "$(report)" "process 3000 thread 3000 pending 7"

# ---- registers and memory of threads that compute
start spin 3
for i in 1 2 3 4 5; do
	"$TAGCORE" dump -q --force -o spin "$PID" 2>>spin.err || echo bad
done >bad
is "5 dumps of a computing process" "$(cat bad spin.err)" ""
like "nothing was disturbed" "$(report)" 'ok *'
ok "and it computes on" goes_on ok
ok "it validates" "$TAGCORE" validate spin
done_testing
