# The hard cases of tests/func/stack.t with signed return addresses, vdso signal frames, and arm64's gdb.
. "$TOP/tests/func/stack.t"
