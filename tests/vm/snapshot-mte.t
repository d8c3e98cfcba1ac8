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
	# Checksums are of the tags, too.
	ok "$what: with checksums" "$TAGCORE" dump -q --force --checksums -o summed "$PID"
	exits 0 "$what: which are right" "$TAGCORE" validate --strict summed
	exits 0 "$what: and the same tags" "$VM/mtecmp" cores summed plain
	at=$("$TAGCORE" inspect headers summed | awk '$2 == "MEMTAG_MTE" { print $4; exit }')
	at=$((at + 5))
	byte=$(od -An -tu1 -j $at -N 1 summed)
	# shellcheck disable=SC2059 # the byte is in the format
	printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of=summed bs=1 seek=$at conv=notrunc status=none
	exits 1 "$what: a tag that is damaged is found" "$TAGCORE" validate summed
	matches "$what: where it is" out "tagcore-checksums at $(printf '0x%x' $((at >> 20 << 20))):"
	kill -CONT "$PID"
	runs_free "$PID" "$what"
	finish
done
done_testing
