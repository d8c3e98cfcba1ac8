# The command line: help, refusals, and that tables and manuals say the same.
. "$TOP/tests/func/lib.sh"
plain_build
man=$TOP/man

ok "--version" "$TAGCORE" --version
matches "names the program and a number" out '^tagcore [0-9]+\.[0-9]+'
is "nothing on standard error" "$(cat err)" ""
ok "--help" "$TAGCORE" --help
cp out help
is "nothing on standard error" "$(cat err)" ""
for word in help -h; do
	ok "$word" "$TAGCORE" $word
	is "is the same" "$(cat out)" "$(cat help)"
done
"$TAGCORE" --version >version
ok "-V" "$TAGCORE" -V
is "is --version" "$(cat out)" "$(cat version)"
exits 2 "no command" "$TAGCORE"
is "nothing on standard output" "$(cat out)" ""
for bad in nonsense dum inspec valid dumpx --nonsense -x Dump; do
	exits 2 "'$bad' is no command" "$TAGCORE" "$bad"
	is "nothing on standard output" "$(cat out)" ""
	matches "it is named in the message" err "$bad"
done
exits 2 "help of an unknown command" "$TAGCORE" help nonsense
exits 2 "dump without PID" "$TAGCORE" dump
exits 2 "inspect without CORE" "$TAGCORE" inspect
exits 2 "validate without CORE" "$TAGCORE" validate
exits 2 "stack without CORE" "$TAGCORE" stack
exits 2 "explain without CORE" "$TAGCORE" explain

# ---- what does not exist yet is refused, not ignored; no abbreviations
for bad in --compres --compress=x --compress=0 --snap --snapshot=yes --forc --out=x --dry --lim=1K \
	--nonsense -Z --force=yes --json=1; do
	exits 2 "dump $bad is refused" "$TAGCORE" dump "$bad" $$
	matches "and named" err "$(printf '%s' "${bad%%=*}" | sed 's/^-*//')"
done
is "nothing was written" "$(ls -- *core* 2>/dev/null)" ""
for bad in --nonsense --stric --sum; do
	exits 2 "validate $bad is refused" "$TAGCORE" validate "$bad" "$TAGCORE"
	exits 2 "inspect $bad is refused" "$TAGCORE" inspect "$bad" "$TAGCORE"
done
for late in stacks registers-of; do
	exits 2 "the command $late does not exist yet" "$TAGCORE" $late $$
done
exits 2 "an option without its argument" "$TAGCORE" dump -o
for cmd in dump inspect validate repair stack explain gcore; do
	ok "$cmd -h" "$TAGCORE" $cmd -h
	ok "$cmd --help" "$TAGCORE" $cmd --help
	cp out a
	ok "help $cmd" "$TAGCORE" help $cmd
	is "are the same" "$(cat out)" "$(cat a)"
done

# ---- did you mean
# meant WORD HINT COMMAND...: exit 2; the message has WORD as it was written, and "did you mean HINT?"
meant()
{
	meant_word=$1 meant_hint=$2
	shift 2
	exits 2 "$*" "$TAGCORE" "$@"
	like "$*: what was meant" "$(cat err)" "*$meant_word: did you mean $meant_hint?*"
}
meant dum dump dum 1
meant inpsect inspect inpsect core
meant valdate validate help valdate
meant stac stack stac 1
meant explan explain explan 1
meant --forc --force dump --forc 1
meant --outptu --output dump --outptu=x 1
meant --max-frame --max-frames stack --max-frame=3 1
meant --jsn --json inspect --jsn core
meant theads threads inspect theads core
exits 2 "nothing is near" "$TAGCORE" xylophone
matches_not "and nothing is proposed" err 'did you mean'
exits 2 "dump --quux" "$TAGCORE" dump --quux 1
matches_not "nor for an option" err 'did you mean'
exits 2 "an option's message has its dashes" "$TAGCORE" dump --output
matches "two" err 'option --output needs'
exits 2 "or the one" "$TAGCORE" dump -o
matches "that was written" err 'option -o needs'
exits 2 "an argument too many" "$TAGCORE" dump --force=yes 1
matches "has them, too" err 'option --force takes'

# ---- standard output is checked
if [ -e /dev/full ]; then
	"$TAGCORE" --help >/dev/full 2>err
	is "standard output is full: exit 2" $? 2
	"$TAGCORE" validate --list --json >/dev/full 2>err
	is "also with --json" $? 2
	matches "and it is said" err 'standard output cannot be written'
else
	skip "standard output is full" "no /dev/full"
fi

# ---- the table of commands and the manual
# First words of the indented lines under the heading.
cmds=$(sed -n 's/^  *\([a-z][a-z-]*\)  .*/\1/p' help | sort -u)
num "help lists commands" "$(echo "$cmds" | wc -l)" -ge 3
plain()
{
	sed -e 's/\\-/-/g' -e 's/\\f[A-Z]//g' -e 's/\\&//g' "$@"
}

# options FILE: the long and short options in it
long_options()
{
	grep -oE -e '(^|[^[:alnum:]-])--[a-z][a-z-]+' "$1" | sed 's/^[^-]*//' | sort -u
}

for cmd in $cmds; do
	[ "$cmd" != help ] || continue
	ok "help $cmd" "$TAGCORE" help "$cmd"
	page=$man/tagcore-$cmd.1
	[ "$cmd" != gcore ] || page=$man/gcore.1
	if [ ! -f "$page" ]; then
		fail "$cmd has a manual page"
		continue
	fi
	pass "$cmd has a manual page"
	plain "$man/tagcore.1" >top
	matches "tagcore(1) names $cmd" top "$cmd"
	long_options out | grep -v '^--help$' >in.help
	plain "$page" >text
	# What begins a paragraph of the options, and no option of other programs in the text.
	grep -E '^(\.B|\.BI|\.BR|\.OP|\.It|-)' text >heads
	long_options heads | grep -v '^--help$' >in.man
	is "$cmd: every option of help is in the manual" "$(comm -23 in.help in.man)" ""
	is "$cmd: every option of the manual is in help" "$(comm -13 in.help in.man)" ""
done
for page in "$man"/tagcore-*.1; do
	cmd=${page##*/tagcore-}
	cmd=${cmd%.1}
	like "${page##*/} is of a command that exists" " $(echo "$cmds" | tr "\n" " ")" "* $cmd *"
done
exists "gcore(1)" "$man/gcore.1"
if have man && have nroff; then
	for page in "$man"/*.[1-8]; do
		run sh -c 'man --warnings -l "$0" 2>&1 >/dev/null' "$page"
		is "${page##*/}: man(1) has no warning" "$(cat out)" ""
	done
else
	skip "man pages are well-formed" "no man(1)"
fi
done_testing
