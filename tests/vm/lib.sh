# lib.sh - what tests of the arm64 machine share, in it and on the host: cores, and what debuggers
# and we ourselves read from them.
# shellcheck shell=sh disable=SC2154 # rc is of tests/func/lib.sh, which a test sources first

# ---- in the machine

VM=$O/vm

machine_begin()
{
	# Debuggers take their time in the emulator, on a busy host minutes for one target.
	TARGET_LIFE=600
	export TARGET_LIFE
	# shellcheck disable=SC3045 # dash has it
	ulimit -c unlimited
	echo "$PWD/kernel.%p" >/proc/sys/kernel/core_pattern
}

# kernel_core FILE SIGNAL: the kernel's core of the last target, which dies of it
kernel_core()
{
	kill "-$2" "$PID"
	wait "$CHILD" 2>/dev/null
	not_mine "$CHILD"
	mv "kernel.$PID" "$1"
}

# make_cores: tags.ours tags.kernel tags.log of mtetags; heap.ours (asleep), heap.kernel (died of
# writing past a block) and heap.log of mteheap.
make_cores()
{
	start "$VM/mtetags" 64M
	"$TAGCORE" dump -q -o tags.ours "$PID" && kernel_core tags.kernel ABRT || return 1
	cp "$LOG" tags.log
	start "$VM/mteheap" overflow
	"$TAGCORE" dump -q -o heap.ours "$PID" && kernel_core heap.kernel USR1 || return 1
	cp "$LOG" heap.log
}

# make_arm_cores: arm.ours and arm.kernel of a 32-bit program, where there is one and it runs
make_arm_cores()
{
	"$TARGETS/calls32" exit 2>/dev/null || return 0
	start calls32 read futex
	"$TAGCORE" dump -q -o arm.ours "$PID" && kernel_core arm.kernel ABRT
}

# ---- anywhere: what there should be, by the logs

# Start of an area, N granules on.
granule() { printf '0x%x\n' $((0x$(sed -n "s/^area \([0-9a-f]*\) [0-9a-f]* $1 .*/\1/p" tags.log) + 16 * $2)); }

# Its tag, as struct tagging (targets/mte.h) has it; decimal.
tag_of()
{
	# shellcheck disable=SC2046 # three numbers
	set -- $(sed -n "s/^area [0-9a-f]* [0-9a-f]* $1 //p" tags.log) "$2"
	# No page at all has a tag when the step is 0.
	[ "$3" -gt 0 ] || set -- "$1" "$2" $(($4 + 256)) "$4"
	echo $((($4 / 256 % $3) ? 0 : ($1 + $2 * $4 + $4 / 256) & 15))
}

# Granules to be asked for, KIND N.  Not the last of an area: gdb fails on it, and LLDB up to 20.
cat_granules()
{
	cat <<-END
	anon-one-tag 0
	anon-one-tag 256
	anon-ramp 1
	anon-ramp 14
	anon-ramp 257
	anon-some-pages 0
	anon-some-pages 256
	anon-some-pages 770
	anon-one-page 254
	anon-zero-tags 3
	anon-none 17
	anon-readonly 5
	anon-paged-out 6
	shared-anon 3
	memfd-shared 7
	memfd-elsewhere 513
	memfd-private-elf 9
	tmpfs-private 11
	beside-writable 4090
	beside-readonly 0
	thp 70001
	sparse 2
	END
}

want_tags()
{
	cat_granules | while read -r kind n; do
		printf '%s %s: %d\n' "$kind" "$n" "$(tag_of "$kind" "$n")"
	done
}

# Names beside the answers, one a line.
beside_granules() { cat_granules | paste -d ' ' - "$1" | sed 's/ \([^ ]*\)$/: \1/'; }

# ---- debuggers; GDB and LLDB are their names here, PROGRAMS is where the targets are, CALLS32 the 32-bit one

# gdb_core CORE PROGRAM -ex ...
gdb_core()
{
	gdb_core_=$1 gdb_program=$2
	shift 2
	run "$GDB" -nx -batch -iex 'set debuginfod enabled off' "$@" -- "$PROGRAMS/$gdb_program" "$gdb_core_"
}

gdb_tags()
{
	set --
	for a in $(cat_granules | while read -r kind n; do granule "$kind" "$n"; done); do
		set -- "$@" -ex "memory-tag print-allocation-tag (char*)$a"
	done
	# It cannot say anything of an area that was left out; it should say the same of both cores.
	gdb_core "$core" mtetags "$@" -ex "memory-tag print-allocation-tag (char*)$(granule anon-dontdump 0)"
	grep -v '^warning\|^$' err >"$core.err"
	sed -n 's/^\$[0-9]* = //p' out | xargs printf '%d\n' >answers
	beside_granules answers
}

