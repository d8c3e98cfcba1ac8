# What make check runs on the host, in the machine: what passes there passes here.
# Unit tests are built without the sanitizers, which are too slow in the emulator.
. "$TOP/tests/func/lib.sh"
at_end "rm -f '$PWD/.proverc'"

# prove's answers become tests of ours, one for each file.
printf '%s\n' --failures --comments >.proverc
TAGCORE=$O/san/tagcore GCORE=$O/san/gcore tests/run "$O"/san/unit/test_* tests/func/*.t >answers 2>&1
sed -n '/^Test Summary Report/,$p' answers >summary

for f in "$O"/san/unit/test_* "$TOP"/tests/func/*.t; do
	name=${f#"$TOP"/}
	# "FILE .. ok", "FILE .. skipped: why", or "FILE .. " and then what failed
	why=$(sed -n "s,^$f \.\.* skipped: ,,p" answers)
	if [ -n "$why" ]; then
		skip "$name" "$why"
	elif grep -q "^$f \.\." answers && ! grep -q "^$f  *(Wstat" summary; then
		pass "$name"
	else
		fail "$name"
		awk -v f="$f" '/^\/vm\/[^ ]* \.\.+ / { on = $1 == f } /^Test Summary/ { exit } on' answers | diag
	fi
done
diag "$(tail -n 2 answers)"
done_testing
