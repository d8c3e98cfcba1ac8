# dump --snapshot: the target is stopped for a copy only, and it and its world notice nothing of that.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/func/snapshots.sh"

# What it has noticed, and how often it has looked.
noticed() { report | sed 's/ rounds .*//'; }
looked() { report | sed 's/.* rounds //'; }
looks_again() { [ "$(looked)" -gt "$1" ]; }

# one_instant DESCRIPTION CORE [MIB]: the pages are as they were at one instant; all shared memory is in it
one_instant()
{
	is "$1" "$("$TARGETS/unnoticed" check "$2" ${3:+"$3"})" "512 pages of one instant${3:+ and $3 MiB}"
}

: "${SNAPSHOTS:=1 2 3 4 5 6 7 8 9 10}"
# Microseconds after the dump began at which it is killed.
: "${INSTANTS:=0 200 500 1000 1500 2000 3000 5000 8000 12000 20000 40000}"
life 800
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
matches "and what it cost" err 'the copy took .* of page tables, and .* that the process has written to or given back since'
run "$TAGCORE" inspect notes NT_TAGCORE_PAUSE core
matches "the core says so" out 'mode snapshot'
matches "and how large the process was" out 'before rss [0-9]* pte [0-9]* shmem [0-9]* huge [0-9]*'
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
# to_pipe OPTION...: the file piped, and what is known of it
to_pipe() { { "$TAGCORE" dump "$@" -o - "$PID" 2>err; echo $? >rc; } | cat >piped; }
to_pipe -s
is "to a pipe: saved" "$(cat rc)" $PARTIAL
matches "to a pipe: from a snapshot" err '[(]snapshot, '
only_lost "to a pipe" piped
exits 0 "to a pipe: memory is the target's" "$CORECMP" mem piped "$PID" piped.lost
is "to a pipe: as long as a plain core" "$(size_of piped)" "$(size_of plain)"
exits $PARTIAL "compressed: saved" "$TAGCORE" dump -s -z -o packed "$PID"
matches "compressed: from a snapshot" err '[(]snapshot, '
ok "compressed: it unpacks" zstd -q -d -o unpacked packed.zst
exits 0 "compressed: memory is the target's" "$CORECMP" mem unpacked "$PID" piped.lost
kill -CONT "$PID"
finish
unset GLIBC_TUNABLES

# ---- shared memory, which the copy shares, too, in an output that is written front to back
# shared MIB: all of it is as it was in the pause, wherever it was kept
shared()
{
	start unnoticed shared "$1"
	to_pipe -s --filter 0xff
	is "$1 MiB of shared memory, to a pipe: saved" "$(cat rc)" $PARTIAL
	matches "$1 MiB, to a pipe: from a snapshot" err '[(]snapshot, '
	one_instant "$1 MiB, to a pipe: of one instant" piped "$1"
	exits $PARTIAL "$1 MiB, compressed: saved" "$TAGCORE" dump --force --snapshot=require -z --filter 0xff -o packed "$PID"
	rm -f unpacked
	ok "$1 MiB, compressed: it unpacks" zstd -q -d -o unpacked packed.zst
	one_instant "$1 MiB, compressed: of one instant" unpacked "$1"
	is "$1 MiB: it has noticed nothing" "$(noticed)" "noticed 0 nothing"
}
# Fewer are kept in memory, more in a file.
for mib in 3 24; do
	shared $mib
	# Its place turns out to be too small when all stand still.
	{ (ulimit -f 2000; "$TAGCORE" dump -s --filter 0xff -o - "$PID" 2>err; echo $? >rc) } | cat >piped
	is "$mib MiB, no room: saved all the same" "$(cat rc)" $PARTIAL
	matches "$mib MiB, no room: and said" err 'no snapshot: shared memory is to be saved first: write the temporary file'
	one_instant "$mib MiB, no room: of one instant" piped $mib
	(ulimit -f 2000; "$TAGCORE" dump --snapshot=require --filter 0xff -o - "$PID" 2>err; echo $? >rc) | cat >piped
	is "$mib MiB, no room: =require" "$(cat rc)" 2
	is "$mib MiB, no room: nothing is written" "$(size_of piped)" 0
	ok "$mib MiB, no room: no child is left" until_true 10 no_child "$PID"
	is "$mib MiB, no room: nothing is noticed" "$(noticed)" "noticed 0 nothing"
	finish
