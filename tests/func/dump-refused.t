# dump: what could not be asked is not taken for "no": it is asked in another way, or the error is said.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
EPERM=1 EIO=5 ENOMEM=12 EACCES=13 EINVAL=22 EMFILE=24 ENOTTY=25 ENOSYS=38

# header_pages CORE: the file mappings of which the first page is there, by name
header_pages()
{
	"$TAGCORE" inspect maps "$1" | grep ' r--p \| r-xp ' | grep /
}

start threads 2
kill -STOP "$PID"
wait_state "$PID" T
ok "to compare with" "$TAGCORE" dump -q -o want "$PID"
header_pages want >want.pages
num "it has header pages" "$(wc -l <want.pages)" -ge 3

# as_whole WHAT CORE: memory is the target's, and as much of it is there as ever
as_whole()
{
	ok "$1: memory" "$CORECMP" mem "$2" "$PID"
	header_pages "$2" >got.pages
	ok "$1: header pages" diff want.pages got.pages
	is "$1: all of it" "$(size_of "$2")" "$(size_of want)"
}

# ---- page tables and areas, asked by ioctl(2)
for error in $EPERM $EACCES $EINVAL $ENOTTY $ENOSYS $ENOMEM; do
	rm -f core
	ok "ioctl(2) fails with $error" "$HELPER" refuse ioctl "$error" "$TAGCORE" dump -q -o core "$PID"
	as_whole "ioctl(2) fails with $error" core
done
rm -f core
ok "process_vm_readv(2) is refused" "$HELPER" refuse process_vm_readv $EPERM "$TAGCORE" dump -q -o core "$PID"
as_whole "process_vm_readv(2) is refused" core
finish

# ---- /proc/PID/mem: what the process itself may not read, ptrace(2) still can (proc_mem.force_override=never)
start kinds
kill -STOP "$PID"
wait_state "$PID" T
rm -f core
exits $PARTIAL "mem(5) is refused" "$HELPER" refuse mem $EIO "$TAGCORE" dump -o core "$PID"
only_lost "mem(5) is refused" core
ok "mem(5) is refused: memory" "$CORECMP" mem core "$PID" core.lost
for name in none-written anon-writeonly; do
	range=$(range_of $name)
	is "mem(5) is refused: $name" "$("$CORECMP" state core "${range% *}" "$(printf '%#x' $((${range#* } - 4096)))" | xargs)" \
		"present present"
done
rm core.lost
finish
start threads 2
kill -STOP "$PID"
wait_state "$PID" T
ok "to compare with" "$TAGCORE" dump -q --force -o want "$PID"
header_pages want >want.pages

# ---- mapped files: whether one is an ELF file is to be seen in memory, too
for error in $EACCES $EMFILE; do
	rm -f core
	run "$HELPER" refuse mapped-files "$error" "$TAGCORE" dump -o core "$PID"
	header_pages core >got.pages
	ok "no mapped file can be opened ($error): header pages" diff want.pages got.pages
	ok "or else it is said" sh -c 'test '"$rc"' -eq 0 || grep -q MISSING err'
done

# ---- the list of threads
rm -f core
# LeakSanitizer reads such a list, too, and from gcc 14 on ends the process where it cannot.
exits 2 "the list of threads cannot be read: exit 2" env "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
	"$HELPER" refuse getdents64 $EIO "$TAGCORE" dump -o core "$PID"
matches "it is said" err "^tagcore: read /proc/$PID/task: Input/output error$"
matches_not "and not that there is none" err "no process"

# ---- a security module
kept=$PID kept_log=$LOG
# The module itself, as Debian's kernels have it.  Its setting is everybody's: changed only where nobody else is.
yama=/proc/sys/kernel/yama/ptrace_scope
scope=$(cat $yama 2>/dev/null)
if [ "$scope" = 0 ] && [ "${OWN_MACHINE-}" = yes ]; then
	at_end "echo 0 >$yama"
	scope=1
	echo 1 >$yama
fi
user='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all'
if ! is_root || ! have setpriv || ! $user test -x "$O/tagcore" -a -x "$TARGETS/threads" 2>/dev/null; then
	skip "Yama itself" "not root, or the build directory is closed to others"
elif [ "$scope" = 1 ]; then
	mkdir -m 777 others
	chmod 755 .
	# Our own targets allow anybody to trace them, by PR_SET_PTRACER; others do not.
	# shellcheck disable=SC2086 # a command and its options
	start /usr/bin/env $user "$TARGETS/threads" 2
	# shellcheck disable=SC2086
	ok "Yama itself: a process that allows it" $user "$O/tagcore" dump -q -o others/allowed "$PID"
	finish
	# shellcheck disable=SC2016,SC2086 # the words are for that shell
	start /usr/bin/env $user sh -c 'echo "ready $$"; exec sleep 1000'
	# shellcheck disable=SC2086
	exits 2 "Yama itself: a user's process that is not ours to trace" $user "$O/tagcore" dump -o others/core "$PID"
	matches "Yama itself: its setting is named" err "process $PID may not be traced: kernel.yama.ptrace_scope is 1; run as root .*or set it to 0"
	runs_free "$PID" "Yama itself"
	ok "Yama itself: root may" "$O/tagcore" dump -q -o others/core "$PID"
	finish
else
	skip "Yama itself" "kernel.yama.ptrace_scope is ${scope:-not there}"
fi
PID=$kept LOG=$kept_log

# ---- descriptors run out: anywhere on the way
bad=
for n in 4 5 6 7 8 9 10 11 12 14 16; do
	rm -f core
	# shellcheck disable=SC3045 # of every sh that is in use
	(ulimit -n $n && exec "$O/tagcore" dump -o core "$PID") >out 2>err
	rc=$?
	header_pages core >got.pages 2>&1
	case $rc in
	0) cmp -s want.pages got.pages || bad="$bad $n:other" ;;
	1) grep -q MISSING err || bad="$bad $n:unsaid" ;;
	2) grep -q 'Too many open files' err || bad="$bad $n:why" ;;
	127) ;;	# not even started
	*) bad="$bad $n:$rc" ;;
	esac
	[ "$rc" -le 1 ] || [ ! -e core ] || bad="$bad $n:left"
