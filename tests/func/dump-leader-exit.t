# dump: the first thread has exited, others live: a full dump, where gdb makes none.
. "$TOP/tests/func/lib.sh"
need_ptrace
start leaderexit 4
is "the leader is a zombie" "$(state "$PID")" Z
ok "dump" "$TAGCORE" dump -o core "$PID"
diag <err
ok "it validates" "$TAGCORE" validate core
num "it has memory" "$(size_of core)" -gt 65536
"$CORECMP" notes core >notes
is "a PRSTATUS for each of the four that live" \
	"$(awk '$1 == "CORE" && $2 == "0x1" { print $4 }' notes | grep -cv "^$PID\$")" 4
is "the file table is there" "$(grep -c '^CORE 0x46494c45 ' notes)" 1
is "the auxiliary vector is there" "$(grep -c '^CORE 0x6 ' notes)" 1
is "all four live" "$(report)" alive
live=$(cd "/proc/$PID/task" && for t in *; do [ "$t" = "$PID" ] || echo "$t"; done | head -n 1)
is "no tracer is left" "$(status_of "$PID/task/$live" TracerPid)" 0
# The words are for that shell.
# shellcheck disable=SC2016
ok "by a live thread's number, too, or refused with a word" sh -c '
	"$1" dump -q -o core2 "$2" 2>err2 || { [ $? -eq 2 ] && grep -q . err2; }' sh "$TAGCORE" "$live"
if have gdb; then
	run gdb -nx -batch -ex 'thread apply all bt' "$TARGETS/leaderexit" core
	# libthread_db adds the one that has exited, from the program's own list.
	is "gdb sees the threads" "$(grep '^Thread ' out | grep -vc Exiting)" 4
	matches_not "gdb misses no file" err "Can't open file"
	matches "and where they are" out 'live_without_leader'
else
	skip "gdb" "not installed"
fi
ok "dry-run" "$TAGCORE" dump --dry-run "$PID"
num "has areas" "$(wc -l <out)" -gt 10
done_testing
