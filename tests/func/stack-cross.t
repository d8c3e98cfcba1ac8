# Backtraces of programs of other machines, which QEMU's user mode runs and writes cores of: the
# functions are known by the program, tests/targets/cross/crash.c.
. "$TOP/tests/func/lib.sh"
# shellcheck disable=SC3045 # the shells of Linux have it
ulimit -c unlimited 2>/dev/null || skip_all "no core files may be written here"

# Triplet of the compiler, name of QEMU's machine, cases.  Not on all: what the library does, which has
# no tables on some; what QEMU 7.2 cannot do (threads of aarch64 and i386 run on, strlen(NULL) is 0 on
# s390x); and what is the same on another.
cat >machines <<'END'
powerpc64le-linux-gnu	ppc64le		plain signal siginfo altstack null thread sized noreturn overflow abort strlen
s390x-linux-gnu		s390x		signal siginfo altstack null thread abort
mips-linux-gnu		mips		signal siginfo null thread noreturn
mips64el-linux-gnuabi64	mips64el	signal siginfo
powerpc-linux-gnu	ppc		signal siginfo abort
m68k-linux-gnu		m68k		signal siginfo null
i686-linux-gnu		i386		signal siginfo
aarch64-linux-gnu	aarch64		signal
END
# Triplet, name of QEMU's machine, the compiler's flags, cases: built without tables, so that code is read.
# QEMU 7.2's mipsn32 does not get as far as main() of a program that is not static.
cat >readers <<'END'
mips-linux-gnu	mips	-O0	signal
mips-linux-gnu	mips	-O1 -fno-omit-frame-pointer	sized
mips-linux-gnu	mips	-O2	noreturn abort large
mips-linux-gnu	mips	-Os -fomit-frame-pointer -static -fno-pic -mno-abicalls	plain abort
mips64el-linux-gnuabi64	mips64el	-O0 -fomit-frame-pointer	noreturn
mips64el-linux-gnuabi64	mips64el	-O2	signal abort
mips64el-linux-gnuabi64	mips64el	-Os -fno-omit-frame-pointer	large
mips64el-linux-gnuabi64	mipsn32el	-O1 -mabi=n32 -static	large
mips64-linux-gnuabi64	mipsn32	-O2 -mabi=n32 -static	signal abort
END
tables='-funwind-tables -fasynchronous-unwind-tables'

# What the crash has called, innermost first.
functions_of()
{
	case $1 in
	plain)		echo leaf_crash middle outer dies_plain main ;;
	signal)		echo leaf_crash middle outer handler faulty dies_signal main ;;
	siginfo)	echo leaf_crash middle outer handler_info faulty dies_siginfo main ;;
	altstack)	echo leaf_crash middle outer handler_info faulty dies_altstack main ;;
	sized)		echo leaf_crash middle outer sized dies_sized main ;;
	large)		echo leaf_crash middle outer large dies_large main ;;
	null)		echo calls_null dies_null main ;;
	noreturn)	echo leaf_crash middle outer never_returns dies_noreturn main ;;
	thread)		echo leaf_crash middle outer in_thread ;;
	overflow)	echo recurses dies_overflow main ;;
	abort)		echo dies_abort main ;;
	strlen)		echo dies_strlen main ;;
	esac
}

# The program's own functions in the first thread of a backtrace of ours or of gdb's.
own()
{
	awk '/^TID/ && n++ { exit } { print }' | sed -n \
		's/^ *#[0-9]* *\(0x[0-9a-f]* \)\{0,1\}\(in \)\{0,1\}\([a-z_]*\)[ +.].*/\3/p' |
		grep -x -e leaf_crash -e middle -e outer -e 'handler\(_info\)\{0,1\}' -e faulty -e sized \
			-e large -e 'calls_null' -e never_returns -e in_thread -e recurses -e 'dies_[a-z]*' -e main |
		uniq | tr '\n' ' '
}

# build NAME FLAG...: as NAME, for $triplet; 1 where that cannot be
build()
{
	build_name=$1
	shift
	# shellcheck disable=SC2086 # a list
	timeout 60 "$triplet-gcc" -w -pthread $tables "$@" -o "$build_name" "$TOP/tests/targets/cross/crash.c" 2>build.log
}