done
is "descriptors run out: a whole core, or the reason" "$bad" ""
runs=$(state "$PID")
is "and the target is as it was" "$runs" T
kill -CONT "$PID"
is "it lives" "$(report)" "alive 2 heap intact"
finish

# ---- more text of a process than most have
if is_root; then
	start "$HELPER" groups 6000 "$TARGETS/threads" 1
	num "a long /proc/PID/status" "$(wc -c <"/proc/$PID/status")" -gt 65536
	rm -f core
	ok "a process of 6000 groups" "$TAGCORE" dump -o core "$PID"
	ok "stack" "$TAGCORE" stack "$PID"
	finish
	start "$HELPER" groups 65536 "$TARGETS/threads" 1
	rm -f core
	ok "of as many as there can be" "$TAGCORE" dump -o core "$PID"
	finish
else
	skip "a process of 6000 groups" "not root"
fi

# ---- no /proc, or not the right one
start threads 1
rm -f core want
if is_root && unshare -m true 2>/dev/null; then
	# gcore is the same program by its other name.
	for command in "tagcore dump -o core" "tagcore dump --dry-run" "tagcore stack" "gcore -o core"; do
		# The words are for that shell.
		# shellcheck disable=SC2016
		exits 2 "no /proc: $command" unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" $1 "$2"' \
			"$O/${command%% *}" "${command#* }" "$PID"
		matches "no /proc: it is said" err "there is no /proc here.*mount -t proc"
		is "in one sentence" "$(wc -l <err)" 1
	done
	exits 2 "/proc of another PID namespace" unshare -pf "$O/tagcore" dump -o core "$PID"
	matches "it is said" err "another PID namespace"
	nothing_left "no /proc" .
else
	skip "no /proc" "not root, or no mount namespace"
fi
finish
done_testing
