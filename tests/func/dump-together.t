# Several dumps of one process at once, and of several processes at once: each is whole, or says that another traces it.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
life 600

# together N OPTION...: that many dumps of PID, begun at once; each has its status in N.status and what it said in N.err
together()
{
	most=$1 all=''
	shift
	for n in $(seq "$most"); do
		(timeout -s KILL 100 "$TAGCORE" dump -q --force "$@" -o "$n.core" "$PID" >"$n.out" 2>"$n.err"; echo $? >"$n.status") &
		all="$all $!"
	done
	# shellcheck disable=SC2086 # numbers
	wait $all
}

# judged N: what is wrong with what together has left; kept: how many cores

# judged N: what is wrong with what together has left
judged()
{
	for n in $(seq "$1"); do
		core=$n.core
		[ ! -e "$core.zst" ] || core=$core.zst
		case $(cat "$n.status") in
		0)	"$TAGCORE" validate "$core" >findings 2>&1 || { echo "$n: not valid"; head -n 3 findings; } ;;
		2)	grep -q "is traced by process [0-9]* (.*) already" "$n.err" || { echo "$n: another reason"; head -n 3 "$n.err"; }
			[ ! -e "$core" ] || echo "$n: refused, and a core" ;;
		*)	echo "$n: exit status $(cat "$n.status")"; head -n 3 "$n.err" ;;
		esac
		rm -f "$core"
	done
}

start drift 16 0
for how in '' --snapshot '--max-pause 0.1' '--compress --snapshot'; do
	# shellcheck disable=SC2086 # words
	together 3 $how
	is "three at once, $how: each is whole, or says who was first" "$(judged 3)" ""
	runs_free "$PID" "three at once, $how"
done
until_true 20 untraced
ok "and after all of them one that is alone" "$TAGCORE" dump -q --force -o core "$PID"
is "nothing else is left" "$(find . -name '.core-tagcore*')" ""
finish

# ---- several processes, by one command and by as many
pids=''
for n in 1 2 3 4 5 6 7 8 9 10; do
	start drift 4 0
	pids="$pids $PID"
done
# shellcheck disable=SC2086 # numbers
exits 0 "ten processes, one command" "$TAGCORE" dump -q -o 'one.%p' $pids
is "has ten cores" "$(ls one.* | wc -l)" 10
all=''
for pid in $pids; do
	(timeout -s KILL 100 "$TAGCORE" dump -q --snapshot -o "ten.$pid" "$pid" >/dev/null 2>&1; echo $? >"ten.$pid.status") &
	all="$all $!"
done
# shellcheck disable=SC2086 # numbers
wait $all
is "ten processes, ten commands" "$(cat ten.*.status | sort | uniq -c | tr -d ' \n')" 100
for pid in $pids; do
	"$TAGCORE" validate "one.$pid" "ten.$pid" >findings 2>&1 || echo "$pid is not valid"
done >wrong
is "all are valid" "$(cat wrong)" ""
done_testing
