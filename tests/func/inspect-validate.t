# inspect and validate on our own cores, the kernel's, and damaged ones.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
start threads 5
ok "dump" "$TAGCORE" dump -o core "$PID"

# view NAME: inspect NAME as text into view.txt and as JSON into view.json
view()
{
	ok "inspect $1" "$TAGCORE" inspect "$1" core
	cp out view.txt
	num "inspect $1 prints something" "$(wc -l <view.txt)" -ge 1
	ok "inspect $1 --json" "$TAGCORE" inspect "$1" --json core
	cp out view.json
	is_json "inspect $1 --json is one JSON document" view.json
}

view summary
has_keys "summary: the keys of cli.md" view.json '' file size machine class byte_order kind command args \
	pid uid signal signal_name si_code fault_address fault_tag threads areas saved_bytes \
	mte_segments tool truncated
json_is "summary: pid" view.json .pid "$PID"
json_is "summary: command" view.json .command threads
json_is "summary: threads" view.json .threads 6
json_is "summary: size" view.json .size "$(size_of core)"
json_is "summary: truncated" view.json .truncated false
json_is "summary: uid" view.json .uid "$(id -u)"
like "summary: args" "$(json view.json .args)" '*threads 5*'
like "summary: tool" "$(json view.json .tool)" '*tagcore*'
cp view.txt summary.txt
ok "summary is the default" "$TAGCORE" inspect core
is "the same" "$(cat out)" "$(cat summary.txt)"
matches "summary says the process" summary.txt "$PID"

view threads
json_is "threads: all" view.json '#' 6
has_keys "threads: keys" view.json '[0]' tid name signal pc sp crashed
json_is "threads: the leader first" view.json '[0].tid' "$PID"
json_is "threads: its name" view.json '[0].name' threads
json_is "threads: nobody crashed" view.json '[0].crashed' false
is "threads: names" "$(for i in 1 2 3 4 5; do json view.json "[$i].name"; done)" \
	"$(for i in 0 1 2 3 4; do echo "worker $i"; done)"
like "threads: pc" "$(json view.json '[1].pc')" '0x[0-9a-f]*'

view maps
has_keys "maps: keys" view.json '[0]' start end prot offset name saved_bytes mte
grep -v vsyscall "/proc/$PID/maps" | sed 's/-.*//; s/^0*/0x/' | sort >live
n=$(json view.json '#')
i=0
while [ "$i" -lt "$n" ]; do
	json view.json "[$i].start"
	i=$((i + 1))
done | sort >saved
is "maps: every area that begins in /proc/PID/maps" "$(comm -23 live saved)" ""

view notes
has_keys "notes: keys" view.json '[0]' owner type type_name size offset tid
# In JSON each note is one line or more; an owner is in each once.
is "notes: as many of the kernel's kind as another reader sees" \
	"$(grep -o '"owner": *"[A-Z]*"' view.json | grep -vc TAGCORE)" \
	"$("$CORECMP" notes core | grep -vc '^TAGCORE')"
json_is "notes: the first is PRSTATUS" view.json '[0].type_name' NT_PRSTATUS
view headers
ok "inspect missing" "$TAGCORE" inspect missing core
ok "inspect missing --json" "$TAGCORE" inspect missing --json core
is_json "is JSON" out
# What the plan leaves out is absent by a rule; what could not be saved has another reason.
is "nothing was lost" "$(grep -c '"reason"' out)" "$(grep -c '"reason": *"rule ' out)"
exits 2 "no such view" "$TAGCORE" inspect nonsense core
exits 2 "no such file" "$TAGCORE" inspect none
exits 2 "not a core: this program" "$TAGCORE" inspect "$TARGETS/threads"
exits 2 "not a core: a text" "$TAGCORE" inspect "$LOG"
exits 2 "a directory" "$TAGCORE" inspect .
: >empty
exits 2 "an empty file" "$TAGCORE" inspect empty

# ---- something missing
start kinds
run "$TAGCORE" dump --all --json -o withall "$PID"
is "exit 1 if and only if something is missing" "$((rc == 1))" "$(($(json out '.dumps[0].missing#') > 0))"
n=$(json out '.dumps[0].missing#')
[ "$n" -eq 0 ] || has_keys "missing: keys" out '.dumps[0].missing[0]' start end bytes reason
ok "inspect missing" "$TAGCORE" inspect missing --json withall
is "the core knows what was lost" \
	"$(($(grep -c '"reason"' out) - $(grep -c '"reason": *"rule ' out) - $(grep -c '"guard": *true' out)))" "$n"

# ---- validate
ok "validate" "$TAGCORE" validate core
matches_not "no error, no warning" out ' (error|warning) '
ok "validate --strict" "$TAGCORE" validate --strict core
ok "validate --json" "$TAGCORE" validate --json core withall
is_json "is JSON" out
json_is "two files" out '#' 2
has_keys "keys" out '[0]' file valid findings
json_is "valid" out '[0].valid' true
ok "validate --list" "$TAGCORE" validate --list
num "lists the checks" "$(wc -l <out)" -ge 5