# make_core PROGRAM CASE: the file core
make_core()
{
	rm -f core qemu_*.core
	# It dies of a signal, as it should, and may not leave a core of QEMU itself.
	# The shell reports the signal: into the log.
	# The path: or else a library of this machine's own directories is found before that of $triplet.
	(timeout 30 "qemu-$machine" -L "/usr/$triplet" -E LD_LIBRARY_PATH=/lib "./$1" "$2"; :) >qemu.log 2>&1
	set -- qemu_*.core
	[ -f "$1" ] && mv "$1" core
}

# stack PROGRAM
stack()
{
	run timeout 60 "$TAGCORE" stack --sysroot "/usr/$triplet" --exe "$1" core
}

# all_functions PROGRAM CASE: of a core that it makes; 1 where there is none
all_functions()
{
	if ! make_core "$1" "$2"; then
		fail "$triplet: $1: $2: there is a core"
		diag <qemu.log
		return 1
	fi
	stack "$1"
	is "$triplet: $1: $2: all functions" "$(own <out)" "$(functions_of "$2") " || diag <out
	return 0
}

# check PROGRAM CASE
check()
{
	all_functions "$1" "$2" || return 1
	# For the library's threads, and below main(), a library without tables or files may give nothing.
	[ "$2" = thread ] || matches_not "$triplet: $1: $2: whole" out incomplete
	sed '/ main+/q' out >upto.main
	case $2 in
	null)	is "$triplet: $1: $2: one frame is not by tables" "$(grep -c 'found by return address' upto.main)" 1 ;;
	abort | strlen | thread) ;;
	*)	matches_not "$triplet: $1: $2: all by tables" upto.main 'found by' ;;
	esac
	case $2 in
	signal | siginfo | altstack) is "$triplet: $1: $2: the frame of the signal" "$(grep -c 'signal frame' out)" 1 ;;
	esac
}

# gdb often has less of such cores; it may not have more.
against_gdb()
{
	have gdb-multiarch || { skip "$triplet: $1: gdb has no more" 'no gdb-multiarch'; return; }
	timeout 60 gdb-multiarch -nx -batch -ex "set sysroot /usr/$triplet" -ex "file $1" -ex 'core core' -ex bt \
		</dev/null 2>/dev/null | own >its
	own <out >ours
	tr ' ' '\n' <its >its.lines
	tr ' ' '\n' <ours | grep -Fxvf - its.lines | grep . >extra
	is "$triplet: $1: gdb has no more" "$(cat extra)" ''
}

# stripped PROGRAM: without symbols the same frames
stripped()
{
	grep -o '^#[0-9]* *0x[0-9a-f]*' out >frames
	"$triplet-strip" -o stripped "$1" || return
	stack stripped
	grep -o '^#[0-9]* *0x[0-9a-f]*' out >stripped.frames
	is "$triplet: $1: stripped: the same frames" "$(cat stripped.frames)" "$(cat frames)"
}

