# Backtraces of cores of the arm64 machine, by this one and with the machine's files: return addresses are signed.
. "$TOP/tests/func/lib.sh"

if [ "$(cat "$VM_RESULTS/status")" != 0 ]; then
	fail "cores from the machine"
	diag <"$VM_RESULTS/tap"
	done_testing
fi
ok "cores from the machine" cp -a --sparse=always "$VM_RESULTS/." .
# As on any system now; the loader has put libraries in its list there.
ln -s usr/lib root/lib
CASES=$(cat cases)

# Frames, without where a file is.
frames() { sed -n 's/^\(#[0-9]* *0x[0-9a-f]* [^ ]*\).*/\1/p' "$1"; }
own() { grep -o ' case_[a-z_]*' | uniq | tr -d '\n'; }

for GDB in gdb-multiarch gdb ''; do
	[ -z "$GDB" ] || { have "$GDB" && ! "$GDB" -nx -batch -ex 'set architecture aarch64' 2>&1 | grep -q Undefined; } && break
done

# by_gdb CORE: what it sees of our functions, beside the backtrace in the file here
by_gdb()
{
	run "$GDB" -nx -batch -iex 'set debuginfod enabled off' -iex "set sysroot $PWD/root" -ex bt \
		-- "$O/arm64/targets/stacks" "$1"
	is "$1: gdb sees the same functions of ours" "$(own <out)" "$(own <here)"
}

for name in $CASES; do
	for core in $name.full $name.mini $name.kernel; do
		exits 0 "$core: stack" "$TAGCORE" stack --sysroot root $core
		mv out here
		matches "$core: the innermost of ours" here ' case_wait\+'
		is "$core: the frames that the machine itself sees" "$(frames here)" "$(frames $core.there)"
		# Nothing is left of a signature: user addresses have 48 bits here.
		is "$core: no address has more" "$(grep '^#' here | grep -cv '^#[0-9]* *0x0000')" 0
		exits 0 "$core: notes" "$TAGCORE" inspect notes $core
		matches "$core: NT_ARM_PAC_MASK" out NT_ARM_PAC_MASK
		[ -z "$GDB" ] || by_gdb $core
	done
done
[ -n "$GDB" ] || skip "gdb" "none here knows arm64 (gdb-multiarch would)"
done_testing
