# gdb and LLDB read the same tags from our core and from the kernel's, and see a tag fault.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
GDB=gdb LLDB=lldb PROGRAMS=$VM MTECMP=$VM/mtecmp
machine_begin
ok "cores of a tagged process and of a heap that overflowed" make_cores
debug_by_gdb
debug_by_lldb
done_testing
