# A process that runs another program again and again: every core is of one program, and of that which
# it says; and it is neither called gone nor forbidden.
. "$TOP/tests/func/lib.sh"
need_ptrace
# The more rounds, the more moments.
plain_build
life 280
mkdir d
cp "$TARGETS/execs" left && cp "$TARGETS/execs" right || bail execs

# of_one WHAT CORE: name of the file, command, arguments, program, machine
of_one()
{
	name=${2#d/core.}
	class=64
	[ "$name" != execs32 ] || class=32
	"$TAGCORE" inspect --json "$2" >summary 2>err || fail "$1: summary"
	"$TAGCORE" inspect modules "$2" >modules 2>>err
	"$TAGCORE" inspect threads "$2" >threads 2>>err
	args=$(json summary .args)
	args=${args%% *}
	got="$(json summary .command) ${args##*/} $(json summary .class) $(grep -c "/$name\$" modules)"
	[ "$got" = "$name $name $class 1" ] || { echo "$name: $got"; diag <modules; }
	grep -q " $name\$" threads || { echo "$name: its first thread has another name"; diag <threads; }
	"$TAGCORE" validate "$2" >findings || { echo "$name: not valid"; diag <findings; }
}

# rounds N WHAT COMMAND...: every one ends with 0
rounds()
{
	n=0 most=$1 rounds_what=$2
	shift 2
	: >wrong
	while [ $n -lt "$most" ]; do
		n=$((n + 1))
		rm -f d/*
		"$@" >out 2>err || echo "exit $?: $(head -n 1 err)" >>wrong
		for core in d/core.*; do
			[ ! -e "$core" ] || of_one "$rounds_what" "$core" >>wrong
		done
	done
	is "$rounds_what: $n times" "$(sort wrong | uniq -c)" ""
}

# both FROM OTHER: two programs that run each other
both()
{
	for by in first other; do
		start "$1" $by "$2" "$1"
		what="${1##*/} and ${2##*/}, by its $by thread"
		rounds "$(soak_or 6 12)" "$what: dump" timeout 60 "$TAGCORE" dump -q -o d/core.%e "$PID"
		rounds "$(soak_or 2 4)" "$what: dump --stacks" timeout 60 "$TAGCORE" dump -q --stacks -o d/core.%e "$PID"
		rounds "$(soak_or 2 4)" "$what: dry-run" timeout 60 "$TAGCORE" dump --dry-run "$PID"
		rounds "$(soak_or 2 4)" "$what: stack" timeout 60 "$TAGCORE" stack "$PID"
		rounds 1 "$what: gcore" timeout 60 "$GCORE" -o d/gcore "$PID"
		is "$what: it lives, and nobody traces it" "$(status_of "$PID" TracerPid)" 0
		finish
	done
}

both "$PWD/left" "$PWD/right"
if [ -x "$TARGETS/execs32" ] && "$TARGETS/calls32" exit 2>/dev/null; then
	both "$PWD/left" "$TARGETS/execs32"
else
	skip "between 64 and 32 bits" "no compiler for it, or the kernel does not run such programs"
fi

done_testing
