# Who may not save a process is told what forbids it, and what helps: a test for each row of rows[] in src/live/permission.c
# that can be provoked, and for what has no memory or is not to be seen.
# shellcheck disable=SC2016 # words are for another shell
. "$TOP/tests/func/lib.sh"
need_ptrace
life 290
EPERM=1
nobody='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all'
# LeakSanitizer needs ptrace(2) itself.
TAGCORE=$O/tagcore

# refused DESCRIPTION REGEX COMMAND...: exit 2, in one sentence, and nothing came of it
refused()
{
	what=$1 why=$2
	shift 2
	exits 2 "$what: refused" "$@"
	matches "$what: why, and what helps" err "$why"
	is "$what: in one sentence" "$(wc -l <err)" 1
	is "$what: no file" "$(ls core* others/core* 2>/dev/null)" ""
}

start threads 2
# ---- seccomp
refused seccomp "^tagcore: process $PID may not be traced: seccomp forbids ptrace.*--cap-add=SYS_PTRACE.*tagcore dump --no-stop $PID" \
	"$HELPER" refuse ptrace $EPERM "$TAGCORE" dump -o core "$PID"
exits 1 "seccomp: what helps" "$HELPER" refuse ptrace $EPERM "$TAGCORE" dump --no-stop -o saved "$PID"
ok "seccomp: it validates" "$TAGCORE" validate saved
refused "seccomp: stack" "seccomp forbids ptrace" "$HELPER" refuse ptrace $EPERM "$TAGCORE" stack "$PID"
# Where only this is forbidden, mem(5) serves.
ok "process_vm_readv" "$HELPER" refuse process_vm_readv $EPERM "$TAGCORE" dump -q -o read "$PID"
"$TAGCORE" dump -q -o want "$PID"
is "process_vm_readv: as much as ever" "$("$TAGCORE" inspect --json read | grep saved_bytes)" \
	"$("$TAGCORE" inspect --json want | grep saved_bytes)"
rm -f read want

# ---- a security module, as far as it is to be seen
refused module "^tagcore: process $PID may not be traced: (a security module forbids it|kernel.yama)" \
	"$HELPER" refuse ptrace-any $EPERM "$TAGCORE" dump -o core "$PID"

# ---- another tracer
"$HELPER" trace "$PID" >trace.log 2>&1 </dev/null &
tracer=$!
mine $tracer
wait_line trace.log '^ready' || bail helper
refused tracer "^tagcore: process $PID is traced by process $tracer \\(helper\\) already.*tagcore dump --no-stop $PID" \
	"$TAGCORE" dump -o core "$PID"
finish $tracer

# ---- who
if ! is_root || ! have setpriv || ! $nobody test -x "$TAGCORE" -a -x "$HELPER" 2>/dev/null; then
	skip "other users" "not root, or no setpriv(1), or the build directory is closed to others"
	done_testing
fi
refused user "^tagcore: process $PID belongs to user 0 and you are user 65534: run as that user or as root \\(sudo\\)" \
	$nobody "$TAGCORE" dump -o core "$PID"
refused capabilities "^tagcore: process $PID has capabilities that you have not \\(0x[0-9a-f]+\\): run as root" \
	setpriv --inh-caps=-all --bounding-set=-all "$TAGCORE" dump -o core "$PID"
ok "capabilities: one is enough" setpriv --inh-caps=-all --bounding-set=-all,+sys_ptrace "$TAGCORE" dump -q --filter 1 -o saved2 "$PID"
runs_free "$PID" "other users"
is "other users: it lives" "$(report)" "alive 2 heap intact"
finish

start /usr/bin/env setpriv --reuid 65534 --regid 65533 --clear-groups "$TARGETS/threads" 1
refused group "^tagcore: process $PID has group 65533 and you have group 65534: " $nobody "$TAGCORE" dump -o core "$PID"
finish
start /usr/bin/env $nobody "$HELPER" undumpable
refused dumpable "^tagcore: process $PID is not dumpable .*as root \\(sudo\\)" $nobody "$TAGCORE" dump -o core "$PID"
finish
start /usr/bin/env $nobody "$TARGETS/threads" 1
refused owner "^tagcore: process $PID may be traced but not read: .*setcap cap_sys_ptrace,cap_dac_read_search[+]ep" \
	setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps=-all,+sys_ptrace --ambient-caps=-all,+sys_ptrace \
	--bounding-set=-all,+sys_ptrace "$TAGCORE" dump -o core "$PID"

