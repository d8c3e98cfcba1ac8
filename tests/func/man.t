# The manual and the program's tables say the same, row by row and in the same order.
# That every command has a page, and every long option stands in it, is tested in cli.t.
. "$TOP/tests/func/lib.sh"
plain_build
man=$TOP/man

# roff's own marks removed, so that a tag line reads as help prints it
plain()
{
	sed -e 's/\\-/-/g' -e 's/\\f[A-Z]//g' -e 's/\\&//g' -e 's/\\(lq/"/g' -e 's/\\(rq/"/g' "$@"
}

# section NAME PAGE: its lines
section()
{
	plain "$2" | awk -v name="$1" '/^\.SH / { on = $0 == ".SH " name || $0 == ".SH \"" name "\""; next } on'
}

# tags SECTION PAGE: the line after each .TP
tags()
{
	section "$1" "$2" | awk 'tag { sub(/^\.BR? /, ""); print } { tag = $0 == ".TP" }'
}

# same DESCRIPTION PROGRAM PAGE LEAST: two files of lines are equal and have at least so many
same()
{
	num "$1: rows of the program" "$(wc -l <"$2")" -ge "$4"
	if diff "$2" "$3" >diff.out; then
		pass "$1: the manual agrees"
	else
		fail "$1: the manual agrees"
		diag "< the program, > the manual:"
		diag <diff.out
	fi
}

# ---- commands
ok "help" "$TAGCORE" help
sed -n 's/^  \([a-z]*\)  *\([^ ].*[^ ]\)   *[^ ].*$/\1 \2/p' out | sed 's/  .*//' >prog
tags COMMANDS "$man/tagcore.1" >page
same "tagcore(1), commands" prog page 4

# ---- options, with their short names and arguments
# heads of the lines that help prints
option_heads()
{
	sed -n '/^Options:/,$p' | sed -n 's/^  *\(-.*[^ ]\)   *[^ ].*$/\1/p' | sed 's/  .*//'
}
for cmd in dump inspect validate repair stack explain; do
	ok "help $cmd" "$TAGCORE" help $cmd
	option_heads <out >prog
	tags OPTIONS "$man/tagcore-$cmd.1" >page
	same "tagcore-$cmd(1), options" prog page 1
done
ok "gcore --help" "$GCORE" --help
option_heads <out >prog
tags OPTIONS "$man/gcore.1" >page
same "gcore(1), options" prog page 5

# ---- views
ok "help inspect" "$TAGCORE" help inspect
sed -n '/^Options:/q; s/^  \([a-z]*\) .*/\1/p' out >prog
tags VIEWS "$man/tagcore-inspect.1" >page
same "tagcore-inspect(1), views" prog page 6

# ---- rules: the table is the program's only list of them
sed -n 's/^	{ "\([a-z-]*\)", [a-z_]*, PLAN_\([A-Z_]*\), "\(.*\)" },$/\1 \2 \3/p' "$TOP/src/dump/plan_rules.c" >rows
while read -r name action why; do
	echo "$name ($(echo "$action" | tr A-Z_ a-z-)): $why."
done <rows >prog
is "every row of plan_rules[] is understood" "$(wc -l <rows)" \
	"$(sed -n '/plan_rules\[\] = {/,/^};/p' "$TOP/src/dump/plan_rules.c" | grep -c '^	{')"
section RULES "$man/tagcore-dump.1" |
	awk '/^\.TP/ { if (head) print head ":" text; head = text = ""; tag = 1; next }
		tag { head = $0; tag = 0; next } head { text = text " " $0 } END { print head ":" text }' >page
same "tagcore-dump(1), rules" prog page 20

# ---- checks: id, severity, sentence, source
ok "validate --list" "$TAGCORE" validate --list
tr -s ' ' <out >prog
# A row is the tag, the severity, the sentence and the source in brackets; paragraphs after it are the page's own.
section CHECKS "$man/tagcore-checks.7" |
	awk '/^\.TP/ { row = ""; on = 1; next }
		!on || /^\.br/ { next }
		{ sub(/^\.B /, ""); row = row (row == "" ? "" : " ") $0 }
		/\]$/ { print row; on = 0 }' | sed 's/^\([^ ]* [a-z]*\)\./\1/' >page
