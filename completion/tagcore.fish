# fish completion for tagcore(1), made from the program's tables.

# __tagcore_argument COMMAND OPTION: true when the next word is its argument
function __tagcore_argument
	switch "$argv"
		#@ arguments
		case '*'
			return 1
	end
end

# Prints the command, the view or first operand, and how many operands are read; one a line, or nothing.
function __tagcore_read
	set -l words (commandline -opc)
	set -l cmd ''
	set -l first ''
	set -l n 0
	set -l skip no
	set -l only no
	for word in $words[2..-1]
		if test $skip = yes
			set skip no
		else if test $only = no -a "$word" = --
			set only yes
		else if test $only = no; and string match -q -- '-?*' $word
			if __tagcore_argument $cmd $word
				set skip yes
			end
		else if test -z "$cmd"
			set cmd $word
		else
			test $n -gt 0; or set first $word
			set n (math $n + 1)
		end
	end
	printf '%s\n' "$cmd" "$first" $n
end

# __tagcore_is COMMAND: it is the one on the line; '' for none yet
function __tagcore_is
	set -l read (__tagcore_read)
	test "$read[1]" = "$argv[1]"
end

# __tagcore_places COMMAND [VIEW]: what each operand may be
function __tagcore_places
	switch "$argv[2]"
		#@ views
	end
	test -z "$argv[2]" -o "$argv[1]" != inspect; or return
	switch $argv[1]
		#@ places
	end
end

function __tagcore_offer
	for kind in (string split , -- $argv[1])
		switch $kind
			case '+*'
				string sub -s 2 -- $kind
			case command
				#@ commands
			case view
				#@ viewrows
			case note
				#@ notes
			case pid
				# Of other users' processes and of the kernel's threads, the program cannot be seen.
				for p in /proc/*
					string match -qr '/[0-9]+$' -- $p; and test -e $p/exe; or continue
					read -l comm 2>/dev/null <$p/comm; and printf '%s\t%s\n' (string replace /proc/ '' -- $p) $comm
				end
			case tid
				for word in (commandline -opc)
					string match -qr '^[0-9]+$' -- $word; and command ls /proc/$word/task 2>/dev/null
				end
			case file
				__fish_complete_path (commandline -ct)
			case dir dirs
				__fish_complete_directories (commandline -ct)
		end
	end
end

function __tagcore_operands
	set -l read (__tagcore_read)
	if test -z "$read[1]"
		__tagcore_offer command
		return
	end
	set -l places (__tagcore_places $read[1] $read[2] | string split ' ')
	set -l kinds $places[(math $read[3] + 1)]
	# The last place may be for any number of words.
	if test -z "$kinds"; and string match -q -- '*...' $places[-1]
		set kinds $places[-1]
	end
	test -z "$kinds"; or __tagcore_offer (string replace ... '' -- $kinds)
end

complete -c tagcore -f -a '(__tagcore_operands)'
complete -c tagcore -n "__tagcore_is ''" -s h -l help -d 'list the commands'
complete -c tagcore -n "__tagcore_is ''" -s V -l version -d 'print the version'
#@ options
