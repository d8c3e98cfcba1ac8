# dump: a process in other PID and mount namespaces, whose executable is to be seen only there.
. "$TOP/tests/func/lib.sh"
need_ptrace
have unshare || skip_all "no unshare(1)"
user=
is_root || user=-Ur
mkdir there
# The words are for that shell.  It is the namespace's first process, and becomes the target.
# shellcheck disable=SC2016
script='mount -t tmpfs none there && cp "$1" there/hidden || exit
	cd there && exec "$PWD/hidden" ${2+"$2"}'

# start_there TARGET ARG: PID is its number here, INNER there
start_there()
{
	there_n=$((${there_n:-0} + 1))
	LOG=$PWD/there.$there_n.log
	unshare $user --mount-proc --pid --fork --kill-child sh -c "$script" sh "$TARGETS/$1" ${2+"$2"} \
		>"$LOG" 2>&1 </dev/null &
	CHILD=$!
	mine $CHILD
	until_true 20 started_or_gone
	INNER=$(sed -n 's/^ready //p' "$LOG")
	PID=$(cat "/proc/$CHILD/task/$CHILD/children" 2>/dev/null)
	PID=${PID% }
}

started_or_gone()
{
	has_line "$LOG" '^ready ' || gone "$CHILD"
}

start_there threads 2
[ "$INNER" ] || skip_all "no namespaces: $(head -n 1 "$LOG")"
mine "$PID"
is "it has another number there" "$INNER" 1
num "than here" "$PID" -gt 1
is "its executable is not to be seen here" "$(ls there)" ""
ok "dump" "$TAGCORE" dump --json -o core "$PID"
json_is "by its number here" out '.dumps[0].pid' "$PID"
json_is "and the one there" out '.dumps[0].ns_pid' "$INNER"
matches "both are in the report" err "process $PID \\($INNER in its namespace\\)"
json_is "all its threads" out '.dumps[0].threads' 3
only_lost "in a namespace" core
ok "it validates" "$TAGCORE" validate core
ok "summary" "$TAGCORE" inspect summary --json core
json_is "has its number here" out .pid "$PID"
json_is "and the one there" out .ns_pid "$INNER"
ok "summary as text" "$TAGCORE" inspect core
matches "has both" out "^process +pid $PID \\($INNER in its PID namespace\\)"
ok "notes" "$TAGCORE" inspect notes core
matches "have it" out "^ *ns_pid $INNER\$"
ok "maps" "$TAGCORE" inspect maps core
matches "with the name that it has there" out '/there/hidden$'
is "notes of its three threads" "$("$CORECMP" notes core | grep -c '^CORE 0x1 ')" 3
is "by their numbers here" "$("$CORECMP" notes core | sed -n 's/^CORE 0x1 .* //p' | sort -n | tr '\n' ' ')" \
	"$(ls "/proc/$PID/task" | sort -n | tr '\n' ' ')"
# The executable's pages that are not mapped in are in a file that has a name only there.
kill -STOP "$PID"
wait_state "$PID" T
exits 0 "--all: nothing is missing" "$TAGCORE" dump --all -o all "$PID"
only_lost "--all" all
exits 0 "--all: memory is the target's" "$CORECMP" mem all "$PID"
kill -CONT "$PID"
is "it lives" "$(report)" "alive 2 heap intact"
runs_free "$PID" "after that"
not_mine "$PID"
finish

start_there kinds
mine "$PID"
range=$(range_of file-shared)
ok "a file that is only there" "$TAGCORE" dump --filter 8 -o shared "$PID"
is "is saved from there" "$("$CORECMP" state shared "${range% *}")" present
is "with its last page, too" "$("$CORECMP" state shared $((${range#* } - 4096)))" present
is "it lives" "$(report)" alive
not_mine "$PID"
finish
done_testing
