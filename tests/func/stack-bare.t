# Backtraces of cores that say nothing of files, as embedded systems and debug stubs write them, with --exe: as many
# frames as of the core that they are made of, by the same tables; or it is said why not.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
have python3 || skip_all "no python3"
have gcc || skip_all "no gcc"

bare()
{
	python3 "$TOP/tests/func/stack-bare.py" "$@" || bail stack-bare.py
}

# dumps NAME PROGRAM: the cores NAME.core, with the pages that were written, and NAME.all; HEAD is the range of the first page
dumps()
{
	start "$2" signal
	ok "$1: dump" "$TAGCORE" dump --force -q -o "$1.core" "$PID"
	ok "$1: dump --all" "$TAGCORE" dump --force -q --all -o "$1.all" "$PID"
	HEAD=$("$TAGCORE" inspect maps "$1.core" | awk -v name="/${2##*/}" 'substr($NF, length($NF) - length(name) + 1) == name { print $1; exit }')
	finish
	ok "$1: its stack" "$TAGCORE" stack --exe "$2" "$1.all"
	frames_of out >"$1.frames"
}

# Address, name and way of each frame; not the module's, whose name the core may not have.
frames_of()
{
	sed -n '/^#/s/ - [^ (]*//p' "$1"
}

# same WHAT NAME EXE CORE: all that the core has of the program is used
same()
{
	ok "$1" "$TAGCORE" stack --exe "$3" "$4"
	is "$1: the same frames, by the same tables" "$(frames_of out)" "$(cat "$2.frames")"
	matches "$1: with the program's name" out " - .*${3##*/}\$"
	matches_not "$1: is not found to be another" err 'is not used|another'
}

# ---- of fixed addresses, without libraries
ok "ET_EXEC is built" gcc -D_GNU_SOURCE -std=gnu11 -w -O1 -g -static -no-pie -pthread -o fixed "$TOP/tests/targets/stacks.c"
dumps fixed ./fixed
bare fixed.all core
same "ET_EXEC, in memory" fixed fixed core
is "ET_EXEC, in memory: is verified by that" "$(cat err)" ""
bare fixed.core core code
same "ET_EXEC, in flash" fixed fixed core
matches "ET_EXEC, in flash: cannot be verified" err 'cannot be verified: the core does not have its build-id'
bare fixed.all core one flags
same "ET_EXEC, one segment, no memory is protected" fixed fixed core
ok "JSON, under the sanitizers" "$SANITIZED" stack --json --exe fixed core
is_json "JSON" out
like "JSON: the module" "$(json out '.threads[0].frames[0].module')" "*fixed"
like "JSON: its build-id" "$(json out '.threads[0].frames[0].build_id')" "??????????*"
ok "folded, under the sanitizers" "$SANITIZED" stack --folded --exe fixed core
matches "folded: from the first function on" out '^_start;.*main;case_signal;'
for unwinder in libdw libunwind; do
	ok "by $unwinder" "$TAGCORE" stack --unwinder $unwinder --exe fixed core
	matches "by $unwinder: to the first" out ' _start\+'
	matches_not "by $unwinder: no guess" out 'found by'
done

# ---- what the memory says against it
exits 2 "another program" "$TAGCORE" stack --exe "$TARGETS/threads-static" core
matches "another program: says so" err 'threads-static is not the program of the core: '
gcc -D_GNU_SOURCE -std=gnu11 -w -O2 -static -no-pie -pthread -Wl,--build-id=none -o rebuilt "$TOP/tests/targets/stacks.c"
objcopy --remove-section .note.gnu.build-id fixed nameless || bail objcopy
# The header of the program that is in memory is gone: what is left are its bytes.
bare fixed.all core "$HEAD"
exits 2 "built another way" "$TAGCORE" stack --exe rebuilt core
matches "built another way: says where" err 'rebuilt is not the program of the core: [0-9]+ of [0-9]+ bytes .* the first one at 0x[0-9a-f]+'
same "without build-ids" fixed nameless core
is "without build-ids: its bytes are the same" "$(cat err)" ""
at=$(nm fixed | awk '$3 == "case_deep" { print $1 }')
bare fixed.all core "$HEAD" "+$at"
ok "a breakpoint, under the sanitizers" "$SANITIZED" stack --exe nameless core
is "a breakpoint: the same frames" "$(frames_of out)" "$(cat fixed.frames)"
matches "a breakpoint: is reported" err "may be another: .* 1 of [0-9]+ bytes are others, the first one at 0x0*${at#"${at%%[!0]*}"}"

# ---- of any address: it is looked for
dumps moved "$TARGETS/stacks"
for how in "with its header:moved.core:" "in one segment:moved.all:one" "by its code:moved.all:$HEAD" "by its code, in one segment:moved.all:$HEAD one"; do
	core=${how#*:}
	# shellcheck disable=SC2086 # a list
	bare "${core%:*}" core ${core#*:}
	same "PIE, ${how%%:*}" moved "$TARGETS/stacks" core
done
bare moved.core core "$HEAD" code
ok "PIE, nothing of it in memory" "$TAGCORE" stack --exe "$TARGETS/stacks" core
matches "PIE, nothing of it in memory: says why not" err 'stacks is not used: the core does not say where its program was'
ok "PIE, nothing of it in memory: JSON, under the sanitizers" "$SANITIZED" stack --json --exe "$TARGETS/stacks" core
matches "PIE, nothing of it in memory: JSON" out 'is not used: the core does not say'
ok "no --exe" "$TAGCORE" stack core
matches "no --exe: says what is missing" err '\-\-exe FILE gives it'

done_testing
