# Snapshots, one after another, of fifty threads that check themselves: no difference in the cores, and none that they see.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
: "${SNAPSHOTS_N:=$(soak_or 10 200)}"
life 10000

# differences N WHAT COMMAND...: the core of each round, which COMMAND leaves as core, and what the process has noticed
differences()
{
	n=0 most=$1 what=$2
	shift 2
	: >wrong
	while [ $n -lt "$most" ]; do
		n=$((n + 1))
		rm -f core core.zst
		"$@" >out 2>err || echo "exit $?: $(head -n 1 err)" >>wrong
		[ ! -e core.zst ] || zstd -q -d -o core core.zst
		"$TARGETS/steady" check core | grep -vx '50 pages of 50, 0 differ' >>wrong
	done
	is "$what: $n cores of one instant" "$(sort wrong | uniq -c)" ""
	like "$what: nothing is noticed, and all go on" "$(report)" "noticed 0 nothing ended 0 moved after *"
	until_true 20 no_child "$PID"
	is "$what: no child is left" "$(children_of "$PID")" ""
}

start steady
differences "$SNAPSHOTS_N" "snapshots" "$TAGCORE" dump -q --json --snapshot=require -o core "$PID"
json_is "all threads are in it" out '.dumps[0].threads' 51
ok "it validates" "$TAGCORE" validate core
differences "$((SNAPSHOTS_N / 4))" "packed" "$TAGCORE" dump -q -z --snapshot=require -o core "$PID"
differences "$((SNAPSHOTS_N / 4))" "copied before" "$TAGCORE" dump -q --max-pause 0.1 -o core "$PID"
differences "$((SNAPSHOTS_N / 4))" "plain" "$TAGCORE" dump -q -o core "$PID"
runs_free "$PID" "after all that"
finish
done_testing
