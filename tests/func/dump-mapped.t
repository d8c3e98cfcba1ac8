# Mapped files on file systems whose servers do not answer, and on one that the target itself serves: it is never held for them.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/func/served.sh"
need_ptrace
plain_build
life 400
# The sanitizer stops all threads to look for leaks, and would wait for one that hangs until the server goes on.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
need_served
page=$(getconf PAGESIZE)
snapshots=
case $(uname -m) in
x86_64 | aarch64) snapshots=yes ;;
esac

mapped() { sed -n 's/^mapped //p' "$LOG"; }

# page_at N: its address
page_at() { printf '0x%x' $(($(mapped) + $1 * page)); }

# missing CORE: "FIRST-LAST REASON", pages of the mapping, a line for each range that is missing
missing()
{
	"$TAGCORE" inspect missing "$1" | grep -v 'rule [a-z]' | sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) *[0-9.]* [A-Za-z]*  /\1 \2 /p' |
		while read -r from to why; do
			[ $((from)) -ge $(($(mapped))) ] && [ $((to)) -le $(($(mapped) + 16 * page)) ] || continue
			echo "$(((from - $(mapped)) / page))-$(((to - $(mapped)) / page)) $why"
		done
}

# has_page CORE N BYTE: all of that page
has_page()
{
	"$TAGCORE" inspect memory "$(page_at "$2")" "$page" "$1" >page.text 2>&1 || return 1
	[ "$(grep -c "$(printf '%02x %02x %02x %02x' "$3" "$3" "$3" "$3")" page.text)" -gt 0 ]
}

resident_are_saved()
{
	for n in 0 1 2 3; do
		ok "$2: page $n, which was in memory, is in the core" has_page "$1" $n $((n + 1))
	done
	[ -n "${CLOCKED_SHARED-}" ] || ok "$2: so is the one written to" has_page "$1" 8 238
}

absent="4-8
9-16"
[ -z "${CLOCKED_SHARED-}" ] || absent=4-16

silent="not mapped in, and its file does not answer"

# is_partial DESCRIPTION CORE REASON: what is not in memory is missing, and the rest is saved
is_partial()
{
	is "$1: missing are the pages that only the file has" "$(missing "$2" | sed 's/ .*//')" "$absent"
	like "$1: the reason" "$(missing "$2" | sed 's/^[0-9-]* //' | sort -u)" "$3"
	resident_are_saved "$2" "$1"
	ok "$1: valid" "$TAGCORE" validate "$2"
}

# partial DESCRIPTION REASON OPTION...: that, and nobody was held
partial()
{
	what=$1 why=$2
	shift 2
	rm -f core
	exits 1 "$what: something is missing" timeout -s KILL 60 "$TAGCORE" dump --all "$@" -o core "$PID"
	num "$what: it was not held" "$(is_held)" -lt 5000
	runs_free "$PID" "$what"
	is_partial "$what" core "$why"
}

# all_ways DESCRIPTION REASON OPTION...
all_ways()
{
	way=$1 reason=$2
	shift 2
	partial "$way" "$reason" "$@"
	[ -z "$snapshots" ] || partial "$way, snapshot" "$reason" --snapshot=require "$@"
	[ -z "$snapshots" ] || partial "$way, --max-pause" "$reason" --max-pause 1000 "$@"
	exits 0 "$way: stack" timeout -s KILL 60 "$TAGCORE" stack "$PID"
	num "$way: stack: it was not held" "$(is_held)" -lt 5000
	runs_free "$PID" "$way: stack"
}

# ---- the target's own
CLOCKED_MAPS=$PWD/mnt/data
export CLOCKED_MAPS
for CLOCKED_SHARED in "" yes; do
	export CLOCKED_SHARED
	absent="4-8
9-16"
	[ -z "$CLOCKED_SHARED" ] || absent=4-16
	start clocked 4M "$PWD/mnt"
	is_held >/dev/null
	all_ways "its own${CLOCKED_SHARED:+, shared}" "not mapped in, and the process *serve* its file*"
	finish "$PID"
done

# ---- another's
# behind_server MODE: a target that maps a file of SERVER's
behind_server()
{
	rm -f server.log
	(
		unset CLOCKED_MAPS
		exec "$TARGETS/clocked" 4M "$PWD/mnt" "$@"
	) >server.log 2>&1 &
	SERVER=$!
	mine $SERVER
	until_true 20 has_line server.log '^ready ' || bail "the server"
	start "$(command -v nsenter)" --mount="/proc/$SERVER/ns/mnt" --wdns="$PWD" "$TARGETS/clocked" 4M
	is_held >/dev/null
}

for CLOCKED_SHARED in "" yes; do
	export CLOCKED_SHARED
	absent="4-8
9-16"
	[ -z "$CLOCKED_SHARED" ] || absent=4-16
	way="another's${CLOCKED_SHARED:+, shared}"
	behind_server
	kill -STOP "$SERVER"
	wait_state "$SERVER" T
	all_ways "$way, which stands still" "$silent" --output-timeout 0.5
	kill -CONT "$SERVER"
	exits 0 "$way, which goes on: nothing is missing" timeout -s KILL 60 "$TAGCORE" dump --all --force -o core "$PID"
	ok "$way, which goes on: a page of the file" has_page core 5 6
	finish "$PID"
	finish "$SERVER"
done

# ---- one that stops to answer while the target is stopped
CLOCKED_SHARED=yes
absent=4-16

# held DESCRIPTION OPTION...: for the limit, and no longer
held()
{
	what=$1
	shift
	behind_server stops-reading
	rm -f core err
	timeout -s KILL 100 "$TAGCORE" dump --all --output-timeout 0.5 "$@" -o core "$PID" >out 2>err &
	dumper=$!
	mine $dumper
	ok "$what: the server stops" wait_state "$SERVER" T 20
	until_true 20 has_line err 'MISSING'
	runs_free "$PID" "$what"
	until_true 60 revived gone $dumper
	wait $dumper
	is "$what: exit 1" $? 1
	not_mine $dumper
	time=$(is_held)
	num "$what: it was held until the server was given up" "$time" -ge 400
	num "$what: and no longer" "$time" -lt 5000
	is_partial "$what" core "$silent"
	finish "$PID"
	finish "$SERVER"
}

held "it stops in the pause"
[ -z "$snapshots" ] || held "it stops in the pause of a snapshot" --snapshot=require

behind_server stops-reading
for sig in 15 9; do
	rm -f core
	killed_while_it_waits $sig 1000 "$HELPER" kill-all "$PID" $sig 200000 \
		"$TAGCORE" dump -q --all --output-timeout 0 -o core "$PID"
	ok "signal $sig: no core" [ ! -e core ]
done
done_testing
