# Verdicts on memory tag faults: programs that die of each, in glibc's tagged heap, in Scudo's and where the allocator is not known.
. "$TOP/tests/func/lib.sh"
VM=$O/vm
# shellcheck disable=SC3045 # dash has it
ulimit -c unlimited
echo "$PWD/core.of" >/proc/sys/kernel/core_pattern

# verdict HOW HEAP CONFIDENCE KIND PATTERN: BLOCK in it is the victim's address
verdict()
{
	rm -f core.of
	tagging=3
	[ "$1" != async ] || tagging=1
	# In the emulator a late report has once not come at all.
	for _ in 1 2 3; do
		[ ! -e core.of ] || break
		case $2 in
		glibc)	GLIBC_TUNABLES=glibc.mem.tagging=$tagging "$VM/mtefault" "$1" "$2" >said 2>&1 ;;
		scudo)	LD_PRELOAD=/usr/lib/libscudo.so "$VM/mtefault" "$1" "$2" >said 2>&1 ;;
		plain | stack)	"$VM/mtefault" "$1" "$2" >said 2>&1 ;;
		esac
	done
	exits 0 "$1, $2: there is a verdict" "$TAGCORE" explain core.of
	block=0x$(sed -n 's/^victim \([0-9a-f]*\) .*/\1/p' said)
	like "$1, $2: the sentence" "$(sed -n 1p out)" "$(echo "$5" | sed "s/BLOCK/$block/")"
	like "$1, $2: the kind, and how sure" "$(sed -n 2p out)" "$3 ($4): *"
}

verdict overflow glibc "[clp]*" mte-overflow "heap overflow: write of 1 byte at 0x* in fill, 0 bytes past the end of the live 48-byte block BLOCK-*"
verdict overread glibc "[clp]*" mte-overflow "heap overflow: read of 1 byte at 0x* in sum, 0 bytes past the end of the live 48-byte block BLOCK-*"
verdict overflow_pointer glibc "[lp]*" "mte-*flow" "heap *flow: write of 1 byte at 0x* in walk, *"
verdict underflow glibc certain mte-underflow "heap underflow: write of 1 byte at 0x* in before, 1 byte before the start of the live 48-byte block BLOCK-*"
verdict use_after_free glibc certain mte-use-after-free "use after free: read of 8 bytes at 0x* in last_of, 32 bytes into the freed 48-byte block BLOCK-*"
verdict write_after_free glibc certain mte-use-after-free "use after free: write of 8 bytes at 0x* in set_last, 32 bytes into the freed 48-byte block BLOCK-*"
verdict reused glibc likely mte-freed-and-reused "use after free: write of 8 bytes at 0x* in set_last, 32 bytes into the live 48-byte block BLOCK-*given out again*"
verdict double_free glibc "*" mte-double-free "double free: * frees the freed 48-byte block BLOCK-*"
verdict async glibc certain mte-async "a memory tag fault that was reported late*"
matches "what the other thread did" out 'at that time in the system call p(ause|poll) '
matches "what cannot be known" out 'cannot be known'
verdict caught glibc "[clp]*" mte-overflow "heap overflow: write of 1 byte at 0x* in fill, 0 bytes past the end of the live 48-byte block BLOCK-*"
verdict null glibc certain null-pointer "write of 8 bytes at 0x20 in set_last: null pointer in *"
verdict unmapped glibc certain unmapped-address "write of 8 bytes at 0x* in set_last: nothing is mapped there*"

verdict overflow plain "[clp]*" mte-overflow "heap overflow: write of 1 byte at 0x* in fill, 0 bytes past the end of the 48-byte run of tag 0x* at BLOCK-*"
verdict overflow_pointer plain likely mte-overflow "heap overflow: write of 1 byte at 0x* in walk, 0 bytes past the end of the 48-byte run of tag 0x* at BLOCK-*"
verdict underflow plain certain mte-underflow "heap underflow: write of 1 byte at 0x* in before, 1 byte before the start of the 48-byte run of tag 0x* at BLOCK-*"
verdict use_after_free plain likely mte-use-after-free "use after free: read of 8 bytes at 0x* in last_of, 32 bytes into memory that has changed its tag, the 48-byte run of tag 0x* at BLOCK-*"
verdict async plain certain mte-async "a memory tag fault that was reported late*"
verdict caught plain "[clp]*" mte-overflow "heap overflow: write of 1 byte at 0x* in fill, 0 bytes past the end of the 48-byte run of tag 0x* at BLOCK-*"

# Its handler of faults sends the signal again, and returns: left_frame.c.
verdict overflow scudo "[clp]*" mte-overflow "heap overflow: write of 1 byte at 0x* in fill, 8 bytes past the end of the live 40-byte block BLOCK-*"
matches "whose heap it is" out "the heap is Scudo's"
verdict overread scudo "[clp]*" mte-overflow "heap overflow: read of 1 byte at 0x* in sum, 8 bytes past the end of the live 40-byte block BLOCK-*"
verdict overflow_pointer scudo "[lp]*" "mte-*flow" "heap *flow: write of 1 byte at 0x* in walk, *"
verdict underflow scudo certain mte-underflow "heap underflow: write of 1 byte at 0x* in before, 1 byte before the start of the live 40-byte block BLOCK-*"
verdict use_after_free scudo certain mte-use-after-free "use after free: read of 8 bytes at 0x* in last_of, 32 bytes into the freed 40-byte block BLOCK-*"
verdict write_after_free scudo certain mte-use-after-free "use after free: write of 8 bytes at 0x* in set_last, 32 bytes into the freed 40-byte block BLOCK-*"
verdict reused scudo likely mte-freed-and-reused "use after free: write of 8 bytes at 0x* in set_last, 32 bytes into the live 40-byte block BLOCK-*given out again*"
verdict double_free scudo certain scudo-report "Scudo has ended the program*: invalid chunk state when deallocating address BLOCK: it was freed before"
verdict async scudo certain mte-async "a memory tag fault that was reported late*"
verdict caught scudo "[clp]*" mte-overflow "heap overflow: write of 1 byte at 0x* in fill, 8 bytes past the end of the live 40-byte block BLOCK-*"
verdict null scudo certain null-pointer "write of 8 bytes at 0x20 in set_last: null pointer in *"

# Variables on the stack.
verdict overflow stack "[clp]*" mte-overflow "stack buffer overflow: write of 1 byte at 0x* in fill, 0 bytes past the end of the 48-byte run of tag 0x3 at BLOCK-*, in the frame of local"
verdict underflow stack certain mte-underflow "stack buffer underflow: write of 1 byte at 0x* in before, 1 byte before the start of the 48-byte run of tag 0x3 at BLOCK-*, in the frame of local"
verdict after_scope stack possible mte-use-after-free "use after scope: read of 8 bytes at 0x* in last_of, on the stack, of a variable that is no more, in the frame of local"
verdict after_return stack likely mte-use-after-free "use after return: read of 8 bytes at 0x* in last_of, on the stack, below the stack pointer"
done_testing
