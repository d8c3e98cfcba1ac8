# Backtraces of 32-bit Arm by its tables for exceptions and by code, of cores that the emulator
# writes: what must be in them, and no less than gdb has.
. "$TOP/tests/func/lib.sh"
plain_build
CC=arm-linux-gnueabihf-gcc
CXX=arm-linux-gnueabihf-g++
have $CC || skip_all "no $CC"
have qemu-arm || skip_all "no qemu-arm"
ulimit -c unlimited 2>/dev/null || skip_all "no core files are allowed"

# program NAME FLAG...: without debug information, whose tables would be enough
program()
{
	program_name=$1
	shift
	ok "$program_name is compiled" "$@" -g0 -w -static -no-pie -Wl,-z,separate-code -o "$program_name" "$TOP/tests/targets/arm/frames.c"
}

# core_of PROGRAM ARG: to the file core
core_of()
{
	rm -f core qemu_*.core
	timeout 60 qemu-arm "./$1" "$2" >/dev/null 2>&1
	mv qemu_*.core core 2>/dev/null
}

# The functions of ours and main, innermost first, on a line.
own()
{
	sed -n 's/^#[0-9]* *\(0x[0-9a-f]*\)\{0,1\} *\(in \)\{0,1\}\(\(case_\|main\)[a-z_]*\).*/\3/p' | uniq | tr '\n' ' '
}

# case_of PROGRAM ARG FUNCTIONS
case_of()
{
	core_of "$1" "$2"
	ok "$1 $2: a backtrace, under the sanitizers" "$SANITIZED" stack --exe "$1" core
	is "$1 $2: all functions" "$(own <out)" "$3 main "
	matches "$1 $2: to the first" out ' _start\+'
	matches_not "$1 $2: nothing is incomplete" out incomplete
}

few_cases()
{
	case_of "$1" leaf "case_leaf case_middle case_large case_sized case_float"
	case_of "$1" crash "case_abort case_last case_leaf case_middle case_large case_sized case_crash"
}

cases()
{
	few_cases "$1"
	case_of "$1" raise "case_leaf case_middle case_handler case_raise"
	case_of "$1" abort "case_abort"
	case_of "$1" wild "case_wild"
	case_of "$1" library "case_library"
}

# gdb has nothing that ours has not; it ends in frames of signals.
outsider()
{
	if ! have gdb-multiarch; then
		skip "$1 $2: as gdb" "no gdb-multiarch"
		return
	fi
	core_of "$1" "$2"
	run "$TAGCORE" stack --exe "$1" core
	ours=$(own <out)
	timeout 60 gdb-multiarch -nx -batch -ex "file $1" -ex 'core core' -ex bt >gdb 2>/dev/null
	theirs=$(own <gdb)
	like "$1 $2: gdb has nothing that ours has not" "$ours" "$theirs*"
	num "$1 $2: gdb has a part of it" "${#theirs}" -gt 0
}

# An instruction that ends the program takes the place of each of FUNCTION's in turn: what is
# before it was done, wherever in its prologue or epilogue a function is.
# everywhere PROGRAM FUNCTION FUNCTIONS
everywhere()
{
	case $1 in
	thumb*) undefined='\000\336' ;;
	*)	undefined='\360\000\360\347' ;;
	esac
	text=$(readelf -lW "$1" | awk '$1 == "LOAD" && /R E/ { print $2, $3 }')
	wrong='' reached=0
	for at in $(arm-linux-gnueabihf-objdump -d "$1" | awk -v f="<$2>:" '
		/^[0-9a-f]+ </ { on = $2 == f } on && /^ / && $3 !~ /^[.]/ && $4 !~ /^[.]/ { print substr($1, 1, length($1) - 1) }'); do
		cp "$1" patched
		# shellcheck disable=SC2059 # it is meant to be one
		printf "$undefined" | dd of=patched bs=1 seek=$((0x$at - ${text#* } + ${text% *})) conv=notrunc 2>/dev/null
		core_of patched all
		[ -f core ] || continue
		run "$TAGCORE" stack --exe patched core
		grep -q "^#0 *0x0*$at " out || continue
		reached=$((reached + 1))
		[ "$(own <out)" = "$3 main " ] && grep -q ' _start+' out || wrong="$wrong $at"
	done
	is "$1: wherever in $2: all functions" "$wrong" ""
	num "$1: which is many places" "$reached" -gt 5
}

for mode in arm thumb; do
	program $mode-O0 $CC -m$mode -O0
	few_cases $mode-O0
	program $mode-O2 $CC -m$mode -O2
	cases $mode-O2
	outsider $mode-O2 leaf
	everywhere $mode-O2 case_middle "case_middle case_large case_sized case_float case_all"
	everywhere $mode-O2 case_float "case_float case_all"
	program $mode-Os-tables $CC -m$mode -Os -funwind-tables -fno-omit-frame-pointer
	cases $mode-Os-tables
	outsider $mode-Os-tables crash
	everywhere $mode-Os-tables case_sized "case_sized case_float case_all"
	if have $CXX; then
		program $mode-O2-cxx $CXX -x c++ -m$mode -O2
		few_cases $mode-O2-cxx
	else
		skip "C++ in $mode code" "no $CXX"
	fi
done

# The output says how a frame was found; where the table and the code agree, it was by the table.
found()
{
	core_of "$1" leaf
	run "$TAGCORE" stack --json --exe "$1" core
	grep -o '"found_by": "[a-z-]*"' out | sed 's/.*: "\(.*\)"/\1/' | uniq | tr '\n' ' '
}
is "with tables: by them" "$(found thumb-Os-tables)" "registers exidx "
is "without: by the code, and by those of the library" "$(found thumb-O2)" "registers code exidx "
run "$TAGCORE" stack --exe thumb-O2 core
matches "which is said" out '^#1 .*\(found by reading code\)$'
# As for a program without symbols: the table says where a function begins.
arm-linux-gnueabihf-strip -o stripped thumb-Os-tables
core_of stripped leaf
run "$TAGCORE" stack --exe stripped core
frames=$(grep -c '^#' out)
run "$TAGCORE" stack --exe thumb-Os-tables core
num "without symbols: as many frames" "$(grep -c '^#' out)" -eq "$frames"

# Where a function begins that has neither, nobody knows: its returns say what called it, and what
# cannot be known is not said.
# addresses FILE: of the frames
addresses()
{
	sed -n 's/^#[0-9]* *\(0x[0-9a-f]*\).*/\1/p' "$1" | tr '\n' ' '
}

for mode in arm thumb; do
	arm-linux-gnueabihf-strip -o stripped $mode-O2
	for arg in leaf raise library crash abort; do
		core_of stripped $arg
		run "$TAGCORE" stack --exe $mode-O2 core
		whole=$(addresses out)
		run "$TAGCORE" stack --exe stripped core
		like "neither symbols nor tables, $mode $arg: no frame that is none" "$whole" "$(addresses out)*"
		[ "$(addresses out)" = "$whole" ] || matches "neither symbols nor tables, $mode $arg: it says that it is short" out incomplete
		case $arg in
		leaf | raise) is "neither symbols nor tables, $mode $arg: all frames" "$(addresses out)" "$whole" ;;
		esac
	done
done
done_testing
