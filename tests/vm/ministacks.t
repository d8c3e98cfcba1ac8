# dump --stacks here: thread-local variables (the thread pointer is below them), and tags of stacks.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
machine_begin

start "$VM/stackvars"
ok "dump" "$TAGCORE" dump -q -o full "$PID"
ok "dump --stacks" "$TAGCORE" dump -q --stacks -o mini "$PID"
runs_free "$PID" "stackvars"
kernel_core kernel ABRT
for core in full mini kernel; do
	ok "$core validates" "$TAGCORE" validate $core
	[ "$rc" -eq 0 ] || diag <out
done
num "the mini-core is smaller" "$(size_of mini)" -lt "$(size_of full)"

sed -n 's/^tagged //p' "$LOG" >tagged
is "three stacks are tagged" "$(wc -l <tagged)" 3
# A debugger takes its time in the emulator: all by one run for a core.
set --
while read -r addr tag; do
	set -- "$@" -ex "memory-tag print-allocation-tag (char*)0x$addr"
	printf '0x%x\n' "$tag"
done <tagged >want.tags
for core in full mini kernel; do
	run gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'thread apply all -q p tls_data' \
		-ex 'thread apply all -q p tls_bss' -ex 'thread apply all -q p tls_far[4999]' -ex 'echo tags\n' "$@" \
		"$VM/stackvars" $core
	is "gdb: thread-local variables of each thread: $core" "$(sed '/^tags$/,$d' out | sed -n 's/^\$[0-9]* = //p' | sort -n | tr '\n' ' ')" \
		'100 101 102 103 200 201 202 203 300 301 302 303 ' || diag <err
	is "gdb: the tags of the stacks' granules: $core" "$(sed '1,/^tags$/d' out | sed -n 's/^\$[0-9]* = //p')" "$(cat want.tags)" || diag <err
	while read -r addr tag; do
		run "$TAGCORE" inspect memory "0x$addr" 16 $core
		matches "what is there: $core" out 'on the stack'
	done <tagged
done
run "$TAGCORE" stack mini
is "stacks of the mini-core" "$(grep -c 'wait_here' out)" 3
done_testing
