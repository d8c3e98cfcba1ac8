# Stacks that are made by hand, and return addresses that no call has pushed: the same live, of a full core and of one of stacks only.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace

mkdir -p empty

# The names of functions that begin with case_, innermost first, on a line.
own()
{
	sed -n 's/^#[0-9]* *0x[0-9a-f]* \(case_[a-z_]*\)+.*/\1/p' "$1" | uniq | tr '\n' ' '
}

# same CASE FILE: its frames and ends are those of the file first
same()
{
	sed 1d "$2" >this
	if cmp -s first this; then
		pass "$1: the same frames"
	else
		fail "$1: the same frames"
		diff first this | diag
	fi
}

program=fibers

# frames CASE FUNCTIONS HOW...: live, and of cores
frames()
{
	frames_case=$1 frames_want=$2 label=$1${program#fibers}
	shift 2
	start "$program" "$frames_case"
	ok "$label: dump" "$TAGCORE" dump --force -q -o full "$PID"
	ok "$label: dump --stacks" "$TAGCORE" dump --force -q --stacks -o mini "$PID"
	ok "$label: live" "$TAGCORE" stack --debuginfo-path empty "$PID"
	finish "$CHILD"
	sed 1d out >first
	is "$label: functions" "$(own out)" "$frames_want "
	for how; do
		ok "$label: $how" "$TAGCORE" stack --debuginfo-path empty --unwinder "${how#*-}" "${how%-*}"
		same "$label: $how" out
	done
	ok "$label: JSON, under the sanitizers" "$SANITIZED" stack --json full
	cp out json
}

# fiber CASE FUNCTIONS: without symbols of the C library, and with them where they are installed
fiber()
{
	frames "$1" "$2" full-libdw full-libunwind mini-auto
	# Addresses only: debug information would add tail calls.
	ok "$1: with symbols" "$TAGCORE" stack --raw full
	is "$1: as many frames with symbols" "$(grep -c '^#' out)" "$(grep -c '^#' first)"
}

# bottom CASE: it says that the stack is a coroutine's, and is complete
bottom()
{
	# The table of __start_context on arm64 says itself that it has no caller.
	case $(uname -m):$1 in
	aarch64:*by-hand) matches "$1: says where it begins" first '^     bottom: nothing called 0x[0-9a-f]+, which never returns' ;;
	aarch64:*) ;;
	*) matches "$1: says where it begins" first '^     bottom: nothing called 0x[0-9a-f]+, which never returns' ;;
	esac
	matches_not "$1: nothing is incomplete" first incomplete
	json_is "$1: complete" json .threads[0].complete true
}

# limited CASE: as many frames as there are may be had of it, and it is complete, whoever unwinds
limited()
{
	for unwinder in libdw libunwind; do
		ok "$1: a limit that is its depth, $unwinder" \
			"$TAGCORE" stack --debuginfo-path empty --unwinder $unwinder --max-frames "$(grep -c '^#' first)" full
		same "$1: a limit that is its depth, $unwinder" out
	done
}

fiber interpreted 'case_wait case_interpreted'
matches_not "interpreted: nothing is incomplete" first incomplete
json_is "interpreted: complete" json .threads[0].complete true
case $(uname -m) in
x86_64 | aarch64)
	is "interpreted: the compiled function and six of the interpreter" "$(grep -c '^#[0-9]* *0x[0-9a-f]* ?? (\|^#[0-9]* *0x[0-9a-f]* ??$' first)" 7
	;;
esac

start fibers deeply-interpreted
ok "a limit within frames in doubt: dump" "$TAGCORE" dump --force -q -o full "$PID"
finish "$CHILD"
ok "a limit within frames in doubt" "$TAGCORE" stack --max-frames 10 full
is "a limit within frames in doubt: ten" "$(grep -c '^#' out)" 10
matches "a limit within frames in doubt: and it says so" out 'incomplete: more frames than wanted'

fiber context 'case_wait case_coroutine'
bottom context
limited context
fiber linked-context 'case_wait case_coroutine'
bottom linked-context
fiber signal-in-context 'case_wait case_handler case_raise case_coroutine'
bottom signal-in-context
matches "signal-in-context: the signal" first 'signal frame'

# handled CASE FUNCTIONS: only what the kernel saved for the handler leads from its stack to the coroutine's
handled()
{
	frames "$1" "$2" full-auto mini-auto
	bottom "$1"
}

handled signal-in-mapped 'case_wait case_handler case_raise case_coroutine'
handled siginfo-in-mapped 'case_wait case_handler case_raise case_coroutine'
handled signal-in-static 'case_wait case_handler case_raise case_coroutine'
handled signal-in-heap 'case_wait case_handler case_raise case_coroutine'
handled signal-in-next 'case_wait case_handler case_raise case_coroutine'
handled signal-in-thread 'case_thread case_wait case_handler case_raise case_coroutine'
handled signal-in-signal 'case_wait case_handler case_outer_handler case_raise_first case_coroutine'
handled signals-on-one-stack 'case_wait case_handler case_raising_handler case_raise_twice case_coroutine'
handled overflow-in-mapped 'case_wait case_handler case_recurse case_overflow case_coroutine'
handled null-in-mapped 'case_wait case_handler case_call_null case_coroutine'
handled alternate-here 'case_wait case_handler case_raise_only case_coroutine'
frames signal-on-main 'case_wait case_handler case_raise' full-auto mini-auto
matches_not "signal-on-main: nothing is incomplete" first incomplete

case $(uname -m) in
x86_64 | aarch64)
	fiber by-hand 'case_wait case_fiber'
	bottom by-hand
	matches "by-hand: its bottom has its own name" first ' fiber_ends\+0x0 '
	handled signal-in-by-hand 'case_wait case_handler case_raise case_fiber'
	;;
*)
	skip "by-hand, signal-in-by-hand" "there is no such code for this machine"
	;;
esac
case $(uname -m) in
x86_64)
	# Where calls leave their address in a register, what is before a return address is not looked at.
	fiber pretended 'case_wait'
	# sigsuspend(3) is one frame or, since glibc 2.41, three.
	is "pretended: what nothing confirms is no frame" "$(sed -n '/ case_wait/,$p' first | grep -c '^#')" 2
	matches "pretended: says so" first 'incomplete: .*is not after a call, and leads nowhere'
	;;
*)
	skip "pretended" "calls of this machine leave the return address in a register"
	;;
esac

# Frames of 32-bit programs, of which i386 has two.
program=fibers32
[ -x "$TARGETS/$program" ] && run "$TARGETS/$program" none
if [ -x "$TARGETS/$program" ] && [ "$rc" -eq 2 ]; then
	for name in signal-in-mapped siginfo-in-mapped signal-in-static signal-in-next signal-in-thread; do
		thread=
		[ $name != signal-in-thread ] || thread='case_thread '
		frames $name "${thread}case_wait case_handler case_raise case_coroutine" full-auto mini-auto
	done
	frames signal-in-signal 'case_wait case_handler case_outer_handler case_raise_first case_coroutine' full-auto mini-auto
else
	skip "32-bit programs" "none can be made here, or run"
fi
done_testing
