# A process whose exe link names a program of another machine than what it runs, as
# Linux 7.3 has it for interpreters that binfmt_misc calls transparent.
. "$TOP/tests/func/lib.sh"
need_ptrace

# header CLASS DATA MACHINE-BYTES: an ELF file header and nothing else
header()
{
	# shellcheck disable=SC2059 # bytes
	printf '\177ELF%b%b\001\0\0\0\0\0\0\0\0\0%b%b' "$1" "$2" "$3" "$4"
	head -c 44 /dev/zero
}
header '\002' '\002' '\0\002' '\0\026' >s390x
header '\001' '\001' '\002\0' '\003\0' >i386
header '\001' '\001' '\002\0' '\050\0' >arm
chmod +x s390x i386 arm

run "$TARGETS/transparent" s390x try
[ "$rc" -ne 77 ] || skip_all "$(cat err)"
for exe in s390x i386 arm; do
	start transparent "$PWD/$exe"
	is "$exe: the exe link is not what runs" "$(readlink "/proc/$PID/exe")" "$PWD/$exe"
	ok "$exe: dump" timeout 60 "$TAGCORE" dump -q -o "core.$exe" "$PID"
	is "$exe: the core is of the machine that runs" "$(od -An -tx1 -j4 -N2 "core.$exe")" "$(od -An -tx1 -j4 -N2 "$TAGCORE")"
	is "$exe: machine" "$(od -An -tx1 -j18 -N2 "core.$exe")" "$(od -An -tx1 -j18 -N2 "$TAGCORE")"
	ok "$exe: it is valid" "$TAGCORE" validate "core.$exe"
	ok "$exe: stack" timeout 60 "$TAGCORE" stack "$PID"
	ok "$exe: auxv says so" "$TAGCORE" inspect auxv "core.$exe"
	like "$exe: AT_FLAGS by name" "$(cat out)" "*AT_FLAGS*transparent_interp*"
	finish
done
done_testing
