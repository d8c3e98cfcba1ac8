# dump: what is under MADV_DONTDUMP at the moment of the stop is never in a core.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
# A slow machine (an emulated one) takes longer than a target lives by itself.
life 290

start secret
rounds=$(soak_or 20 60)
found=0 failed=0 n=0
while [ $n -lt "$rounds" ]; do
	"$TAGCORE" dump -q --force -o core "$PID" 2>>err || failed=$((failed + 1))
	! grep -q 'the-secret-of-the-page' core || found=$((found + 1))
	n=$((n + 1))
done
is "$rounds dumps" "$failed $(cat err)" "0 "
# tagcore-dump(1): where asking takes longer than 50 ms of processor time, it is not asked again in the stop.
if [ "$SLOWNESS" -gt 1 ]; then
	skip "none has the secret" "to ask for some areas takes 50 ms in an emulated machine (found $found times)"
else
	is "none has the secret" "$found" 0
fi
# The test would see it: it is there when all is asked for.
n=0 found=0
while [ $n -lt 60 ] && [ $found -eq 0 ]; do
	"$TAGCORE" dump -q --all --force -o core "$PID"
	! grep -q 'the-secret-of-the-page' core || found=1
	n=$((n + 1))
done
is "with --all it is found" "$found" 1
runs_free "$PID" "the process"
done_testing
