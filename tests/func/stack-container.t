# A process of another mount namespace, as a container has it: the core of its stacks is unwound out here,
# where its files are not, or are others; the frames are those of the live process.
. "$TOP/tests/func/lib.sh"
need_ptrace
have unshare || skip_all "no unshare(1)"
have pivot_root || skip_all "no pivot_root(8)"
have ldd || skip_all "no ldd(1)"
user=
is_root || user=-Ur
mkdir there

# within SCRIPT ARG...: runs the words, which become the target (their $0 is ARG), in a mount namespace.  PID is its number.
within()
{
	within_n=$((${within_n:-0} + 1))
	LOG=$PWD/within.$within_n.log
	unshare $user -m sh -ec "$@" >"$LOG" 2>&1 </dev/null &
	CHILD=$!
	mine $CHILD
	until_true 60 ready_or_gone
	PID=$(sed -n 's/^ready //p' "$LOG")
	[ -z "$PID" ] || wait_state "$PID" SZRDt
}

ready_or_gone()
{
	has_line "$LOG" '^ready ' || gone "$CHILD"
}

# Where each frame is, of the first thread of a backtrace.
addresses()
{
	sed -n 's/^#[0-9]* *\(0x[0-9a-f]*\).*/\1/p' "$1"
}

# Its frames in the program: of the C library there may be debug information here, and not there.
own()
{
	grep '/hidden$' "$1" | cut -d' ' -f 2-
}

# saved CORE NAME: of the executable area of the file whose name ends so, how much the core has
saved()
{
	"$TAGCORE" inspect maps "$1" | awk -v name="$2" '$2 ~ /x/ && $NF ~ name "$" { print $6 }'
}

# same_frames WHAT CORE: in the core outside, without any of the container's files, as in the live process; leaves live
same_frames()
{
	ok "$1: live" "$TAGCORE" stack "$PID"
	matches "$1: live: names" out ' case_signal\+'
	mv out live
	ok "$1: a core of stacks" "$TAGCORE" dump --force -q --stacks -o "$2" "$PID"
	ok "$1: outside" "$TAGCORE" stack "$2"
	is "$1: outside: the live process's frames" "$(addresses out)" "$(addresses live)"
	matches_not "$1: outside: whole" out incomplete
	matches "$1: outside: the name of the file" out ' - /.*/hidden$'
	matches "$1: outside: says where to look for the files" err '\-\-sysroot DIR'
}

# ---- a root directory of its own
# The words are for that shell.
# shellcheck disable=SC2016
container='mount -t tmpfs none there
	mkdir there/app there/old there/proc
	for f in $(ldd "$0" | grep -o "/[^ ]*"); do
		mkdir -p "there/$(dirname "$f")"
		cp "$f" "there/$f"
	done
	cp "$0" there/app/hidden
	mount --rbind /proc there/proc
	cd there
	pivot_root . old
	exec /app/hidden signal'
within "$container" "$TARGETS/stacks"
[ "$PID" ] || skip_all "no container: $(head -n 1 "$LOG")"
same_frames "another root" mini
# With its files, the names are the live process's, too.
ok "another root: --sysroot of a container that runs" "$TAGCORE" stack --sysroot "/proc/$PID/root" mini
is "another root: --sysroot: all is as live" "$(own out)" "$(own live)"
is "another root: --sysroot: nothing to say" "$(cat err)" ""
ok "another root: --exe" "$TAGCORE" stack --exe "/proc/$PID/root/app/hidden" mini
matches "another root: --exe: its names" out ' case_signal\+.* - /app/hidden'
ok "another root: a full core" "$TAGCORE" dump --force -q -o full "$PID"
ok "another root: of that" "$TAGCORE" stack full
matches "another root: of that: what is missing" err '/app/hidden: no such file here'
matches "another root: of that: where it may be" err '\-\-sysroot DIR'
ok "another root: of that, JSON" "$TAGCORE" stack --json full
matches "another root: of that, JSON: the same" out '\-\-sysroot DIR'
# shellcheck disable=SC2016
ok "another root: relative --sysroot" sh -c 'cd "/proc/$1" && exec "$2" stack --sysroot root "$3"' sh "$PID" "$TAGCORE" "$PWD/mini"
is "another root: relative --sysroot: all is as live" "$(own out)" "$(own live)"
finish

# ---- the same name leads to another file here
# shellcheck disable=SC2016
within 'mount -t tmpfs none there && cp "$0" there/hidden && exec "$PWD/there/hidden" signal' "$TARGETS/stacks"
cp "$TARGETS/threads" there/hidden
same_frames "another file" mini
matches "another file: is the target's own" out ' - .*/there/hidden$'
ok "another file: full" "$TAGCORE" dump --force -q -o full "$PID"
ok "another file: of that" "$TAGCORE" stack full
matches "another file: of that: says so" err 'there/hidden is not the file that the process had: its build-id is'
matches "another file: of that: where the right one may be" err '\-\-sysroot DIR'
is "the C library is here: it is not saved" "$(saved mini 'libc\.so\.6')" 0
finish
rm there/hidden

# ---- files that are here, by whatever mount
start stacks signal
ok "here: a core of stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
is "here: no code is in it" "$(saved mini /stacks)" 0
ok "here: it is unwound" "$TAGCORE" stack mini
is "here: nothing to say" "$(cat err)" ""
finish
# shellcheck disable=SC2016
within 'mount --bind "$(dirname "$0")" "$(dirname "$0")" && exec "$0" signal' "$TARGETS/stacks"
ok "bound: a core of stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
is "bound: no code is in it" "$(saved mini /stacks)" 0
finish
# Overlayfs shows another device in maps than by name: the dump is made in that namespace.
# shellcheck disable=SC2016
within 'mkdir upper lower merged work
	cp "$0" lower/hidden
	mount -t tmpfs none upper
	mkdir upper/up upper/work
	mount -t overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper/up,workdir=$PWD/upper/work" none merged
	"$PWD/merged/hidden" signal >overlaid.log 2>&1 &
	i=0
	until grep -q ^ready overlaid.log || [ $((i += 1)) -gt 300 ]; do sleep 0.1; done
	"$1" dump --force -q --stacks -o overlaid $!
	echo "ready $!"
	wait' "$TARGETS/stacks" "$TAGCORE"
if [ "$PID" ]; then
	mine "$PID"
	is "overlaid: no code is in it" "$(saved overlaid merged/hidden)" 0
	not_mine "$PID"
	kill -KILL "$PID"
else
	skip "overlaid" "no overlayfs: $(head -n 1 "$LOG")"
fi
finish
done_testing
