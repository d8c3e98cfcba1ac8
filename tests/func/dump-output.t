# An output that stands still never holds the target: a time limit, a signal, and the death of all that is ours.
. "$TOP/tests/func/lib.sh"
need_ptrace
plain_build
life 1500

# longest: MS until MS, since the last time; sets LONGEST and UNTIL
longest()
{
	longest_line=$(report)
	LONGEST=$(echo "$longest_line" | sed 's/longest \([0-9]*\) .*/\1/')
	UNTIL=$(echo "$longest_line" | sed 's/.* until //')
}

# Its own file descriptor 9 is not the command's.
stuck() { "$@" 9<&-; }

start clocked 8M
full_pipe fifo

# ---- a limit, and a signal
longest
exits 2 "a full pipe: exit 2" stuck timeout -s KILL 60 "$TAGCORE" dump --output-timeout 0.7 -o fifo "$PID"
matches "and why" err "^tagcore: process $PID runs on and is not saved: the output has stood still for 0.7 s\$"
longest
num "it was stopped until then" "$LONGEST" -ge 500
num "and no longer" "$LONGEST" -lt 20000
runs_free "$PID" "a full pipe"
exits 2 "gcore has the limit, too" stuck "$GCORE" --output-timeout x "$PID"
exits 2 "seconds are wanted" stuck "$TAGCORE" dump --output-timeout soon -o fifo "$PID"
"$TAGCORE" dump --output-timeout 0 -q -o fifo "$PID" 2>err 9<&- &
dumper=$!
mine $dumper
ok "no limit: it is stopped" wait_state "$PID" t 20
sleep 1.5
ok "and stays so" in_state "$PID" t
kill -INT $dumper
kill -TERM $dumper
wait $dumper
is "a signal ends the dump" $? 2
not_mine $dumper
runs_free "$PID" "a signal"

# A pipe that moves, however slowly, does not stand still: it has no room again before a page of it has been read.
mkfifo slow
"$TAGCORE" dump --output-timeout 1 -q -o slow "$PID" 2>err 9<&- &
dumper=$!
mine $dumper
exec 8<slow
i=0
while [ $i -lt 40 ]; do
	dd bs=1 count=1 <&8 >>bytes 2>/dev/null
	sleep 0.05
	i=$((i + 1))
done
ok "a byte now and then is progress" kill -0 $dumper
cat <&8 >rest
exec 8<&-
wait $dumper
is "and the core comes in the end" $? 0
not_mine $dumper
cat bytes rest >core
ok "whole" "$TAGCORE" validate core
longest

# ---- a snapshot does not hold it, and is not given up
"$TAGCORE" dump -q --snapshot=require --output-timeout 0.3 -o fifo "$PID" 2>err 9<&- &
dumper=$!
mine $dumper
copied() { [ -n "$(cat "/proc/$PID/task"/*/children)" ] && [ "$(status_of "$PID" TracerPid)" = 0 ]; }
case $(uname -m) in
x86_64 | aarch64)
	ok "a snapshot: the target runs" until_true 20 copied
	sleep 1
	ok "and is waited for" copied
	cat <&9 >/dev/null &
	reader=$!
	mine $reader
	wait $dumper
	is "until it is read" $? 0
	finish $reader
	;;
*)
	kill -KILL $dumper
	;;
esac
not_mine $dumper
rm -f fifo
exec 9<&-
full_pipe fifo
longest

# ---- SIGTERM, SIGINT and SIGKILL of every process of ours at any time, and of the command alone
# killed HOW SIGNAL MICROSECONDS OPTION...: the target runs on within a second; the worst is kept
killed()
{
	killed_how=$1 killed_sig=$2 killed_us=$3
	shift 3
	longest
	"$HELPER" "$killed_how" "$PID" "$killed_sig" "$killed_us" "$TAGCORE" dump -q "$@" -o fifo "$PID" >out 2>err 9<&-
	until_true 20 ran_on || return 1
	at=$(sed -n 's/^killed \([0-9]*\) .*/\1/p' out)
	longest
	late=$((UNTIL - at))
	# The longest pause may have been before: another, as that of a snapshot.
	[ $late -gt "$worst" ] && [ $late -lt "$LONGEST" ] && worst=$late
	return 0
}

ran_on() { [ "$(status_of "$PID" TracerPid)" = 0 ] && in_state "$PID" SR; }

for mode in plain -s --compress; do
	set -- --output-timeout 0
	[ $mode = plain ] || set -- "$@" $mode
	for sig in $(soak_or "15 9" "15 2 9"); do
		worst=0 all=yes
		moments=$(soak_or "700 40000" "0 50 100 200 300 500 700 1000 1500 2000 3000 5000 8000 12000 20000 40000 80000")
		# The one thing that harms it: the guardian's own SIGKILL as a thread of the target makes the first call.
		[ "$mode $sig" = "-s 9" ] && moments=$(soak_or "-1" "-1 -1 -1 -1")
		for us in $moments; do
			killed kill-all "$sig" "$us" "$@" || all=no
		done
		is "$mode, signal $sig: the target runs on" $all yes
		num "$mode, signal $sig: within a second" $worst -le $((1000 * SLOWNESS))
	done
done
runs_free "$PID" "after all that"
finish
done_testing