# As QEMU's cores are since it has a vdso: without the code that the handler returns to, and AT_SYSINFO_EHDR is there.
without_vdso()
{
	have python3 || { skip "$triplet: $1: without the vdso's code" 'no python3'; return; }
	grep -o '^#[0-9]* *0x[0-9a-f]*' out >frames
	pc=$(sed -n 's/^#[0-9]* *\(0x[0-9a-f]*\) ?? (signal frame)$/\1/p' out)
	[ -n "$pc" ] || { skip "$triplet: $1: without the vdso's code" 'a library has that code'; return; }
	python3 - core "$pc" <<'EOF'
import struct
import sys
b, pc = bytearray(open(sys.argv[1], "rb").read()), int(sys.argv[2], 16)
end, wide = "<>"[b[5] - 1], b[4] == 2
word, n_word = (end + "Q", 8) if wide else (end + "I", 4)
phoff, = struct.unpack_from(word, b, 32 if wide else 28)
size, n = struct.unpack_from(end + "HH", b, 54 if wide else 42)
offset, vaddr, filesz, memsz = (8, 16, 32, 40) if wide else (4, 8, 16, 20)
for at in range(phoff, phoff + n * size, size):
    kind, = struct.unpack_from(end + "I", b, at)
    start, = struct.unpack_from(word, b, at + vaddr)
    if kind == 1 and start <= pc < start + struct.unpack_from(word, b, at + memsz)[0]:
        struct.pack_into(word, b, at + filesz, 0)
        vdso = start
    if kind == 4:
        note, = struct.unpack_from(word, b, at + offset)
        notes_end = note + struct.unpack_from(word, b, at + filesz)[0]
while note < notes_end:
    namesz, descsz, kind = struct.unpack_from(end + "III", b, note)
    desc = note + 12 + (namesz + 3 & ~3)
    if kind == 6:       # NT_AUXV: AT_SYSINFO_EHDR or, where there is none, AT_CLKTCK becomes it
        auxv = {struct.unpack_from(word, b, i)[0]: i for i in range(desc, desc + descsz, 2 * n_word)}
        struct.pack_into(word, b, auxv.get(33, auxv[17]), 33)
        struct.pack_into(word, b, auxv.get(33, auxv[17]) + n_word, vdso)
    note = desc + (descsz + 3 & ~3)
open(sys.argv[1], "wb").write(b)
EOF
	stack "$1"
	grep -o '^#[0-9]* *0x[0-9a-f]*' out >its.frames
	is "$triplet: $1: without the vdso's code: the same frames" "$(cat its.frames)" "$(cat frames)"
}

# check_static FLAG: all of it in one file, whose library has tables or not
check_static()
{
	build crash-static "$1" -O2 || { skip "$triplet: $1" "cannot be built: $(tail -n 1 build.log)"; return; }
	check crash-static signal
}

check_machine()
{
	build crash -O2 || { skip "$triplet" "the compiler does not: $(tail -n 1 build.log)"; return; }
	make_core crash plain || { skip "$triplet" 'this QEMU writes no cores of it'; return; }
	for case in $1; do
		check crash "$case"
		[ "$case" != signal ] || { against_gdb crash; stripped crash; }
		# Elsewhere the code is on the stack.
		case $case,$triplet in
		signal,mips* | signal,m68k*) ;;
		signal,* | siginfo,*) stack crash && without_vdso crash ;;
		esac
	done
	case $triplet in
	powerpc64le-*) check_static -static ;;
	aarch64-*) check_static -static-pie ;;
	esac
	case $triplet in
	s390x-*) skip "$triplet: crash-O0" "its leaf functions save %r11 in %f0, which is not in QEMU's cores" ;;
	*)	build crash-O0 -O0 && check crash-O0 signal ;;
	esac
	rm -f core crash crash-static crash-O0 stripped
}

while read -r triplet machine cases; do
	if ! have "$triplet-gcc"; then
		skip "$triplet" "no $triplet-gcc"
	elif ! have "qemu-$machine"; then
		skip "$triplet" "no qemu-$machine"
	else
		check_machine "$cases"
	fi
done <machines

# check_read PROGRAM CASE: all by reading code, with and without symbols
check_read()
{
	all_functions "$1" "$2" || return 1
	matches "$triplet: $1: $2: says how they were found" out 'main.*found by reading code'
	matches_not "$triplet: $1: $2: whole" out incomplete
}

check_reader()
{
	tables='-fno-unwind-tables -fno-asynchronous-unwind-tables -g0'
	name="notable$(printf %s "$1" | tr -d ' =')"
	# shellcheck disable=SC2086 # a list
	build "$name" $1 || { skip "$triplet: $name" "cannot be built: $(tail -n 1 build.log)"; return; }
	for case in $2; do
		check_read "$name" "$case"
	done
	# gdb has looked at such machines above.
	! soak || against_gdb "$name"
	stack "$name"
	stripped "$name"
	rm -f "$name" stripped core
}

while IFS='	' read -r triplet machine flags cases; do
	if ! have "$triplet-gcc" || ! have "qemu-$machine"; then
		skip "$triplet $flags" "no $triplet-gcc or no qemu-$machine"
	else
		check_reader "$flags" "$cases"
	fi
done <readers
done_testing
