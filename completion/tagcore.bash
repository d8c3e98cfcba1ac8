# bash completion for tagcore(1), made from the program's tables.
# shellcheck shell=bash

# _tagcore_options COMMAND
_tagcore_options()
{
	case $1 in
	#@ options
	esac
}

# _tagcore_argument COMMAND OPTION: what its argument may be; false when it has none
_tagcore_argument()
{
	case "$1 $2" in
	#@ arguments
	*) return 1 ;;
	esac
}

# _tagcore_places COMMAND [VIEW]: what each operand may be; COMMAND counts as read
_tagcore_places()
{
	case $1 in
	#@ places
	esac
	case $2 in
	#@ views
	esac
}

# _tagcore_offer KINDS PID: adds what begins with $cur to COMPREPLY
_tagcore_offer()
{
	local kind p words kinds
	IFS=, read -ra kinds <<<"$1"
	for kind in "${kinds[@]}"; do
		words=
		case $kind in
		+*)	words=${kind#+} ;;
		command) words='@commands@' ;;
		view)	words='@views@' ;;
		note)	words='@notes@' ;;
		# Of other users' processes and of the kernel's threads, the program cannot be seen.
		pid)	for p in /proc/[0-9]*; do [[ ! -e $p/exe ]] || words+=" ${p#/proc/}"; done ;;
		tid)	[[ ! $2 ]] || words=$(cd "/proc/$2/task" 2>/dev/null && echo [0-9]*) ;;
		file)	compopt -o filenames 2>/dev/null
			mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur") ;;
		dir | dirs)
			compopt -o filenames 2>/dev/null
			mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$cur") ;;
		esac
		[[ ! $words ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$words" -- "$cur")
	done
}

_tagcore()
{
	local cur=${COMP_WORDS[COMP_CWORD]} cmd='' view='' pid='' want='' had='' only='' word kinds i n=0
	local -a places
	COMPREPLY=()
	# Called by the name gcore, it is that command.
	[[ ${COMP_WORDS[0]##*/} != gcore ]] || cmd=gcore
	# "--output=x" is three words to bash, and so is "a:b".
	[[ $cur != [=:] ]] || cur=
	for ((i = 1; i < COMP_CWORD + 1; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == : && $had ]]; then
			want=$had
			continue
		fi
		((i < COMP_CWORD)) || break
		if [[ $want ]]; then
			[[ $word != = ]] || continue
			had=$want want=
			continue
		fi
		had=
		if [[ ! $only && $word == -- ]]; then
			only=operands
		elif [[ ! $only && $word == -?* ]]; then
			[[ ! $cmd ]] || want=$(_tagcore_argument "$cmd" "$word")
		elif [[ ! $cmd ]]; then
			cmd=$word
		else
			n=$((n + 1))
			[[ $n != 1 || $cmd != inspect ]] || view=$word
			[[ $word == *[!0-9]* ]] || pid=$word
		fi
	done
	if [[ $want ]]; then
		_tagcore_offer "$want" "$pid"
	elif [[ ! $only && $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_tagcore_options "$cmd")" -- "$cur")
	elif [[ ! $cmd ]]; then
		_tagcore_offer command
	else
		read -ra places <<<"$(_tagcore_places "$cmd" "$view")"
		kinds=${places[n]-}
		# The last place may be for any number of words.
		[[ $kinds || ${places[*]: -1} != *... ]] || kinds=${places[*]: -1}
		_tagcore_offer "${kinds%...}" "$pid"
	fi
}

complete -F _tagcore tagcore
[[ ${BASH_SOURCE[0]##*/} != gcore ]] || complete -F _tagcore gcore
