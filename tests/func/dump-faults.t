# dump: what goes wrong leaves no file, no stopped target, and a sentence.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
mkdir d

# refused WHAT COMMAND...: exit 2, a sentence, and nothing in d
refused()
{
	refused_what=$1
	shift
	exits 2 "$refused_what: exit 2" "$@"
	is "$refused_what: one sentence" "$(wc -l <err)" 1
	is "$refused_what: nothing is left behind" "$(ls -A d)" ""
}

# ---- no process to dump
refused "no such process" "$TAGCORE" dump -o d/c 999999999
start "$HELPER" zombie
refused "a zombie" "$TAGCORE" dump -o d/c "$PID"
matches "the message says what it is" err 'zombie|exited|dead|no memory'
if [ "$(state 2)" ] && [ ! -s /proc/2/cmdline ] && [ "$(status_of 2 PPid)" = 0 ]; then
	refused "a kernel thread" "$TAGCORE" dump -o d/c 2
	matches "the message says what it is" err 'kernel'
else
	skip "a kernel thread" "none to be seen"
fi
# The words are for that shell.
# shellcheck disable=SC2016
refused "itself" sh -c 'exec "$0" dump -o d/c $$' "$TAGCORE"

start threads 3
"$HELPER" trace "$PID" >trace.log 2>&1 &
tracer=$!
mine $tracer
wait_line trace.log '^ready' || diag <trace.log
refused "already traced" "$TAGCORE" dump -o d/c "$PID"
matches "the message names the tracer" err "$tracer"
finish $tracer
is "the target lives" "$(report)" "alive 3 heap intact"

if is_root && have setpriv; then
	chmod 755 . && mkdir -m 777 open
	# A descriptor is needed: the build may lie where others cannot go.
	if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$TAGCORE"; then
		exits 2 "somebody else's process" setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$TAGCORE" dump -o open/c "$PID"
		matches "the message says why" err 'permi|uid|user|allowed'
		is "nothing is left behind" "$(ls -A open)" ""
		TARGET_LIFE=60 setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$TARGETS/threads" 2 >own.log 2>&1 &
		own=$!
		mine $own
		wait_line own.log '^ready' || diag <own.log
		exits 0 "one's own process without privilege" setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$TAGCORE" dump -o open/own "$own"
		exits 0 "is a good core" "$TAGCORE" validate open/own
		is "and the target lives" "$(report $own "$PWD/own.log")" "alive 2 heap intact"
	else
		skip "somebody else's process" "the build directory is closed to others"
	fi
else
	skip "somebody else's process" "not root, or no setpriv"
fi

# ---- nowhere to write
refused "no such directory" "$TAGCORE" dump -o d/none/c "$PID"
refused "a directory that takes no files" "$TAGCORE" dump -o /proc/c "$PID"
refused "a name that is too long" "$TAGCORE" dump -o "d/$(printf '%0300d' 0)" "$PID"
start bigmem random 16M
# The words are for that shell.
# shellcheck disable=SC2016
refused "a file size limit (RLIMIT_FSIZE)" sh -c 'ulimit -f 1000 && exec "$0" dump -o d/c "$1"' \
	"$TAGCORE" "$PID"
runs_free "$PID" "after the limit"
if is_root && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016
	run unshare -m sh -c 'mount -t tmpfs -o size=4m none d || exit 77
		"$0" dump -o d/c "$1"
		rc=$?
		ls -A d
		exit $rc' "$TAGCORE" "$PID"
	if [ "$rc" -eq 77 ]; then
		skip "disk full" "cannot mount a tmpfs"
	else
		is "disk full: exit 2" "$rc" 2
		is "disk full: nothing is left behind" "$(cat out)" ""
		matches "disk full: the message says so" err 'space'
		matches "disk full: before the target is stopped" err 'would take about [0-9]+ bytes and [0-9]+ are free for d/c'
	fi
	# An older core must survive the attempt to replace it.
	# shellcheck disable=SC2016
	run unshare -m sh -c 'mount -t tmpfs -o size=4m none d || exit 77
		echo old >d/c
		"$0" dump --force -o d/c "$1"
		rc=$?
		echo $(ls -A d) $(cat d/c)
		exit $rc' "$TAGCORE" "$PID"
	[ "$rc" -eq 77 ] || is "disk full with --force: the old file is still there, alone" \
		"$rc $(cat out)" "2 c old"
