# snapshots.sh - what the tests of dump --snapshot share; after lib.sh.
# shellcheck shell=sh disable=SC2154,SC2034 # of lib.sh, and for those who source this
need_ptrace
case $(uname -m) in
x86_64 | aarch64) ;;
*) skip_all "snapshots are for x86-64 and arm64" ;;
esac

# Its children: the copy and what made it are some, for a while.
children_of() { cat "/proc/$1/task"/*/children 2>/dev/null; }
no_child() { [ -z "$(children_of "$1")" ]; }
# One that is no more than a zombie stays where the command was killed.
no_living_child()
{
	for child in $(children_of "$1"); do
		in_state "$child" Z || return 1
	done
}

# newest_thread PID: not the first
newest_thread()
{
	for newest in "/proc/$1/task"/*; do
		[ "${newest##*/}" = "$1" ] || echo "${newest##*/}"
	done | sort -n | tail -n 1
}

# snapshot WHAT [ARG...]: of PID, required
snapshot()
{
	snapshot_what=$1
	shift
	ok "$snapshot_what" "$TAGCORE" dump -q --force --snapshot=require -o core.snapshot "$@" "$PID"
}

# one that is a child of PID and traced
traced_child()
{
	for child in $(children_of "$PID"); do
		[ "$(status_of "$child" TracerPid)" = 0 ] || { COPY=$child; return 0; }
	done
	return 1
}

# Not what made the copy, which lives for a moment.
copied() { traced_child && untraced && traced_child; }

# hold_dump [ARG...]: a snapshot of PID, whose output stands still; its number is $dumper
hold_dump()
{
	[ -p held ] || mkfifo held
	exec 9<>held
	dd if=/dev/zero of=held bs=4096 count=1000 oflag=nonblock 2>/dev/null
	"$TAGCORE" dump -q --snapshot=require "$@" -o held "$PID" 2>held.err 9<&- &
	dumper=$!
	mine $dumper
}

# hold_copy WHAT [ARG...]: the same, and COPY lives until end_copy
hold_copy()
{
	hold_what=$1
	shift
	hold_dump "$@"
	ok "$hold_what: it runs while its copy is saved" until_true 20 copied || { diag <held.err; bail "a snapshot that is held"; }
}

# end_copy WHAT: by a signal to the command
end_copy()
{
	kill -TERM "$dumper"
	wait "$dumper"
	is "$1: the dump is given up" $? 2
	not_mine "$dumper"
	exec 9>&-
}
