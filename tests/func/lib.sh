# lib.sh - what the functional tests share: TAP, targets, running tagcore.
# shellcheck shell=sh disable=SC2034 # used by those who source this
# A test sources this first and calls done_testing last.  Its working directory
# is fresh and its own.

: "${O:?the absolute build directory: use tests/run}"
: "${TOP:?the top of the source tree: use tests/run}"
PROGRAMS_GIVEN=${TAGCORE:+yes}
TAGCORE=${TAGCORE:-$O/san/tagcore}
GCORE=${GCORE:-$O/san/gcore}
# Also after plain_build, for a sample.
SANITIZED=$TAGCORE
TARGETS=$O/targets
CORECMP=$TARGETS/corecmp
HELPER=$TARGETS/helper
# By this number of times may take longer here what has a bound in time: an emulated machine's is given by tests/vm.
SLOWNESS=${SLOWNESS:-1}
test_n=0
test_pids=
test_restore=

# ---- make check and make soak

# soak: is this the long form?
soak()
{
	[ "${SOAK-}" = yes ]
}

# soak_or CHECK SOAK: the number of rounds in make check, and in make soak
soak_or()
{
	if soak; then echo "$2"; else echo "$1"; fi
}

# plain_build: from here on TAGCORE and GCORE are the programs without sanitizers, which start ten times as fast.  For
# tests of what is done to a process, or printed, in many runs; not of what a hostile core does to the reader.
# Under make soak these, too, run under the sanitizers.
plain_build()
{
	! soak && [ -z "$PROGRAMS_GIVEN" ] && [ -x "$O/tagcore" ] || return 0
	TAGCORE=$O/tagcore GCORE=$O/gcore
}

# check_leaks: at the end of each command of ours that the sanitizers watch, too.  It takes as long as the rest of a short
# command, so only tests of errors ask for it; unit tests and make soak do always.
check_leaks() { ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=1; export ASAN_OPTIONS; }

# in_order FILE FILE: the lines of the first that are not empty are among those of the second, in their order
in_order()
{
	awk 'BEGIN { i = n = 0 } FILENAME == ARGV[1] { if ($0 != "") want[n++] = $0; next } i < n && $0 == want[i] { i++ }
		END { exit i < n }' "$1" "$2"
}

# ---- TAP

# Standard input, or words, as a comment.
diag()
{
	if [ $# -gt 0 ]; then
		printf '%s\n' "$*" | sed 's/^/# /'
	else
		head -c 20000 | cut -c 1-300 | sed 's/^/# /'
	fi
}

pass()
{
	test_n=$((test_n + 1))
	printf 'ok %d - %s\n' $test_n "$1"
}

fail()
{
	test_n=$((test_n + 1))
	printf 'not ok %d - %s\n' $test_n "$1"
	# Of standard output prove(1) shows nothing.
	printf '# not ok %d - %s\n' $test_n "$1" >&2
}

# skip DESCRIPTION REASON
skip()
{
	test_n=$((test_n + 1))
	printf 'ok %d - %s # SKIP %s\n' $test_n "$1" "$2"
}

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

done_testing()
{
	echo "1..$test_n"
	exit 0
}

# is DESCRIPTION GOT WANT
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
		return 0
	fi
	fail "$1"
	diag "got  '$2'"
	diag "want '$3'"
	return 1
}

# like DESCRIPTION GOT PATTERN (of the shell)
like()
{
	# The pattern is meant to be one.
	# shellcheck disable=SC2254
	case $2 in
	$3) pass "$1"; return 0 ;;
	esac
	fail "$1"
	diag "got  '$2'"
	diag "want '$3'"
	return 1
}

# num DESCRIPTION A -lt B: a comparison of test(1), with both numbers shown when it fails.
num()
{
	if test "$2" "$3" "$4"; then
		pass "$1"
		return 0
	fi
	fail "$1"
	diag "not true: $2 $3 $4"
	return 1
}

# ok DESCRIPTION COMMAND...: exits 0
ok()
{
	ok_what=$1
	shift
	exits 0 "$ok_what" "$@"
}