# damaged NAME: a copy of the core to be damaged as the file bad
damage()
{
	cp core bad
	# Octal escapes.
	# shellcheck disable=SC2059
	printf "$2" | dd of=bad bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# found WHAT: the damaged core is found out
found()
{
	exits 1 "validate: $1" "$TAGCORE" validate bad
	matches "validate: $1: one finding a line" out '^bad: error [a-z0-9._-]+ (at 0x[0-9a-f]+)?.*: .+'
	# shellcheck disable=SC2016
	ok "validate --json: $1" sh -c '"$0" validate --json bad >bad.json; [ $? -eq 1 ]' "$TAGCORE"
	json_is "valid is false" bad.json '[0].valid' false
	has_keys "keys of a finding" bad.json '[0].findings[0]' id severity offset message
}

head -c $(($(size_of core) / 2)) core >bad
found "cut off"

# ---- one line for a check that finds more
lines() { grep -c '^bad: error seg-truncated at 0x[0-9a-f]*: ' "$1"; }
head -c 4096 core >bad
exits 1 "many are cut: exit" "$TAGCORE" validate bad
cp out short
exits 1 "many are cut, with all: the same exit" "$TAGCORE" validate --all bad
cp out long
exits 1 "many are cut, in JSON: the same exit" "$TAGCORE" validate --json bad
all=$(grep -o '"id": "seg-truncated"' out | wc -l)
num "many are cut: there are many" "$all" -gt 4
is "many are cut: one line" "$(lines short)" 1
matches "many are cut: how many more, and where" short \
	"seg-truncated at .*[(]and $((all - 1)) more, at 0x[0-9a-f]*, 0x[0-9a-f]*, 0x[0-9a-f]*, [.][.][.][)]\$"
is "many are cut: with all, a line each" "$(lines long) $(grep -c ' more, at ' long)" "$all 0"
# p_filesz of the first program header (PT_NOTE): beyond the end of the file
damage $((64 + 32)) '\377\377\377\377\377\377\377\177'
found "PT_NOTE of impossible size"
# n_descsz of the first note
note=$((0x$(readelf -lW core 2>/dev/null | sed -n 's/^  NOTE *0x\([0-9a-f]*\).*/\1/p' | head -n 1)))
damage $((note + 4)) '\377\377\377\177'
found "a note that is longer than its segment"
# p_memsz of the second program header: smaller than p_filesz
damage $((64 + 56 + 40)) '\001\000\000\000\000\000\000\000'
found "p_memsz smaller than p_filesz"
exits 1 "one good, one bad" "$TAGCORE" validate core bad
exits 2 "one good, one that cannot be opened" "$TAGCORE" validate core none
for v in summary headers notes threads maps missing; do
	run "$TAGCORE" inspect $v bad
	like "inspect $v of a damaged core ends well" "$rc" '[012]'
done

# Every prefix and many single damaged bytes: no crash (99 is a sanitizer's report).
worst=0
for cut in 0 1 15 16 52 63 64 65 100 119 120 500 1000 2000 4095 4096 5000 8192; do
	head -c $cut core >bad
	for c in "inspect summary" "inspect notes" "inspect threads" validate; do
		# Two words.
		# shellcheck disable=SC2086
		"$TAGCORE" $c bad >out 2>err
		rc=$?
		[ $rc -le 2 ] || { worst=$rc; diag "$c of the first $cut bytes: exit $rc"; diag <err; }
	done
done
is "every prefix is handled" $worst 0
worst=0
at=4
while [ $at -lt 400 ]; do
	damage $at '\377'
	"$TAGCORE" validate bad >out 2>err
	rc=$?
	[ $rc -le 2 ] || { worst=$rc; diag "byte $at damaged: exit $rc"; diag <err; }
	at=$((at + 13))
done
is "damaged headers are handled" $worst 0

# ---- the kernel's own
# Every sh has ulimit -c.
# shellcheck disable=SC3045
ulimit -c unlimited 2>/dev/null
exec 9</proc/sys/kernel/core_pattern
flock -w 100 9	# kernel-compare.t changes it
if [ "$(cat /proc/sys/kernel/core_pattern)" = core ] && grep -q '^Max core file size *unlimited' /proc/self/limits; then
	mkdir kernel
	(cd kernel && exec "$TARGETS/threads" 3) >kernel.log 2>&1 &
	CHILD=$!
	mine $CHILD
	wait_line kernel.log '^ready'
	kill -ABRT $CHILD
	wait $CHILD 2>/dev/null
	mv kernel/core* core
	ok "validate the kernel's core" "$TAGCORE" validate core
	view summary
	json_is "the kernel's: signal" view.json .signal_name SIGABRT
	json_is "the kernel's: threads" view.json .threads 4
	view threads
	json_is "the kernel's: who crashed" view.json '[0].crashed' true
else
	skip "the kernel's core" "see kernel-compare.t"
fi
done_testing
