# Progress: on a terminal one line, written over and taken away; nothing elsewhere; and nobody waits for the terminal.
. "$TOP/tests/func/lib.sh"
need_ptrace
plain_build
life 400
start clocked 8M
full_pipe fifo

# What of a terminal stands there in the end: each line as it was written over, a space for what was erased
lines_of() { tr '\r' '\n' <"$1" | sed 's/ *$//'; }

# ---- elsewhere
"$TAGCORE" dump --output-timeout 1 -o fifo "$PID" 2>err 9<&-
is "a file: given up" $? 2
is "nothing but that" "$(wc -l <err) $(grep -c stopped err)" "1 0"
"$TAGCORE" dump --output-timeout 1 --progress always -o fifo "$PID" 2>err 9<&-
lines_of err >lines
matches "where it is asked for" lines "^$PID: stopped, [0-9.]* [KM]iB of about [0-9.]* MiB \\([0-9]*%\\), [0-9.]* [A-Za-z]*/s"
matches "the error begins a line of its own" lines '^tagcore: process'

# ---- a terminal
if have script; then
	# on_terminal OPTION...: a dump into a pipe that is read when it has shown what $SHOWN matches, if anything
	on_terminal()
	{
		rm -f typescript slow
		mkfifo slow
		script -qefc "$TAGCORE dump -o slow $* $PID" typescript >/dev/null 2>&1 </dev/null 9<&- &
		dumper=$!
		mine $dumper
		exec 8<slow
		[ -z "$SHOWN" ] || until_true 20 has_line typescript "$SHOWN" || diag <typescript
		cat <&8 >piped
		exec 8<&-
		wait $dumper
		is "terminal $*: exit 0" $? 0
		not_mine $dumper
		lines_of typescript >lines
	}

	SHOWN='stopped,.*stopped,'
	on_terminal
	matches "bytes, rate, phase" lines "^$PID: stopped, [0-9.]* [KM]iB of about [0-9.]* MiB \\([0-9]*%\\), [0-9.]* [A-Za-z]*/s"
	is "one line, written over" "$(grep -c 'stopped,.*stopped,' typescript)" 1
	matches "then the report, on a line of its own" lines '^slow: [0-9.]* MiB'
	matches_not "no part of the line is left" lines '^slow:.*left'
	SHOWN=
	on_terminal -q
	is "-q: nothing" "$(grep -v '^Script' typescript)" ""
	on_terminal --progress never
	matches_not "never: nothing but the report" lines stopped,
	case $(uname -m) in
	x86_64 | aarch64)
		SHOWN='running, '
		on_terminal --snapshot=require
		matches "a snapshot: the process runs" lines "^$PID: running, "
		;;
	esac
else
	skip "on a terminal" "no script"
fi

# ---- a terminal that was stopped (^S)
"$HELPER" stopped-terminal "$TAGCORE" dump --output-timeout 1 -o fifo "$PID" 9<&- &
dumper=$!
mine $dumper
ok "a terminal that takes nothing: it is stopped" wait_state "$PID" t 20
ok "and runs on" wait_state "$PID" S 20
finish $dumper
runs_free "$PID" "a terminal that takes nothing"

# ---- ^Z would stop the target, too
"$TAGCORE" dump -q --output-timeout 2 -o fifo "$PID" 2>err 9<&- &
dumper=$!
mine $dumper
ok "it is stopped" wait_state "$PID" t 20
kill -TSTP $dumper
ok "^Z does not hold it" wait_state "$PID" S 20
kill -CONT $dumper
wait $dumper
is "given up all the same" $? 2
not_mine $dumper
runs_free "$PID" "^Z"
finish
done_testing
