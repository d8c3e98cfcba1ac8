# Signals to the command, to the guardian, to the copy and to all of them, at chosen and at random instants of every mode:
# the target goes on, and what it checks of itself is as it was; nothing of ours is left.
. "$TOP/tests/func/lib.sh"
plain_build
. "$TOP/tests/func/snapshots.sh"
: "${KILLS:=$(soak_or 1 6)}"
# FEW: those instants alone, and all else under make soak.
# Each request by which a thread of the target is moved, in the order in which they are made.
: "${STEPS:=1 2 3 4 5 6 7 8 9 10 11 12}"
life 6000
# SIGSEGV is sent like any other signal: AddressSanitizer's report of it may wait for a lock that its thread has.
ASAN_OPTIONS=$ASAN_OPTIONS:handle_segv=0
export ASAN_OPTIONS
mkdir d

# at NAME N...: those instants
at() { at_name=$1; shift; for n; do echo "$at_name:$n"; done; }
# at_any N: as many, all over: by a count of calls, each time another; under make soak at random, by time, too
at_any()
{
	if ! soak; then
		for n in $(seq "$1"); do echo "any:$(((n_all + n) * 37 % 700 + 1))"; done
		return
	fi
	awk -v n="$1" -v seed="$$" -v kills="$n_all" 'BEGIN { srand(seed * 7919 + kills); for (i = 0; i < n; i++)
		print (i + kills) % 2 ? "us:" int(rand() * rand() * 40000) : "any:" int(rand() * 2000) + 1 }'
}

# What is said of the process after it: what it has noticed, and that all of its threads have moved since
judge()
{
	case $1 in
	*' seen no') ;;
	ended\ *\ free\ -*) echo "$2: it is traced for more than a minute" ;;
	ended\ *) now=${1#* free }; [ "${now%% *}" -le $((1000 * ${SLOWNESS:-1})) ] || n_late=$((n_late + 1)) ;;
	esac
	case $1 in *' left 0 '*) ;; *) echo "$2: processes are left: $1" ;; esac
	in_state "$PID" "SRDtT" || { echo "$2: the process is gone: $1"; return 1; }
	now=${1##* zombies }
	now=${now%% *}
	# One stays where the tracer was killed, or, in the 0.2 ms in which what makes the copy lives, two.
	[ "$((now - zombies))" -le $(($3 * 2)) ] || echo "$2: $((now - zombies)) dead children"
	zombies=$now
	# Calls that came back in the moment in which those were killed that would have made them again.
	said=$(report)
	now=$(echo "$said" | sed -n 's/^noticed 0 nothing ended \([0-9]*\) moved after .*/\1/p')
	if [ "$now" != "$ended" ] && { [ -z "$now" ] || [ "$3" = 0 ]; }; then
		echo "$2: $said"
	fi
	ended=${now:-0}
}

