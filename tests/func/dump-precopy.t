# dump --max-pause: copied while it runs, and what has been written to since in a short stop; nothing is lost, nothing is stale.
. "$TOP/tests/func/lib.sh"
need_ptrace
case $(uname -m) in
x86_64 | aarch64) ;;
*) skip_all "pre-copy is for x86-64 and arm64" ;;
esac

drift() { "$TARGETS/drift" "$@"; }
one_instant() { is "$1" "$(drift check core | sed 's/ of .*//')" "0 bad pages"; }
descriptors() { set -- "/proc/$PID/fd"/*; echo $#; }
# Watched by userfaultfd(2), as smaps has it.
watched() { grep -c '^VmFlags:.* uw' "/proc/$PID/smaps"; }
unwatched() { [ "$(watched)" = 0 ]; }
pte() { status_of "$PID" VmPTE | tr -dc 0-9; }

: "${MIB:=64}" "${DUMPS:=1 2 3 4 5 6}" "${INSTANTS:=0 2 5 10 20 40 80 160}"
life 900
start drift "$MIB" 5000
before=$(descriptors) tables=$(pte)
run "$TAGCORE" dump --force --max-pause 0.1 --json -o core "$PID"
no=$(json out '.dumps[0].no_precopy')
case $no in
*"Linux 6.7"* | *refused\ a\ userfaultfd*) skip_all "$no" ;;
esac
for i in $DUMPS; do
	ok "dump $i" "$TAGCORE" dump -q --force --max-pause 0.1 --json -o core "$PID"
	json_is "$i: in rounds" out '.dumps[0].no_precopy' null
	is "$i: its memory has not grown" "$(json out '.dumps[0].target_shmem_after')" "$(json out '.dumps[0].target_shmem_before')"
	exits 0 "$i: more than one" test "$(json out '.dumps[0].rounds')" -gt 1
	one_instant "$i: of one instant"
	ok "$i: it validates" "$TAGCORE" validate core
	ok "$i: it is not watched any more" until_true 20 unwatched
	is "$i: it has the descriptors that it had" "$(descriptors)" "$before"
done
# New mappings have some tables of their own.
exits 0 "its page tables have not grown" test "$(pte)" -le $((tables * 3 / 2 + 128))
run "$TAGCORE" dump --force --max-pause 0.1 -o core "$PID"
run "$TAGCORE" inspect notes NT_TAGCORE_PAUSE core
matches "the core says so" out 'mode pre-copy'
run "$TAGCORE" dump --force --max-pause 0.1 -o core "$PID"
matches "the report says so" err 'copied before, in [0-9]* rounds'

# ---- the limit
run "$TAGCORE" dump -q --force --max-pause 60000 --json -o core "$PID"
json_is "a long limit: a snapshot suffices" out '.dumps[0].snapshot' true
json_is "and is kept" out '.dumps[0].late' null
one_instant "of one instant"
"$TAGCORE" dump --max-pause 0.1 -o - "$PID" >core 2>err
matches "to a pipe: why there is no pre-copy" err 'no pre-copy: the output is written front to back'
one_instant "to a pipe: of one instant"
run "$TAGCORE" dump --force --max-pause 0.1 --limit 16M -o limited.core "$PID"
matches "a limit of the size" err 'more than the limit'
is "nothing is left" "$(find . -name '*limited*' -o -name '.core-tagcore*')" ""

# ---- the choice follows what fork(2) of that very process takes: well above it a snapshot, well below it pre-copy
finish
mkfifo ask answer
exec 6<>ask 7<>answer
"$TARGETS/clockwatch" 256 small <ask >answer 7>&- 6>&- &
CHILD=$!
mine $CHILD
# A killed target leaves the pipe open: all that is read has a limit.
answer() { timeout 100 head -n 1 answer; }
PID=$(answer | sed -n 's/^ready //p')
for i in 1 2 3 4 5; do
	echo fork >&6
	answer
done | sed -n 's/^fork //p' | sort -n >forks
is "fork(2) was measured" "$(wc -l <forks)" 5
chosen() { run "$TAGCORE" dump -q --force --max-pause "$(awk -v us="$1" -v by="$2" 'BEGIN { print us * by / 1000 }')" --json -o core "$PID"; }
chosen "$(tail -n 1 forks)" 12
json_is "the limit is well above it: a snapshot" out '.dumps[0].snapshot' true
chosen "$(head -n 1 forks)" 0.2
json_is "the limit is well below it: no snapshot" out '.dumps[0].snapshot' false
json_is "but pre-copy" out '.dumps[0].no_precopy' null
exits 0 "in rounds" test "$(json out '.dumps[0].rounds')" -gt 0
finish
exec 6>&- 7>&-
start drift "$MIB" 5000

# ---- closing the descriptor would do it all at once: userfaultfd_release(), with the address space locked
if command -v strace >/dev/null; then
	# The leak checker cannot work beside it.
	exits 0 "dumped" env ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" strace -f -e trace=ioctl -o calls "$TAGCORE" dump -q --force --max-pause 0.1 -o core "$PID"
	all=$(grep -c 'UFFDIO_REGISTER.*= 0' calls)
	exits 0 "what was watched is let go area by area, or in smaller pieces" test "$(grep -c 'UFFDIO_UNREGISTER.*= 0' calls)" -ge "$all"
else
	skip "what was watched is let go area by area" 'no strace'
fi

# ---- what is not to be dumped any more when it is stopped is not in the file, though it may have been copied
for ms in 0.02 0.05 0.1; do
	{ sleep "$ms"; kill -USR1 "$PID"; } &
	ok "a secret, after $ms s" "$TAGCORE" dump -q --force --max-pause 0.1 -o core "$PID"
	wait "$!"
done
ok "a secret" "$TAGCORE" dump -q --force --max-pause 0.1 -o core "$PID"
is "it is not in the file" "$(drift secret core)" "not there"
finish

# ---- killed at any time
start drift "$MIB" 5000
before=$(descriptors)
for ms in $INSTANTS; do
	"$TAGCORE" dump -q --force --max-pause 0.1 -o killed "$PID" 2>/dev/null &
	victim=$!
	sleep "$(printf '0.%03d' "$ms")"
	kill -KILL "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	ok "killed after $ms ms: it is not watched any more" until_true 20 unwatched
	is "it has the descriptors that it had" "$(descriptors)" "$before"
done
# A guardian stops the process several times before it sees that the command has gone.
no_guardian() { ! pgrep -f " -o killed $PID\$" >pids; }
ok "the guardians have ended, too" until_true 20 no_guardian
runs_free "$PID" "after that"
ok "it can be dumped" "$TAGCORE" dump -q --force --max-pause 0.1 -o core "$PID"
one_instant "of one instant"
finish
done_testing
