# The hard cases of tests/func/stack.t with signed return addresses, vdso signal frames, and arm64's gdb.
# Debuggers take most of the time in the emulator: they see the cases that are another thing on arm64.
# shellcheck disable=SC2034 # which that reads
OUTSIDERS='no-table signal noreturn'
. "$TOP/tests/func/stack.t"
