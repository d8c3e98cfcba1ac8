# The target ends or changes while it is dumped: a core of what it was, or one that says what is missing, or an error; no
# byte is wrong, and nothing hangs.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
life 300
ACTIONS='exit kill exec exec-other unmap protect drop truncate fork threads uid dumpable'

# changed ACTION WHEN MODE COMMAND...: one dump, with the action begun at that instant
changed()
{
	action=$1 when=$2 mode=$3
	shift 3
	rm -f core core.zst
	start changes "$action" mapped
	result=$(timeout -s KILL 100 "$TARGETS/killer" "$PID" 12 target "$when" "$@" "$PID" 2>err)
	what="$action at $when, $mode"
	case $result in
	*"ended 0 "*) want_whole=yes ;;
	*"ended 256 "*) want_whole='' ;;
	# An error leaves no core, and is one sentence.
	*"ended 512 "*)
		[ ! -e core ] || echo "$what: an error, and a core"
		[ "$(wc -l <err)" = 1 ] || { echo "$what: not one sentence"; cat err; }
		finish
		return ;;
	*) echo "$what: $result $(head -n 3 err)"; finish; return ;;
	esac
	"$TAGCORE" validate core >findings 2>&1 || { echo "$what: not valid"; head -n 3 findings; }
	"$TAGCORE" inspect missing core >missing
	checked=$("$TARGETS/changes" check core "$LOG" missing)
	if [ "$want_whole" ]; then
		# All of it, or of another program, or without an area that it has given up.
		case "$action $checked" in
		*' 192 pages of 192, 0 differ' | exec*' 0 pages of 192, 0 differ') ;;
		unmap*' 128 pages of 192, 0 differ' | protect*' 128 pages of 192, 0 differ') ;;
		*) echo "$what: nothing is said to be missing: $checked" ;;
		esac
	else
		case "$action $checked" in
		# Past the end of a file there is nothing: the process would get SIGBUS.
		truncate*' 129 pages of 192, 0 differ') grep -q 'past the end of its file' missing ||
			echo "$what: not why" ;;
		*' 0 differ') ;;
		*) echo "$what: $checked" ;;
		esac
	fi
	finish
}

# When it is looked at; when its first, and its last thread is seized; and as it runs on.
instants()
{
	case $1 in
	plain) echo any:400 seize:1 seize:4 interrupt:2 detach:1 ;;
	snapshot) echo seize:1 seize:4 step:1 detach:2 read:20 ;;
	no-stop) echo read:2 read:20 write:2 any:400 any:600 ;;
	pre-copy) echo seize:2 detach:1 read:5 write:2 interrupt:3 ;;
	esac
}
# In make check each action at one of them.
n=0
for mode in plain snapshot pre-copy no-stop; do
	case $mode in
	plain) option= ;;
	snapshot) option=-s ;;
	# Nothing is held: what it does takes effect in the middle of the copy, and exit 0 is none of the answers.
	no-stop) option=--no-stop ;;
	pre-copy) option='--max-pause 0.1' ;;
	esac
	for action in $ACTIONS; do
		n=$((n + 1)) i=0
		for when in $(instants $mode); do
			i=$((i + 1))
			soak || [ $((n % 5 + 1)) -eq $i ] || continue
			# shellcheck disable=SC2086 # words
			changed "$action" "$when" $mode "$TAGCORE" dump -q --filter 0xff $option -o core
		done
	done >wrong
	is "$mode: as it was, or it is said" "$(cat wrong)" ""
done
done_testing
