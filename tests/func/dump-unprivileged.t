# dump by an ordinary user, also where root runs the tests: what can be saved is, the rest is said.
# shellcheck disable=SC2086 # $user is a command and its options
. "$TOP/tests/func/lib.sh"
user=
if is_root; then
	have setpriv || skip_all "root, and no setpriv(1) to become somebody else"
	user='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all'
	$user test -x "$TAGCORE" -a -x "$HELPER" 2>/dev/null || skip_all "the build directory is closed to others"
	# By relative names: the way here may be closed.
	chmod 755 . && mkdir -m 777 work || bail "a directory for others"
	cd work || bail "a directory for others"
fi
need_ptrace
# As that user, so that its own rights decide.
lose=1
# The words are for that shell.
# shellcheck disable=SC2016
if $user sh -c '(for f in "/proc/$$/map_files"/*; do : <"$f"; exit; done) 2>/dev/null'; then
	lose=0
fi

# start_as TARGET ARG...: as that user
start_as()
{
	as_name=$1
	shift
	# shellcheck disable=SC2086
	start /usr/bin/env $user "$TARGETS/$as_name" "$@"
}

# ---- memory that only privilege can save
start_as kinds
kill -STOP "$PID"
wait_state "$PID" T
exits $lose "kinds" $user "$TAGCORE" dump --json -o kinds "$PID"
cp out report.json
$user "$TARGETS/lost" kinds "$PID" >kinds.lost
num "there is something to lose" "$(wc -l <kinds.lost)" -ge $lose
is "missing is what nobody but root could have saved" "$(missing_of kinds)" "$(cat kinds.lost)"
json_is "and nothing else" report.json '.dumps[0].missing#' "$(wc -l <kinds.lost)"
is "a line of the report says how much" "$(grep -c "MISSING .* in $(wc -l <kinds.lost) ranges" err)" $lose
exits 0 "all else is the target's, byte for byte" "$CORECMP" mem kinds "$PID" kinds.lost
ok "it validates" $user "$TAGCORE" validate kinds
range=$(range_of memfd-open)
is "what is open as a descriptor is saved" "$("$CORECMP" state kinds "${range% *}")" present
kill -CONT "$PID"
is "it lives" "$(report)" alive
finish

# ---- a process without such memory
start_as threads 4
ok "threads" $user "$TAGCORE" dump -o threads "$PID"
matches "nothing is missing" err 'nothing missing'
ok "it validates" $user "$TAGCORE" validate threads
is "it lives" "$(report)" "alive 4 heap intact"
runs_free "$PID" "after that"
finish

# ---- another user's process, with one capability and with two
# with CAPABILITY,... COMMAND...: as a third user
with()
{
	with_caps="-all,+$(echo "$1" | sed 's/,/,+/g')"
	shift
	setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps="$with_caps" --ambient-caps="$with_caps" \
		--bounding-set="$with_caps" "$@"
}

start_as threads 2
# A program for root and others: the sanitizers' would look for the capability to look at itself.
if is_root && with sys_ptrace,dac_read_search true 2>/dev/null; then
	mkdir -m 777 caps
	for caps in sys_ptrace dac_read_search; do
		exits 2 "$caps alone: exit 2" with $caps "$O/tagcore" dump -o caps/core "$PID"
		is "$caps alone: one sentence" "$(wc -l <err)" 1
		is "$caps alone: the target was not stopped" "$(state "$PID")" S
		is "$caps alone: nothing is left behind" "$(ls -A caps)" ""
	done
	exits 2 "stack, too" with sys_ptrace "$O/tagcore" stack "$PID"
	matches "what is missing is named" err "CAP_DAC_READ_SEARCH is missing"
	matches "and what helps" err "setcap cap_sys_ptrace,cap_dac_read_search[+]ep"
	ok "with both" with sys_ptrace,dac_read_search "$O/tagcore" dump -o caps/core "$PID"
	ok "it validates" "$TAGCORE" validate caps/core
	is "it lives" "$(report)" "alive 2 heap intact"
	finish
	# A file that has no name any more is opened by its link in map_files (fs/proc/base.c: proc_map_files_get_link()).
	start_as kinds
	ok "with CAP_CHECKPOINT_RESTORE, too: nothing is missing" with sys_ptrace,dac_read_search,checkpoint_restore \
		"$O/tagcore" dump -o caps/kinds "$PID"
	matches "and that is said" err 'nothing missing'
	finish
	start_as threads 2
else
	skip "capabilities" "not root, or they cannot be given"
fi
finish

# ---- a process that does not want to be looked at
start_as "${HELPER##*/}" undumpable
mkdir -m 777 none
exits 2 "PR_SET_DUMPABLE 0: exit 2" $user "$TAGCORE" dump -o none/core "$PID"
is "one sentence" "$(wc -l <err)" 1
matches "that says what it is and what to do" err "process $PID is not dumpable .*PR_SET_DUMPABLE.*root"
is "nothing is left behind" "$(ls -A none)" ""
exits 2 "--dry-run, too" $user "$TAGCORE" dump --dry-run "$PID"
matches "for the same reason" err "process $PID is not dumpable"
if is_root; then
	ok "root dumps it" "$TAGCORE" dump -o root.core "$PID"
	ok "and that validates" "$TAGCORE" validate root.core
else
	skip "root dumps it" "not root"
fi
finish
done_testing
