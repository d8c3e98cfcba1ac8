# What unwinds is locked in: the plain build, which is (the sanitizers' builds are not), against those, what the kernel
# says of it while it runs, and files that it must not get.
. "$TOP/tests/func/lib.sh"
LOCKED=$O/tagcore
need_ptrace

# ---- the same frames, names and lines

# both ARGUMENTS: the same output, messages and status
both()
{
	run timeout 300 "$TAGCORE" "$@"
	mv out out.free
	mv err err.free
	free_rc=$rc
	run timeout 300 "$LOCKED" "$@"
	[ "$rc" = "$free_rc" ] && cmp out out.free && cmp err err.free
}

waiting_program >waits.c
cp "$TARGETS/stacks" program
TARGET_LIFE=300 start ./program inline
LIVE=$PID LIVE_CHILD=$CHILD
ok "dump" "$LOCKED" dump -q -o core "$LIVE"
for how in "" --source --inlines --raw --json --unwinder=libunwind --max-frames=2; do
	ok "$how: the same, locked in" both stack $how core
done
matches "a line of the source" out.free '#1 '
for tool in "gzip gz" "xz xz" "zstd zst"; do
	have "${tool% *}" || continue
	"${tool% *}" <core >"core.${tool#* }"
	ok "packed by ${tool% *}, locked in" both stack --source "core.${tool#* }"
done
head -c 3000 core >cut
ok "a truncated core" both stack cut
: >empty
ok "an empty one" both stack empty
ok "none" both stack nothing
ok "a sysroot that is none" both stack --sysroot nothing core
ok "live" "$LOCKED" stack --source "$LIVE"
matches "live: lines" out 'stacks\.c:[0-9]'
runs_free "$LIVE" "live"
start notable-glibc pause
"$LOCKED" dump -q -o code.core "$PID"
finish
ok "code is read" both stack code.core

for v in 4 5; do
	if ! gcc -gdwarf-$v -O1 -gsplit-dwarf -c -o waits.o waits.c 2>log || ! gcc -static -o waits waits.o 2>>log; then
		skip "split DWARF $v" "no gcc"
		continue
	fi
	start ./waits
	ok "split DWARF $v: dump" "$LOCKED" dump --force -q -o split.core "$PID"
	finish
	ok "split DWARF $v: the same" both stack --source split.core
	matches "split DWARF $v: lines" out 'waits\.c:[0-9]'
	rm -rf root
	mkdir -p "root$PWD"
	cp waits waits.dwo "root$PWD"
	mv waits.dwo away
	ok "split DWARF $v: in a sysroot" "$LOCKED" stack --source --sysroot root split.core
	matches "split DWARF $v: in a sysroot: lines" out 'waits\.c:[0-9]'
	rm "root$PWD/waits.dwo"
	ln -s "$PWD/away" "root$PWD/waits.dwo"
	ok "split DWARF $v: a link out of the sysroot" "$LOCKED" stack --source --sysroot root split.core
	mkfifo waits.dwo
	ok "split DWARF $v: a FIFO" timeout 60 "$LOCKED" stack --source split.core
	matches "split DWARF $v: a FIFO: says so" err 'waits.dwo is no regular file'
	rm -f waits.dwo
done

# ---- names that lead elsewhere

