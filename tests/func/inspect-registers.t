# inspect registers: of a living process's core, with gdb as the judge.
. "$TOP/tests/func/lib.sh"
need_ptrace
start threads 3
ok "dump" "$TAGCORE" dump -q -o core "$PID"
finish

ok "inspect registers" "$TAGCORE" inspect registers core
cp out text
ok "inspect registers --json" "$TAGCORE" inspect registers --json core
is_json "JSON" out
cp out registers.json
has_keys "keys" registers.json '[0]' tid sets
ok "inspect threads --json" "$TAGCORE" inspect threads --json core
cp out threads.json
n=$(json threads.json '#')
is "as many as threads" "$(json registers.json '#')" "$n"
is "and as headers in the text" "$(grep -c '^thread ' text)" "$n"
matches_not "no line ends in blanks" text ' $'
case $(uname -m) in
x86_64) pc=rip sp=rsp ;;
*) pc=pc sp=sp ;;
esac
i=0
while [ $i -lt "$n" ]; do
	tid=$(json threads.json "[$i].tid")
	is "thread $i: tid" "$(json registers.json "[$i].tid")" "$tid"
	is "thread $i: pc" "$(json registers.json "[$i].sets.general.$pc")" "$(json threads.json "[$i].pc")"
	is "thread $i: sp" "$(json registers.json "[$i].sets.general.$sp")" "$(json threads.json "[$i].sp")"
	ok "registers --thread $tid" "$TAGCORE" inspect registers --json --thread "$tid" core
	is "has one" "$(json out '#')" 1
	is "which is it" "$(json out '[0].sets.general.'$pc)" "$(json threads.json "[$i].pc")"
	i=$((i + 1))
done
like "floating-point registers are there, too" "$(json registers.json '[0].sets.fpregs' | head -c 1)" '{'

exits 2 "a thread that is not there" "$TAGCORE" inspect registers --thread 999999999 core
matches "is named" err 999999999
exits 2 "what is no number" "$TAGCORE" inspect registers --thread 1x core
exits 2 "--thread with another view" "$TAGCORE" inspect threads --thread 1 core
matches "names the view" err threads

# ---- a machine that nobody knows: e_machine at 18
cp core unknown
printf '\132\172' | dd of=unknown bs=1 seek=18 conv=notrunc 2>/dev/null
ok "an unknown machine" "$TAGCORE" inspect registers unknown
is "every thread says so" "$(grep -c '^unknown registers: .*EM_' out)" "$n"
ok "as JSON" "$TAGCORE" inspect registers --json unknown
is "its threads are there" "$(json out '#')" "$n"
is "without register sets" "$(json out '[0].sets#')" 0

if have gdb && have python3; then
	gdb -nx -batch -ex 'core core' -ex 'info registers' >x.expect-gdb.txt 2>/dev/null
	ok "all registers are as gdb sees them" python3 "$TOP/tests/func/inspect-registers.py" \
		"$(uname -m)" registers.json threads.json x.expect-gdb.txt
	diag <out
else
	skip "all registers are as gdb sees them" "no gdb or no python3"
fi
done_testing
