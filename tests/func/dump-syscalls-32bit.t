# dump-syscalls.t with a 32-bit program.
: "${O:?}" "${TOP:?}"
if ! [ -x "$O/targets/blocked32" ] || ! "$O/targets/calls32" exit 2>/dev/null; then
	echo "1..0 # SKIP no cross compiler for such programs here, or the kernel does not run them"
	exit 0
fi
BLOCKED=blocked32
. "$TOP/tests/func/dump-syscalls.t"
