# dump -z: a file of zstd's that is the plain core when unpacked, byte for byte, and that is read in place.
. "$TOP/tests/func/lib.sh"
need_ptrace
have zstd || skip_all "no zstd"
start kinds
kill -STOP "$PID"
wait_state "$PID" T

# It stands still, so that two dumps differ in nothing but the time in them.
same_core()
{
	is "$1: as long as the plain core" "$(size_of "$2")" "$(size_of plain)"
	"$CORECMP" notes "$2" | grep -v TAGCORE >notes
	is "$1: the same notes" "$(cat notes)" "$(cat notes.plain)"
	is "$1: the same program headers" "$(readelf -lW "$2" 2>/dev/null)" "$(cat headers.plain)"
	only_lost "$1" "$2"
	exits 0 "$1: memory is the target's" "$CORECMP" mem "$2" "$PID" "$2.lost"
}

exits $PARTIAL "plain" "$TAGCORE" dump -o plain "$PID"
"$CORECMP" notes plain | grep -v TAGCORE >notes.plain
readelf -lW plain >headers.plain 2>/dev/null

exits $PARTIAL "-z" "$TAGCORE" dump -z "$PID"
exists "the name gets .zst" "core.$PID.zst"
matches "and is reported" err "^core\.$PID\.zst: "
is "nothing else is made" "$(echo core*)" "core.$PID.zst"
num "it is smaller" "$(size_of "core.$PID.zst")" -lt "$(disk_of plain)"
ok "zstd unpacks it" zstd -q -d "core.$PID.zst" -o unpacked
same_core "-z" unpacked
ok "zstd finds its checksums right" zstd -q -t "core.$PID.zst"
run "$TAGCORE" validate plain
said=$(sed 's/^[^:]*: //' out)
run "$TAGCORE" validate "core.$PID.zst"
is "it validates in place, as the plain core does" "$(sed 's/^[^:]*: //' out)" "$said"
run "$TAGCORE" stack plain
frames <out >frames.plain
run "$TAGCORE" stack "core.$PID.zst"
is "and has the same backtrace" "$(frames <out)" "$(cat frames.plain)"

# ---- names
exits 2 "an existing file is kept" "$TAGCORE" dump -z "$PID"
exits $PARTIAL "--force replaces it" "$TAGCORE" dump -z --force "$PID"
exits $PARTIAL "a name that has the suffix" "$TAGCORE" dump -z -o named.zst "$PID"
exists "gets no second one" named.zst
exits 0 "--dry-run" "$TAGCORE" dump -z --dry-run "$PID"
exits $PARTIAL "gcore -z" "$GCORE" -z -o pre "$PID"
matches "gcore announces its name" out "^Saved corefile pre\.$PID\.zst\$"
ok "and has written it" zstd -q -t "pre.$PID.zst"

# ---- levels
for level in 1 19; do
	exits $PARTIAL "level $level" "$TAGCORE" dump --compress=$level --force -o level$level "$PID"
	ok "level $level: zstd unpacks it" zstd -q -d level$level.zst -o level$level
	same_core "level $level" level$level
done
num "a stronger one makes it smaller" "$(size_of level19.zst)" -lt "$(size_of level1.zst)"
for level in 0 -1 23 x 1x '' 4294967297; do
	exits 2 "level '$level' is refused" "$TAGCORE" dump --compress="$level" -o refused "$PID"
done
is "they write nothing" "$(echo refused*)" "refused*"

# ---- streams
{ "$TAGCORE" dump -z -o - "$PID" 2>err; echo $? >rc; } | zstd -q -dc >piped
is "to a pipe" "$(cat rc)" $PARTIAL
same_core "to a pipe" piped
mkfifo fifo
zstd -q -dc <fifo >from.fifo &
reader=$!
mine $reader
exits $PARTIAL "to a FIFO that is named" "$TAGCORE" dump -z -o fifo "$PID"
ok "which is read to its end" wait $reader
not_mine $reader
same_core "to a FIFO" from.fifo
is "and gets no other name" "$(echo fifo*)" fifo
kill -CONT "$PID"

# ---- much memory: what comes out counts, and little is used
start bigmem random 64M
exits 2 "--limit counts what is written" "$TAGCORE" dump -z --limit 8M -o limit "$PID"
is "and nothing is left" "$(echo limit*)" "limit*"
runs_free "$PID" "after it"
# Not with sanitizers, which take memory of their own.
if [ -x "$O/tagcore" ]; then
	# Level 19 has the largest contexts of those that are common.
	for level in 1 19; do
		line=$("$TARGETS/benchrun" 1 300 true "exec '$O/tagcore' dump -q --force --compress=$level -o random $PID; exit 127")
		is "level $level: saved" "$(echo "$line" | awk '{ print $4 }')" 0
		num "level $level: in 64 MiB (KiB)" "$(echo "$line" | awk '{ print $3 }')" -le 65536
		ok "level $level: it validates" "$TAGCORE" validate random.zst
	done
fi
is "the target is intact" "$(report)" intact
rm -f random.zst
{ "$TAGCORE" dump -z -o - "$PID" 2>err; echo $? >rc; } | head -c 100000 >/dev/null
is "the reader closes early: exit 2" "$(cat rc)" 2
runs_free "$PID" "after a broken pipe"
rm fifo
full_pipe fifo
"$TAGCORE" dump -q -z -o fifo "$PID" 2>err &
dumper=$!
mine $dumper
ok "the reader stands still, and so does the target" wait_state "$PID" t
kill -TERM $dumper
wait $dumper
is "a signal ends it" $? 2
not_mine $dumper
runs_free "$PID" "after the signal"
is "the target is intact" "$(report)" intact
done_testing
