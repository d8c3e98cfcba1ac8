# explain: a process that hangs in each way, live and its dump; and those that look as if.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

# hang HOW: PID hangs so
hang() { start hangs "$1"; }


# live HOW CONFIDENCE KIND PATTERN: of the process
live()
{
	hang "$1"
	exits 0 "$1: there is a verdict" "$TAGCORE" explain "$PID"
	like "$1: the sentence" "$(sed -n 1p out)" "$4"
	like "$1: the kind, and how sure" "$(sed -n 2p out)" "$2 ($3): *"
}

# both HOW CONFIDENCE KIND PATTERN CORE-CONFIDENCE: of its dump, too
both()
{
	live "$@"
	rm -f core
	"$TAGCORE" dump -q -o core "$PID"
	exits 0 "$1: of the dump, too" "$TAGCORE" explain core
	like "$1: of the dump, the kind" "$(sed -n 2p out)" "$5 ($3): *"
	finish
}

# ---- deadlocks
both two certain deadlock "deadlock: threads *, * wait for each other" certain
both three certain deadlock "deadlock: the threads *, *, * wait for each other in a circle" certain
both join_circle certain deadlock "deadlock: threads *, * wait for each other" certain
both join_each_other certain deadlock "deadlock: threads *, * wait for each other" certain
both self certain self-deadlock "deadlock with itself: thread * waits for the mutex 0x*, which it owns" certain
both self_robust certain self-deadlock "deadlock with itself: *" certain
both timed likely self-deadlock "deadlock with itself: *" likely

both refused likely refused-lock "deadlock: thread * waits for ever for a mutex that passes priority on, *" likely
both two_checked certain deadlock "deadlock: threads *, * wait for each other" certain

# ---- nobody unlocks
both owner_ended likely owner-gone "thread * waits for the mutex 0x*, whose owner * is no thread of the process (any more)" possible
both owner_in_parent likely owner-gone "thread * was locked when fork(2) made this process: its owner, thread *, is in the parent, *" possible
both rwlock_upgrade likely waits-for-owner "every thread waits, and no thread is left that could unlock the rwlock 0x*, read by 1 *" likely

