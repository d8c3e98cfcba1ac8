# Backtraces of hard cases: live, of a full core and of one of stacks only; against gdb and elfutils.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

# The functions of ours in a backtrace, innermost first, on a line; ours are the names that begin with case_.
own()
{
	awk '/^ *#[0-9]* *(0x[0-9a-f]*)? *(in )?case_/ {
		sub(/^[^_]*case_/, "case_"); sub(/[^a-z_].*/, ""); if ($0 != last) printf "%s ", last = $0 }'
}

# agree DESCRIPTION FILE FILE
agree()
{
	if diff "$2" "$3" >difference; then
		pass "$1"
	else
		fail "$1"
		diag <difference
	fi
}

# A thread's frames but the last where that was found without tables.
without_found_last()
{
	awk 'function put() { if (last != "" && last !~ /\(found by [a-z ]*\)$/) print last; last = "" }
		/^#/ { if (last != "") print last; last = $0; next } { put(); print } END { put() }'
}

# A thread's frames but the last.
without_outermost()
{
	awk 'NR > 1 && !(last ~ /^#/ && !/^#/) { print last } { last = $0 } END { if (last !~ /^#/) print last }'
}

# case NAME FUNCTIONS: what a backtrace must have, in this order; repeated ones once.
check_case()
{
	name=$1 want="$2 "
	start stacks "$name"
	ok "$name: live" "$TAGCORE" stack --inlines "$PID"
	is "$name: live: all functions" "$(own <out)" "$want"
	matches_not "$name: live: nothing is incomplete" out incomplete
	mv out live
	ok "$name: dump" "$TAGCORE" dump --force -q -o full "$PID"
	ok "$name: dump --stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
	for unwinder in libdw libunwind; do
		for core in full mini; do
			ok "$name: $core, by $unwinder" "$TAGCORE" stack --inlines --unwinder $unwinder $core
			is "$name: $core, by $unwinder: all functions" "$(own <out)" "$want"
			sed 1d out >$core.$unwinder
		done
		agree "$name: $unwinder finds the same in either" full.$unwinder mini.$unwinder
	done
	cp full.libdw most.libdw
	cp full.libunwind most.libunwind
	# On arm64 libunwind ends before a thread's first function, whose frame pointer is 0 (1.8,
	# src/aarch64/Gstep.c: unw_step(); AAPCS64, 6.4.6): it may be found without tables, or not at all.
	if [ "$(uname -m)" = aarch64 ] && ! cmp -s full.libdw full.libunwind; then
		without_outermost <full.libdw >most.libdw
		without_found_last <full.libunwind >most.libunwind
	fi
	agree "$name: libdw and libunwind agree" most.libdw most.libunwind
	sed 1d live >live.frames
	agree "$name: and live" full.libdw live.frames
	outsiders
	finish "$CHILD"
}

# no_more WHO: it may miss some of ours; in ours, in the same order, are all in the file its.functions
no_more()
{
	tr ' ' '\n' <its.functions >its
	printf '%s' "$want" | tr ' ' '\n' >ours
	grep -q . its && in_order its ours && more_rc=0 || more_rc=1
	is "$name: $1 has no more than we" "$more_rc" 0 || diag "it: $(cat its.functions)"
}

