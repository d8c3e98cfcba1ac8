# dump --no-stop: neither traced nor stopped.  Memory, and what /proc says; never a register that was not read.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
life 290

# saved DESCRIPTION PID [OPTION]...: exit 1, at once, core as OUT says; its tracer and state are as before
saved()
{
	what=$1 of=$2
	shift 2
	rm -f core
	tracer=$(status_of "$of" TracerPid)
	exits 1 "$what: saved, and something is missing" timeout -s KILL 60 "$TAGCORE" dump --no-stop --json "$@" -o core "$of"
	matches "$what: it is said" err 'not stopped in .*INCONSISTENT'
	json_is "$what: and in JSON" out '.dumps[0].inconsistent' true
	json_is "$what: and why" out '.dumps[0].no_stop' true
	json_is "$what: it was not stopped" out '.dumps[0].pause_us' 0
	is "$what: its tracer is the same" "$(status_of "$of" TracerPid)" "$tracer"
	ok "$what: valid" "$TAGCORE" validate core
	matches "$what: validate says what it is" out 'warning tagcore-inconsistent at .* the process was not stopped'
	exits 1 "$what: strictly, it is not" "$TAGCORE" validate --strict core
	ok "$what: inspect" "$TAGCORE" inspect core
	matches "$what: inspect says it" out '^memory +INCONSISTENT: the process was not stopped'
	"$TAGCORE" inspect --json core >summary
	json_is "$what: inspect says it in JSON" summary .inconsistent true
	"$TAGCORE" inspect notes core >notes
	matches "$what: the core has it" notes '^ *inconsistent no-stop$'
	matches "$what: and how" notes '^ *mode no-stop$'
}

# general TID: the names of the general registers that the core has
general()
{
	"$TAGCORE" inspect registers --thread "$1" --json core >regs && json regs '[0].sets.general@'
}

# blocked DESCRIPTION FUNCTION...: each thread has pc and sp alone, and the stacks have those functions
blocked()
{
	what=$1
	shift
	ok "$what: stack" "$TAGCORE" stack core
	for f; do
		matches "$what: stack shows $f" out "#.* $f\\+"
	done
	"$TAGCORE" inspect threads --json core >threads
	is "$what: all threads are there" "$(json threads '#')" "$n_threads"
	n=0
	while [ $n -lt "$n_threads" ]; do
		like "$what: thread $n: pc" "$(json threads "[$n].pc")" '0x[1-9a-f]*'
		like "$what: thread $n: sp" "$(json threads "[$n].sp")" '0x[1-9a-f]*'
		is "$what: thread $n: no other register" "$(general "$(json threads "[$n].tid")" | wc -w)" "$n_regs"
		n=$((n + 1))
	done
}
# sp, pc and on x86 the number of the call
n_regs=2
case $(uname -m) in
x86_64) n_regs=3 ;;
esac
n_threads=4

start threads 3
main_functions='main wait_in_alpha wait_in_beta wait_in_gamma'

# ---- an ordinary one
saved "an ordinary process" "$PID"
# shellcheck disable=SC2086 # words
blocked "an ordinary process" $main_functions
is "it was not disturbed" "$(report)" "alive 3 heap intact"
for word in -z --all; do
	rm -f core core.zst
	exits 1 "with $word" "$TAGCORE" dump --no-stop $word -o core "$PID"
done
"$TAGCORE" dump --no-stop -q -o - "$PID" >core
is "to a stream: exit 1" $? 1
# shellcheck disable=SC2086
blocked "a stream" $main_functions

# ---- its memory, and what is in the core of it
kill -STOP "$PID"
wait_state "$PID" T
saved "a process stopped by SIGSTOP" "$PID"
ok "memory is that of the process" "$CORECMP" mem core "$PID"
is "it is stopped as before" "$(state "$PID")" T
kill -CONT "$PID"

# ---- with another tracer
"$HELPER" trace "$PID" >trace.log 2>&1 </dev/null &
tracer=$!
mine $tracer
wait_line trace.log '^ready' || bail helper
exits 2 "another tracer has it: a stop is refused" "$TAGCORE" dump -o core2 "$PID"
matches "and what helps is said" err "traced by process $tracer \\(helper\\).* --no-stop"
exits 2 "so is a dry run of one" "$TAGCORE" dump --dry-run -o core2 "$PID"
ok "a dry run without a stop is not" "$TAGCORE" dump --dry-run --no-stop -o core2 "$PID"
saved "another tracer has it" "$PID"
# shellcheck disable=SC2086
blocked "another tracer has it" $main_functions
finish $tracer

