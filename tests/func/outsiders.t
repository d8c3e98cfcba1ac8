# Other programs open our core and see what they see live.
. "$TOP/tests/func/lib.sh"
need_ptrace
start threads 6
exe=$TARGETS/threads

if have gdb; then
	gdb -nx -batch -p "$PID" -ex 'thread apply all bt' 2>/dev/null | frames >live
fi
ok "dump" "$TAGCORE" dump -o core "$PID"

# ---- gdb
gdb_core()
{
	run gdb -nx -batch "$@" "$exe" core
}

if have gdb; then
	gdb_core -ex 'thread apply all bt'
	is "gdb: 7 threads" "$(grep -c '^Thread ' out)" 7
	frames <out >dead
	num "gdb: has frames" "$(wc -l <dead)" -gt 20
	is "gdb: the same threads and backtraces as live" "$(cat dead)" "$(cat live)"
	gdb_said err >err.other
	matches_not "gdb: no warning" err.other '[Ww]arning'
	gdb_core -ex 'print global_marker' -ex 'print marker_text' -ex 'print tls_marker'
	matches "gdb: a global" out '= 24301$'
	matches "gdb: a text" out '= "tagcore was here"'
	gdb_core -ex 'thread apply all -s frame function wait_in_beta' \
		-ex 'thread apply all -s -q frame apply all -s -q print local_beta'
	matches "gdb: a local of one thread" out '= 2001$'
	matches "gdb: the same local of another" out '= 2005$'
	gdb_core -ex 'print/x heap_pattern[8191]'
	grep '^.1 = ' out >heap.core
	gdb -nx -batch -p "$PID" -ex 'print/x heap_pattern[8191]' 2>/dev/null | grep '^.1 = ' >heap.live
	matches "gdb: the end of the heap, live" heap.live '0x[0-9a-f]{8}'
	is "gdb: the end of the heap" "$(cat heap.core)" "$(cat heap.live)"
	gdb_core -ex 'info sharedlibrary'
	matches "gdb: shared libraries" out 'libc\.so\.6'
	gdb_core -ex 'info proc mappings'
	matches "gdb: files by NT_FILE" out "$(basename "$exe")"
	gdb_core -ex 'info auxv'
	matches "gdb: auxiliary vector" out 'AT_ENTRY'
	gdb_core -ex 'info all-registers'
	matches "gdb: registers" out '^(rip|pc) '
else
	skip "gdb" "not installed"
fi

# ---- lldb
if have lldb; then
	run lldb -b -x -c core "$exe" -o 'thread list' -o 'bt all' -o 'target variable global_marker'
	is "lldb: 7 threads" "$(sed -n '/(lldb) thread list/,/(lldb) bt/p' out | grep -c 'thread #')" 7
	for f in alpha beta gamma delta; do
		matches "lldb: a thread is in wait_in_$f" out "wait_in_$f"
	done
	matches "lldb: a global" out 'global_marker = 24301'
	matches_not "lldb: no error" out '^error'
else
	skip "lldb" "not installed"
fi

# ---- elfutils
if have eu-readelf; then
	ok "eu-readelf -n" eu-readelf -n core
	is "eu-readelf: PRSTATUS of 7 threads" "$(grep -c '^ *CORE .* PRSTATUS$' out)" 7
	matches_not "eu-readelf: takes no note of ours for a known one" out 'TAGCORE .*(PRSTATUS|FPREGSET|PRPSINFO|TASKSTRUCT)'
	matches "eu-readelf: the process's name" out 'fname: threads'
	matches "eu-readelf: the files" out "$(basename "$exe")"
	is "eu-readelf: no complaint" "$(cat err)" ""
	ok "eu-unstrip -n --core" eu-unstrip -n --core=core
	matches "eu-unstrip: the executable and its build-id" out \
		'^0x[0-9a-f]+\+0x[0-9a-f]+ [0-9a-f]{40}@0x[0-9a-f]+ .*/threads'
	matches "eu-unstrip: libc and its build-id" out '[0-9a-f]{40}@0x[0-9a-f]+ .*libc\.so\.6'
	matches "eu-unstrip: the vdso" out 'vdso'
else
	skip "elfutils" "not installed"
fi
if have eu-stack; then
	run eu-stack --core=core
	is "eu-stack: 7 threads" "$(grep -c '^TID ' out)" 7
	matches "eu-stack: functions" out 'wait_in_alpha'
else
	skip "eu-stack" "not installed"
fi

# ---- binutils
if have readelf; then
	ok "readelf -lnW" readelf -lnW core
	is "readelf: no warning" "$(cat err)" ""
	matches_not "readelf: no warning in its output" out '[Ww]arning|[Ee]rror'
	matches "readelf: has our notes" out 'TAGCORE'
	matches_not "readelf: takes no note of ours for a known one" out 'TAGCORE .*NT_'
else
	skip "readelf" "not installed"
fi
# BFD, and so gdb, takes a note for a register set by its type alone where the owner is unknown to it.
if have objdump; then
	objdump -h core | awk '/^ *[0-9]+ \./ { print $2 }' | sort | uniq -d >twice
	is "objdump: no section is there twice" "$(cat twice)" ""
else
	skip "objdump" "not installed"
fi
if have file; then
	run file core
	matches "file(1): a core of threads" out "core file.*threads"
else
	skip "file(1)" "not installed"
fi
is "the target lives" "$(report)" "alive 6 heap intact"
done_testing
