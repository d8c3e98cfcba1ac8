# Backtraces of live processes: many threads in one pause, other namespaces, 32-bit programs, an exited
# first thread; and the target runs on.
. "$TOP/tests/func/lib.sh"
need_ptrace

# ---- many threads, in one pause
start threads 500
ok "many threads" "$TAGCORE" stack --no-group "$PID"
is "many threads: all of them" "$(sed -n 's/^TID \([0-9]*\).*/\1/p' out | sort -n)" "$(cd "/proc/$PID/task" && printf '%s\n' * | sort -n)"
matches_not "many threads: none is incomplete" out incomplete
is "many threads: each is in the function it waits in" "$(grep -c ' wait_in_' out)" 500
matches "many threads: one pause" out '^PID [0-9]+ - process, stopped for [0-9.]+ ms$'
runs_free "$PID" "many threads"
ok "one of them" "$TAGCORE" stack --thread "$PID" "$PID"
is "one of them: no other" "$(grep -c '^TID ' out)" 1

# ---- from a snapshot: the same, and the process runs on while its stacks are copied
case $(uname -m) in
x86_64 | aarch64)
	"$TAGCORE" stack --no-group "$PID" | tail -n +2 >plain
	ok "snapshot" "$TAGCORE" stack --snapshot=require --no-group "$PID"
	matches "snapshot: the head line says so" out '^PID [0-9]+ - process, stopped for [0-9.]+ ms \(snapshot, made in [0-9.]+ ms\)$'
	tail -n +2 out >shot
	ok "snapshot: the same backtraces" diff plain shot
	ok "snapshot: JSON" "$TAGCORE" stack -s --json "$PID"
	is_json "snapshot: one document" out
	json_is "snapshot: JSON says so" out .snapshot true
	json_is "snapshot: without a reason against it" out .no_snapshot null
	num "snapshot: and how long it took" "$(json out .fork_us)" -gt 0
	runs_free "$PID" "snapshot"
	is "snapshot: no child is left" "$(cat "/proc/$PID/task"/*/children)" ""
	;;
esac
ok "JSON without a snapshot" "$TAGCORE" stack --json "$PID"
json_is "JSON: there is none" out .snapshot false
num "JSON: how long it was stopped" "$(json out .pause_us)" -gt 0
exits 2 "a snapshot of a core is refused" "$TAGCORE" stack -s ./core
exits 2 "another word is refused" "$TAGCORE" stack --snapshot=no "$PID"

# Killed wherever it may be: nothing stays stopped.
for n in 1 2 3 4 5 6; do
	timeout -s KILL "0.00$((n * 3))" "$TAGCORE" stack "$PID" >/dev/null 2>&1
done
for task in "/proc/$PID/task"/*; do
	until_true 5 in_state "$PID/task/${task##*/}" SRD || break
done
is "killed: every thread runs or sleeps" "$(cat "/proc/$PID/task"/*/stat | sed 's/.*) \(.\).*/\1/' | grep -c '[Tt]')" 0
until_true 20 untraced
runs_free "$PID" "killed"
is "killed: it lives" "$(report | cut -d' ' -f1)" alive
finish

# ---- a thread that does not stop, in vfork(2): where it is, but what is not known of it is not zero
start vforker $((6 * SLOWNESS))
ok "does not stop" "$TAGCORE" stack "$PID"
matches "does not stop: where it is" out '^#0 .* __?(libc_)?vfork\+0x'
is "does not stop: no caller is made up, nor taken for none" "$(sed -n '/vfork/,$p' out | grep -c 'incomplete: ')" 1
num "does not stop: the others wait no more than a second for it" \
	"$(sed -n '1s/.*stopped for \([0-9]*\).*/\1/p' out)" -lt $((3000 * SLOWNESS))
ok "does not stop: JSON" "$TAGCORE" stack --json "$PID"
json_is "does not stop: JSON: complete" out .threads[1].complete false
ok "does not stop: vfork ends" wait_line "$LOG" "^vfork done" $((20 * SLOWNESS))
runs_free "$PID" "does not stop"
finish

# ---- the first thread has exited
start leaderexit 3
ok "leader exited" "$TAGCORE" stack "$PID"
is "leader exited: the three that live" "$(grep -c '^TID ' out)" 3
matches "leader exited: where they are" out live_without_leader
finish

# ---- an ordinary user's own process
if is_root && have setpriv; then
	cp "$TARGETS/threads" "$TAGCORE" . && chmod 755 . threads tagcore
	setpriv --reuid 65534 --regid 65534 --clear-groups ./threads 3 >user.log 2>&1 &
	mine $!
	wait_line user.log '^ready ' || bail threads
	user_pid=$(sed -n 's/^ready //p' user.log)
	run setpriv --reuid 65534 --regid 65534 --clear-groups ./tagcore stack "$user_pid"
	is "ordinary user: exit status" $rc 0
	is "ordinary user: all threads" "$(grep -c '^TID ' out)" 4
	matches "ordinary user: by name" out ' wait_in_'
	finish "$user_pid"
else
	skip "ordinary user" "not root, or no setpriv"
fi

# ---- files that are only in the process's own mounts
mkdir there
# The words are for that shell.
# shellcheck disable=SC2016
unshare -m --kill-child --fork sh -c 'mount -t tmpfs none there && cp "$1" there/hidden && cd there && exec "$PWD/hidden" 2' \
	sh "$TARGETS/threads" >there.log 2>&1 </dev/null &
mine $!
until_true 10 has_line there.log .
there=$(sed -n 's/^ready //p' there.log)
if [ "$there" ]; then
	mine "$there"
	is "other mounts: the program is not to be seen here" "$(ls there)" ""
	ok "other mounts: live" "$TAGCORE" stack "$there"
	matches "other mounts: live: by name" out 'wait_in_.*there/hidden'
	ok "other mounts: dump" "$TAGCORE" dump -q -o there.core "$there"
	ok "other mounts: core" "$TAGCORE" stack there.core
	matches_not "other mounts: core: names are not to be had" out 'wait_in_'
	matches "other mounts: core: says why" err 'there/hidden: no such file here'
	kill "$there"
else
	skip "other mounts" "no mount namespace: $(head -n 1 there.log)"
fi

# ---- a 32-bit program
if [ -x "$TARGETS/calls32" ] && "$TARGETS/calls32" exit 2>/dev/null; then
	start calls32
	ok "32-bit" "$TAGCORE" stack "$PID"
	num "32-bit: threads" "$(grep -c '^TID ' out)" -gt 1
	is "32-bit: a frame of each" "$(grep -c '^#0 ' out)" "$(grep -c '^TID ' out)"
	finish
else
	skip "32-bit" "no such program here"
fi
done_testing
