# Snapshots of processes with memory tags, which are read from the copy.
. "$TOP/tests/func/lib.sh"
VM=$O/vm
# As in dump-snapshot.t.
GLIBC_TUNABLES=glibc.pthread.rseq=0
export GLIBC_TUNABLES

for target in "$VM/mtetags 64M" "$VM/mteheap sleep" "$VM/mtethreads"; do
	# shellcheck disable=SC2086 # a program and its arguments
	start $target
	what=${target##*/}
	kill -STOP "$PID"
	wait_state "$PID" T
	ok "$what: plain" "$TAGCORE" dump -q --force -o plain "$PID"
	ok "$what: snapshot" "$TAGCORE" dump --force --snapshot=require -o snapshot "$PID"
	diag <err
	exits 0 "$what: the same tags" "$VM/mtecmp" cores snapshot plain
	exits 0 "$what: the same memory" "$O/targets/corecmp" mem snapshot "$PID"
	ok "$what: it validates" "$TAGCORE" validate --strict snapshot
	kill -CONT "$PID"
	runs_free "$PID" "$what"
	finish
done
done_testing