# OUTSIDERS: cases to be shown to them, instead of all.
outsiders()
{
	case " ${OUTSIDERS-$name} " in
	*" $name "*) ;;
	*) return 0 ;;
	esac
	# gdb takes a second each time: the mini-core and the process of one case for each kind of frame.
	case $name in
	plain | signal | noreturn | inline)	cores='full mini' live=live ;;
	*)					cores="full $(soak_or '' mini)" live=$(soak_or '' live) ;;
	esac
	if have gdb; then
		for core in $cores; do
			gdb -nx -batch -ex 'thread apply all -ascending bt' "$TARGETS/stacks" $core >out 2>err
			own <out >its.functions
			no_more "gdb on $core"
			cp its.functions gdb.$core
		done
	fi
	if have gdb && [ -n "$live" ]; then
		agree "$name: gdb sees the same in either core" gdb.full gdb.mini
		gdb -nx -batch -p "$PID" -ex 'thread apply all -ascending bt' >out 2>err
		own <out >its.functions
		no_more "gdb, live,"
	fi
	# It takes its time; these are the kinds of frames.
	case $name in
	signal | inline)	with_lldb=lldb ;;
	plain | noreturn)	with_lldb=$(soak_or '' lldb) ;;
	*)			with_lldb= ;;
	esac
	if [ -n "$with_lldb" ] && [ -z "${OUTSIDERS-}" ] && have $with_lldb; then
		for core in full mini; do
			# To a file: LLDB spins when a pipe that it writes to closes.
			timeout 60 lldb -b -o 'bt all' -c $core "$TARGETS/stacks" >out 2>err </dev/null
			grep -o 'stacks`case_[a-z_]*' out | sed 's/.*`//' | uniq | tr '\n' ' ' >its.functions
			[ -s its.functions ] || { skip "$name: LLDB on $core" "it shows no frames of ours"; continue; }
			no_more "LLDB on $core"
			cp its.functions lldb.$core
		done
		[ ! -f lldb.full ] || agree "$name: LLDB sees the same in either core" lldb.full lldb.mini
		timeout 60 lldb -b -p "$PID" -o 'bt all' -o detach >out 2>err </dev/null
		grep -o 'stacks`case_[a-z_]*' out | sed 's/.*`//' | uniq | tr '\n' ' ' >its.functions
		if [ -s its.functions ]; then
			no_more "LLDB, live,"
		else
			skip "$name: LLDB, live" "it shows no frames of ours"
		fi
	fi
	if have eu-stack; then
		for core in full mini; do
			eu-stack -n 0 --core $core -e "$TARGETS/stacks" >eu.$core 2>err
			sed -i 1d eu.$core
		done
		agree "$name: eu-stack sees the same in either core" eu.full eu.mini
		eu-stack -n 0 -p "$PID" >out 2>err
		own <out >its.functions
		no_more "eu-stack, live,"
	fi
}

check_case plain 'case_wait'
check_case no-table 'case_wait case_no_table case_above_no_table'
matches "no-table: says how it was found" live 'case_above_no_table.*found by (frame pointer|reading code)'
check_case signal 'case_wait case_handler case_interrupted case_signal'
matches "signal: the frame that a handler returns through" live 'signal frame'
check_case signal-stack 'case_wait case_handler case_interrupted case_signal_stack'
# The first thread waits for the one whose stack is full.
check_case overflow 'case_overflow case_wait case_handler case_recurse case_overflow_thread'
check_case null 'case_wait case_handler case_call_null case_null'
matches "null: the place of nothing" live '0x0000000000000000 \?\?'
check_case noreturn 'case_wait case_never_returns case_noreturn'
check_case leaf 'case_leaf case_above_leaf'
check_case vdso 'case_wait case_tick case_vdso'
matches "vdso: its frame" live ' - \[vdso\]'
check_case inline 'case_wait case_inlined case_inline'
ok "inline: without --inlines" "$TAGCORE" stack full
is "inline: without --inlines: the function that has it" "$(own <out)" 'case_wait case_inline '
check_case names 'case_wait'
matches "names: C++" live ' app::Queue::push\(int\)\+0x'
matches "names: Rust" live ' (123foo|foo)::bar\+0x'
matches "names: old Rust" live ' app::main\+0x'
check_case deep 'case_wait case_deep_down case_deep'
# CASES_ONLY: nothing that is the same on each machine.
[ -z "${CASES_ONLY-}" ] || done_testing

ok "frames can be limited" "$TAGCORE" stack --max-frames 10 full
is "frames can be limited: ten of them" "$(grep -c '^#' out)" 10
matches "frames can be limited: and it says so" out 'incomplete: more frames than wanted'
ok "addresses only" "$TAGCORE" stack --raw full
matches "addresses only: an address" out '^#0 +0x[0-9a-f]{16}$'
matches_not "addresses only: no name" out case_
ok "with source" "$TAGCORE" stack --source full
matches "with source: file and line" out '^ +at .*tests/targets/stacks.c:[0-9]+$'

