# dump --snapshot: the target is stopped for a copy only, and it and its world notice nothing of that.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/func/snapshots.sh"

# What it has noticed, and how often it has looked.
noticed() { report | sed 's/ rounds .*//'; }
looked() { report | sed 's/.* rounds //'; }
looks_again() { [ "$(looked)" -gt "$1" ]; }

# one_instant DESCRIPTION CORE: the pages are as they were at one instant
one_instant()
{
	is "$1" "$("$TARGETS/unnoticed" check "$2")" "512 pages of one instant"
}

: "${SNAPSHOTS:=1 2 3 4 5 6 7 8 9 10}"
# Microseconds after the dump began at which it is killed.
: "${INSTANTS:=0 200 500 1000 1500 2000 3000 5000 8000 12000 20000 40000}"
TARGET_LIFE=800
export TARGET_LIFE
start unnoticed
for i in $SNAPSHOTS; do
	rm -f core
	ok "snapshot $i" "$TAGCORE" dump -q --snapshot=require --json -o core "$PID"
	json_is "$i: it was one" out '.dumps[0].snapshot' true
	json_is "$i: all threads are in it" out '.dumps[0].threads' 7
	one_instant "$i: of one instant" core
	ok "$i: no child is left" until_true 10 no_child "$PID"
done
ok "it validates" "$TAGCORE" validate core
run "$TAGCORE" dump -s --force -o core "$PID"
matches "the report says so" err '(snapshot, made in [0-9.]* ms)'
run "$GCORE" -s -o pre "$PID"
matches "gcore" out "^Saved corefile pre\.$PID\$"
one_instant "gcore: of one instant" "pre.$PID"
runs_free "$PID" "after all that"
is "it has noticed nothing" "$(noticed)" "noticed 0 nothing"

# ---- the output stands still: the target does not
mkfifo fifo
exec 9<>fifo
dd if=/dev/zero of=fifo bs=4096 count=1000 oflag=nonblock 2>/dev/null
"$TAGCORE" dump -q -s -o fifo "$PID" 2>err &
dumper=$!
mine $dumper
ok "the target runs while the output stands still" until_true 20 copied
ok "and goes on" until_true 10 looks_again "$(looked)"
kill -TERM $dumper
wait $dumper
is "a signal ends the dump" $? 2
not_mine $dumper
ok "and the copy" until_true 10 no_child "$PID"
"$TAGCORE" dump -q -s -o fifo "$PID" 2>err &
dumper=$!
mine $dumper
ok "once more" until_true 20 copied
kill -KILL $dumper
wait $dumper 2>/dev/null
not_mine $dumper
ok "killed: the copy ends, too" until_true 20 no_living_child "$PID"
exec 9>&-

# ---- killed at any moment
for sig in 15 9; do
	for us in $INSTANTS; do
		"$HELPER" end-at "$PID" $sig $us "$TAGCORE" dump -q -s --force -o killed "$PID" >out 2>err
		until_true 20 untraced || fail "signal $sig at $us: nobody traces it"
		until_true 20 no_living_child "$PID" || fail "signal $sig at $us: the copy has ended"
	done
done
runs_free "$PID" "killed"
is "killed: it has noticed nothing" "$(noticed)" "noticed 0 nothing"
ok "killed: it goes on" until_true 10 looks_again "$(looked)"
is "no temporary file is left" "$(find . -name '.core-tagcore-*')" ""
finish

# ---- memory that fork(2) does not copy, and memory that it shares
# The kernel writes the processor's number into the rseq area of a thread that it runs.
GLIBC_TUNABLES=glibc.pthread.rseq=0
export GLIBC_TUNABLES
start kinds
kill -STOP "$PID"
wait_state "$PID" T
exits $PARTIAL "of a stopped process" "$TAGCORE" dump -s --force -o core "$PID"
matches "it was a snapshot" err '[(]snapshot, '
only_lost "snapshot" core
exits 0 "memory is the target's" "$CORECMP" mem core "$PID" core.lost
exits $PARTIAL "to compare with" "$TAGCORE" dump -o plain "$PID"
is "as long as a plain core" "$(size_of core)" "$(size_of plain)"
is "the same program headers" "$(readelf -lW core 2>/dev/null)" "$(readelf -lW plain 2>/dev/null)"
"$CORECMP" notes core | grep -v TAGCORE >notes.core
"$CORECMP" notes plain | grep -v TAGCORE >notes.plain
ok "the same notes" diff notes.core notes.plain
is "it stays stopped" "$(state "$PID")" T
{ "$TAGCORE" dump -s -o - "$PID" 2>err; echo $? >rc; } | cat >piped
is "to a pipe it is saved all the same" "$(cat rc)" $PARTIAL
matches "and said why it was stopped" err 'no snapshot: memory that is shared with others is to be saved first'
kill -CONT "$PID"
finish
unset GLIBC_TUNABLES

# ---- where there is none, and why
start /bin/sh -c 'echo ready $$; while :; do :; done'
run "$TAGCORE" dump -s -o busy "$PID"
is "no thread in a system call: saved all the same" "$rc" 0
matches "and said" err 'no snapshot: no thread of the process waits in a system call'
exits 2 "=require: not saved" "$TAGCORE" dump --snapshot=require -o required "$PID"
matches "and said, too" err 'no snapshot: no thread of the process waits'
is "nothing is left" "$(echo required*)" "required*"
exits 2 "another word is refused" "$TAGCORE" dump --snapshot=yes -o required "$PID"
runs_free "$PID" "refused"
finish
start uffd
if ! grep -q '^refused' "$LOG"; then
	exits 2 "a userfaultfd monitor: not saved" timeout -s KILL 100 "$TAGCORE" dump --snapshot=require -o required "$PID"
	matches "and why" err 'no snapshot: the process has memory with a userfaultfd monitor'
	runs_free "$PID" "a userfaultfd monitor"
fi
finish
start unnoticed kill
if is_root; then
	ok "a seccomp filter does not see the calls" "$TAGCORE" dump -q --snapshot=require -o filtered "$PID"
else
	exits 2 "a seccomp filter: not saved" "$TAGCORE" dump -q --snapshot=require -o filtered "$PID"
fi
runs_free "$PID" "a seccomp filter"
is "a seccomp filter: nothing is noticed" "$(noticed)" "noticed 0 nothing"
done_testing
