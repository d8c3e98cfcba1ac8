# The output on a FUSE file system that the target itself serves: seen before the stop, or saved from a snapshot.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/func/served.sh"
need_ptrace
plain_build
life 400
need_served

# there COMMAND...: where it is mounted; what hangs is killed, and so seen
there() { nsenter --mount="/proc/$PID/ns/mnt" --wdns="$PWD" timeout -s KILL 60 "$@"; }

start clocked 4M "$PWD/mnt"
echo content | there tee mnt/file >/dev/null
is "it serves files" "$(there cat mnt/file)" content
is_held >/dev/null
exits 2 "refused before the stop" there "$TAGCORE" dump -o mnt/core "$PID"
matches "says so, and what helps" err "mnt/core is on a file system that process $PID (may )?serves?, .* use --snapshot\$"
exits 2 "gcore, too" there "$GCORE" -o mnt/gcore "$PID"
there "$TAGCORE" dump -q -o - "$PID" >out 2>err 3>&-
is "standard output elsewhere is not meant" $? 0
there sh -c "\"$TAGCORE\" dump -q -o - $PID >mnt/out" 2>err
is "there it is" $? 2
num "it was not stopped for long" "$(is_held)" -lt 5000
runs_free "$PID" "refused"
ok "elsewhere it is saved" there "$TAGCORE" dump -q -o core "$PID"
case $(uname -m) in
x86_64 | aarch64)
	run there "$TAGCORE" dump --snapshot=require --json -o mnt/core "$PID"
	is "a snapshot goes there" "$rc" 0 || diag <err
	json_is "which it is" out '.dumps[0].snapshot' true
	there cat mnt/core >copied
	ok "whole" "$TAGCORE" validate copied
	num "it stood still for that only" "$(is_held)" -lt 5000
	;;
esac

# ---- what cannot be seen before: a server that stops to answer
served_by=$PID
start clocked 4M "$PWD/mnt" stops
SERVER=$PID
start clocked 8M
is_held >/dev/null

# elsewhere COMMAND...: where SERVER's file system is
elsewhere() { nsenter --mount="/proc/$SERVER/ns/mnt" --wdns="$PWD" "$@"; }

given_up()
{
	rm -f err
	elsewhere "$TAGCORE" dump -q --output-timeout 0.5 -o mnt/hung "$PID" 2>err &
	dumper=$!
	mine $dumper
	# Its end may have to wait for the server, which SIGKILL does not change; the target has not.
	until_true 20 has_line err 'stood still'
	matches "given up: $1" err 'has stood still for 0.5 s'
	runs_free "$PID" "given up: $1"
	until_true 60 revived gone $dumper
	wait $dumper
	is "given up: $1: exit 2" $? 2
	not_mine $dumper
	num "given up: $1: it was not held for longer" "$(is_held)" -lt 5000
}

given_up "it stops while it is written to"
ok "and the process stopped it" in_state "$SERVER" SR
kill -STOP "$SERVER"
wait_state "$SERVER" T
given_up "it has stopped before"
no_temporary() { [ -z "$(elsewhere ls -a mnt | grep tagcore)" ]; }
ok "no temporary file is left" until_true 20 revived no_temporary

for sig in 15 2 9; do
	killed_while_it_waits $sig $((1000 * SLOWNESS)) elsewhere "$HELPER" kill-all "$PID" $sig $((200000 * SLOWNESS)) \
		"$TAGCORE" dump -q --output-timeout 0 -o mnt/hung "$PID"
done
runs_free "$served_by" "after all"
done_testing
