# dump: what is saved and what not, and that --dry-run says it before.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
start kinds

# at CORE KIND: state of the kind's first page in the core
at()
{
	at_range=$(range_of "$2")
	"$CORECMP" state "$1" "${at_range% *}"
}

# dump FILE OPTION...
dump()
{
	dump_to=$1
	shift
	run "$TAGCORE" dump --force -o "$dump_to" "$@" "$PID"
	[ "$rc" -le $PARTIAL ] || { diag "exit $rc: dump $*"; diag <err; }
}

# planned KIND: "ACTION BYTES RULE" of the area in the file plan
planned()
{
	planned_range=$(range_of "$1")
	awk -v s="\"start\":\"${planned_range% *}\"" 'BEGIN { RS = "{" }
	index($0, s) { print }' plan.flat | sed -n \
		's/.*"action":"\([^"]*\)".*"bytes":\([0-9]*\).*"rule":"\([^"]*\)".*/\1 \2 \3/p'
}

# ---- --dry-run
ok "--dry-run --json" "$TAGCORE" dump --dry-run --json "$PID"
is_json "is JSON" out
cp out plan
tr -d ' \n' <plan >plan.flat
has_keys "its keys" plan '' pid areas bytes free_bytes
has_keys "an area's keys" plan '.areas[0]' start end prot name action bytes rule reason
json_is "pid" plan .pid "$PID"
is "no file is made" "$(ls core.* 2>/dev/null)" ""
num "free_bytes is what df says, nearly" "$(json plan .free_bytes)" -gt 0
like "addresses are hexadecimal strings" "$(json plan '.areas[0].start')" '0x[0-9a-f]*'
areas=$(json plan '.areas#')
num "as many areas as maps has lines, but for the gate" "$areas" -ge $(($(wc -l <"/proc/$PID/maps") - 1))
like "touched anonymous memory" "$(planned anon-touched)" '* 65536 *'
like "MADV_DONTDUMP" "$(planned dontdump)" '* 0 *'
like "first page of an ELF file" "$(planned file-elf)" '* 4096 *'
like "file mapping without private pages" "$(planned file-private)" '* 0 *'
like "file mapping with private pages" "$(planned file-private-written)" '* 65536 *'
if [ $PARTIAL -eq 0 ]; then
	like "shared anonymous: what is there, 6 pages" "$(planned shared-anon)" '* 24576 *'
else
	like "shared anonymous: all, for nobody can see what is there" "$(planned shared-anon)" '* 65536 *'
fi
is "rules have names" "$(grep -c '"rule":""' plan.flat)" 0
predicted=$(json plan .bytes)
ok "--dry-run as text" "$TAGCORE" dump --dry-run "$PID"
matches "has the area" out "$(range_of dontdump | sed 's/ 0x.*//; s/0x//')"
num "a line for each area" "$(wc -l <out)" -ge "$areas"
dump real
# near WHAT A B: they differ by 64 KiB at most (notes and headers are not planned to the byte)
near()
{
	near_diff=$(($2 - $3))
	num "$1" "${near_diff#-}" -le 65536
}
only_lost "what was planned" real
near "the predicted bytes are what is on disk" "$predicted" $(($(disk_of real) + $(bytes_of real.lost)))
near "the predicted size is the real one" "$(json plan .size)" "$(size_of real)"

# ---- the kernel's filter, core(5)
is "default: DONTDUMP is honoured" "$(at real dontdump)" absent
is "default: shared file is not saved" "$(at real file-shared)" absent
dump f0 --filter 0
is "--filter 0: no private anonymous memory" "$(at f0 anon-touched)" absent
is "--filter 0: no shared anonymous memory" "$(at f0 shared-anon)" absent
is "--filter 0: no ELF header" "$(at f0 file-elf)" absent
dump f1 --filter 1
is "--filter 1: private anonymous" "$(at f1 anon-touched)" present
is "--filter 1: not shared" "$(at f1 shared-anon)" absent
dump f2 --filter 0x2
is "--filter 0x2: shared anonymous" "$(at f2 shared-anon)" present
is "--filter 0x2: not private" "$(at f2 anon-touched)" absent
dump f4 --filter 4
is "--filter 4: private files" "$(at f4 file-private)" present
is "--filter 4: not shared files" "$(at f4 file-shared)" absent
dump f8 --filter 8
is "--filter 8: shared files" "$(at f8 file-shared)" present
is "--filter 8: not private files" "$(at f8 file-private)" absent
dump f10 --filter 10
is "--filter 10: is hexadecimal: the ELF header" "$(at f10 file-elf)" present
is "--filter 10: not anonymous" "$(at f10 anon-touched)" absent
if echo 0x2 >"/proc/$PID/coredump_filter" 2>/dev/null; then
	dump own
	is "the target's own filter: shared" "$(at own shared-anon)" present
	is "the target's own filter: not private" "$(at own anon-touched)" absent
	dump over --filter 1
	is "--filter goes before it" "$(at over anon-touched)" present
	echo 0x33 >"/proc/$PID/coredump_filter"
else
	skip "the target's own filter" "cannot write coredump_filter"
fi

# ---- --all, --include, --exclude: the last match decides
dump all --all
is "--all: DONTDUMP" "$(at all dontdump)" present
is "--all: file" "$(at all file-private)" present
dump inc --include '*/file-shared'
is "--include by name" "$(at inc file-shared)" present
is "and no other" "$(at inc file-private)" absent
range=$(range_of dontdump | tr ' ' -)
dump incr --include "$range"
is "--include by range" "$(at incr dontdump)" present
range=$(range_of anon-touched | tr ' ' -)
dump exc --exclude "$range"
is "--exclude by range" "$(at exc anon-touched)" absent
is "leaves the others" "$(at exc anon-partial)" present
dump last --all --exclude '*/file-*' --include '*/file-private-written'
is "the last match decides (included)" "$(at last file-private-written)" present
is "the last match decides (excluded)" "$(at last file-shared)" absent
dump last2 --include '*file-private' --exclude '*file-*'
is "the other way round" "$(at last2 file-private)" absent
exits 2 "a range that ends before it begins is refused" "$TAGCORE" dump --include 0x2000-0x1000 "$PID"

# ---- names in brackets, and what matches nothing
dump heap --exclude '[heap]'
is "--exclude [heap] leaves it out" "$("$TAGCORE" inspect maps --json heap | tr -d '\n ' |
	grep -o '"name":"\[heap\]","saved_bytes":[0-9]*')" '"name":"[heap]","saved_bytes":0'
