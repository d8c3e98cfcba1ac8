# gdb and LLDB read the same tags from our core and from the kernel's, and see a tag fault.
# They take their time in the emulator: in make check LLDB reads the tags of ours, since this machine's may be too old for
# that; what gdb sees host/cores.t has, and of the kernel's core nothing would be ours.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
GDB=gdb LLDB=lldb PROGRAMS=$VM MTECMP=$VM/mtecmp
machine_begin
ok "cores of a tagged process and of a heap that overflowed" make_cores
if soak; then
	debug_by_gdb
	debug_by_lldb
else
	tags_by_lldb tags.ours
fi
done_testing
