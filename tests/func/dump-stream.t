# dump -o -: a pipe, never seeks; the same core as a file.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
start kinds
kill -STOP "$PID"
wait_state "$PID" T

# piped OPTION...: dump -o - through a pipe into the file piped; status in rc
piped()
{
	{ "$TAGCORE" dump -o - "$@" 2>err; echo $? >rc.file; } | cat >piped
	rc=$(cat rc.file)
}

exits $PARTIAL "to a file" "$TAGCORE" dump -o file "$PID"
piped "$PID"
is "to a pipe" "$rc" $PARTIAL
diag <err
is "one report line on standard error" "$(grep -c '^standard output: ' err)" 1
is "and no other but for what is missing" "$(grep -vc '^standard output: ' err)" $((11 * PARTIAL))
only_lost "to a pipe" piped
is "as long as the file" "$(size_of piped)" "$(size_of file)"
exits 0 "memory is the target's" "$CORECMP" mem piped "$PID" piped.lost
"$CORECMP" notes file >notes.file
"$CORECMP" notes piped >notes.piped
is "the same notes" "$(grep -v TAGCORE notes.piped)" "$(grep -v TAGCORE notes.file)"
readelf -lW file 2>/dev/null >l.file
readelf -lW piped 2>/dev/null >l.piped
is "the same program headers" "$(cat l.piped)" "$(cat l.file)"
ok "it validates" "$TAGCORE" validate piped
is "nothing else is made" "$(ls -- -* 2>/dev/null)" ""

# ---- a reader that goes away
start bigmem random 32M
{ "$TAGCORE" dump -o - "$PID" 2>err; echo $? >rc.file; } | head -c 100000 >/dev/null
is "the reader closes early: exit 2" "$(cat rc.file)" 2
num "and a message" "$(wc -l <err)" -ge 1
runs_free "$PID" "after a broken pipe"
is "the target is intact" "$(report)" intact

# ---- JSON has no room where the core goes
{ "$TAGCORE" dump --json -o - "$PID" 2>err; echo $? >rc.file; } | head -c 1 >/dev/null
is "--json with -o - is refused" "$(cat rc.file)" 2

# ---- redirected to a file, and appended: never seeks back
"$TAGCORE" dump -q -o - "$PID" >direct
is "redirected to a file" $? 0
exits 0 "validates" "$TAGCORE" validate direct
if [ -e /dev/full ]; then
	"$TAGCORE" dump -o - "$PID" >/dev/full 2>err
	is "standard output is full: exit 2" $? 2
else
	skip "standard output is full: exit 2" "no /dev/full"
fi
is "the target is intact" "$(report)" intact
runs_free "$PID" "after all"
done_testing