matches_not "and is not reported" err '[-]-exclude'
for what in '[nope]' '/nope/*' 'nope' '1000-2000' '0x1000-0x2000'; do
	exits 1 "--exclude $what, which matches nothing: exit 1" "$TAGCORE" dump --force -o none --exclude "$what" "$PID"
	exists "$what: the core is there" none
	is "$what: it is said" "$(grep -F matched err)" "  --exclude $what matched nothing"
	exits 1 "$what: and by --dry-run" "$TAGCORE" dump --dry-run --exclude "$what" "$PID"
	is "$what: which says it, too" "$(grep -F matched out)" "  --exclude $what matched nothing"
	run "$TAGCORE" dump --force --json -o none --include "$what" "$PID"
	json_is "$what: JSON of --include" out '.dumps[0].unmatched[0].what' "$what"
	json_is "$what: the option" out '.dumps[0].unmatched[0].option' include
done
exits $PARTIAL "--include that matches nothing harms nothing" "$TAGCORE" dump --force -o none --include '[nope]' "$PID"
matches "and is said" err 'include \[nope\] matched nothing'
run "$TAGCORE" dump --force -o none --include '[vsyscall]' "$PID"
[ "$(uname -m)" != x86_64 ] || ! grep -q vsyscall "/proc/$PID/maps" ||
	matches "what cannot be saved, and why" err 'include \[vsyscall\]: not saved: the kernel'
for bad in 7f00- zz-yy -7f00 0x1000- 1000-2000-3000; do
	exits 2 "--exclude=$bad is neither range nor name" "$TAGCORE" dump "--exclude=$bad" -o bad "$PID"
	exits 2 "--include=$bad, too" "$TAGCORE" dump "--include=$bad" -o bad "$PID"
done

# ---- --limit
exits 2 "--limit 64K is too little" "$TAGCORE" dump --limit 64K -o limited "$PID"
is "nothing is left behind" "$(ls limited* .limited* 2>/dev/null)" ""
matches "the message says so" err '[Ll]imit'
exits $PARTIAL "--limit 1G is enough" "$TAGCORE" dump --limit 1G -o limited "$PID"
is "the target lives" "$(report)" alive
runs_free "$PID" "after all"

# A thread in vfork cannot be stopped: a dry run does not even try.
start vforker $((4 * SLOWNESS))
began=$(date +%s)
ok "--dry-run stops nothing" "$TAGCORE" dump --dry-run --stop-timeout 60 "$PID"
num "and does not wait" $(($(date +%s) - began)) -le $((2 * SLOWNESS))
done_testing
