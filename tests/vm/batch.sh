# batch.sh - tests that run one after another in one machine, which is booted again after one that brings it down.
# shellcheck shell=sh disable=SC2154 # batch, top and in_machine are of those who source this
# The directory batch has the names of the tests in its file list, and for each that has run a directory of its name:
# tap, what it printed, and status.  "in_machine FILE..." boots a machine and runs them, by tests/vm/run and check-guest.

# programs_of DIRECTORY NAME: the programs in it, as arguments of tests/vm/run
programs_of()
{
	for f in "$1"/*; do
		case $f in
		*.[do]) ;;
		*)	[ ! -f "$f" ] || printf '%s:build/%s/%s\n' "$f" "$2" "${f##*/}" ;;
		esac
	done
}

# sources_of DIRECTORY PATTERN: the same of the files there, by their names in the tree
sources_of()
{
	for f in "$top/$1"/$2; do
		printf '%s:%s/%s\n' "$f" "$1" "${f##*/}"
	done
}

# What runs in the machine for FILE; its results are in a directory of that file's name.
script_of()
{
	case $1 in
	*/host/*.t)	echo "${1%.t}.in" ;;
	*)		echo "$1" ;;
	esac
}
result_of() { basename "$(script_of "$1")"; }

# no_verdict FILE: it brought the machine down, or held it
no_verdict()
{
	mkdir -p "$batch/${1##*/}"
	cat "$batch/said" >>"$batch/${1##*/}/tap"
	echo 125 >"$batch/${1##*/}/status"
}

# Runs what is in the list and has no result yet.  Those that come after one without verdict have another machine.
run_batch()
{
	while :; do
		set --
		while read -r f; do
			[ -s "$batch/$(result_of "$f")/status" ] || set -- "$@" "$(script_of "$f")"
		done <"$batch/list"
		[ $# -gt 0 ] || return 0
		in_machine "$@" >"$batch/said" 2>&1 7>&- &
		job=$!
		wait $job
		job='' begun=''
		for f; do
			[ -e "$batch/${f##*/}/tap" ] || continue
			begun=yes
			[ -s "$batch/${f##*/}/status" ] || no_verdict "$f"
		done
		# Not even the first: it is the machine that fails.
		[ -n "$begun" ] || for f; do no_verdict "$f"; done
	done
}

