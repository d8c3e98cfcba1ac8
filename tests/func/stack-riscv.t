# Backtraces of RISC-V, whose compilers made no tables for C until gcc 13: a program is gone through
# in QEMU, and of many of its instructions the backtrace is compared with what was called.
. "$TOP/tests/func/lib.sh"
triplet=riscv64-linux-gnu
have $triplet-gcc || skip_all "no $triplet-gcc"
have qemu-riscv64 || skip_all "no qemu-riscv64"
have python3 || skip_all "no python3"
gdb=
have gdb-multiarch && gdb="gdb-multiarch"

# build NAME FLAG...: it is to stop nowhere, hence raise()
build()
{
	build_name=$1
	shift
	timeout 60 $triplet-gcc -std=gnu11 -D_GNU_SOURCE -w -static -pthread -fno-asynchronous-unwind-tables \
		-fno-unwind-tables -Wl,--defsym=raise=abs "$@" -o "$build_name" "$TOP/tests/targets/notable/steps.c"
}

# check EVERY PROGRAM [FILE]
check()
{
	start=$($triplet-nm "$2" | awk '$3 == "case_root" { print $1 }')
	# shellcheck disable=SC2086 # nothing, or a name
	ok "${3:-$2}: all frames" timeout 240 python3 "$TOP/tests/func/stack-riscv.py" \
		qemu-riscv64 "./$2" "$start" "$1" "$TAGCORE" "${3:-$2}" $gdb
	tail -n 1 out | diag
}

if ! build O0 -O0 2>build.log; then
	skip_all "the compiler does not: $(tail -n 1 build.log)"
fi
check 197 O0
build O2 -O2 && check 61 O2
build Os -Os && check 61 Os
# As far as the linker cannot shorten calls, and without compressed instructions.
build wide -O1 -march=rv64g -mno-relax && check 61 wide
$triplet-strip -o stripped O2 && check 67 O2 stripped
done_testing
