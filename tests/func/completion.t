# Completions of bash, zsh and fish: made of the program's tables, of good syntax, and right on a line.
# shellcheck disable=SC2046,SC2013 # files of words
. "$TOP/tests/func/lib.sh"
plain_build
MADE=$O/completion
[ -e "$MADE/tagcore.bash" ] || skip_all "no completions are made in this build"

# ---- every row of the tables is in each
"$TAGCORE" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' >commands
"$TAGCORE" help inspect | sed -n '/^Options:/q; s/^  \([a-z]*\) .*/\1/p' >views
while read -r cmd; do
	"$TAGCORE" help "$cmd" | sed -n '/^Options:/,$s/^  *\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' | sed "s/^/$cmd /"
done <commands >options
num "commands" "$(wc -l <commands)" -ge 7
num "views" "$(wc -l <views)" -ge 12
num "options" "$(wc -l <options)" -ge 40
for shell in bash zsh fish; do
	file=$MADE/tagcore.$shell
	cut -d ' ' -f 2 options | cat commands views - | while read -r word; do
		grep -qw -e "$word" "$file" || echo "$word"
	done >absent
	is "$shell: no command, view or option is absent" "$(cat absent)" ''
	is "$shell: nothing is left to be filled in" "$(grep -n '#@\|@[a-z]*@' "$file")" ''
	if have $shell; then
		ok "$shell accepts it" $shell -n "$file"
	else
		skip "$shell accepts it" "no $shell"
	fi
done

# ---- what is offered at the end of a line.  A shell of each kind answers; one candidate a line, without description.
sleep 300 &
PID=$!
mine $PID
mkdir place && : >core.one && : >core.two && : >place/core

cat >ask.bash <<'END'
. "$1"
# As readline divides words: at blanks, before and after "=" and ":".
line=$(sed 's/[=:]/ & /g' <<<"$2")
read -ra COMP_WORDS <<<"$line"
[[ $line != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
$(complete -p "${COMP_WORDS[0]}" | sed 's/.*-F \([^ ]*\) .*/\1/')
printf '%s\n' "${COMPREPLY[@]}"
END

# In a terminal, since zsh's completion is part of its line editor: what it adds as matches is noted in a file.
cat >ask.zsh <<'END'
zmodload zsh/zpty
print -r -- 'PS1= fpath=('${(q)PWD}'/zsh $fpath)
autoload -Uz compinit && compinit -u -d ./zdump
compadd() {
	local -a hits
	[[ " ${@[1,(i)(-|--)]}" == *" -"[ODA]" "* ]] || { builtin compadd -A hits "$@"; print -rl -- $hits >>hits }
	builtin compadd "$@"
}
at_end() { : >end }
complete_line() { comppostfuncs=(at_end); _main_complete; compstate[insert]= compstate[list]= }
zle -C complete_line complete-word complete_line
bindkey "^I" complete_line
: >ready' >init.zsh
wait_for() { local n; for n in {1..1500}; do [[ ! -e $1 ]] || return 0; sleep 0.02; done; return 1 }
rm -f ready end hits; : >hits
zpty z zsh -f -i
zpty -w z 'unset zle_bracketed_paste; . ./init.zsh'
wait_for ready && zpty -n -w z $1$'\t' && wait_for end && sort -u hits
zpty -d z
END
mkdir zsh && cp "$MADE/tagcore.zsh" zsh/_tagcore

# offers SHELL LINE: the candidates in the file out
offers()
{
	case $1 in
	bash) run bash --norc --noprofile ask.bash "$MADE/tagcore.bash" "$2" ;;
	zsh) run timeout -k 5 60 zsh -f ask.zsh "$2" ;;
	fish) run env HOME="$PWD" fish --no-config -c "source $MADE/tagcore.fish; complete -C '$2'" </dev/null ;;
	esac
	sed -i 's/	.*//; s,\([^/]\)/$,\1,' out
}

