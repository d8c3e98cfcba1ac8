# dump: memory that cannot be read, or has no content, is in the core with the reason, and never as zeros without one.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
need_ptrace
life 290

start unreadable
kill -STOP "$PID"
wait_state "$PID" T
is_root || skip_all "not root: files that are gone cannot be opened"

reason_of()
{
	case $1 in
	secret) echo 'memfd_secret(2): only the process itself can read it' ;;
	guard) echo 'guard page: it has no content, and nobody can read it' ;;
	device) echo 'rule io: omit' ;;
	poisoned) echo 'in swap or failed memory, and cannot be read' ;;
	*) echo 'past the end of its file' ;;
	esac
}

# is_said DESCRIPTION CORE: exactly these ranges, each with its reason
is_said()
{
	"$TAGCORE" inspect missing "$2" >missing
	sed -n 's/^kind //p' "$LOG" >kinds
	while read -r name from to; do
		reason=$(reason_of "$name")
		is "$1: $name" "$(sed -n "s/^$from-$to *[0-9.]* [A-Za-z]*  //p" missing)" "$reason"
		[ "$name" != device ] || continue
		"$TAGCORE" inspect memory "$from" 16 "$2" >bytes 2>&1
		matches_not "$1: $name is not shown as zeros" bytes ' 00 '
	done <kinds
	is "$1: nothing else is missing" "$(grep -c 'past the end' missing)" "$(grep -vcE '^(secret|guard|poisoned|device) ' kinds)"
}

sed -n 's/^skip/skip:/p' "$LOG" | diag
exits 1 "all: something is missing" "$TAGCORE" dump --all --json -o all "$PID"
cp out all.json
is_said all all
ok "all: memory is that of the process" "$CORECMP" mem all "$PID"
ok "all: valid" "$TAGCORE" validate all
if grep -q '^kind guard' "$LOG"; then
	json_is "guard pages are in the report, and not among what is missing" all.json '.dumps[0].guard[0].bytes' 16384
	"$TAGCORE" inspect missing --json all >missing.json
	is_json "and in the core" missing.json
fi
exits 1 "filter: something is missing" "$TAGCORE" dump --filter 0xff -o filter "$PID"
"$TAGCORE" inspect missing filter >missing
if grep -q '^kind secret' "$LOG"; then
	matches "a secret is left out by a rule that says so" missing 'rule secret: omit'
fi
grep -v '^kind secret' "$LOG" >LOG.filter
LOG=$PWD/LOG.filter
is_said filter filter
exits 1 "a dump without a stop: something is missing" "$TAGCORE" dump --no-stop --filter 0xff -o no-stop "$PID"
is_said "a dump without a stop" no-stop
exits 1 "a snapshot: something is missing" "$TAGCORE" dump -s --filter 0xff -o snapshot "$PID"
is_said "a snapshot" snapshot
exits 1 "pre-copy: something is missing" "$TAGCORE" dump --max-pause 0.001 --filter 0xff -o precopy "$PID"
is_said "pre-copy" precopy
finish

# Nothing but guard pages: nothing is missing.
if grep -q '^kind guard' "$LOG"; then
	start kinds
	ok "guard pages alone: exit 0" "$TAGCORE" dump -o guarded "$PID"
	matches "guard pages alone: they are said" err ', 16.0 KiB of guard pages, (nothing missing|MISSING)'
	ok "guard pages alone: strictly valid" "$TAGCORE" validate guarded
	matches_not "guard pages alone: no finding" out 'tagcore-gaps'
	finish
else
	skip "guard pages alone" "the kernel has none"
fi
done_testing
