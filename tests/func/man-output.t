# What the manual says of the output: keys of the JSON documents, lines of the note INFO.
. "$TOP/tests/func/lib.sh"
man=$TOP/man
need_ptrace

# bold SECTION PAGE: the bold words in it, once each
bold()
{
	awk -v name="$1" '/^\.S[HS] / { on = index($0, name) > 0; next } on' "$2" |
		grep -oE '\\fB[a-z_]+\\fR' | sed -e 's/^\\fB//' -e 's/\\fR$//' | sort -u
}

# keys FILE...: those of all objects, once each.  No text in these documents has a quote in it.
keys()
{
	grep -ohE '"[a-z_]+":' "$@" | tr -d '":' | sort -u
}

same_words()
{
	num "$1: words of the program" "$(wc -l <"$2")" -ge "$4"
	is "$1: the manual has every one" "$(comm -23 "$2" "$3")" ""
	is "$1: the manual has no other" "$(comm -13 "$2" "$3")" ""
}

start threads 2
ok "a dump" "$TAGCORE" dump -q --json --include /none -o core "$PID"
cp out dump.json
ok "a dry run" "$TAGCORE" dump --dry-run --json "$PID"
keys dump.json out >prog
bold JSON "$man/tagcore-dump.1" >page
same_words "tagcore-dump(1)" prog page 15

"$TAGCORE" help inspect | sed -n '/^Options:/q; s/^  \([a-z]*\) .*/\1/p' >views
num "there are views" "$(wc -l <views)" -ge 6
# Some keys are only in a core with memory tags; one view needs an address.
"$TARGETS/mtecore" mte
while read -r view; do
	case $view in
	memory)	set -- --tags 0x500000 ;;
	*)	set --
		ok "inspect $view --json" "$TAGCORE" inspect "$view" --json core
		cp out "$view.view" ;;
	esac
	ok "inspect $view --json, memory tags" "$TAGCORE" inspect "$view" --json "$@" mte
	cp out "$view.mte.view"
done <views
# What is in "sets" is named after the machine's registers, not by us.
for f in registers.view registers.mte.view; do
	sed -E 's/"[a-z0-9_]+": *"0x[^"]*"//g; s/"sets": *\{/SETS/g; s/"[a-z0-9_]+": *\{//g; s/SETS/"sets": {/g' $f >named
	mv named $f
done
# The content of a note has the names of its structure, a note a line.
for f in notes.view notes.mte.view; do
	sed 's/"content": {.*/"content": 0/' $f >named
	mv named $f
done
keys ./*.view >prog
bold JSON "$man/tagcore-inspect.1" >page
same_words "tagcore-inspect(1)" prog page 30

exits 1 "validate of what is no core" "$TAGCORE" validate --json "$TOP/Makefile"
cp out validate.json
ok "validate --list --json" "$TAGCORE" validate --list --json
keys validate.json out >prog
bold JSON "$man/tagcore-validate.1" >page
same_words "tagcore-validate(1)" prog page 8

# A part of a core has something to repair, and something left.
head -c 6000 core >part
run "$TAGCORE" repair --json part repaired
cp out repair.json
ok "repair --list --json" "$TAGCORE" repair --list --json
keys repair.json out >prog
bold JSON "$man/tagcore-repair.1" >page
same_words "tagcore-repair(1)" prog page 10

# Without files there is something to say about them.
ok "stack --json" "$TAGCORE" stack --json core
cp out stack.json
# Of a process it says how long that was stopped.
ok "stack --json of a process" "$TAGCORE" stack --json "$PID"
cp out live.json
mkdir nowhere
ok "stack --json without files" "$TAGCORE" stack --json --sysroot "$PWD/nowhere" core
keys stack.json live.json out >prog
bold JSON "$man/tagcore-stack.1" >page
same_words "tagcore-stack(1)" prog page 15

# Of a core that has an access, an object, evidence and what else is possible.

run "$TAGCORE" explain --json mte
cp out explain.json
ok "explain --list --json" "$TAGCORE" explain --list --json
keys explain.json out >prog
bold JSON "$man/tagcore-explain.1" >page
same_words "tagcore-explain(1)" prog page 15

# The note's first line follows the owner's NUL.  The last key is there when a thread did not stop.
start vforker 20
exits 1 "dump of a thread that does not stop" "$TAGCORE" dump --checksums --stop-timeout 0.1 -o vforked "$PID"
tr '\0' '\n' <vforked | grep -a -A 20 -m 1 'TAGCORE$' | grep -aE '^[a-z_]+ ' | sed 's/ .*//' | sort >prog
# In another PID namespace there is one more: dump-namespace.t.
bold TAGCORE_INFO "$man/tagcore-notes.5" | grep -vx ns_pid >page
same_words "tagcore-notes(5), INFO" prog page 8
finish
done_testing