# has DESCRIPTION LINE WORD...: all of the words are offered, and with "!" before it one is not
has()
{
	has_what=$1 has_line=$2
	shift 2
	offers $shell "$has_line"
	for word; do
		case $word in
		!*) ! grep -qx -e "${word#!}" out || echo "$word" ;;
		*) grep -qx -e "$word" out || echo "$word" ;;
		esac
	done >wrong
	is "$shell: $has_what" "$(cat wrong)" '' || diag <err
}

for shell in bash zsh fish; do
	if ! have $shell; then
		skip "$shell completes" "no $shell"
		continue
	fi
	has "commands" "tagcore " $(cat commands) !core.one
	has "of those that begin so" "tagcore in" inspect !dump
	has "options of tagcore itself" "tagcore --" --help --version !--json
	has "views" "tagcore inspect " $(cat views) core.one place
	for cmd in $(cat commands); do
		has "options of $cmd" "tagcore $cmd --" $(sed -n "s/^$cmd /--/p" options) --help !--nonsense
	done
	has "an option in the middle" "tagcore dump --quiet --st" --stop-timeout --stacks !--limit
	has "processes" "tagcore dump " $PID !core.one !1x
	has "a second process" "tagcore dump --output x $PID " $PID !core.one
	has "processes and files for stack" "tagcore stack " $PID core.one place
	has "threads of that process" "tagcore stack $PID --thread " $PID !core.one
	has "files for a core" "tagcore validate core." core.one core.two !dump
	has "and another" "tagcore validate core.one " core.one core.two
	has "what is in a directory" "tagcore validate place/" 'place/core\|core'
	has "the core of a view" "tagcore inspect threads " core.one place !threads
	has "kinds of notes, or a core" "tagcore inspect notes NT_PR" NT_PRSTATUS NT_PRPSINFO !NT_AUXV
	has "the core after it" "tagcore inspect notes NT_PRSTATUS " core.one !NT_PRSTATUS
	has "no address" "tagcore inspect memory " !core.one !summary
	has "a length or a core" "tagcore inspect memory 0x1000 " core.one
	has "no core after the core" "tagcore repair core.one core.two " !core.one
	has "words of an option" "tagcore dump --progress " auto always never !$PID !core.one
	has "that begin so" "tagcore dump --progress al" always !auto
	has "a file of an option" "tagcore dump -o " core.one !$PID
	has "a directory" "tagcore stack --sysroot " place !core.one
	has "a word after =" "tagcore stack --unwinder=" '\(--unwinder=\)\{0,1\}libdw' '\(--unwinder=\)\{0,1\}auto'
	has "options after which a number follows" "tagcore dump --limit " !$PID !core.one
	has "a directory after another" "tagcore stack --debuginfo-path /usr:$PWD/pla" '\(.*/\)\{0,1\}place'
	has "no options after --" "tagcore dump -- --js" !--json
	has "nothing for an unknown command" "tagcore nonsense " !dump !core.one !$PID
	is "$shell: without a complaint" "$(cat err)" ''
	has "help of a command" "tagcore help " inspect dump !core.one
done

# ---- words that an option takes are those that the program knows
while read -r cmd option words; do
	for word in $(echo "$words" | tr '|' ' '); do
		run "$TAGCORE" "$cmd" "--$option" "$word" 0
		matches_not "$cmd --$option $word is known" err "--$option|no unwinder"
	done
done <<END
$(sed -n 's/^option	\([a-z]*\)	\([a-z-]*\)	.	\([a-z|]*\)	.*/\1 \2 \3/p' "$MADE/rows" | sed 's/|SIZE//')
END

# ---- a new kind of argument is noticed when it is built
printf 'command	new	THING	help\n' >rows
for shell in bash zsh fish; do
	run awk -f "$TOP/completion/$shell.awk" -f "$TOP/completion/rows.awk" rows "$TOP/completion/tagcore.$shell"
	is "$shell: an operand of an unknown kind is an error" "$rc" 1
	matches "and named" err 'no kind for THING'
done
done_testing
