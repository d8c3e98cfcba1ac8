# inspect auxv, files and modules: of a living process, and of a core that any machine can make.
. "$TOP/tests/func/lib.sh"
need_ptrace
start threads 2
ok "dump" "$TAGCORE" dump -q -o core "$PID"

# rows FILE KEY...: a line for each row of a JSON list
rows()
{
	rows_file=$1 rows_n=$(json "$1" '#') rows_i=0
	shift
	while [ "$rows_i" -lt "$rows_n" ]; do
		rows_line=
		for k; do
			rows_line="$rows_line $(json "$rows_file" "[$rows_i].$k")"
		done
		echo "${rows_line# }"
		rows_i=$((rows_i + 1))
	done
}

# ---- auxv
ok "inspect auxv" "$TAGCORE" inspect auxv core
cp out auxv.txt
ok "inspect auxv --json" "$TAGCORE" inspect auxv --json core
is_json "auxv: JSON" out
has_keys "auxv: keys" out '[0]' type name value text
word=$(($(getconf LONG_BIT) / 8))
od -An -v -t "x$word" -w$((2 * word)) "/proc/$PID/auxv" |
	while read -r type value; do
		[ $((0x$type)) -eq 0 ] || printf '%d 0x%x\n' "0x$type" "0x$value"
	done >live
rows out type value >saved
is "auxv: as /proc/PID/auxv" "$(cat saved)" "$(cat live)"
num "auxv: has entries" "$(wc -l <live)" -ge 10
is "auxv: text has the same rows" "$(wc -l <auxv.txt)" "$(wc -l <live)"
matches "auxv: a number" auxv.txt "^AT_PAGESZ  *$(getconf PAGESIZE)\$"
matches "auxv: an address" auxv.txt '^AT_ENTRY  *0x[0-9a-f]*$'
matches "auxv: a string out of memory" auxv.txt "^AT_EXECFN .* $TARGETS/threads\$"
matches "auxv: the machine's name" auxv.txt "^AT_PLATFORM .* $(uname -m)\$"
case $(uname -m) in
x86_64)	matches "auxv: bits in words" auxv.txt '^AT_HWCAP .*  fpu .*sse2' ;;
aarch64) matches "auxv: bits in words" auxv.txt '^AT_HWCAP .*  fp asimd' ;;
esac

# ---- files
ok "inspect files" "$TAGCORE" inspect files core
sed '1d; s/^0*\([0-9a-f]*\)-0*\([0-9a-f]*\) *\([0-9a-f]*\)  /\1 \2 \3 /' out >saved
sed -n 's/^0*\([0-9a-f]*\)-0*\([0-9a-f]*\) .... 0*\([0-9a-f]\{1,\}\) [^ ]* [1-9][0-9]* *\//\1 \2 \3 \//p' \
	"/proc/$PID/maps" >live
is "files: as /proc/PID/maps" "$(cat saved)" "$(cat live)"
num "files: has entries" "$(wc -l <live)" -ge 4
ok "inspect files --json" "$TAGCORE" inspect files --json core
is_json "files: JSON" out
has_keys "files: keys" out '[0]' start end offset name
is "files: JSON has the same" "$(rows out start end name)" "$(sed 's/^/0x/; s/ / 0x/; s/ [0-9a-f]* \// \//' saved)"

# ---- modules
ok "inspect modules" "$TAGCORE" inspect modules core
sed 1d out >modules.txt
ok "inspect modules --json" "$TAGCORE" inspect modules --json core
is_json "modules: JSON" out
has_keys "modules: keys" out '[0]' path build_id start end
rows out path >saved
num "modules: program, libraries, vdso" "$(wc -l <saved)" -ge 4
is "modules: text has the same" "$(sed 's/.* //' modules.txt)" "$(cat saved)"
matches "modules: the program" saved "^$TARGETS/threads\$"
matches "modules: the vdso" saved '^\[vdso]$'
# What is mapped to be executed, each file once.
sed -n 's/^[^ ]* ..x. .* \(\/.*\|\[vdso]\)$/\1/p' "/proc/$PID/maps" | sort -u >live
is "modules: each executable file of maps once" "$(sort saved)" "$(cat live)"
if have eu-unstrip; then
	eu-unstrip -n --core core 2>/dev/null | sed -n 's/^\(0x[0-9a-f]*\)+0x[0-9a-f]* \([0-9a-f]*\)@.*/\1 \2/p' | sort >theirs
	rows out start build_id | sort >ours
	num "modules: eu-unstrip finds build-ids" "$(wc -l <theirs)" -ge 3
	is "modules: it finds none that we do not" "$(comm -13 ours theirs)" ""
	is "modules: each has a build-id" "$(grep -vc ' [0-9a-f]\{16,\}$' ours)" 0
else
	skip "the same build-ids as eu-unstrip" "no eu-unstrip"
fi
# The first page of a library says all; without ELF headers in the core no file does.
ok "a dump without files' first pages" "$TAGCORE" dump -q --filter 0x1 -o bare "$PID"
ok "inspect modules, no headers" "$TAGCORE" inspect modules bare
is "modules: known by name" "$(sed '1d; s/.* //' out | sort)" "$(cat live)"
matches "modules: no build-id" out "^[^ ]*  *-  *$TARGETS/threads\$"
matches "modules: the vdso is always saved" out '^[^ ]* [0-9a-f]{16,} .*\[vdso]$'

# ---- a core of another machine
"$TARGETS/mtecore" mte
ok "inspect auxv, aarch64" "$TAGCORE" inspect auxv mte
matches "auxv: a bit of aarch64" out '^AT_HWCAP2  *0x40000  *mte$'
ok "inspect files without a FILE note" "$TAGCORE" inspect files mte
is "files: none" "$(wc -l <out)" 1
ok "inspect files --json without a FILE note" "$TAGCORE" inspect files --json mte
json_is "files: an empty list" out '#' 0

# ---- a note that is not there is no empty list
ok "notes prstatus" "$TAGCORE" inspect notes prstatus core
num "all of them" "$(grep -c PRSTATUS out)" -ge 3
for bad in NOPE NT_NOPE 999 18446744073709551616 -; do
	exits 2 "notes $bad is a usage error" "$TAGCORE" inspect notes "$bad" core
	is "notes $bad: nothing on standard output" "$(cat out)" ""
	like "notes $bad: it is named" "$(cat err)" "*no note $bad*"
	exits 2 "and so with --json" "$TAGCORE" inspect notes "$bad" --json core
	is "and no half a document" "$(cat out)" ""
done
exits 2 "notes PRSTATSU" "$TAGCORE" inspect notes NT_PRSTATSU core
matches "what was meant" err 'did you mean NT_PRSTATUS'
finish
done_testing