"$HELPER" hold "$PID" >hold.log 2>&1 </dev/null &
tracer=$!
mine $tracer
wait_line hold.log '^ready' || bail helper
is "a tracer has stopped it" "$(state "$PID")" t
saved "a tracer has stopped it" "$PID"
ok "a tracer has stopped it: memory is that of the process" "$CORECMP" mem core "$PID"
# shellcheck disable=SC2086
blocked "a tracer has stopped it" $main_functions
"$TAGCORE" inspect threads --json core >threads
json_is "a tracer has stopped it: the state is in the core" threads '[1].state' t
is "it is stopped as before" "$(state "$PID")" t
finish $tracer
is "and lives" "$(report)" "alive 3 heap intact"

if have strace; then
	strace -f -o strace.out -p "$PID" >strace.log 2>&1 &
	tracer=$!
	mine $tracer
	until_true 20 has_line "/proc/$PID/status" "^TracerPid:.*$tracer\$" || diag <strace.log
	wait_line strace.log attached
	saved "strace has it" "$PID"
	# shellcheck disable=SC2086
	blocked "strace has it" $main_functions
	is "strace has it: it lives" "$(report)" "alive 3 heap intact"
	finish $tracer
else
	skip "strace has it" "no strace"
fi
if have gdb; then
	mkfifo commands
	sleep 300 >commands &
	mine $!
	gdb -nx -q -p "$PID" -ex 'echo attached\n' <commands >gdb.log 2>&1 &
	tracer=$!
	mine $tracer
	# Killed while it attaches it would leave a thread with the SIGSTOP that this begins with.
	wait_line gdb.log attached 60
	until_true 60 in_state "$PID" t
	saved "gdb has it" "$PID"
	# shellcheck disable=SC2086
	blocked "gdb has it" $main_functions
	finish $tracer
	runs_free "$PID" "gdb is gone"

	# ---- readers
	run gdb -nx -batch -ex 'thread apply all bt' -ex 'info proc' "$TARGETS/threads" core
	# shellcheck disable=SC2086
	for f in $main_functions; do
		matches "gdb shows $f" out "^#.* $f "
	done
	matches_not "gdb has no complaint" err '[Ww]arning|[Cc]ouldn.t|too small'
else
	skip "gdb has it" "no gdb"
	skip "gdb reads it" "no gdb"
fi
if have eu-readelf && have eu-stack; then
	ok "eu-readelf reads it" eu-readelf -nl core
	is "without a complaint" "$(cat err)" ""
	ok "eu-stack reads it" eu-stack --core=core
	matches "and shows stacks" out 'wait_in_beta'
else
	skip "elfutils read it" "no elfutils"
fi
if have lldb; then
	run lldb -b -c core "$TARGETS/threads" -o 'bt all'
	matches "lldb shows stacks" out 'wait_in_gamma'
else
	skip "lldb reads it" "no lldb"
fi
finish

# ---- threads that run: of them there is nothing to be known
start spin 2
n_threads=3
saved "running threads" "$PID"
"$TAGCORE" inspect threads --json core >threads
is "running threads: all are listed" "$(json threads '#')" 3
n=0 unknown=0 zero=0
while [ $n -lt 3 ]; do
	case $(json threads "[$n].pc") in
	null) unknown=$((unknown + 1)) ;;
	0x0) zero=$((zero + 1)) ;;
	esac
	[ "$(general "$(json threads "[$n].tid")" 2>/dev/null | wc -w)" -le $n_regs ] || zero=$((zero + 1))
	n=$((n + 1))
done
is "running threads: no pc is invented" "$zero" 0
ok "running threads: stack" "$TAGCORE" stack core
is "running threads: those without registers are named" "$(grep -c 'its registers are not in the core' out)" "$unknown"
finish

