# dump --snapshot: others see nothing of it: children and who waits for them, files, locks, sockets, shared memory.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
: "${SNAPSHOTS:=1 2 3}"

noticed() { report | sed 's/ rounds .*//; s/ something .*//'; }

# ---- waiting for children, in every way
start waits
for i in $SNAPSHOTS; do
	snapshot "waits for a child: snapshot $i"
done
hold_copy "waits for a child"
end_copy "waits for a child"
is "no wait has found the copy, and none was ended" "$(noticed)" "noticed 0 nothing"
is "the child is the only one" "$(children_of "$PID" | wc -w)" 1
finish
start waits alone
for i in $SNAPSHOTS; do
	snapshot "has no child: snapshot $i"
done
is "has no child: no wait has found the copy" "$(noticed)" "noticed 0 nothing"
is "before, there was nothing to wait for" "$(report | sed 's/.* //')" "$(report | sed 's/.* //')"
hold_copy "has no child"
first=$(report | sed 's/.* //')
more() { [ "$(report | sed 's/.* //')" -gt "$first" ]; }
ok "has no child: with __WALL there is something to wait for meanwhile (as documented)" until_true 10 more
end_copy "has no child"
ok "has no child: afterwards it has none" until_true 10 no_child "$PID"
is "has no child: still no wait has found the copy" "$(noticed)" "noticed 0 nothing"
finish

# ---- pid 1 of a namespace, and a subreaper; all of ours killed
# whole_killed WHAT: command and guardian at once, with SIGKILL
whole_killed()
{
	hold_copy "$1"
	kill -KILL $dumper "$(status_of "$COPY" TracerPid)"
	wait $dumper 2>/dev/null
	not_mine $dumper
	exec 9>&-
	ok "$1: the copy dies with us" until_true 20 no_living_child "$PID"
	runs_free "$PID" "$1"
	is "$1: no SIGCHLD, and nothing to wait for" "$(noticed)" "noticed 0 nothing"
}
reports_rounds() { [ "$(report | sed 's/.* rounds //')" -gt "$1" ]; }

for kind in subreaper init; do
	if [ $kind = subreaper ]; then
		start unnoticed subreaper
	else
		user=
		is_root || user=-Ur
		LOG=$PWD/init.log
		unshare $user --pid --fork --kill-child --mount-proc "$TARGETS/unnoticed" >"$LOG" 2>&1 </dev/null &
		CHILD=$!
		mine $CHILD
		wait_line "$LOG" '^ready ' 10
		is_one=$(sed -n 's/^ready //p' "$LOG")
		[ "$is_one" = 1 ] || { skip "pid 1 of a namespace" "$(head -n 1 "$LOG")"; finish; continue; }
		PID=$(cat "/proc/$CHILD/task/$CHILD/children")
		PID=${PID% }
		mine "$PID"
	fi
	for i in $SNAPSHOTS; do
		snapshot "$kind: snapshot $i"
	done
	is "$kind: it has no child" "$(children_of "$PID")" ""
	hold_copy "$kind"
	ok "$kind: it goes on" until_true 10 reports_rounds "$(report | sed 's/.* rounds //')"
	end_copy "$kind"
	is "$kind: it has noticed nothing" "$(noticed)" "noticed 0 nothing"
	whole_killed "$kind, all of ours killed"
	not_mine "$PID"
	finish
done

# ---- files and memory that are given up while the copy lives
start world
# Shared memory would have to be saved first, which a pipe has no place for.
hold_copy "what others see" --filter 1
is "what it gives up is free at once" "$(report)" "released"
end_copy "what others see"
finish
start world
port=$(sed -n 's/^port //p' "$LOG")
is "its port is in use" "$("$TARGETS/world" bind "$port")" taken
hold_copy "it dies" --filter 1
kill -KILL "$PID"
wait "$CHILD" 2>/dev/null
is "it dies while the copy lives: its port is free" "$("$TARGETS/world" bind "$port")" free
ok "and the copy lives" kill -0 "$COPY"
exec 8<held
cat <&8 >rest 9>&- &
reader=$!
mine $reader
exec 8<&- 9>&-
wait $dumper
rc=$?
not_mine $dumper
is "the dump of a process that has died is complete" "$rc" 0
wait $reader
not_mine $reader
finish

# ---- filters of system calls: the calls are not the process's own
for action in log errno trap kill; do
	start unnoticed "$action"
	if is_root; then
		snapshot "a filter ($action) does not see the calls"
	else
		exits 2 "a filter ($action): refused" "$TAGCORE" dump -q --snapshot=require -o filtered "$PID"
		matches "and why ($action)" err 'no snapshot: the process has a seccomp filter'
		exits 0 "a filter ($action): saved while it is stopped" "$TAGCORE" dump -q -s -o "plain.$action" "$PID"
	fi
	runs_free "$PID" "a filter ($action)"
	is "a filter ($action): nothing is noticed" "$(noticed)" "noticed 0 nothing"
	finish
done
done_testing
