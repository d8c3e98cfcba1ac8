# served.sh - for tests of file systems that a target serves (targets/clocked.c); after lib.sh.
# shellcheck shell=sh disable=SC2034 # used by those who source this

# Skips all where there can be none; mnt is for them.
need_served()
{
	have nsenter || skip_all "no nsenter"
	mkdir mnt
	"$TARGETS/clocked" 4M "$PWD/mnt" >probe.log 2>&1 &
	probe=$!
	mine $probe
	until_true 20 has_line probe.log '^ready ' || { wait $probe; skip_all "no FUSE mount here: $(cat probe.log)"; }
	finish $probe
}

# How long PID has stood still, at most, since it was last asked, in ms.
is_held() { report | sed 's/longest \([0-9]*\) .*/\1/'; }

# revived COMMAND...: true, with SERVER going on as often as it stops
# The kernel's calls for a server that has taken them, and says nothing, end when it goes on: not even SIGKILL ends them.
revived()
{
	kill -CONT "$SERVER"
	"$@"
}

ran_on() { untraced && in_state "$PID" SR; }

# killed_while_it_waits SIGNAL MS COMMAND...: by which all of ours get SIGNAL while SERVER stands still, and say so in the
# file out (helper kill-all); PID runs on within MS ms
killed_while_it_waits()
{
	killed_by=$1 killed_ms=$2
	shift 2
	"$@" >out 2>err &
	killer=$!
	mine $killer
	ok "signal $killed_by: the server stops" wait_state "$SERVER" T 20
	until_true 20 ran_on
	until_true 60 revived gone $killer
	wait $killer
	not_mine $killer
	report >line
	num "signal $killed_by: the target ran on within a second" \
		$(($(sed 's/.* until //' line) - $(sed 's/killed \([0-9]*\) .*/\1/' out))) -le "$killed_ms"
	runs_free "$PID" "signal $killed_by"
}
