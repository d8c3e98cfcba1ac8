# dump: no system call of the target comes back because of it.  BLOCKED: another build of the target.
. "$TOP/tests/func/lib.sh"
need_ptrace
: "${BLOCKED:=blocked}"

# call_results WHAT: a test for every call's result in LOG
call_results()
{
	sed -n 's/^result \([^ ]*\) .*/\1/p' "$LOG" | sort >results
	while read -r call; do
		is "$1: $call" "$(sed -n "s/^result $call //p" "$LOG")" "woken ok"
	done <results
	sed -n 's/^skip //p' "$LOG" | while read -r call why; do
		diag "$1: $call skipped: $why"
	done
}

start "$BLOCKED"
"$TAGCORE" dump -q -o blocked "$PID" 2>err
is "dump of a process in many system calls" "$? $(cat err)" "0 "
kill -USR1 "$PID"
ok "all are woken" wait_line "$LOG" '^finished' 30
call_results "one dump"
num "all were tested" "$(grep -c '^result' "$LOG")" -ge 15

# Again and again: what one dump set going, the next must, too.
start "$BLOCKED"
for i in 1 2 3 4 5; do
	"$TAGCORE" dump -q --force -o blocked "$PID" 2>>err5 || echo "dump $i: $?" >>err5
done
is "five dumps" "$(cat err5)" ""
kill -USR1 "$PID"
ok "all are woken" wait_line "$LOG" '^finished' 30
call_results "five dumps"

# A signal that comes while the process is stopped for us must break the call as it ever did.
start "$BLOCKED" signalled
mkfifo pipe
exec 7<>pipe
# What is small is read at once, and waits for the pipe without the process: however long the test takes to see that.
"$TAGCORE" dump -q --output-timeout 0 -o - "$PID" >pipe 2>err 7>&- &
dumper=$!
mine $dumper
until_true 10 in_state "$PID" t || diag "not stopped"
kill -37 "$PID"	# SIGRTMIN + 3
cat <&7 >/dev/null 7<&- &
reader=$!
mine $reader
wait $dumper
is "dump, and a signal meanwhile" "$? $(cat err)" "0 "
not_mine $dumper
finish $reader
exec 7<&-
if wait_line "$LOG" '^result' 5; then
	call_results "a signal meanwhile"
else
	fail "a signal meanwhile: the call goes on after the handler has run"
fi

# A stopped process: its calls were broken by the stop already, and go on by SIGCONT as ever.
start "$BLOCKED" futex read poll select nanosleep
kill -STOP "$PID"
wait_state "$PID" T
ok "dump of a stopped one" "$TAGCORE" dump -o stopped "$PID"
kill -CONT "$PID"
wait_state "$PID" S
kill -USR1 "$PID"
ok "all are woken" wait_line "$LOG" '^finished' 30
call_results "stopped"
done_testing