# run COMMAND...: standard output in the file out, errors in err, status in $rc
run()
{
	"$@" >out 2>err
	rc=$?
}

# exits CODE DESCRIPTION COMMAND...: as run, and tests the status
exits()
{
	exits_want=$1 exits_what=$2
	shift 2
	run "$@"
	if [ "$rc" -eq "$exits_want" ]; then
		pass "$exits_what"
		return 0
	fi
	fail "$exits_what"
	diag "exit $rc, not $exits_want: $*"
	head -n 20 out | diag
	head -n 40 err | diag
	return 1
}

# ---- waiting, always with a limit and never longer than needed

# until_true SECONDS COMMAND...
until_true()
{
	until_n=$(($1 * 50))
	shift
	while [ $until_n -gt 0 ]; do
		if "$@"; then
			return 0
		fi
		sleep 0.02
		until_n=$((until_n - 1))
	done
	return 1
}

has_line()
{
	grep -q -e "$2" "$1" 2>/dev/null
}

has_lines()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# Waits until a line of FILE matches.  FILE is new: who runs in the background empties an old one too late, and its lines are
# taken for the new ones.
wait_line()
{
	until_true "${3:-20}" has_line "$1" "$2"
}

# State letter of a process or of a thread (PID/task/TID).
state()
{
	sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null
}

in_state()
{
	case $(state "$1") in
	["$2"]) return 0 ;;
	esac
	return 1
}

# wait_state PID LETTERS [SECONDS]
wait_state()
{
	until_true "${3:-10}" in_state "$1" "$2"
}

gone()
{
	in_state "$1" Z || [ ! -e "/proc/$1" ]
}

# ---- targets