else
	skip "disk full" "not root, or no mount namespace"
fi
runs_free "$PID" "after a full disk"
is "the target is intact" "$(report)" intact

# ---- the dump is ended in the middle: its pipe is full, and nobody reads
mkfifo pipe
exec 7<>pipe

# dumping: a dump of the target into the full pipe; DUMPER
dumping()
{
	# A shell's background job ignores SIGINT, and so would tagcore: undo that.
	env --default-signal=INT "$TAGCORE" dump -o - "$PID" >pipe 2>err 7>&- &
	DUMPER=$!
	mine $DUMPER
	until_true 10 pipe_is_full
}

# The target is stopped, and who stopped it sleeps.
pipe_is_full()
{
	in_state "$PID" t && in_state "$(status_of "$PID" TracerPid)" S
}

drain()
{
	exec 7<&-
	rm -f pipe
	mkfifo pipe
	exec 7<>pipe
}

# ended_by SIGNAL WANTED-STATUS
ended_by()
{
	dumping || diag "the dump did not come to its middle"
	kill "-$1" $DUMPER
	until_true 10 gone $DUMPER || { fail "SIG$1: it did not end"; kill -KILL $DUMPER; }
	wait $DUMPER 2>/dev/null
	is "SIG$1: exit status" $? "$2"
	not_mine $DUMPER
	runs_free "$PID" "after SIG$1"
	drain
}

ended_by INT 2
ended_by TERM 2
ended_by KILL 137
is "the target is intact after all three" "$(report)" intact

# the target dies meanwhile
start bigmem random 16M
dumping || diag "the dump did not come to its middle"
kill -KILL "$PID"
cat <&7 >/dev/null 7<&- &
reader=$!
mine $reader
until_true 20 gone $DUMPER || { fail "it hangs"; kill -KILL $DUMPER; }
wait $DUMPER 2>/dev/null
like "the target is killed: exit 1 or 2" $? '[12]'
not_mine $DUMPER
finish $reader
num "with a sentence" "$(wc -l <err)" -ge 1
drain

# ---- the same with a file
life 280
start bigmem random 768M
# Or it is over already, and there is nothing to wait for.
is_traced()
{
	[ "$(status_of "$PID" TracerPid)" != 0 ] || gone $DUMPER
}

for sig in INT TERM KILL; do
	env --default-signal=INT "$TAGCORE" dump -q -o d/c "$PID" 2>err &
	DUMPER=$!
	mine $DUMPER
	until_true 5 is_traced
	kill -$sig $DUMPER 2>/dev/null
	wait $DUMPER 2>/dev/null
	rc=$?
	not_mine $DUMPER
	if [ $rc -eq 0 ]; then
		skip "SIG$sig while a file is written" "the dump was too fast"
		rm -f d/c
		continue
	fi
	if [ $sig = KILL ]; then
		is "SIGKILL: no file by its final name" "$(ls d/c 2>/dev/null)" ""
		rm -rf d/* d/.[!.]*
	else
		is "SIG$sig: exit 2" $rc 2
		is "SIG$sig: no file is left" "$(ls -A d)" ""
	fi
	runs_free "$PID" "a file, after SIG$sig"
done
for sig in INT TERM; do
	echo old >d/c
	env --default-signal=INT "$TAGCORE" dump -q --force -o d/c "$PID" 2>err &
	DUMPER=$!
	mine $DUMPER
	until_true 5 is_traced
	kill -$sig $DUMPER 2>/dev/null
	wait $DUMPER 2>/dev/null
	rc=$?
	not_mine $DUMPER
	if [ $rc -eq 0 ]; then
		skip "SIG$sig, --force" "the dump was too fast"
	else
		is "SIG$sig, --force: exit 2, the old file is still there, alone" \
			"$rc $(ls -A d) $(head -c 100 d/c)" "2 c old"
	fi
	rm -f d/c
done
is "the target is intact" "$(report)" intact
finish

# ---- memory that nobody can read: that range is lost, and nothing else
start kinds
range=$(range_of secret)
if [ "$range" ]; then
	exits $PARTIAL "secret memory is left out by default" "$TAGCORE" dump -o d/default "$PID"
	exits 1 "--all cannot save it: exit 1" "$TAGCORE" dump --all --json -o d/all "$PID"
	cp out lost.json
	"$TARGETS/lost" d/all "$PID" | grep -vx "$range" >lost
	"$TAGCORE" inspect missing d/all >missing
	# Beside files that end before their mappings.
	json_is "one range is missing, and what only root could save" lost.json '.dumps[0].missing#' \
		$(($(wc -l <lost) + $(grep -c 'past the end of its file' missing) + 1))
	is "this one" "$(sed -n 's/^\(0x[^-]*\)-\([^ ]*\) .*  memfd_secret(2): .*/\1 \2/p' missing)" \
		"$range"
	matches "the report says so" err 'MISSING'
	exits 0 "the core is valid" "$TAGCORE" validate d/all
	ok "inspect missing" "$TAGCORE" inspect missing d/all
	matches "names the range" out "${range% *}"
	next=$(range_of anon-touched)
	is "other memory is there" "$("$CORECMP" state d/all "${next% *}")" present
	runs_free "$PID" "after that"