done
is "no temporary file is left" "$(find . -name 'tagcore-*')" ""
start unnoticed shared 24
if is_root && unshare -m true 2>/dev/null; then
	# The program by a descriptor: it may be below what is hidden here.
	# shellcheck disable=SC2016 # for the inner shell
	run unshare -m sh -c 'exec 3<"$0"; for dir in /tmp /var/tmp; do mount -t tmpfs -o size=16m none $dir || exit 77; done
		exec env -u TMPDIR /proc/self/fd/3 dump --snapshot=require --filter 0xff -o - "$1"' "$TAGCORE" "$PID"
	if [ "$rc" -eq 77 ]; then
		skip "no room anywhere" "cannot mount a tmpfs"
	else
		is "no room anywhere: not saved" "$rc" 2
		matches "no room anywhere: and why" err 'no snapshot: .*: no directory has room for a temporary file of 24'
	fi
fi
finish

# ---- no thread waits in a system call: one makes the calls in the middle of its own code
for mode in compute stale; do
	start owncode $mode
	for i in 1 2 3 4 5; do
		ok "$mode: saved, $i" "$TAGCORE" dump -q --force --snapshot=require -o busy "$PID"
	done
	like "$mode: it has noticed nothing" "$(report)" "faults 0 rounds *"
	runs_free "$PID" "$mode"
	is "$mode: no child is left" "$(children_of "$PID")" ""
	finish
done
# A program that takes its system calls itself: none of ours may be among them.
start owncode dispatch
if ! grep -q 'user dispatch' "$LOG"; then
	run "$TAGCORE" dump -s --force -o busy "$PID"
	is "system calls that are dispatched: saved all the same" "$rc" 0
	like "system calls that are dispatched: it has noticed nothing" "$(report)" "faults 0 rounds *"
	runs_free "$PID" "system calls that are dispatched"
fi

# ---- withdrawn when its areas have been looked at: where that is slow it is not done again in the pause
withdrawn()
{
	finish
	start changes withdraw mapped
	"$TARGETS/killer" "$PID" 12 target seize:1 "$TAGCORE" dump -q --force --snapshot=require -o withdrawn "$PID" >out 2>err
	grep -q '^ended 256 ' out
}
# The process has 30 ms for it.
ok "withdrawn in the last moment: said" until_true 5 withdrawn
secret=$(sed -n 's/^secret //p' "$LOG")
"$TAGCORE" inspect missing withdrawn >out 2>err
matches "and why" out "^$secret-.* withdrawn by MADV_DONTDUMP while it was saved"
ok "and what is left is valid" "$TAGCORE" validate withdrawn
is "and none of it is there" "$(grep -c ssssssssssssssss withdrawn)" 0
rm -f withdrawn
finish

# ---- where there is none, and why
# Where the kernel has just aborted the sequence the thread is outside of it, and can make a call.
start owncode sequence
without() { run "$TAGCORE" dump -s --force -o busy "$PID" && grep -q 'no snapshot' err; }
refused() { rm -f required; run "$TAGCORE" dump --snapshot=require -o required "$PID"; [ "$rc" = 2 ]; }
ok "no thread that can make a call: saved all the same" until_true 20 without
is "no thread that can make a call: exit status" "$rc" 0
matches "and said" err 'no snapshot: no thread of the process waits in a system call.*, or runs where a call would change nothing'
ok "=require: not saved" until_true 20 refused
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
