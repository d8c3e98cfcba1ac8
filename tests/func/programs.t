# Programs that nobody wrote for this test: a shell, python3, gdb itself, a deaf sleeper.
. "$TOP/tests/func/lib.sh"
need_ptrace

# asleep PID: it and all its threads, that is, it waits for us
asleep()
{
	for t in "/proc/$1/task"/*; do
		in_state "$1/task/${t##*/}" S || return 1
	done
}

# program NAME COMMAND...: is dumped, valid, and opens in gdb as gdb sees it live
program()
{
	what=$1
	shift
	if ! have "$1"; then
		skip "$what" "$1 is not installed"
		return
	fi
	mkfifo "in.$what"
	"$@" <"in.$what" >"log.$what" 2>&1 &
	child=$!
	mine $child
	exec 6>"in.$what"
	[ "$what" != gdb ] || { echo 'print 6*7' >&6; wait_line "log.$what" 42; }
	# What the name starts may be a shell script that execs the program.
	[ "$what" != python3 ] || {
		echo 'import threading,time; threading.Thread(target=time.sleep, args=(99,), daemon=True).start(); print("up", flush=True)' >&6
		wait_line "log.$what" up
	}
	until_true 20 asleep $child
	ok "$what: dump" "$TAGCORE" dump -o "core.$what" $child
	exits 0 "$what: validates" "$TAGCORE" validate "core.$what"
	is "$what: no tracer is left" "$(status_of $child TracerPid)" 0
	if have gdb; then
		exe=$(readlink /proc/$child/exe)
		gdb -nx -batch -p $child -ex 'thread apply all bt' 2>/dev/null |
			frames >live
		gdb -nx -batch -ex 'thread apply all bt' "$exe" "core.$what" 2>/dev/null |
			frames >dead
		num "$what: gdb has frames" "$(wc -l <live)" -ge 3
		is "$what: gdb sees in the core what it sees live" "$(cat dead)" "$(cat live)"
	else
		skip "$what: gdb" "not installed"
	fi
	exec 6>&-
	finish $child
}

program shell dash -c 'read -r x; exit 0'
program gdb gdb -nx -q
program python3 python3 -q -i -c ''
program sleeper sleep 100
done_testing