else
	skip "memory that nobody can read" "$(sed -n 's/^skip secret //p' "$LOG")"
fi
finish
rm -f d/*

# ---- a thread that does not stop: in vfork(2)
start vforker $((60 * SLOWNESS))
# Its number and those of the registers: two are known, without a stop.  Its child does not live for ever.
for stuck in $(ls "/proc/$PID/task"); do
	[ "$(state "$PID/task/$stuck")" != D ] || break
done
known=$(awk 'NF == 9 { print $9, $8 }' "/proc/$PID/task/$stuck/syscall" 2>/dev/null)
exits 1 "a thread that does not stop: exit 1" "$TAGCORE" dump --json --stop-timeout 1 -o d/vfork "$PID"
is "nobody waited for it" "$(grep -c '^vfork done' "$LOG")" 0
cp err vfork.err
num "and it is said" "$(wc -l <vfork.err)" -ge 1
matches "and why" vfork.err 'thread [0-9]+ did not stop: in an uninterruptible sleep'
matches "in JSON, too" out '"in an uninterruptible sleep'
"$TAGCORE" inspect notes d/vfork >notes.vfork
matches "and in the core" notes.vfork 'not_stopped [0-9]+ uninterruptible'
ok "it validates" "$TAGCORE" validate d/vfork
is "the thread that stopped has its registers" \
	"$("$CORECMP" notes d/vfork | grep -c "^CORE 0x1 .* $PID\$")" 1
is "it is that one" "$(sed -n 's/.*thread \([0-9]*\) did not stop.*/\1/p' vfork.err)" "$stuck"
if [ "$known" ]; then
	ok "the other one" "$TAGCORE" inspect threads d/vfork
	is "the other one has its pc and sp" "$(sed -n "s/^. *$stuck  *[^ ]*  *\(0x[0-9a-f]*\)  *\(0x[0-9a-f]*\) .*/\1 \2/p" out)" "$known"
else
	skip "the other one has its pc and sp" "they are not to be seen"
fi
is "nothing of it is traced" "$(status_of "$PID" TracerPid)" 0
kill -KILL "$(cat "/proc/$PID/task/$stuck/children")"
ok "vfork ends" wait_line "$LOG" '^vfork done' $((20 * SLOWNESS))
is "it lives" "$(report)" alive
wait_state "$PID" S
like "no thread stays stopped" "$(for t in "/proc/$PID/task"/*; do
	state "$PID/task/${t##*/}"
done | sort -u | tr -d '\n')" 'S'

# ---- a directory that vanishes: while it is written, and before it gets its name
vanished()
{
	start threads 2
	mkdir vanishing && touch held
	rm -f result err
	HOLD_WHILE=held "$TARGETS/killer" "$PID" 0 target "$2" "$TAGCORE" dump -q -o vanishing/core "$PID" >result 2>err &
	killer=$!
	mine $killer
	wait_line result '^moment' || fail "$1: that call is made"
	rm -rf vanishing held
	wait $killer
	not_mine $killer
	is "$1: exit 2" "$(sed -n 's/^ended \([0-9]*\) .*/\1/p' result)" 512
	matches "$1: why" err '^tagcore: .*vanishing.*No such file or directory'
	is "$1: in one sentence" "$(wc -l <err)" 1
	runs_free "$PID" "$1"
	is "$1: the target lives" "$(report)" "alive 2 heap intact"
	finish
}
vanished "the directory vanishes as it is written" write:1
vanished "the directory vanishes before the end" link:1
done_testing
