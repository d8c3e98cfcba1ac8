# dump, with each of its system calls failing in turn: a whole core, or one that says what it lacks, or a sentence and no
# file; and the target is as it was.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

fails() { FAILCALL_SEEN=$PWD/seen timeout 60 "$TARGETS/failcall" "$@"; }
fails close 0 EIO true 2>err
rc=$?
[ $rc -eq 0 ] || [ -s err ] || bail failcall
[ $rc -eq 0 ] || skip_all "no seccomp notifications here: $(head -n 1 err)"

# The kernel writes the processor's number into the rseq area of a thread that it runs.
GLIBC_TUNABLES=glibc.pthread.rseq=0
life 900
export GLIBC_TUNABLES
start threads 2
mkdir d

exits "$PARTIAL" "none fails" "$TAGCORE" dump -q -o d/core "$PID"
missing_of d/core >lost.always

# wrong RC: what is wrong with a dump that ended so
wrong()
{
	case $1 in
	0 | "$PARTIAL" | 1)
		"$TAGCORE" validate "$core" >said 2>&1 || { echo "exit $1, and $(head -n 1 said)"; return; }
		[ "$core" = d/core ] || zstd -q -d -o d/core "$core"
		missing_of d/core >lost
		[ "$1" = 1 ] || cmp lost lost.always >said 2>&1 || { echo "exit $1, and $(wc -l <lost) ranges are missing"; return; }
		"$CORECMP" mem d/core "$PID" lost >said 2>&1 || { echo "exit $1, and $(head -n 1 said)"; return; }
		[ "$1" = 0 ] || [ -s err ] || echo "exit $1 without a word" ;;
	2)
		[ ! -e "$core" ] || grep -q 'the process that saves was killed' err || echo "exit 2, and there is a core"
		[ "$(wc -l <err)" -ge 1 ] || echo "exit 2 without a word" ;;
	*)	echo "exit $1" ;;
	esac
	for left in d/.*; do
		case $left in d/. | d/.. | 'd/.*') continue ;; esac
		# Where it may not remove, it says so.
		grep -qF "${left#d/}" err || echo "exit $1, and $left is left"
	done
	[ "$(status_of "$PID" TracerPid)" = 0 ] || until_true 20 untraced || echo "it is traced"
}

# one CALL N ERRNO OPTION...: false when that call was not made any more
one()
{
	of="$1 $2 $3" n=$2
	call=$1 error=$3
	shift 3
	rm -rf d && mkdir d
	fails "$call" "$n" "$error" "$TAGCORE" dump -q "$@" -o d/core "$PID" >out 2>err
	one_rc=$?
	made=$(cat seen)
	[ "$made" -ge "$n" ] || return 1
	why=$(wrong $one_rc)
	[ -z "$why" ] || diag "$of: $why: $(head -n 2 err)"
	[ -z "$why" ] || bad=$((bad + 1))
	tried=$((tried + 1))
}

# each STEP CALL ERRNO OPTION...: every STEPth of them, and the last ones, which are the output's
each()
{
	step=$1 bad=0 tried=0
	shift
	what="$*" core=d/core
	call=$1 error=$2
	shift 2
	# Some machines have no poll(2), but ppoll(2).
	"$TARGETS/failcall" names | grep -qx "$call" || return 0
	case "$*" in *-z*) core=d/core.zst ;; esac
	# Before main() it is ld.so that makes them.
	fails "$call" 0 "$error" "$TAGCORE" --version >out
	i=$(($(cat seen) + 1))
	fails "$call" 0 "$error" "$TAGCORE" dump -q --force "$@" -o d/core "$PID"
	last=$(($(cat seen) - 6))
	while one "$call" $i "$error" "$@"; do
		[ $i -lt $last ] || step=1
		i=$((i + step))
	done
	is "$what: none of them is wrong" "$bad" 0
	total=$((total + tried))
}
total=0

# Those of the output, all; the others are many.
for call in pwrite64 ftruncate linkat unlinkat lseek statfs fstatfs fcntl clone3; do
	each 1 $call EIO
	each "$(soak_or 3 1)" $call ENOSPC
done
for call in openat write pwrite64 fallocate linkat; do
	each "$(soak_or 29 1)" $call EDQUOT
done
for call in openat close read pread64 newfstatat mmap mprotect process_vm_readv getdents64 ioctl readlink; do
	error=EIO
	case $call in
	openat) error=EMFILE ;;
	mmap | mprotect) error=ENOMEM ;;
	process_vm_readv) error=EPERM ;;
	esac
	each "$(soak_or 29 1)" $call $error
	soak && each 1 $call EINTR
done
for option in -z -s --max-pause=0.1; do
	for call in openat write pwrite64 close mmap clone3 clone poll ioctl sendto; do
		error=EIO
		case $call in
		mmap | clone3 | clone) error=ENOMEM ;;
		esac
		each "$(soak_or 71 1)" $call $error $option
	done
done
num "calls failed" "$total" -ge 80
is "the target has noticed nothing" "$(report)" "alive 2 heap intact"
runs_free "$PID" "after all that"
finish
done_testing