# ---- Yama, as its setting says
if unshare -m true 2>/dev/null; then
	mkdir -m 777 others
	chmod 755 .
	# with_yama SCOPE WHY
	with_yama()
	{
		refused "Yama, $1" "$2" unshare -m sh -c 'mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama &&
			echo "$3" >/proc/sys/kernel/yama/ptrace_scope && exec '"$nobody"' "$0" refuse ptrace-any 1 "$1" dump -o others/core "$2"' \
			"$HELPER" "$TAGCORE" "$PID" "$1"
	}
	with_yama 1 "^tagcore: process $PID may not be traced: kernel.yama.ptrace_scope is 1; run as root .*sysctl kernel.yama.ptrace_scope=0"
	with_yama 2 "kernel.yama.ptrace_scope is 2; run as root"
	with_yama 3 "kernel.yama.ptrace_scope is 3, so that nobody may trace until the next boot"

	# ---- /proc
	refused "no /proc" "there is no /proc here.*mount -t proc" \
		unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" dump -o core "$1"' "$TAGCORE" "$PID"
	for hide in 1 2; do
		refused "hidepid=$hide" "^tagcore: process [0-9]+ is not to be seen in /proc \\(mounted with hidepid\\): run as its user or as root" \
			unshare -m sh -c 'mount -t proc -o hidepid='$hide' proc /proc &&
			exec '"$nobody"' "$0" dump -o core "$1"' "$TAGCORE" $$
	done
	refused "another PID namespace" "another PID namespace" unshare -pf "$TAGCORE" dump -o core "$PID"
else
	skip "Yama" "no mount namespace"
	skip "/proc" "no mount namespace"
fi
finish

# ---- user namespaces
if $nobody unshare -Ur true 2>/dev/null; then
	start /usr/bin/env $nobody unshare -Ur "$TARGETS/threads" 1
	refused "user namespace, from another" "^tagcore: process $PID (lives in another user namespace|is not dumpable|belongs to user)" \
		$nobody unshare -Ur "$TAGCORE" dump -o core "$PID"
	refused "user namespace" "^tagcore: process $PID lives in another user namespace: CAP_SYS_PTRACE is needed there" \
		"$HELPER" refuse ptrace-any $EPERM "$TAGCORE" dump -o core "$PID"
	ok "user namespace: from the host" "$TAGCORE" dump -q -o host "$PID"
	finish
	mkdir -m 777 inside
	chmod 755 .
	ok "user, PID and mount namespaces: from inside" $nobody unshare -Urmpf --mount-proc sh -c '"$0" 1 >inside/log & until grep -q ready inside/log
		do :; done; "$1" dump -q -o inside/core.%p $!' "$TARGETS/threads" "$TAGCORE"
	is "by its number there" "$(ls inside)" "core.2
log"
	ok "it validates" "$TAGCORE" validate inside/core.2
else
	skip "user namespaces" "no user namespaces"
fi

# ---- what has no memory
# PF_KTHREAD, include/linux/sched.h
kthread=$(sed -n 's/^\([0-9]*\) .*) [RSDI] \([-0-9]* \)\{5\}\([0-9]*\) .*/\1 \3/p' /proc/[0-9]*/stat 2>/dev/null |
	while read -r pid flags; do [ $((flags & 0x200000)) -eq 0 ] || { echo "$pid"; break; }; done)
if [ "$kthread" ]; then
	refused "kernel thread" "^tagcore: process $kthread is a kernel thread and has no memory.* /proc/$kthread/stack" \
		"$TAGCORE" dump -o core "$kthread"
	refused "kernel thread, without a stop" "is a kernel thread" "$TAGCORE" dump --no-stop -o core "$kthread"
else
	skip "kernel thread" "none to be seen"
fi
start "$HELPER" zombie
refused zombie "^tagcore: process $PID has exited \\(state Z\\).*coredumpctl info $PID" "$TAGCORE" dump -o core "$PID"
refused "zombie, without a stop" "has exited" "$TAGCORE" dump --no-stop -o core "$PID"
finish
done_testing
