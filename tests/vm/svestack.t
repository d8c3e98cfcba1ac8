# Frames that are measured in vectors: their length is in the notes of each thread only.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
machine_begin

# The functions of ours in a backtrace, innermost first; ours are those named case_.
own()
{
	awk '/^ *(frame )?#[0-9]*:? *(0x[0-9a-f]*)? *(in )?([a-z]*`)?case_/ {
		sub(/^[^_]*case_/, "case_"); sub(/[^a-z_].*/, ""); if ($0 != last) printf "%s ", last = $0 }'
}

# whole WHAT COMMAND...: all functions of ours, and no table failed
whole()
{
	whole_what=$1
	shift
	ok "$whole_what" "$@"
	is "$whole_what: all functions" "$(own <out)" "$want "
	matches_not "$whole_what: nothing is incomplete" out incomplete
}

# may_have WHAT: the others have these functions or fewer, for some do not know how long vectors are
may_have()
{
	own <out | tr ' ' '\n' | sed '/^$/d' >their.list
	printf '%s' "$want" | tr ' ' '\n' >our.list
	in_order their.list our.list && more=0 || more=1
	is "$1 has no more than we" "$more" 0 || diag <their.list
}

# They take most of the time in the emulator: of the cases with vectors of 32 bytes only, and in make check of the one
# with a signal; LLDB, which takes longest, then looks at one core.
outsiders()
{
	[ -n "$how" ] || soak || return 0
	run gdb -nx -batch -iex 'set debuginfod enabled off' -p "$PID" -ex bt
	may_have "$what: gdb, live,"
	run eu-stack -n 0 -p "$PID"
	may_have "$what: eu-stack, live,"
	for core in full mini; do
		run gdb -nx -batch -iex 'set debuginfod enabled off' -ex bt "$VM/$program" $core
		may_have "$what: gdb on $core"
		run eu-stack -n 0 -e "$VM/$program" --core $core
		may_have "$what: eu-stack on $core"
		[ $core-$program = mini-svestack ] || soak || continue
		run timeout 60 lldb -b -o bt -c $core "$VM/$program"
		may_have "$what: LLDB on $core"
	done
}

try()
{
	program=$1 vl=$2
	for how in "" signal; do
		# The case with a signal has the other's frames, too: in make check that is for one length.
		case $how,$program,$vl in ,svestack,16 | ,svestack,32) soak || continue ;; esac
		what="$program: vectors of $vl bytes${how:+, $how}"
		want="case_wait ${how:+case_handler }case_inner case_middle case_outer"
		# The word may be none.
		# shellcheck disable=SC2086
		start "$VM/$program" $vl $how
		whole "$what: live" "$TAGCORE" stack "$PID"
		ok "$what: dump" "$TAGCORE" dump -q --force -o full "$PID"
		ok "$what: dump --stacks" "$TAGCORE" dump -q --force --stacks -o mini "$PID"
		for core in full mini; do
			for unwinder in libdw libunwind; do
				whole "$what: $core, by $unwinder" "$TAGCORE" stack --unwinder $unwinder $core
			done
		done
		[ "$vl" != 32 ] || outsiders
		kernel_core kernel ABRT
		whole "$what: the kernel's core" "$TAGCORE" stack kernel
		rm -f full mini kernel
	done
}

# PROGRAMS: of targets/, each with the lengths of vectors, instead.
echo "${PROGRAMS-svestack 16 32 64}" >programs
while read -r program lengths; do
	for length in $lengths; do
		try "$program" "$length"
	done
done <programs
done_testing
