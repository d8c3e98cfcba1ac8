#compdef tagcore
# zsh completion for tagcore(1), made from the program's tables.

# _tagcore_offer KINDS: offers what the word may be
_tagcore_offer()
{
	local kind p n=$compstate[nmatches]
	local -a rows
	for kind in ${(s:,:)1}; do
		rows=()
		case $kind in
		+*)	compadd -- ${kind#+} ;;
		command)
			rows=(
				#@ commands
			)
			_describe -t commands command rows ;;
		view)
			rows=(
				#@ views
			)
			_describe -t views view rows ;;
		note)
			rows=(
				#@ notes
			)
			compadd -a rows ;;
		# Of other users' processes and of the kernel's threads, the program cannot be seen.
		pid)
			for p in /proc/<->(N); do
				[[ ! -e $p/exe ]] || rows+=("$p:t:$(<$p/comm)")
			done 2>/dev/null
			_describe -t processes process rows ;;
		tid)
			for p in ${(M)words:#<->}; do rows+=(/proc/$p/task/<->(N:t)); done
			compadd -a rows ;;
		file)	_files ;;
		dir)	_files -/ ;;
		dirs)	_dir_list ;;
		esac
	done
	(( compstate[nmatches] > n ))
}

_tagcore()
{
	local curcontext=$curcontext state cmd kinds
	local -a line options places
	local -A opt_args
	_arguments -C -A '-*' \
		'(- *)'{-h,--help}'[list the commands]' '(- *)'{-V,--version}'[print the version]' \
		':command: _tagcore_offer command' '*:: :->arguments' && return
	[[ $state == arguments ]] || return
	cmd=$words[1]
	case $cmd in
	#@ options
	*) return 1 ;;
	esac
	_arguments -C -s -S : $options '*: :->operands' && return
	[[ $state == operands ]] || return
	# $line is the operands, the last of which is being written.
	if [[ $cmd == inspect ]] && (( $#line > 1 )); then
		places=()
		case $line[1] in
		#@ places
		esac
	fi
	kinds=$places[$#line]
	# The last place may be for any number of words.
	[[ -n $kinds || $places[-1] != *... ]] || kinds=$places[-1]
	_tagcore_offer ${kinds%...}
}

[[ $funcstack[1] != _tagcore ]] || _tagcore "$@"