# All of them: gdb 16 crashes on a core without PRSTATUS.
cat >busy.c <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	alarm(290);
	for (volatile long i = 0;; i++)
		;
}
END
cc -O1 -o busy busy.c || bail busy
start "$PWD/busy"
saved "the only thread runs" "$PID"
"$TAGCORE" inspect threads --json core >threads
is "the only thread runs: it is listed once" "$(json threads '#') $(json threads '[0].tid')" "1 $PID"
json_is "the only thread runs: its pc is not known" threads '[0].pc' null
json_is "the only thread runs: nor its sp" threads '[0].sp' null
is "the only thread runs: nor any register" "$(general "$PID")" ""
ok "the only thread runs: stack" "$TAGCORE" stack core
matches "the only thread runs: stack says so" out 'its registers are not in the core'
if have gdb; then
	run gdb -nx -batch -ex 'info threads' busy core
	matches "the only thread runs: gdb opens it" out "$PID"
fi
finish

# ---- those that cannot be stopped
start vforker 250
vfork_began=$(date +%s)
n_threads=2
saved "a thread in vfork(2)" "$PID"
num "a thread in vfork(2): it is not waited for" $(($(date +%s) - vfork_began)) -lt $((5 * SLOWNESS))
# In glibc, the return address of vfork(2) is in a register.
blocked "a thread in vfork(2)" main "_*(libc_)?vfork"
matches "a thread in vfork(2): where it sleeps" notes '^ *not_stopped [0-9]* no-stop [a-z]'
finish

# cgroup VERSION: a new directory of that hierarchy as $group; fails where there is none that we may use
cgroup()
{
	case $1 in
	1) hierarchy=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup .*\bfreezer\b.*/\1/p' /proc/mounts | head -n 1) ;;
	2) hierarchy=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/mounts | head -n 1) ;;
	esac
	group=$hierarchy/tagcore-test.$$
	[ -n "$hierarchy" ] && mkdir "$group" 2>/dev/null || return 1
	at_end "rmdir '$group'"
	[ -e "$group/$freeze" ]
}

thaw() { echo "$thawed" >"$group/$freeze"; }

# is_frozen VERSION
is_frozen()
{
	case $1 in
	1) [ "$(cat "$group/$freeze")" = FROZEN ] ;;
	2) has_line "$group/cgroup.events" '^frozen 1$' ;;
	esac
}

for version in 1 2; do
	case $version in
	1) freeze=freezer.state frozen=FROZEN thawed=THAWED ;;
	2) freeze=cgroup.freeze frozen=1 thawed=0 ;;
	esac
	if ! is_root || ! cgroup $version; then
		skip "a frozen cgroup, version $version" "not root, or no such hierarchy"
		continue
	fi
	start threads 3
	n_threads=4
	echo "$PID" >"$group/cgroup.procs"
	echo $frozen >"$group/$freeze"
	until_true 20 is_frozen $version
	saved "a frozen cgroup, version $version" "$PID"
	ok "a frozen cgroup, version $version: memory" "$CORECMP" mem core "$PID"
	# shellcheck disable=SC2086
	blocked "a frozen cgroup, version $version" $main_functions
	rm -f core
	if [ $version = 1 ]; then
		# No signal wakes it up: with a stop there are no registers either, and that takes its time.
		exits 1 "a frozen cgroup, version 1: with a stop" timeout -s KILL 60 "$TAGCORE" dump --stop-timeout 0.5 -o core "$PID"
		matches "a frozen cgroup, version 1: what it did not stop for" err "did not stop: in a frozen cgroup"
		matches "a frozen cgroup, version 1: what memory may be" err "could run and write to memory"
	else
		ok "a frozen cgroup, version 2: with a stop nothing is missing" timeout -s KILL 60 "$TAGCORE" dump -o core "$PID"
	fi
	ok "a frozen cgroup, version $version: it is frozen as before" is_frozen $version
	thaw
	is "a frozen cgroup, version $version: it lives" "$(report)" "alive 3 heap intact"
	runs_free "$PID" "a frozen cgroup, version $version"
	finish
done

# ---- what contradicts it is refused
start threads 1
for words in --snapshot --snapshot=require "--max-pause 5" --stacks "--stop-timeout 1"; do
	rm -f core
	# shellcheck disable=SC2086
	exits 2 "with $words: refused" "$TAGCORE" dump --no-stop $words -o core "$PID"
	matches "with $words: it is said" err '^tagcore: dump: without a stop \(--no-stop\) there is no '
	is "in one sentence" "$(wc -l <err)" 1
	# shellcheck disable=SC2086
	exits 2 "with $words and --dry-run: refused" "$TAGCORE" dump --no-stop --dry-run $words -o core "$PID"
done
nothing_left "refused" .
finish
done_testing
