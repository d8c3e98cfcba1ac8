# dump --snapshot where there is no room for a copy: it is refused with the reason, and the process is as it was.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
noticed() { report | sed 's/ rounds .*//'; }

# refused WHAT WHY: with =require nothing is saved; without, it is saved while it is stopped
refused()
{
	exits 2 "$1: refused" "$TAGCORE" dump -q --force --snapshot=require -o core.refused "$PID"
	matches "$1: and why" err "no snapshot: .*$2"
	exits 0 "$1: saved while it is stopped" "$TAGCORE" dump --force -s -o core.plain "$PID"
	matches "$1: and says so" err "no snapshot: .*$2.*; it was stopped while it was saved"
	is "$1: it has noticed nothing" "$(noticed)" "noticed 0 nothing"
	ok "$1: no child is left" until_true 10 no_child "$PID"
	runs_free "$PID" "$1"
}

# ---- control groups, of either version
# leave_group DIRECTORY [MOUNT]
# shellcheck disable=SC2317 # at the end
leave_group()
{
	while read -r leave_pid; do
		kill -KILL "$leave_pid"
	done <"$1/cgroup.procs" 2>/dev/null
	until_true 10 rmdir "$1" 2>/dev/null
	[ -z "${2-}" ] || { umount "$2" && rmdir "$2"; }
}

# make_group CONTROLLER: GROUP, a directory with that controller's files; or fails and says WHY
make_group()
{
	WHY='not root'
	is_root || return 1
	top=/sys/fs/cgroup/$1 mounted=
	if [ ! -e "$top/cgroup.procs" ]; then
		top=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/mounts | head -n 1)
		if [ -z "$top" ]; then
			top=$PWD/cgroup2 mounted=$PWD/cgroup2
			mkdir -p "$top"
			mount -t cgroup2 none "$top" 2>/dev/null || { rmdir "$top"; WHY='no control groups'; return 1; }
		fi
		{ echo "+$1" >"$top/cgroup.subtree_control"; } 2>/dev/null
		if ! grep -qw "$1" "$top/cgroup.subtree_control"; then
			WHY="no controller $1"
			[ -z "$mounted" ] || umount "$mounted"
			return 1
		fi
	fi
	GROUP=$top/tagcore-test.$$.$1
	mkdir "$GROUP" 2>/dev/null || { WHY="no group in $top"; return 1; }
	at_end "leave_group '$GROUP' $mounted"
}

if make_group pids; then
	start unnoticed
	echo "$PID" >"$GROUP/cgroup.procs"
	n=$(cat "$GROUP/pids.current")
	for more in 0 1; do
		echo $((n + more)) >"$GROUP/pids.max"
		refused "pids.max, room for $more more" 'pids\.max is '
	done
	echo $((n + 2)) >"$GROUP/pids.max"
	snapshot "pids.max, room for 2 more"
	ok "it is enough: no child is left" until_true 10 no_child "$PID"
	is "nor does anything else count" "$(cat "$GROUP/pids.current")" "$n"
	is "it has noticed nothing" "$(noticed)" "noticed 0 nothing"
	echo max >"$GROUP/pids.max"
	finish
else
	skip "pids.max" "$WHY"
fi

file_of() { if [ -e "$GROUP/$1" ]; then echo "$GROUP/$1"; else echo "$GROUP/$2"; fi; }

# room BYTES: that much more than is in use now and would not be given back
room()
{
	used=$(cat "$(file_of memory.current memory.usage_in_bytes)")
	back=$(sed -n 's/^inactive_file //p' "$GROUP/memory.stat")
	echo $((used - back + $1)) >"$(file_of memory.max memory.limit_in_bytes)"
}

# ---- memory: the copy is killed, as the kernel does that where it is short
start unnoticed
hold_copy "the copy is killed"
kill -KILL "$COPY"
cat <held >/dev/null 9>&- &
reader=$!
mine $reader
wait $dumper
is "the copy is killed: the dump has failed" $? 2
not_mine $dumper
exec 9>&-
wait $reader
not_mine $reader
matches "the copy is killed: and says so" held.err 'the snapshot of process [0-9]* was killed while it was read'
is "the copy is killed: the process has noticed nothing" "$(noticed)" "noticed 0 nothing"
ok "the copy is killed: no child is left" until_true 10 no_child "$PID"
runs_free "$PID" "the copy is killed"
finish
if make_group memory; then
	# What it has used before is charged to another group.
	# shellcheck disable=SC2016 # for that shell
	start /bin/sh -c 'echo $$ >"$1/cgroup.procs"; exec "$2"' sh "$GROUP" "$TARGETS/unnoticed"
	# Its page tables would have room, but not what it could write to while the copy is there.
	room $((1200 << 10))
	refused "memory.max, room for page tables only" 'has no room for it: memory'
	# Room for both: it may write to all that it has.
	room $(($(status_of "$PID" VmRSS) * 1024 + (1200 << 10)))
	hold_copy "memory.max, with room"
	# shellcheck disable=SC2317 # as an argument
	looked() { [ "$(report | sed 's/.* rounds //')" -gt "$1" ]; }
	ok "memory.max, with room: it goes on" until_true 20 looked "$(report | sed 's/.* rounds //')"
	end_copy "memory.max, with room"
	is "memory.max: the kernel has killed nothing" \
		"$(sed -n 's/^oom_kill //p' "$(file_of memory.events memory.oom_control)")" 0
	is "it has noticed nothing" "$(noticed)" "noticed 0 nothing"
	runs_free "$PID" "memory.max"
	finish
else
	skip "memory.max" "$WHY"
fi

# ---- RLIMIT_NPROC, which does not count for root
# It has 7 threads, and nobody else is that user.
if is_root && have setpriv && have prlimit; then
	for more in 0 1 2; do
		start "$(command -v prlimit)" --nproc=$((7 + more)) setpriv --reuid 64321 --clear-groups "$TARGETS/unnoticed"
		if [ $more = 2 ]; then
			snapshot "RLIMIT_NPROC, room for 2 more"
			is "it has noticed nothing" "$(noticed)" "noticed 0 nothing"
		else
			refused "RLIMIT_NPROC, room for $more more" 'RLIMIT_NPROC'
		fi
		finish
	done
else
	skip "RLIMIT_NPROC" "not root, or no setpriv(1) or prlimit(1)"
fi

# ---- children that would be in another pid namespace, and end it
unshare_pid() { have unshare && unshare --pid --fork true 2>/dev/null; }
if unshare_pid; then
	start "$(command -v unshare)" --pid "$TARGETS/kinds"
	exits 2 "another pid namespace for children: refused" "$TAGCORE" dump -q --force --snapshot=require -o core.ns "$PID"
	matches "and why" err 'no snapshot: children of the process would be in another pid namespace'
	is "it lives" "$(report)" alive
	finish
else
	skip "another pid namespace for children" "no unshare(1), or no right to"
fi
done_testing
