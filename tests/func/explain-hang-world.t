# explain: processes that hang in a container, in state D, or were killed; and programs of other kinds than C of this machine.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

# hang WAY [PROGRAM]: PID hangs so
hang() { start "${2:-hangs}" "$1"; }

# says CONFIDENCE KIND PATTERN WHAT [CORE]: of the process, or the core
says()
{
	exits 0 "$4: there is a verdict" "$TAGCORE" explain "${5:-$PID}"
	like "$4: the sentence" "$(sed -n 1p out)" "$3"
	like "$4: the kind, and how sure" "$(sed -n 2p out)" "$1 ($2): *"
}

# ---- a PID namespace: locks have other ids than /proc
# hang_inside HOW: PID hangs so in one of its own
hang_inside()
{
	unshare -p -f --mount-proc --kill-child "$TARGETS/hangs" "$1" >"$1.log" 2>&1 </dev/null &
	mine $!
	wait_line "$1.log" '^ready ' || bail hangs
	PID=$(cat "/proc/$!/task/$!/children")
	PID=${PID% }
	mine "$PID"
}
if unshare -p -f --mount-proc true 2>/dev/null; then
	hang_inside two
	says certain deadlock "deadlock: threads *, * wait for each other" "container"
	"$TAGCORE" explain --json "$PID" >out
	matches_not "container: its ids are those that are seen from here" out '"owner_tid": *[1-9],'
	"$TAGCORE" dump -q -o inner.core "$PID"
	says likely deadlock "deadlock: threads *, * wait for each other" "container: its core" inner.core
	kill -KILL "$PID"
	hang_inside owner_ended
	says likely owner-gone "thread * waits for the mutex 0x*, whose owner * is no thread of the process (any more)" "container: owner ended"
	kill -KILL "$PID"
else
	skip "container" "no PID namespace"
fi

# ---- state D
start vforker $((8 * SLOWNESS))
says likely waits-for-child "it waits for a process of its own: thread * in vfork for the child of vfork(2), *" "vfork"
finish
mkdir mnt
if is_root && "$TARGETS/hungfs" mnt true; then
	HANGS_FILE=$PWD/mnt/x "$TARGETS/hungfs" mnt "$TARGETS/hangs" reads_file >hung.log 2>&1 </dev/null &
	hungfs=$!
	mine $hungfs
	wait_line hung.log '^read$' || bail hungfs
	PID=$(sed -n 's/^ready //p' hung.log)
	mine "$PID"
	wait_state "$PID" D
	says likely waits-for-disk "thread $PID waits in the kernel and cannot be interrupted, as for a disk or a file server*read for fd *mnt/x" "a file server"
	kill -KILL "$PID"
else
	skip "a file server" "no FUSE"
fi

# ---- killed, with a core that the kernel wrote, where it writes one here
case $(cat /proc/sys/kernel/core_pattern) in
core)
	mkdir killed
	(cd killed && ulimit -c unlimited && exec "$TARGETS/hangs" two) >killed.log 2>&1 </dev/null &
	mine $!
	wait_line killed.log '^ready ' || bail hangs
	kill -ABRT $!
	wait "$!" 2>/dev/null
	core=$(find killed -name 'core*')
	if [ "$core" ]; then
		says certain deadlock "deadlock: threads *, * wait for each other; process * of user * has sent SIGABRT: *" "killed" "$core"
	else
		skip "killed" "no core"
	fi
	;;
*) skip "killed" "the kernel's cores go elsewhere" ;;
esac

# ---- a 32-bit program, and one of musl
# built NAME COMPILER...: false where it cannot be built or run here
built()
{
	built_name=$1
	shift
	have "$1" && "$@" -O1 -w -o "$built_name" "$TOP/tests/targets/hangs.c" -pthread 2>/dev/null || return 1
	"./$built_name" none
	[ $? -eq 3 ]
}

if built hangs32 i686-linux-gnu-gcc; then
	hang two ./hangs32
	says certain deadlock "deadlock: threads *, * wait for each other" "32-bit"
	"$TAGCORE" dump -q -o core32 "$PID"
	says certain deadlock "deadlock: threads *, * wait for each other" "32-bit: its core" core32
	finish
	hang no_signal ./hangs32
	says likely nobody-signals "every thread waits for another one to signal, *" "32-bit: no signal"
	finish
else
	skip "32-bit" "no compiler for it, or it does not run"
fi
if built hangsmusl musl-gcc -static; then
	hang two_checked ./hangsmusl
	says certain deadlock "deadlock: threads *, * wait for each other" "musl"
	finish
	# Plain ones have no owner.
	hang self ./hangsmusl
	says likely waits-for-owner "every thread waits, and no thread is left that could unlock the mutex 0x*, whose owner is not known" \
		"musl: a mutex without an owner"
	finish
	hang join_each_other ./hangsmusl
	says certain deadlock "deadlock: threads *, * wait for each other" "musl: ends of threads"
	finish
else
	skip "musl" "no musl-gcc"
fi

# ---- Rust's, which has no owners
cat >lock.rs <<'END'
use std::sync::Mutex;
fn main() {
    let m = Mutex::new(0);
    let _first = m.lock();
    println!("ready {}", std::process::id());
    let _second = m.lock();
}
END
if have rustc && rustc -o lock lock.rs 2>/dev/null; then
	start ./lock
	wait_state "$PID" S
	says likely waits-for-owner "every thread waits, and no thread is left that could unlock the Rust's Mutex 0x*, which keeps no owner" "Rust"
	finish
else
	skip "Rust" "no rustc"
fi
done_testing
