# The process ends at any instant, and another one has its number at once: that one runs on, and no core is of both.
. "$TOP/tests/func/lib.sh"
is_root || skip_all "not root: nobody else chooses the number of a process"
# Numbers are chosen in a namespace of our own; the test is its first process.
if [ -z "${IN_NAMESPACE-}" ]; then
	unshare --pid --mount-proc --fork --kill-child true 2>/dev/null || skip_all "no PID namespace here"
	IN_NAMESPACE=yes exec unshare --pid --mount-proc --fork --kill-child sh "$0"
fi
need_ptrace

# numbered ARG: "threads ARG" as process $NUMBER, ready; its output is ARG.log.  False if something else has come in between.
NUMBER=4000
numbered()
{
	: >"$1.log"
	echo $((NUMBER - 1)) >/proc/sys/kernel/ns_last_pid
	"$TARGETS/threads" "$1" >"$1.log" 2>&1 &
	mine $!
	[ $! = $NUMBER ] && return 0
	finish $!
	return 1
}

both_gone() { gone $NUMBER || gone "$killer"; }

# Where a tracer is held that has the dead process still, nobody gets its number.
has_tracer() { [ "$(status_of $NUMBER TracerPid)" -gt 0 ] 2>/dev/null; }

# judge_core EXIT: its command line, threads and memory are of one process
judge_core()
{
	if [ ! -e core ]; then
		[ "$mode" = stack ] && [ "$1" = 0 ] && return
		[ "$1" = 512 ] && [ "$(wc -l <err)" = 1 ] || echo "$what: no core, status $1: $(head -n 3 err)"
		return
	fi
	"$TAGCORE" validate core >findings 2>&1 || echo "$what: not valid: $(head -n 3 findings)"
	of=$("$TAGCORE" inspect summary --json core | sed -n 's/.*"args": "[^"]*threads \([23]\) *".*/\1/p')
	core_threads=$("$TAGCORE" inspect threads core | grep -c '^ *[0-9]')
	[ "$core_threads" = $((of + 1)) ] || echo "$what: $core_threads threads in a core of threads $of"
	# The second one runs: a word on its stacks is another by now; the first one's areas are elsewhere.
	[ "$of" = 2 ] || "$CORECMP" mem core $NUMBER >differ 2>&1 || ! grep -q "the process has none" differ ||
		echo "$what: not its memory"
}

# The process that has the number now.
judge_process()
{
	until_true 20 has_line 3.log '^ready' || echo "$what: the new process has not begun"
	[ "$(report $NUMBER "$PWD/3.log")" = "alive 3 heap intact" ] || echo "$what: the new process: $(report $NUMBER "$PWD/3.log")"
	untraced $NUMBER && in_state $NUMBER S || echo "$what: the new process is not let alone"
}

# reused WHEN COMMAND...: the process is killed when COMMAND, which looks at it, makes that call, and another one is there
reused()
{
	when=$1 what="$mode at $1"
	shift
	rm -f core
	until_true 20 numbered 2 && until_true 20 has_line 2.log '^ready' || bail threads
	touch held
	HOLD_WHILE=held timeout -s KILL 100 "$TARGETS/killer" $NUMBER 9 target "$when" "$@" $NUMBER >result 2>err &
	killer=$!
	mine $killer
	until_true 100 both_gone
	if ! gone $NUMBER; then
		echo "$what: that call was not made"
		finish $NUMBER
	fi
	has_tracer && rm held
	wait $NUMBER 2>/dev/null
	not_mine $NUMBER
	numbered 3 && [ -e held ] && until_true 20 has_line 3.log '^ready' && n_reused=$((n_reused + 1))
	rm -f held
	wait $killer
	not_mine $killer
	[ "$!" = $NUMBER ] || return 0
	judge_core "$(sed -n 's/^ended \([0-9]*\) .*/\1/p' result)"
	judge_process
	finish $NUMBER
}

while read -r mode instants command; do
	n_reused=0
	for when in $(echo "$instants" | tr , ' '); do
		# shellcheck disable=SC2086 # words
		reused "$when" "$TAGCORE" $command
	done >wrong
	is "$mode: the new process runs on, and no core is of both" "$(cat wrong)" ""
	num "$mode: it was there in time" $n_reused -ge 2
done <<'END'
plain any:100,any:250,any:400,seize:1,seize:2,interrupt:1,getregs:1,read:2,detach:1 dump -q -o core
snapshot any:250,seize:1,seize:2,step:1,step:5,read:2,detach:1 dump -q -s -o core
pre-copy any:250,seize:1,read:2,interrupt:2,detach:1 dump -q --max-pause 0.1 -o core
no-stop any:100,any:250,any:400,write:2 dump -q --no-stop -o core
stack any:100,any:250,seize:1,interrupt:1,read:2 stack --raw
END
done_testing