# Kills at the end what was started, and puts back what was changed.
cleanup()
{
	trap - EXIT INT TERM HUP
	for p in $test_pids; do
		kill -KILL "$p" 2>/dev/null
	done
	for p in $test_pids; do
		wait "$p" 2>/dev/null
	done
	eval "$test_restore"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

at_end()
{
	test_restore="$test_restore
$*"
}

# life SECONDS: targets that are started from now on live so long by themselves, or longer where the machine is slow
life()
{
	[ "${TARGET_LIFE:-0}" -ge "$1" ] || TARGET_LIFE=$1
	export TARGET_LIFE
}

# To be killed at the end.
mine()
{
	test_pids="$test_pids $1"
}

not_mine()
{
	not_kept=
	for p in $test_pids; do
		[ "$p" = "$1" ] || not_kept="$not_kept $p"
	done
	test_pids=$not_kept
}

# start NAME|PATH ARG...: a target, ready.  PID is its process, LOG its output.
start()
{
	start_path=$1
	case $start_path in
	*/*) ;;
	*) start_path=$TARGETS/$start_path ;;
	esac
	shift
	start_n=$((${start_n:-0} + 1))
	LOG=$PWD/target.$start_n.log
	"$start_path" "$@" >"$LOG" 2>&1 </dev/null &
	CHILD=$!
	mine $CHILD
	if ! wait_line "$LOG" '^ready '; then
		diag "target $start_path did not get ready:"
		diag <"$LOG"
		bail "$start_path"
	fi
	PID=$(sed -n 's/^ready //p' "$LOG")
	wait_state "$PID" SZRDt
}

# A target that does not start is a failure of the test, not of one line.
bail()
{
	echo "Bail out! $1 does not start"
	exit 1
}

# finish: ends the last target and waits for it.
finish()
{
	finish_pid=${1:-$CHILD}
	kill -CONT "$finish_pid" 2>/dev/null
	kill -KILL "$finish_pid" 2>/dev/null
	wait "$finish_pid" 2>/dev/null
	not_mine "$finish_pid"
}

# own_core_pattern PATTERN: how the kernel names its cores until this test ends; a lock, which children should not
# keep (9<&-), lets one user of the global setting in at a time, and it is put back whatever happens.
own_core_pattern()
{
	pattern_file=/proc/sys/kernel/core_pattern
	exec 9<$pattern_file
	flock -w 100 9 || skip_all "core_pattern is in use by another test"
	pattern=$(cat $pattern_file)
	uses_pid=$(cat /proc/sys/kernel/core_uses_pid)
	at_end "printf '%s\n' '$pattern' >$pattern_file"
	at_end "echo $uses_pid >/proc/sys/kernel/core_uses_pid"
	{ echo "$1" >$pattern_file; } 2>/dev/null || skip_all "core_pattern cannot be set"
	echo 0 >/proc/sys/kernel/core_uses_pid
}

# shellcheck disable=SC2120 # optional
# report [PID [LOG]]: sends SIGUSR1 and prints the target's answer (its next line).
report()
{
	report_log=${2:-$LOG}
	report_n=$(($(wc -l <"$report_log") + 1))
	kill -USR1 "${1:-$PID}" || return 1
	until_true 20 has_lines "$report_log" $report_n || { echo "no answer"; return 1; }
	sed -n "${report_n}p" "$report_log"
}

# goes_on WORD: the number after WORD in the target's reports grows
goes_on()
{
	goes_first=$(report)
	until_true 10 has_grown "$1" "${goes_first#"$1" }"
}

has_grown()
{
	grown_now=$(report)
	test "${grown_now#"$1" }" -gt "$2"
}

# The process, or where its first thread has exited, one that lives
live_of()
{
	for live_tid in "$1" $(ls "/proc/$1/task"); do
		in_state "$1/task/$live_tid" ZX || break
	done
	echo "$live_tid"
}

# field of /proc/PID/status
status_of()
{
	sed -n "s/^$2:[[:space:]]*\([^[:space:]]*\).*/\1/p" "/proc/$1/status"
}

# waiting_program: C text of one that says that it is ready and waits, for tests that have it built in their own ways
waiting_program()
{
	cat <<-'END'
	#include <stdio.h>
	#include <unistd.h>
	int main(void)
	{
		printf("ready %d\n", (int)getpid());
		fflush(stdout);
		return pause();
	}
	END
}

# untraced [PID]: to be waited for after a command was killed: the guardian, which is the tracer, sees its end a moment after we do.
untraced() { [ "$(status_of "${1-$PID}" TracerPid)" = 0 ]; }

# Nobody traces it, and it is not stopped.
runs_free()
{
	until_true 20 untraced "$1"
	is "$2: no tracer is left" "$(status_of "$1" TracerPid)" 0
	until_true 5 in_state "$1" SRD
	like "$2: it is not stopped" "$(state "$1")" '[SRD]'
}

# ---- answers

# json FILE PATH: see targets/jsonq.c
json()
{
	"$TARGETS/jsonq" "$@"
}

# is_json DESCRIPTION FILE: exactly one JSON document
is_json()
{
	if json "$2" >/dev/null; then
		pass "$1"
	else
		fail "$1"
		head -n 5 "$2" | diag
	fi
}

# json_is DESCRIPTION FILE PATH WANT
json_is()
{
	is "$1" "$(json "$2" "$3" 2>&1)" "$4"
}

# has_keys DESCRIPTION FILE PATH KEY...: the object has them; more is allowed
has_keys()
{
	keys_what=$1 keys_found=" $(json "$2" "$3@" 2>&1) " keys_missing=
	shift 3
	for k; do
		case $keys_found in
		*" $k "*) ;;
		*) keys_missing="$keys_missing $k" ;;
		esac
	done
	is "$keys_what" "$keys_missing" ""
}

# matches DESCRIPTION FILE REGEX
matches()
{
	if grep -q -E -e "$3" "$2"; then
		pass "$1"
		return 0
	fi
	fail "$1"
	diag "no line of $2 matches $3:"
	head -n 30 "$2" | diag
	return 1
}

matches_not()
{
	if ! grep -q -E -e "$3" "$2"; then
		pass "$1"
		return 0
	fi
	fail "$1"
	diag "a line of $2 matches $3:"
	grep -E -e "$3" "$2" | head -n 10 | diag
	return 1
}

