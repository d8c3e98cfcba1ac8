# dump: a machine that is busy.  A thread that waits for a processor is not stuck.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
many=1000
limit=$(sed -n 's/^Max processes *\([^ ]*\).*/\1/p' /proc/self/limits)
if [ "$limit" != unlimited ] && [ "$limit" -lt 2000 ]; then
	many=$((limit / 4))
fi
# The lowest of its threads.
nice_of() { sed 's/.*) //' "/proc/$1/task"/*/stat | cut -d ' ' -f 17 | sort -n | head -n 1; }
is_nice() { [ "$(nice_of "$1")" -eq "$2" ]; }
# One of its threads waits for the reader of its pipe, in poll(2) or in the write after it,
# or sleeps where that cannot be known.
waits_for_reader()
{
	case $(cat "/proc/$1/task"/*/wchan 2>/dev/null) in
	*poll_* | *pipe_w*) return 0 ;;
	*[a-z]*) return 1 ;;
	*) in_state "$1" S ;;
	esac
}

# ---- many threads, all of them runnable: each gives way to others, or we would get nowhere ourselves
start spin $many 19
ok "dump of $many runnable threads" "$TAGCORE" dump --json --stop-timeout "$SLOWNESS" -o busy "$PID"
json_is "all were stopped" out '.dumps[0].unstopped_threads#' 0
json_is "all are counted" out '.dumps[0].threads' $((many + 1))
diag "stopped for $(json out '.dumps[0].pause_us') us"
"$CORECMP" notes busy >notes
is "a PRSTATUS each" "$(grep -c '^CORE 0x1 ' notes)" $((many + 1))
is "each runs as before" "$(report | cut -d ' ' -f 1)" ok
runs_free "$PID" "after that"
finish
rm -f busy

# ---- a dump that stands still halfway: how it runs meanwhile, and whether its target is held up
# held [COMMAND...]: dumps PID by COMMAND into a full pipe
held()
{
	"$@" "$TAGCORE" dump -q -o fifo "$PID" 2>err &
	dumper=$!
	mine "$dumper"
}
let_on()
{
	cat <&9 >/dev/null &
	reader=$!
	mine "$reader"
	wait "$dumper"
	is "$1: the dump is whole" $? 0
	not_mine "$dumper"
	kill "$reader"
}

start bigmem random 32M
full_pipe fifo
held env
ok "the target is stopped" wait_state "$PID" t
if is_root && [ "$(nice_of self)" -eq 0 ]; then
	ok "we run before others meanwhile" until_true 10 is_nice "$dumper" -10
else
	skip "we run before others meanwhile" "not root, or nice already"
fi
is "the target is as it was" "$(nice_of "$PID")" "$(nice_of self)"
let_on "urgent"
runs_free "$PID" "urgent"
exec 9>&-
rm fifo

full_pipe fifo
held nice -n 5
ok "nice: the target is stopped" wait_state "$PID" t
is "nice: who gives way goes on giving way" "$(nice_of "$dumper")" $(($(nice_of self) + 5))
let_on "nice"
finish
exec 9>&-
rm fifo

start threads 2
full_pipe fifo
held env
ok "small: what was read is not yet written" until_true 10 waits_for_reader "$dumper"
# It sleeps before the stop, too: that it has no tracer says that it was resumed.
ok "small: nothing of it is traced" until_true 10 untraced
ok "small: the target runs again" wait_state "$PID" SR
let_on "small"
done_testing
