# Registers of newer processors, in use: ours has every note that the kernel's core has, with the same bytes.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
machine_begin
# The kernel stores CPU numbers in the rseq area between the two dumps.
GLIBC_TUNABLES=glibc.pthread.rseq=0
export GLIBC_TUNABLES

start "$VM/newregs"
sed -n 's/^has //p' "$LOG" | diag
run "$TAGCORE" dump -o ours "$PID"
is "dump" "$rc" 0 || diag <err
kill -ABRT "$PID"
wait "$CHILD" 2>/dev/null
not_mine "$CHILD"
mv "kernel.$PID" kernel
exits 0 "notes, segments and memory are the kernel's" "$CORECMP" kernel ours kernel
diag <out
is "the same notes in the same order" "$("$CORECMP" notes ours | sed '/TAGCORE/d')" "$("$CORECMP" notes kernel)"
for core in ours kernel; do
	exits 0 "$core validates without a warning" "$TAGCORE" validate --strict $core
	[ "$rc" -eq 0 ] || diag <out
done

run "$TAGCORE" inspect notes ours
cp out notes
while read -r name type; do
	if grep -q "^has $name" "$LOG"; then
		matches "$name has a note" notes "$type"
	else
		skip "$name" "this processor or kernel has none"
	fi
done <<'END'
gcs NT_ARM_GCS
za NT_ARM_ZA
zt NT_ARM_ZT
fpmr NT_ARM_FPMR
END
done_testing
