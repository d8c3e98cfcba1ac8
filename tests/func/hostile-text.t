# Messages: what a process, a core or an argument is named cannot drive the terminal.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace

# A title of the terminal's window; a name that reads backwards; a byte that is no text.
esc=$(printf '\033]0;x\007') rlo=$(printf '\342\200\256') iso=$(printf '\342\201\246') bad=$(printf '\377')
name="e$esc$rlo$iso$bad"

# quiet WHAT: neither file has a control character but newline, a bidirectional control, or a byte that is not UTF-8
quiet()
{
	cat out err >both
	if LC_ALL=C grep -q -a "[$(printf '\001-\010\013-\037\177')]" both ||
	   LC_ALL=C grep -q -a -e "$rlo" -e "$iso" -e "$bad" both; then
		fail "$1: nothing raw"
		od -c both | head -n 20 | diag
	else
		pass "$1: nothing raw"
	fi
}

# said WHAT: ... but the name is shown, escaped (in JSON, where a backslash is two)
said()
{
	quiet "$1"
	matches "$1: the name, escaped" both 'e\\+033\]0;x\\+007\\+342\\+200\\+256\\+342\\+201\\+246\\+377'
}

# ---- a process whose name is chosen to be printed: it runs under a file of that name
cp "$TARGETS/threads" "./$name"
start "./$name" 1
ok "dump -o %e" "$TAGCORE" dump -o '%e-%p' "$PID"
quiet "the report"
matches "the report: the name, escaped" both 'e\\033\]0;x\\007'
exits 2 "dump: it exists" "$TAGCORE" dump -o '%e-%p' "$PID"
quiet "the error"
matches "the error: the name, escaped" both 'e\\033\]0;x\\007'
exits 2 "dump: of two PIDs" "$TAGCORE" dump -o '%e-%p' "$PID" 999999999
quiet "one of several errors"
matches "one of several errors: the name, escaped" both 'e\\033\]0;x\\007'
ok "dump --dry-run" "$TAGCORE" dump --dry-run -o "$name.%p" "$PID"
said "--dry-run"
is "--dry-run: its last line, too" "$(tail -n 1 out | grep -c '^e\\033')" 1
run "$TAGCORE" dump --dry-run --json -o "$name.%p" "$PID"
said "--dry-run --json"
ok "gcore" "$GCORE" -o "$name" "$PID"
said "gcore"
exits 2 "gcore: no such directory" "$GCORE" -o "$name-no/x" "$PID"
said "gcore: an error"
run "$TAGCORE" stack "$PID"
said "stack PID"
run "$TAGCORE" stack --json "$PID"
said "stack --json PID"
mv "$name.$PID" core
for view in summary threads maps modules files notes auxv missing headers; do
	run "$TAGCORE" inspect $view core
	quiet "inspect $view"
	run "$TAGCORE" inspect $view --json core
	quiet "inspect $view --json"
done
run "$TAGCORE" inspect maps core
said "inspect maps"

# ---- arguments
mkdir "$name.d"
echo no core >"$name.d/$name"
n=0
while read -r words; do
	n=$((n + 1))
	eval "set -- $words"
	run "$TAGCORE" "$@"
	num "refused: $n" "$rc" -ge 1
	said "refused: $n ($1)"
done <<EOL
"\$name"
help "\$name"
dump "\$name"
dump --filter "\$name" 1
dump "--\$name" 1
dump -o "\$name-%e" --limit "\$name" 1
dump -o "\$name-no/x" "\$PID"
inspect "\$name.d/\$name"
inspect "\$name" core
inspect memory "\$name" core
inspect registers --thread "\$name" core
validate "\$name.d/\$name"
repair "\$name.d/\$name" "no/\$name"
stack "\$name.d/\$name"
stack --unwinder "\$name" core
EOL
run "$TAGCORE" dump "-$esc" "$PID"
quiet "an option that is a control character"
run "$GCORE" "$name"
said "gcore: no PID"
done_testing
