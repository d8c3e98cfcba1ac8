# The hard cases of tests/func/stack.t with signed return addresses, vdso signal frames, and arm64's gdb.
# Debuggers take most of the time in the emulator: they see the cases that are another thing on arm64, and in make check
# of these one; cores of the others are shown to this machine's gdb by host/stack.t.
. "$TOP/tests/func/lib.sh"
# shellcheck disable=SC2034 # which that reads
OUTSIDERS=$(soak_or signal 'no-table signal noreturn')
# What is the same on each machine: only in the long form.
CASES_ONLY=$(soak_or yes '')
. "$TOP/tests/func/stack.t"
