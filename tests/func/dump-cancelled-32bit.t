# dump-cancelled.t with a 32-bit program.
: "${O:?}" "${TOP:?}"
if ! [ -x "$O/targets/patient32" ] || ! "$O/targets/calls32" exit 2>/dev/null; then
	echo "1..0 # SKIP no cross compiler for such programs here, or the kernel does not run them"
	exit 0
fi
PATIENT=patient32
. "$TOP/tests/func/dump-cancelled.t"