# A core by its final name is whole; no other file stays but where nobody was there to remove it.
judge_files()
{
	for core in d/*; do
		[ -e "$core" ] || continue
		"$TAGCORE" validate "$core" >findings 2>&1 || { echo "$1: $core is not valid"; head -n 3 findings; }
	done
	[ "$2" = 1 ] || find d -name '.*' -type f | sed "s|^|$1: is left: |"
	find d -type f -delete
}

# killed MODE SIGNAL WHOM WHEN COMMAND...: one kill, what is wrong is added to the file wrong
killed()
{
	mode=$1 sig=$2 whom=$3 when=$4
	shift 4
	# Who cannot clean up.
	case $sig.$whom in 9.copy | *.command) dirty=0 ;; 9.* | 11.*) dirty=1 ;; *) dirty=0 ;; esac
	result=$("$TARGETS/killer" "$PID" "$sig" "$whom" "$when" "$@" "$PID" 2>>said | grep '^ended')
	case $sig.$whom in 9.command | 11.command) loose=1 ;; *) loose=$dirty ;; esac
	n_kills=$((n_kills + 1)) n_all=$((n_all + 1))
	case $result in *' seen yes') n_seen=$((n_seen + 1)) ;; esac
	judge "$result" "$mode, signal $sig to $whom at $when" $loose >>wrong || again
	judge_files "$mode, signal $sig to $whom at $when" $loose >>wrong
}

again()
{
	finish
	start steady 50
	zombies=0 ended=0
}

# several MODE SIGNAL WHOM WHENS COMMAND...
several()
{
	whens=$4
	first3="$1 $2 $3"
	shift 4
	for when in $whens; do
		# shellcheck disable=SC2086 # three words
		killed $first3 "$when" "$@"
	done
}

report_kills()
{
	is "$1: $n_kills kills, $n_seen in its course" "$(cat wrong)" ""
	: >wrong
	n_kills=0 n_seen=0
}
: >wrong
n_kills=0 n_seen=0 n_all=0 n_late=0 zombies=0 ended=0
start steady 50
fds() { set -- "/proc/$PID/fd"/*; echo $#; }
before=$(fds)
areas=$(wc -l <"/proc/$PID/maps")

# ---- a thread of the target makes calls for us: all of ours are killed at each of its steps
# shellcheck disable=SC2086 # numbers
several snapshot 9 all "$(at step $STEPS) ${FEW:-$(at setregs $STEPS 13 14) $(at options 1 3 5 7)}" "$TAGCORE" dump -q --force -s -o d/core
report_kills "steps of a snapshot, all of ours"
# Between the two calls of the thread it has a descriptor more, which then stays: each time one, closed on exec.
several pre-copy 9 all "${FEW:-$(at step 1 2 3 4 5)} $(at pidfd_getfd 1)" "$TAGCORE" dump -q --force --max-pause 0.1 -o d/core
report_kills "steps of pre-copy, all of ours"
num "and it has no more descriptors than that" "$(fds)" -le $((before + 4))
before=$(fds)

# ---- every mode, every signal, everybody
modes()
{
	cat <<-END
	file dump -q --force -o d/core
	stream dump -q -o /dev/null
	packed dump -q --force -z -o d/core
	snapshot dump -q --force -s -o d/core
	snapshot,packed dump -q --force -s -z -o d/core
	pre-copy dump -q --force --max-pause 0.1 -o d/core
	stack stack --raw
	stack,snapshot stack --raw -s
	gcore gcore -o d/gcore
	gcore,snapshot gcore -s -o d/gcore
	END
}

# all_signals: PID as it is
all_signals()
{
	while read -r name command arguments; do
		case $command in gcore) program=$GCORE command='' ;; *) program=$TAGCORE ;; esac
		case $name in *snapshot* | pre-copy) whoms='command guardian copy all' ;; *) whoms='command' ;; esac
		for one in $whoms; do
			for signal in $1; do
				# shellcheck disable=SC2086 # words
				several "$name" "$signal" "$one" "$(at_any "$KILLS")" "$program" $command $arguments
			done
		done
		report_kills "$2$name"
	done <modes
}
modes >modes
if soak; then all_signals '1 2 9 11 13 15' ''; elif [ -z "${FEW-}" ]; then all_signals '9 15' ''; fi
# But for a few, as processes that are killed wait for a processor, too.
num "of $n_all kills, after which it was not let go within a second" $n_late -le $((1 + n_all / 50))
until_true 20 untraced
runs_free "$PID" "after all that"
num "it has the descriptors that it had" "$(fds)" -le $((before + $(soak_or 0 4)))
is "it has the areas that it had" "$(wc -l <"/proc/$PID/maps")" "$areas"
is "it is not watched" "$(grep -c '^VmFlags:.* uw' "/proc/$PID/smaps")" 0
finish

# ---- a process that is stopped stays so, every thread of it
states() { for task in "/proc/$PID/task"/*; do state "$PID/task/${task##*/}"; done | sort -u | tr -d '\n'; }
all_stopped() { [ "$(states)" = T ]; }
start steady 50 stopped
kill -STOP "$PID"
until_true 20 all_stopped
for what in '15 command' '9 command' '9 all'; do
	for mode in '' -s; do
		for when in $(at_any "$(soak_or 2 20)"); do
			n_all=$((n_all + 1))
			# shellcheck disable=SC2086 # words
			"$TARGETS/killer" "$PID" $what "$when" "$TAGCORE" dump -q --force $mode -o d/core "$PID" >out 2>&1
			until_true 20 all_stopped || { echo "$what $mode at $when: $(states): $(cat out)" >>wrong; kill -STOP "$PID"; }
		done
	done
done
is "a process that is stopped stays so" "$(cat wrong)" ""
kill -CONT "$PID"
like "and goes on when it is continued" "$(report)" "noticed 0 nothing * moved after *"
finish
done_testing
