# Who reads a core is locked in: inspect and validate of the plain build (the sanitizers' builds are not) against
# those that are not locked in, and what the kernel says of them while they run.
. "$TOP/tests/func/lib.sh"
LOCKED=$O/tagcore

"$O/san/fuzz/seeds" . || bail seeds
views=$("$LOCKED" help inspect | awk '/^  [a-z]/ && !/^  -/ { print $1 }')
num "the views are listed" "$(echo "$views" | wc -l)" -ge 10

# both ARGUMENTS: the same output, messages and status, locked in or not
both()
{
	run "$TAGCORE" "$@"
	mv out out.free
	mv err err.free
	free_rc=$rc
	run "$LOCKED" "$@"
	[ "$rc" = "$free_rc" ] && cmp out out.free && cmp err err.free
}

for core in x86_64-own aarch64-mte-own be64 machine-s390x; do
	case $core in
	*-own) json= ;;
	*) json=--json ;;
	esac
	bad=
	for view in $views; do
		case $view in
		memory) set -- memory --tags 0x600000 0x3000 ;;
		*) set -- "$view" ;;
		esac
		both inspect $json "$@" $core >&2 || bad="$bad $view"
	done
	both validate --json $core >&2 || bad="$bad validate"
	is "$core: every view says the same, locked in" "$bad" ""
done
head -c 5000 x86_64-own >cut
: >empty
ok "a truncated core, locked in" both inspect missing cut
packed=
for tool in "gzip gz" "xz xz" "zstd zst"; do
	have "${tool% *}" || continue
	"${tool% *}" <x86_64-own >"p.${tool#* }" && packed="$packed p.${tool#* }"
	ok "packed by ${tool% *}, locked in" both inspect notes "p.${tool#* }"
	head -c 300 "p.${tool#* }" >cut.packed
	ok "and truncated" both validate cut.packed
done
ok "several at once, one of them missing" both validate cut nothing x86_64-own empty
num "the others were looked at" "$(grep -c '^\(cut\|empty\): error' out)" -ge 2
ok "several at once, as JSON" both validate --json cut nothing x86_64-own empty
is_json "one document" out
json_is "of those that could be read" out '#' 3

for core in cut aarch64-mte x86_64-xnum $packed; do
	run "$TAGCORE" repair $core repaired.free
	free_rc=$rc
	run "$LOCKED" repair $core repaired
	is "$core: repaired in the sandbox" "$rc" "$free_rc"
	ok "$core: the same" cmp repaired repaired.free
	rm -f repaired repaired.free
done

# ---- what the kernel says

kernel_has_seccomp() { grep -q '^Seccomp:' /proc/self/status; }
is_locked() { [ "$(status_of "$1" Seccomp)" = 2 ]; }
child_of() { cat "/proc/$1/task/$1/children" 2>/dev/null | tr -d ' '; }
has_child() { [ -n "$(child_of "$1")" ]; }

if kernel_has_seccomp; then
	full_pipe fifo
	"$LOCKED" inspect headers x86_64-own >fifo 2>err &
	pid=$!
	mine $pid
	ok "inspect is locked in" until_true 10 is_locked $pid
	is "and gains no rights" "$(status_of $pid NoNewPrivs)" 1
	finish $pid

	"$LOCKED" inspect headers x86_64-own >fifo 2>err 7>>secret 8</etc/passwd &
	pid=$!
	mine $pid
	ok "with descriptors of others, it is locked in" until_true 10 is_locked $pid
	is "and has no more of them" "$(readlink "/proc/$pid/fd/"* | grep -c 'secret$\|passwd$')" 0
	finish $pid
	ok "a core may be named by one of them" "$LOCKED" inspect headers /dev/fd/7 7<x86_64-own

	"$LOCKED" validate cut x86_64-own empty >fifo 2>err &
	pid=$!
	mine $pid
	ok "validate has a child for each core" until_true 10 has_child $pid
	child=$(child_of $pid)
	ok "which is locked in" until_true 10 is_locked "$child"
	is "while validate itself is not" "$(status_of $pid Seccomp)" 0
	kill -KILL "$child"
	cat <&9 >rest &
	mine $!
	wait $pid
	is "a reader that dies is trouble" $? 2
	not_mine $pid
	matches "and validate says so" err 'signal 9'
	ok "the last core was looked at, too" until_true 10 has_line rest '^empty: error'
	exec 9>&-
	rm fifo

	full_pipe fifo
	"$LOCKED" repair cut repaired >fifo 2>err &
	pid=$!
	mine $pid
	ok "repair has a child" until_true 10 has_child $pid
	child=$(child_of $pid)
	ok "which is locked in, too" until_true 10 is_locked "$child"
	kill -KILL "$child"
	wait $pid
	is "one that dies is trouble" $? 2
	not_mine $pid
	is "and there is no output" "$(ls -A | grep repaired; find . -name '.core-*')" ""
	exec 9>&-
else
	skip "the status of a reader" "no seccomp in this kernel"
fi

# ---- every call, where strace may

calls()
{
	strace -f -o trace "$LOCKED" "$@" >/dev/null 2>&1 || [ $? -eq 1 ]
}

if ! have strace || ! strace -o trace true 2>/dev/null; then
	skip "the calls of a reader" "no strace, or it may not trace"
elif ! kernel_has_seccomp; then
	skip "the calls of a reader" "no seccomp in this kernel"
else
	: >refused
	: >early
	# packed: words
	for core in x86_64-own aarch64-mte $packed; do
		for view in $views validate repair; do
			rm -f repaired
			case $view in
			repair) calls repair $core repaired ;;
			validate) calls validate $core ;;
			memory) calls inspect memory 0x600000 0x3000 $core ;;
			*) calls inspect "$view" $core ;;
			esac
			# After the filter, and what was read of the core before it.
			sed '1,/SECCOMP_SET_MODE_FILTER, 0, {/d' trace | grep -E 'open|socket|EPERM|EACCES' >>refused
			# By its first six bytes it is known how it is packed.
			sed -n "/openat.*\"$core\"/,/SECCOMP_SET_MODE_FILTER, 0, {/p" trace | grep 'read[a-z0-9]*(' |
				grep -v ', 6, 0) *= 6$' >>early
			grep -q 'SECCOMP_SET_MODE_FILTER, 0, {' trace || echo "$view $core: no filter" >>refused
		done
	done
	is "no view needs a call that is refused" "$(cat refused)" ""
	is "nothing of the core is read before the lock" "$(cat early)" ""
fi
done_testing
