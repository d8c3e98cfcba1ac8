# runtime.sh - what the tests of language runtimes share: programs that write "ready", and stacks that are the same in three ways.
# shellcheck shell=sh
. "$TOP/tests/func/lib.sh"
# Such a core has tens of threads and megabytes of symbols, which is minutes of work under the sanitizers.
plain_build

# started NAME COMMAND...: it has written "ready"
started()
{
	started_log=$1.log
	shift
	"$@" >"$started_log" 2>&1 </dev/null &
	PID=$!
	mine "$PID"
	wait_line "$started_log" '^ready' 60 && return 0
	diag <"$started_log"
	return 1
}

# three_ways NAME PID: leaves the frames in NAME.full; some threads of a runtime wake up now and then, so that it is tried again
agree_once()
{
	"$TAGCORE" stack --no-group "$2" 2>/dev/null | sed 1d >"$1.live"
	"$TAGCORE" dump --force -q -o core.full "$2" 2>/dev/null
	"$TAGCORE" dump --force -q --stacks -o core.mini "$2" 2>/dev/null
	for core in full mini; do
		"$TAGCORE" stack --no-group core.$core 2>/dev/null | sed 1d >"$1.$core"
	done
	grep -q '^#' "$1.full" && cmp -s "$1.full" "$1.mini" && cmp -s "$1.full" "$1.live"
}

three_ways()
{
	if agree_once "$1" "$2" || agree_once "$1" "$2" || agree_once "$1" "$2"; then
		pass "$1: live, full and mini agree"
	else
		fail "$1: live, full and mini agree"
		diff "$1.full" "$1.mini" | diag
		diff "$1.full" "$1.live" | diag
	fi
}

# ended: the last one
ended()
{
	kill -KILL "$PID"
	wait "$PID" 2>/dev/null
	not_mine "$PID"
}