same "tagcore-checks(7)" prog page 30

# ---- diagnoses: name, what they apply to, sentence, what they rest on
ok "explain --list" "$TAGCORE" explain --list
tr -s ' ' <out >prog
section DIAGNOSES "$man/tagcore-diagnoses.7" |
	awk '/^\.TP/ { row = ""; on = 1; next }
		!on || /^\.br/ { next }
		{ sub(/^\.B /, ""); row = row (row == "" ? "" : " ") $0 }
		/\]$/ { print row; on = 0 }' >page
same "tagcore-diagnoses(7)" prog page 40

# ---- repairs: id, the checks they cure, sentence, source
ok "repair --list" "$TAGCORE" repair --list
tr -s ' ' <out >prog
section REPAIRS "$man/tagcore-repair.1" |
	awk '/^\.TP/ { row = ""; on = 1; next }
		!on || /^\.br/ { next }
		{ sub(/^\.B /, ""); row = row (row == "" ? "" : " ") $0 }
		/\]$/ { print row; on = 0 }' >page
same "tagcore-repair(1), repairs" prog page 15

# ---- environment: what the program reads or sets
grep -rhoE '(getenv|setenv|setting)\("[A-Z_]+"' "$TOP/src" | sed 's/.*"\(.*\)"/\1/' | sort -u >prog
section ENVIRONMENT "$man/tagcore.1" | awk 'tag { print } { tag = $0 == ".TP" }' |
	grep -oE '[A-Z]+(_[A-Z]+)*' | grep -vx BR | grep -vx B | sort -u >page
same "tagcore(1), environment" prog page 6

# ---- notes of our own: names, numbers, codes of flags
sed -n 's/.*\(NT_TAGCORE_[A-Z]*\) = \([0-9a-fx]*\),.*/\1 (\2)/p' "$TOP/src/elf/note.h" >prog
plain "$man/tagcore-notes.5" | sed -n 's/^\.SS \(NT_.*\)/\1/p' >page
same "tagcore-notes(5), notes" prog page 4
sed -n '/} codes\[\] = {/,/};/p' "$TOP/src/mm/vma_flags.c" | grep -o '"[a-z][a-z]"' | tr -d '"' | sort >prog
plain "$man/tagcore-notes.5" | sed -n 's/^\([a-z][a-z]\) (.*/\1/p' | sort >page
same "tagcore-notes(5), flags" prog page 5

# ---- the library: a page for each header, with its functions and no other
for header in "$TOP"/include/tagcore/*.h; do
	page=${header##*/} page=$man/tagcore_${page%.h}.3
	case $page in */tagcore_tagcore.3) page=$man/libtagcore.3 ;; esac
	tr '\n' ' ' <"$header" | grep -o 'TAGCORE_API [^;(]*(' | grep -o 'tagcore_[a-z0-9_]*(' | tr -d '(' | sort >prog
	# The first name is the page's own.
	section NAME "$page" | tr -d ',' | sed 's/ .*//' | tail -n +2 | sort >page
	same "${page##*/}" prog page 1
	for f in $(cat prog); do
		section SYNOPSIS "$page" | grep -q "[ *]$f(" || echo "$f"
	done >not.shown
	is "${page##*/}: how each is called" "$(cat not.shown)" ""
done

# ---- pages that other pages send the reader to
for page in "$man"/*.[1-8]; do
	plain "$page" | grep -oE '^\.BR (tagcore[a-z_-]*|libtagcore|gcore) \([1-8]\)' | sed 's/^\.BR \([^ ]*\) (\(.\))/\1.\2/' | sort -u |
		while read -r other; do
			[ -f "$man/$other" ] || echo "$other"
		done >gone
	is "${page##*/} refers to pages that exist" "$(cat gone)" ""
done

if have mandoc; then
	for page in "$man"/*.[1-8]; do
		run mandoc -Tlint -Wall "$page"
		is "${page##*/}: mandoc has nothing to say" "$(cat out)" ""
	done
else
	skip "manual pages are clean for mandoc" "no mandoc(1)"
fi
done_testing