# renamed PATH: a core whose program has that name, of any length up to its own
renamed()
{
	new=$1
	while [ ${#new} -lt ${#old} ]; do new=/$new; done
	LC_ALL=C sed "s,$old,$new,g" core >renamed.core
	[ "$(size_of renamed.core)" = "$(size_of core)" ]
}
old=$PWD/program
for name in /proc/self/mem /proc/kmsg /proc/self/environ /dev/zero /dev/tty /dev/watchdog /sys/kernel/tracing/trace_pipe; do
	[ -e $name ] && [ ${#name} -le ${#old} ] || continue
	ok "$name as program: a core" renamed $name
	ok "$name as program" timeout 60 "$LOCKED" stack renamed.core
	matches "$name as program: says so" err "$name is no regular file.*; not used"
done
mkdir -p root/bin up
cp program away.program
ln -s "$PWD/away.program" root/bin/link
for name in /bin/link /../../../../../../bin/../..$PWD/away.program; do
	[ ${#name} -le ${#old} ] || continue
	renamed "$name"
	ok "sysroot, $name: unwound" timeout 60 "$LOCKED" stack --sysroot root renamed.core
	matches "sysroot, $name: nothing outside is taken" err 'no such file here'
done

# ---- a file system on which a name is never found
mkdir mnt
if ! is_root || ! "$TARGETS/hungfs" mnt true; then
	skip "a name that is never found" "no FUSE here"
else
	HUNG_NAME=.build-id timeout 120 "$TARGETS/hungfs" mnt "$LOCKED" stack --debuginfo-path "$PWD/mnt" core >out 2>err
	is "a name that is never found: done" $? 0
	matches "a name that is never found: was asked for" out '^lookup'
	matches "a name that is never found: frames" out 'main\+'
	matches "a name that is never found: says so" err 'mnt/.build-id/.* did not answer within 5 s; not used'
fi

# ---- what the kernel says
children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
locked_child()
{
	for c in $(children_of "$1"); do
		[ "$(status_of "$c" Seccomp 2>/dev/null)" = 2 ] && child=$c && return 0
	done
	return 1
}
blocked()
{
	full_pipe fifo
	"$LOCKED" stack core >fifo 2>err &
	pid=$!
	mine $pid
	until_true 30 locked_child $pid
}
# over DESCRIPTION STATUS
over()
{
	wait $pid
	is "$1" $? "$2"
	not_mine $pid
	for c in $all; do
		until_true 10 gone "$c" || fail "$1: $c goes on"
	done
	exec 9>&-
	rm -f fifo
}

if grep -q '^Seccomp:' /proc/self/status; then
	ok "a child is locked in" blocked
	is "and gains no rights" "$(status_of "$child" NoNewPrivs)" 1
	is "the command itself is not" "$(status_of $pid Seccomp)" 0
	until_true 30 grep -q 'cpu time *600 ' "/proc/$child/limits"
	matches "it has a limit of time" "/proc/$child/limits" 'Max cpu time +600 '
	matches "and of memory" "/proc/$child/limits" 'Max data size +[0-9]{10,11} '
	all=$(children_of $pid)
	kill -KILL "$child"
	over "one that dies is trouble" 2
	matches "which is said" err 'signal 9'
	blocked
	all=$(children_of $pid)
	kill -XCPU "$child"
	over "one that takes too long is trouble" 2
	matches "which is said, too" err 'processor time'
	for sig in TERM 143 HUP 129 KILL 137; do
		case $sig in
		[A-Z]*) blocked; all=$(children_of $pid); kill -$sig $pid; was=$sig ;;
		*) over "$was ends all of them" $sig ;;
		esac
	done
else
	skip "the status of what unwinds" "no seccomp in this kernel"
fi

# ---- no memory: as little as is just too little depends on the libraries
bad= short=
for kib in 6000 4000 3000 2500 2000 1700 1400; do
	(ulimit -d $kib && exec "$LOCKED" stack --source core) >out 2>err
	case $? in
	0) ;;
	2) short=$kib; has_line err 'memory' || bad="$bad $kib:$(cat err)" ;;
	*) bad="$bad $kib:$?" ;;
	esac
done
is "too little memory: said in a sentence" "$bad" ""
if [ -z "$short" ]; then skip "too little memory" "it was enough"; fi

# ---- every call, where strace may
if ! have strace || ! strace -o trace true 2>/dev/null; then
	skip "the calls of what unwinds" "no strace, or it may not trace"
else
	for how in core split.core code.core "$LIVE"; do
		case $how in *core) [ -s "$how" ] || continue ;; esac
		strace -ff -o trace "$LOCKED" stack --source --inlines "$how" >/dev/null 2>&1
		worker=$(grep -l 'SECCOMP_SET_MODE_FILTER, 0, {' trace.*)
		# libunwind tries these at its start, and goes on without.
		is "$how: no call that is needed is refused" "$(sed '1,/SECCOMP_SET_MODE_FILTER, 0, {/d' "$worker" |
			grep -E 'EPERM|EACCES' | grep -v '^pipe2\|^mincore')" ""
		is "$how: nothing is opened but by notification" "$(sed '1,/SECCOMP_SET_MODE_FILTER, 0, {/d' "$worker" |
			grep -E '^(open|creat|openat2|socket|connect|execve|clone|fork|kill)\(')" ""
		rm -f trace.*
	done
fi
finish "$LIVE_CHILD"
done_testing
