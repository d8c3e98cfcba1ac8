# Frames that are measured in vectors: their length is in the notes of each thread only.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
machine_begin

# The functions of ours in a backtrace, innermost first; ours are those named case_.
own()
{
	sed -n 's/^ *\(frame \)\{0,1\}#[0-9]*:\{0,1\} *\(0x[0-9a-f]*\)\{0,1\} *\(in \)\{0,1\}\([a-z]*`\)\{0,1\}\(case_[a-z_]*\).*/\5/p' |
		uniq | tr '\n' ' '
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

try()
{
	program=$1 vl=$2
	for how in "" signal; do
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
		if [ "$vl" = 32 ]; then
			run gdb -nx -batch -iex 'set debuginfod enabled off' -p "$PID" -ex bt
			may_have "$what: gdb, live,"
			run eu-stack -n 0 -p "$PID"
			may_have "$what: eu-stack, live,"
			for core in full mini; do
				run gdb -nx -batch -iex 'set debuginfod enabled off' -ex bt "$VM/$program" $core
				may_have "$what: gdb on $core"
				run eu-stack -n 0 -e "$VM/$program" --core $core
				may_have "$what: eu-stack on $core"
				run timeout 60 lldb -b -o bt -c $core "$VM/$program"
				may_have "$what: LLDB on $core"
			done
		fi
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
