# Our live dump and the kernel's core of the same process: every tag header and every tag byte,
# all notes, segments and memory; and what debuggers read from either.
. "$TOP/tests/func/lib.sh"
VM=$O/vm
# shellcheck disable=SC3045 # dash has it
ulimit -c unlimited
echo "$PWD/kernel.%p" >/proc/sys/kernel/core_pattern
# The kernel stores CPU numbers in the rseq area between the two dumps.
GLIBC_TUNABLES=glibc.pthread.rseq=0
export GLIBC_TUNABLES

dd if=/dev/zero of=swap bs=1M count=32 status=none
chmod 600 swap
mkswap -q swap
swapon swap || diag "no swap"

kernel_core()
{
	kill "-${1-ABRT}" "$PID"
	wait "$CHILD" 2>/dev/null
	not_mine "$CHILD"
	rm -f kernel
	[ ! -f "kernel.$PID" ] || mv "kernel.$PID" kernel
	exists "$what: the kernel made a core" kernel
}

# exact COMMAND...: exits 0, and what it said otherwise
exact()
{
	exits 0 "$what: $1" "$2" "$3" "$4" "$5"
	[ "$rc" -eq 0 ] || diag <out
}

# The tags of OURS must be those of the kernel, and the rest, too.
hold_against_kernel()
{
	exact "tags of $1 are the kernel's" "$VM/mtecmp" cores "$1" kernel
	exact "notes, segments and memory of $1 are the kernel's" "$O/targets/corecmp" kernel "$1" kernel
	for core in "$1" kernel; do
		exits 0 "$what: $core validates without a warning" "$TAGCORE" validate --strict $core
		[ "$rc" -eq 0 ] || diag <out
	done
}

# compare PROGRAM ARG...: file and stream, before the kernel's core of it
compare()
{
	what=${1##*/}${2+ $2}
	start "$@"
	swapped=$(($(status_of "$PID" VmSwap) * 1024))
	run "$TAGCORE" dump --force -o ours --json -q "$PID"
	is "$what: dump" "$rc $(cat err)" "0 "
	is "$what: page tables have not grown" \
		"$(json out .dumps[0].target_pte_after)" "$(json out .dumps[0].target_pte_before)"
	num "$what: nor has RSS, but for what was swapped out" \
		$(($(json out .dumps[0].target_rss_after) - $(json out .dumps[0].target_rss_before))) -le "$swapped"
	"$TAGCORE" dump -q -o - "$PID" 2>err | cat >stream
	is "$what: streamed" "$(cat err)" ""
	run "$TAGCORE" dump -q --all --force -o all "$PID" --json
	is "$what: and everything" "$rc $(cat err)" "$all_rc "
	[ "$rc" -eq "$all_rc" ] || diag <out
	runs_free "$PID" "$what"
	kernel_core ABRT
	hold_against_kernel ours
	exact "tags of the stream are the kernel's" "$VM/mtecmp" cores stream kernel
}

all_rc=0
# An area with so much more address space than memory: what is not there is read, too, by those who compare.
compare "$VM/mtetags" "$(soak_or 16M 256M)"
exact "the tags are those that were given" "$VM/mtecmp" areas ours "$LOG"
exact "those of --all, too" "$VM/mtecmp" areas all "$LOG"

compare "$VM/mteheap" sleep
compare "$VM/mtethreads"
for vl in 16 32 64; do
	compare "$VM/sve" $vl
done
compare "$O/targets/threads" 4
# memfd_secret(2): nobody but the process itself can read it.
all_rc=1
compare "$O/targets/kinds"

soak || done_testing
# gdb's own: nothing wrong with it that we would not know of.
what="gdb's gcore"
start "$VM/mtetags" 4M
run gdb -nx -batch -iex 'set debuginfod enabled off' -p "$PID" -ex 'generate-core-file gdbs'
exists "$what" gdbs
exits 0 "$what: validates" "$TAGCORE" validate gdbs
[ "$rc" -eq 0 ] || diag <out
"$VM/mtecmp" runs gdbs >theirs
# It saves private files whole, as --all does.
exits 0 "$what: dumped by us" "$TAGCORE" dump -q --all --force -o ours "$PID"
"$VM/mtecmp" runs ours >mine
# It leaves out MADV_DONTDUMP areas with their tags; what it has must be what we have.
is "$what: has no tag that we have not" "$(sort theirs >a; sort mine >b; comm -23 a b)" ""
done_testing