lldb_core()
{
	lldb_core_=$1 lldb_program=$2
	shift 2
	run "$LLDB" -b -x -c "$lldb_core_" "$PROGRAMS/$lldb_program" "$@"
}

lldb_tags()
{
	set --
	for a in $(cat_granules | while read -r kind n; do granule "$kind" "$n"; done); do
		set -- "$@" -o "memory tag read $a"
	done
	lldb_core "$core" mtetags "$@" \
		-o "memory region $(granule anon-ramp 0)" -o "memory region $(granule beside-writable -1)"
	sed -n 's/^memory tagging: //p' out >"$core.regions"
	sed -n 's/^\[0x.*): \(0x[0-9a-f]*\).*/\1/p' out | xargs printf '%d\n' >answers
	beside_granules answers
}

# The tag that a block's pointer has, and its address without.
block_tag() { sed -n 's/^block \(.\)[0-9a-f]\{14\} .*/0x\1/p' heap.log; }
block_addr() { sed -n 's/^block .\([0-9a-f]\{14\}\) .*/0x\1/p' heap.log; }

gdb_blocks()
{
	set --
	for a in $(block_addr); do
		set -- "$@" -ex "memory-tag print-allocation-tag (char*)$a"
	done
	gdb_core "$core" mteheap "$@"
	sed -n 's/^\$[0-9]* = //p' out
}

# For a heap that overflowed: the pointer's tag is that of the first block, the memory's another.
# FAULT, and what is there, by the other program.
fault_of()
{
	fault_tag=$(block_tag | head -n 1)
	# The first granule of the block that is not its own: glibc puts nothing between.
	fault_addr=$("$MTECMP" runs "$1" | awk -v a="$(block_addr | head -n 1)" '
		BEGIN { sub("0x0*", "", a) } found { print $1; exit } $1 == a { found = 1 }')
	fault_memory=$("$MTECMP" runs "$1" | awk -v a="$fault_addr" '$1 == a { printf "0x%x\n", $3 }')
}

# Where the threads of a 32-bit program are, and what is in their vector registers.
arm_by_gdb()
{
	for core in arm.ours arm.kernel; do
		run "$GDB" -nx -batch -iex 'set debuginfod enabled off' -ex 'thread apply all bt' \
			-ex 'thread apply all p/x $d31' -- "$CALLS32" $core
		for f in bare_main wait_read wait_futex; do
			matches "gdb: a thread in $f: $core" out " $f \\("
		done
		is "gdb: vector registers of all: $core" "$(grep -c '= .*0x89abcdef0\{8\}' out)" 3
	done
}

arm_by_lldb()
{
	for core in arm.ours arm.kernel; do
		run "$LLDB" -b -x -c $core "$CALLS32" -o 'thread list'
		for f in bare_main wait_read wait_futex; do
			matches "LLDB: a thread in $f: $core" out "\`$f"
		done
	done
}

debug_by_gdb()
{
	for core in tags.ours tags.kernel; do
		is "gdb: tags of $core" "$(gdb_tags)" "$(want_tags)"
	done
	is "gdb: the same of what is left out" "$(cat tags.ours.err)" "$(cat tags.kernel.err)"
	for core in heap.ours heap.kernel; do
		is "gdb: a block's tag is that of its pointer: $core" "$(gdb_blocks)" "$(block_tag)"
	done
	fault_of heap.kernel
	gdb_core heap.kernel mteheap -ex bt -ex 'p $_siginfo.si_code' -ex 'p/x $_siginfo._sifields._sigfault.si_addr'
	matches "gdb: it was a memory tag" out "^Memory tag violation while accessing address 0x0*${fault_tag#0x}0*$fault_addr"
	matches "gdb: the memory's tag" out "^Allocation tag $fault_memory"
	matches "gdb: the pointer's tag" out "^Logical tag $fault_tag"
	matches "gdb: who did it" out '^#0 .* overflow \('
	matches "gdb: SEGV_MTESERR" out '^\$1 = 9$'
}

# tags_by_lldb CORE
tags_by_lldb()
{
	core=$1
	is "LLDB: tags of $core" "$(lldb_tags)" "$(want_tags)"
	is "LLDB: which of two areas has tags: $core" "$(cat "$core.regions")" "enabled"
}

debug_by_lldb()
{
	tags_by_lldb tags.ours
	tags_by_lldb tags.kernel
	fault_of heap.kernel
	lldb_core heap.kernel mteheap -o bt -o "memory tag read p p+64"
	matches "LLDB: it was a memory tag" out 'SIGSEGV: sync tag check fault'
	matches "LLDB: who did it" out 'frame #0: .*overflow'
	matches "LLDB: the pointer's tag" out "^Logical tag: $fault_tag"
	matches "LLDB: the memory's tag beside it" out "^\[0x$fault_addr, .*: $fault_memory \(mismatch\)"
}
