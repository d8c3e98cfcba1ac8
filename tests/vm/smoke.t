# The machine itself, and tagcore in it: what every other test here stands on.
# A debugger takes its time in the emulator: in make check gdb sees here vectors of one length, and no tags, which
# host/cores.t has for this machine's gdb.
. "$TOP/tests/func/lib.sh"
VM=$O/vm
# shellcheck disable=SC3045 # dash has it
ulimit -c unlimited
echo "$PWD/kernel.%p" >/proc/sys/kernel/core_pattern

# kernel_core [SIGNAL]: the kernel's core of the last target, as the file kernel
kernel_core()
{
	[ -z "${1-}" ] || kill "-$1" "$PID"
	wait "$CHILD" 2>/dev/null
	not_mine "$CHILD"
	rm -f kernel
	[ ! -f "kernel.$PID" ] || mv "kernel.$PID" kernel
	exists "$what: the kernel made a core" kernel
}

# Number of tag segments.
mte_segments()
{
	readelf -lW "$1" | grep -c '^  AARCH64_MEMTAG'
}

# dump_sleeping: tagcore's core of it, as the file ours; it goes on as before.  A gap that is
# recorded (exit 1) is a dump, too: which tags may be missing other tests say.
dump_sleeping()
{
	run "$TAGCORE" dump --force -o ours "$PID"
	num "$what: dump" "$rc" -le 1
	[ "$rc" -eq 0 ] || diag <err
	runs_free "$PID" "$what"
	exits 0 "$what: ours validates" "$TAGCORE" validate ours
	[ "$rc" -eq 0 ] || diag <out
}

validate_kernel()
{
	exits 0 "$what: the kernel's validates" "$TAGCORE" validate kernel
	[ "$rc" -eq 0 ] || diag <out
}

# gdb_tags FILE ADDR...: what gdb says of the granules, in a row
gdb_tags()
{
	gdb_core=$1
	shift
	for a; do
		shift
		set -- "$@" -ex "memory-tag print-allocation-tag (char*)$a"
	done
	gdb -nx -batch -iex 'set debuginfod enabled off' -ex "core-file $gdb_core" "$@" 2>&1 |
		sed -n 's/^\$[0-9]* = 0x//p' | tr '\n' ' '
}

# Start of an area that the target reported, N granules on.
granule()
{
	printf '0x%x' $((0x$(sed -n "s/^area \([0-9a-f]*\) [0-9a-f]* $1 .*/\1/p" "$LOG") + 16 * $2))
}

like "the CPU has memory tags" " $(sed -n 's/^Features.*: //p' /proc/cpuinfo | head -n 1) " '* mte *'
like "and wide vectors" " $(sed -n 's/^Features.*: //p' /proc/cpuinfo | head -n 1) " '* sve *'

# Swap, so that tags of a page that is out can be asked for.
what="tagged areas"
dd if=/dev/zero of=swap bs=1M count=32 status=none
chmod 600 swap
mkswap -q swap
swapon swap || diag "no swap"
start "$VM/mtetags" "$(soak_or 16M 256M)"
diag "$(grep '^skip' "$LOG")"
areas=$(grep -c '^area' "$LOG")
num "$what: of many kinds" "$areas" -ge 24
is "$what: as many as the kernel has" "$(grep -c '^VmFlags:.* mt' "/proc/$PID/smaps")" "$areas"
num "$what: some are swapped out (KiB)" "$(status_of "$PID" VmSwap)" -ge 64
dump_sleeping
kernel_core ABRT
is "$what: a tag segment for each in the kernel's core" "$(mte_segments kernel)" "$areas"
exits 0 "$what: with the tags that were given" "$VM/mtecmp" areas kernel "$LOG"
diag <out
! soak || is "$what: gdb reads them" \
	"$(gdb_tags kernel "$(granule anon-one-tag 0)" "$(granule anon-one-tag 256)" \
		"$(granule anon-ramp 1)" "$(granule anon-ramp 14)" "$(granule shared-anon 3)" \
		"$(granule beside-readonly 2)")" "5 6 1 e f 3 "
validate_kernel

what="a heap"
start "$VM/mteheap" sleep
dump_sleeping
kernel_core ABRT
num "$what: has tag segments" "$(mte_segments kernel)" -ge 1
block=$(sed -n 's/^block \([0-9a-f]*\) .*/\1/p' "$LOG" | sed -n 3p)
! soak || is "$what: a block's tag is that of its pointer" "$(gdb_tags kernel "0x$block")" \
	"$(echo "$block" | sed 's/^\(.\).*/\1/') "
validate_kernel

for fault in overflow use-after-free; do
	what="a heap: $fault"
	start "$VM/mteheap" $fault
	kernel_core USR1
	num "$what: has tag segments" "$(mte_segments kernel)" -ge 1
	exits 0 "$what: seen by eu-readelf" eu-readelf -n kernel
	matches "$what: SIGSEGV of a tag" out 'si_signo: 11, .*si_code: 9'
	validate_kernel
done

what="threads"
start "$VM/mtethreads"
dump_sleeping
kernel_core ABRT
exits 0 "$what: with the tags that were given" "$VM/mtecmp" areas kernel "$LOG"
validate_kernel
for mode in sync async; do
	what="threads: a $mode fault"
	start "$VM/mtethreads" $mode
	kernel_core USR1
	run eu-readelf -n kernel
	case $mode in sync) code=9 ;; async) code=8 ;; esac
	matches "$what: SIGSEGV of a tag" out "si_signo: 11, .*si_code: $code"
	validate_kernel
done

for vl in 16 32 64; do
	what="vectors of $vl bytes"
	start "$VM/sve" $vl
	is "$what" "$(sed -n 's/^vl //p' "$LOG")" $vl
	dump_sleeping
	kill -ABRT "$PID"
	kernel_core
	run readelf -nW kernel
	matches "$what: in a note" out 'NT_ARM_SVE'
	if [ $vl != 32 ] && ! soak; then
		validate_kernel
		continue
	fi
	# shellcheck disable=SC2016 # gdb's variables
	run gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'core-file kernel' -ex 'p/x $vg * 8' -ex 'p/x $z1.b.u[15]'
	matches "$what: gdb sees their length" out "= 0x$(printf %x $vl)\$"
	matches "$what: and what is in them" out '= 0x1f$'
	validate_kernel
done
done_testing