# ---- a library that ends in a tail call of what has no name, as C libraries without debug information do
cat >nameless.c <<'END'
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static __attribute__((noinline)) int wait_for(pthread_mutex_t *m)
{
	while (__atomic_exchange_n(&m->__data.__lock, 2, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &m->__data.__lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
	return 0;
}
int pthread_mutex_lock(pthread_mutex_t *m)
{
	if (__atomic_exchange_n(&m->__data.__lock, 1, __ATOMIC_ACQUIRE))
		return wait_for(m);
	m->__data.__owner = (int)syscall(SYS_gettid);
	return 0;
}
END
if have gcc && gcc -O2 -shared -fPIC -s -o nameless.so nameless.c 2>cc.err; then
	LD_PRELOAD=$PWD/nameless.so
	export LD_PRELOAD
	hang self
	unset LD_PRELOAD
	run "$TAGCORE" stack "$PID"
	matches "no name: the stack does not have the lock's" out '^#1 .*\?\? .*nameless.so'
	is "no name: the call has it: live" "$("$TAGCORE" explain "$PID" | sed -n '2s/: .*//p')" "certain (self-deadlock)"
	"$TAGCORE" dump -q -o core.nameless "$PID"
	is "no name: a dump" "$("$TAGCORE" explain core.nameless | sed -n '2s/: .*//p')" "certain (self-deadlock)"
	"$TAGCORE" dump -q --stacks -o core.small "$PID"
	is "no name: a core without the word that leads there" "$("$TAGCORE" explain core.small | sed -n '2s/: .*//p')" \
		"certain (self-deadlock)"
	finish
else
	skip "no name" "no gcc"
fi

# ---- chains
both owner_sleeps likely waits-for-owner "3 threads wait for thread *, which is in clock_nanosleep" possible
both owner_reads likely waits-for-owner "1 thread waits for thread *, which waits in read for fd *, pipe:*" possible
both join likely waits-for-owner "1 thread waits for thread *, which is in clock_nanosleep" possible
both rwlock_written likely waits-for-owner "2 threads wait for thread *, which is in clock_nanosleep" possible
both rwlock_read possible waits-for-owner "1 thread waits for the rwlock 0x*, read by 1 *" possible

# ---- no lock
both no_signal likely nobody-signals "every thread waits for another one to signal, *: 1 thread in pthread_cond_wait" likely
hang no_signal
"$TAGCORE" explain "$PID" >out
if [ "$(getconf GNU_LIBC_VERSION 2>/dev/null)" ]; then
	matches "no_signal: the condition variable and its mutex" out 'condition variable 0x[0-9a-f]* with mutex 0x[0-9a-f]* \['
else
	skip "no_signal: the condition variable and its mutex" "not glibc"
fi
finish
both no_post likely nobody-signals "every thread waits for another one to signal, *" likely
both reads_other likely all-idle "it is waiting for work: read of fd *, pipe:*, written by process * (hangs)" likely
both polls_other likely all-idle "it is waiting for work: *poll of fd *, pipe:*, written by process * (hangs)" likely
both selects_other likely all-idle "it is waiting for work: *select* of fd 99, pipe:*, written by process * (hangs)" likely
both polls likely all-idle "it is waiting for work: *poll of fd *, pipe:*" likely
both accepts likely all-idle "it is waiting for work: accept of fd *, unix socket hangs.socket, number *" likely
both server likely all-idle "it is waiting for work: 1 thread in epoll_*wait, 4 in pthread_cond_wait" likely
hang server
"$TAGCORE" explain "$PID" >out
matches "server: what epoll watches" out 'epoll_p?wait: fd [0-9]*, epoll of 1: [0-9]* unix socket hangs.socket, number [0-9]* \['
finish
live reads likely waits-for-itself "it waits for itself: thread * in read of fd *, pipe:*, written by this process only"
finish
live file_lock likely waits-for-file-lock "thread * waits in flock for a lock of fd *hangs.lock, which process * (hangs) has"
finish
both connects likely waits-in-call "it waits in the kernel: thread * in connect of fd *" possible
both sleeps likely all-idle "it sleeps: 1 thread in clock_nanosleep" likely
both writes likely waits-for-output "it waits for somebody to read what it writes: thread * in write to fd *, pipe:*" possible
both child likely waits-for-child "it waits for a process of its own: thread * in wait4 for child * (hangs), state S" likely
live busy certain busy "it is busy: 1 thread uses the processor, thread * in burn"
finish

# ---- what /proc says
hang sleeps
kill -STOP "$PID"
wait_state "$PID" T
exits 0 "stopped: there is a verdict" "$TAGCORE" explain "$PID"
like "stopped: the sentence" "$(sed -n 1p out)" "the process is stopped by a signal, *"
in_state "$PID" T && pass "stopped: it still is" || fail "stopped: it still is"
kill -CONT "$PID"
finish

# ---- what looks as if
hang contended
exits 1 "locks that change hands: no verdict" "$TAGCORE" explain "$PID"
finish
hang by_chance
"$TAGCORE" explain --json "$PID" >out
tr -d ' \n' <out >line
matches "a futex that looks like a mutex by chance: it has no owner" line '"call":"futex","on":"futex0x[0-9a-f]*,value2","owner_tid":null'
matches "and is no deadlock" line '"deadlocks":\[\]'
finish
hang nonsense
exits 0 "an owner that is no thread" "$TAGCORE" explain "$PID"
like "an owner that is no thread: the sentence" "$(sed -n 1p out)" "*the mutex 0x*, whose owner 2147483646 is no thread of the process (any more)"
finish

# ---- the JSON document
hang two
"$TAGCORE" explain --json "$PID" >out
is_json "JSON" out
tr -d ' \n' <out >line
matches "JSON: a deadlock of two" line '"deadlocks":\[\[[0-9]+,[0-9]+\]\]'
a=$(sed -n 's/.*"deadlocks":\[\[\([0-9]*\),.*/\1/p' line) b=$(sed -n 's/.*"deadlocks":\[\[[0-9]*,\([0-9]*\)\].*/\1/p' line)
matches "JSON: the first waits for the second" line "\"tid\":$a,\"call\":\"futex\",\"on\":\"mutex[^\"]*\",\"owner_tid\":$b"
matches "JSON: and the second for the first" line "\"tid\":$b,\"call\":\"futex\",\"on\":\"mutex[^\"]*\",\"owner_tid\":$a"
matches "JSON: the call" out '"call": *"futex"'
matches "JSON: on what" out '"on": *"mutex 0x[0-9a-f]*, owned by thread [0-9]*"'
ok "text" "$TAGCORE" explain "$PID"
is "both stacks are shown" "$(grep -c ' lock_two+' out)" 2
is "each thread's frames" "$(grep -c '^frames of thread' out)" 2
finish

# ---- many threads
hang many
exits 0 "2,000 threads" "$TAGCORE" explain "$PID"
like "2,000 threads: the sentence" "$(sed -n 1p out)" "2000 threads wait for thread $PID, *"
matches "2,000 threads: in groups" out '^  2000 threads, futex: mutex 0x[0-9a-f]*, owned by thread [0-9]* \['
num "2,000 threads: a page of text" "$(grep -c . out)" -lt 60
finish
done_testing