# ---- a large heap makes no larger core of stacks
start bigmem pattern 64M
ok "a large heap: dump --stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
num "a large heap: below 1%" "$(($(size_of mini) * 100))" -lt "$(($(status_of "$PID" VmRSS) * 1024))"
finish "$CHILD"

# ---- JSON
start stacks inline
ok "json" "$TAGCORE" stack --json --inlines "$PID"
is_json "json" out
json_is "json: pid" out .pid "$PID"
json_is "json: tid" out .threads[0].tid "$PID"
json_is "json: complete" out .threads[0].complete true
finish "$CHILD"

# ---- the wrong file is not used, and the right one is found where it is
cp "$TARGETS/stacks" program
start ./program plain
ok "replaced: dump" "$TAGCORE" dump --force -q -o full "$PID"
cp "$TARGETS/threads" other && mv other program
ok "replaced: live" "$TAGCORE" stack "$PID"
matches "replaced: live: the process still has its own" out case_wait
ok "replaced: core" "$TAGCORE" stack full
matches "replaced: core: says so" err 'program is not the file that the process had: its build-id is'
matches_not "replaced: core: does not use it" out ' main\+|case_wait'
ok "replaced: --exe" "$TAGCORE" stack --exe "$TARGETS/stacks" full
matches "replaced: --exe: is used" out case_wait
for operand in full "$PID"; do
	exits 2 "a wrong --exe of $operand" "$TAGCORE" stack --exe "$TARGETS/threads" "$operand"
	matches "a wrong --exe of $operand: says why" err 'threads is not the program of the core: its build-id is [0-9a-f]+, the core has '
	is "a wrong --exe of $operand: prints no stack" "$(cat out)" ""
done
ok "replaced: live: --exe" "$TAGCORE" stack --exe "$TARGETS/stacks" "$PID"
matches "replaced: live: --exe: is used" out case_wait
rm program
ok "deleted: live" "$TAGCORE" stack "$PID"
matches "deleted: live" out case_wait
ok "deleted: dump --stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
ok "deleted: the core itself has its tables" "$TAGCORE" stack mini
matches_not "deleted: the core itself has its tables: nothing incomplete" out incomplete
is "deleted: as many frames" "$(grep -c '^#' out)" "$("$TAGCORE" stack --exe "$TARGETS/stacks" full | grep -c '^#')"
exits 2 "a --exe that is not there" "$TAGCORE" stack --exe nowhere full
exits 2 "a --sysroot that is no directory" "$TAGCORE" stack --sysroot "$TARGETS/stacks" full
matches "a --sysroot that is no directory: says so" err 'sysroot: .*stacks is no directory'
exits 2 "a directory of --debuginfo-path that is not there" "$TAGCORE" stack --debuginfo-path /:nowhere full
matches "a directory of --debuginfo-path that is not there: says so" err 'debuginfo-path: open nowhere: '
mkdir -p "root$PWD" && cp "$TARGETS/stacks" "root$PWD/program"
ok "sysroot without libc" "$TAGCORE" stack --sysroot root full
matches "sysroot without libc: says so" err 'root/.*libc.so.6: no such file here'
"$TAGCORE" inspect files full | grep -o '/.*/lib[^ ]*\.so[^ ]*' | sort -u >libs
while IFS= read -r f; do
	mkdir -p "root$(dirname "$f")" && cp "$f" "root$f"
done <libs
ok "sysroot" "$TAGCORE" stack --sysroot root full
matches "sysroot: the program is there" out case_wait
finish "$CHILD"

exits 2 "no such unwinder" "$TAGCORE" stack --unwinder magic full
exits 2 "no such thread" "$TAGCORE" stack --thread 1 full
exits 2 "no such process" "$TAGCORE" stack 2147483647
exits 2 "no core" "$TAGCORE" stack
exits 2 "no such file" "$TAGCORE" stack ./missing
done_testing