exists()
{
	if [ -e "$2" ]; then pass "$1"; else fail "$1"; diag "no $2"; fi
}

# No output file, and no temporary beside it.
nothing_left()
{
	is "$1: nothing is left behind" "$(find "${2:-.}" -maxdepth 1 \( -name '*core*' -o -name '.*.??????' \) | head -n 5)" ""
}

# Bytes on disk; bytes long.
disk_of()
{
	stat -c '%b %B' "$1" | { read -r blocks size; echo $((blocks * size)); }
}

size_of()
{
	stat -c %s "$1"
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# gdb_said FILE: without gdb 13's complaint of an XSAVE area of another layout than those it knows (AMX, or less than
# it expects), which it makes of the kernel's own core, too.
gdb_said() { grep -v -e 'reg-xstate.*too small' -e 'Unexpected size of section .\.reg-xstate' "$1"; }

# gdb's "thread apply all bt" as sorted lines "TID NUMBER FUNCTION"
frames()
{
	awk '/^Thread / { tid = $0; sub(/.*(LWP|process) /, "", tid); sub(/[^0-9].*/, "", tid) }
	/^#[0-9]/ && tid { print tid, substr($1, 2), $2 ~ /^0x/ ? $4 : $2 }' | sort -u
}

# full_pipe NAME: a FIFO, open as 9, in which is no room: who writes into it stands still until 9 is read.
full_pipe()
{
	mkfifo "$1"
	exec 9<>"$1"
	dd if=/dev/zero of="$1" bs=4096 count=1000 oflag=nonblock 2>/dev/null
}

# Range of a kind or map line: "START END"
range_of()
{
	sed -n "s/^kind $1 //p" "$LOG"
}

# ---- what only privilege can save

# 1 where pages of shared memory that a target has not mapped in cannot be had: then
# the dump of a target that has such memory ends with exit 1, and says so.
if (for f in "/proc/$$/map_files"/*; do : <"$f"; exit; done) 2>/dev/null; then
	PARTIAL=0
else
	PARTIAL=1
fi

# The ranges that the core says were lost, "START END" a line.
missing_of()
{
	"$TAGCORE" inspect missing "$1" | sed -n \
		's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*  not mapped in, and its file cannot be opened$/\1 \2/p'
}

bytes_of()
{
	bytes_sum=0
	while read -r bytes_start bytes_end; do
		bytes_sum=$((bytes_sum + bytes_end - bytes_start))
	done <"$1"
	echo $bytes_sum
}

# only_lost WHAT CORE [N]: nothing is missing in the core of PID but what cannot be had
# (for root: nothing), and N ranges for another reason.  To be called before anything
# reads the target's memory; leaves CORE.lost.
only_lost()
{
	"$TARGETS/lost" "$2" "$(live_of "$PID")" >"$2.lost" || bail lost
	is "$1: what is missing could not be had" "$(missing_of "$2")" "$(cat "$2.lost")"
	is "$1: nothing else is missing" "$("$TAGCORE" inspect missing "$2" |
		grep '^0x' | grep -vcE '  (rule |guard page: )')" $(($(wc -l <"$2.lost") + ${3-0}))
}

# How many ranges of kinds.c are past the ends of their files: in file-short, and file-elf, which is the program itself.
past_of_kinds()
{
	if [ "$(size_of "$TARGETS/kinds")" -gt $((15 * 4096)) ]; then echo 1; else echo 2; fi
}

# The whole test depends on ptrace: find out once, with a program that is not the tested one.
need_ptrace()
{
	"$TARGETS/threads" 1 >ptrace.log 2>&1 &
	need_pid=$!
	mine $need_pid
	wait_line ptrace.log '^ready' || bail threads
	"$HELPER" trace $need_pid >ptrace2.log 2>&1 &
	need_tracer=$!
	mine $need_tracer
	wait_line ptrace2.log . || bail helper
	grep -q '^ready' ptrace2.log || skip_all "no ptrace: $(cat ptrace2.log)"
	finish $need_tracer
	finish $need_pid
	rm -f ptrace.log ptrace2.log
}
