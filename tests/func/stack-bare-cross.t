# Backtraces of other machines' cores that say nothing of files, with --exe: the frames of the core that they are made of.
. "$TOP/tests/func/lib.sh"
have python3 || skip_all "no python3"
# shellcheck disable=SC3045 # the shells of Linux have it
ulimit -c unlimited 2>/dev/null || skip_all "no core files may be written here"

# Address, name and way of each frame; not the module's, whose name the core may not have.
frames_of()
{
	sed -n '/^#/s/ - [^ (]*//p' "$1"
}

# has_code CORE: of the function that crashed.  QEMU 8.2 and newer leave out what begins with an ELF header
# (linux-user/elfload.c: vma_dump_size()), which may be all code of the program: nothing says where that was.
has_code()
{
	pc=$(sed -n '1s/^#0 *\([0-9a-fx]*\).*/\1/p' foreign.frames)
	! "$TAGCORE" inspect memory "$pc" 1 "$1" | grep -q ' \(--\|\*\*\) '
}

while read -r triplet machine flags; do
	case_what="$machine $flags"
	if ! have "$triplet-gcc" || ! have "qemu-$machine"; then
		skip "$case_what" "no $triplet-gcc, or no qemu-$machine"
		continue
	fi
	# shellcheck disable=SC2086 # a list
	if ! timeout 60 "$triplet-gcc" -w -pthread -O1 -funwind-tables -fasynchronous-unwind-tables $flags -o foreign \
		"$TOP/tests/targets/cross/crash.c" 2>build.log; then
		skip "$case_what" "$(tail -n 1 build.log)"
		continue
	fi
	rm -f qemu_*.core
	(timeout 30 "qemu-$machine" -L "/usr/$triplet" ./foreign signal; :) >qemu.log 2>&1 </dev/null
	set -- qemu_*.core
	[ -f "$1" ] || { skip "$case_what" "no core of QEMU's"; continue; }
	mv "$1" whole
	ok "$case_what" "$TAGCORE" stack --sysroot "/usr/$triplet" --exe foreign whole
	frames_of out >foreign.frames
	matches "$case_what: has a backtrace" out ' main\+'
	for part in '' code; do
		# shellcheck disable=SC2086 # or none
		python3 "$TOP/tests/func/stack-bare.py" whole core $part || bail stack-bare.py
		ok "$case_what, bare $part" "$TAGCORE" stack --sysroot "/usr/$triplet" --exe foreign core
		# It may be found by other things that it left in memory, but not at another address.
		if ! has_code core && grep -q 'foreign is not used: the core does not say where' err; then
			is "$case_what, bare $part: says why not, and no name" "$(grep -c 'foreign$' out)" 0
		else
			is "$case_what, bare $part: the same frames" "$(frames_of out)" "$(cat foreign.frames)"
		fi
	done
done <<'END'
powerpc64le-linux-gnu ppc64le -static -no-pie
s390x-linux-gnu s390x -static -no-pie
mips-linux-gnu mips -static -no-pie
mips-linux-gnu mips -pie -fPIE
arm-linux-gnueabihf arm -static -no-pie
arm-linux-gnueabihf arm -pie -fPIE
aarch64-linux-gnu aarch64 -static -no-pie
i686-linux-gnu i386 -pie -fPIE
END
done_testing
