# tests/run itself: whatever becomes of a test, no process and no file of it is left.
. "$TOP/tests/func/lib.sh"
mkdir tmp t
# In the environment of whatever the inner run starts.
RUN_MARK=$$.$(date +%s%N)
export RUN_MARK

# test_file NAME: a test from standard input, begun by what leaves traces
test_file()
{
	{
		# The words are for that test.
		# shellcheck disable=SC2016
		echo '. "$TOP/tests/func/lib.sh"
		start threads 2
		kill -STOP "$PID"
		echo x >here; mkdir -p deep/er; echo x >deep/er/there; mktemp >/dev/null'
		cat
	} >"t/$1.t"
}

test_file good <<'EOT'
pass "good"
skip "skipped" "for a reason"
done_testing
EOT
test_file bad <<'EOT'
fail "bad"
done_testing
EOT
test_file bails <<'EOT'
bail "this"
EOT
test_file slow <<'EOT'
# Else the kernel ends it: a group that is left alone with stopped members gets SIGHUP.
kill -CONT "$PID"
wait_state "$PID" S
echo begun >"$RUN_BEGUN"
sleep 1000 &
mine $!
wait $!
EOT

# marked: the processes of the inner run that are left
marked()
{
	for p in /proc/[0-9]*; do
		if [ ! -r "$p/environ" ] || [ "${p#/proc/}" = $$ ]; then
			continue
		fi
		# It may be gone meanwhile.
		cat "$p/environ" 2>/dev/null | tr '\0' '\n' | grep -qx "RUN_MARK=$RUN_MARK" && echo "${p#/proc/}"
	done
}

# A substitution's own shell has the mark, too, and is gone when it is looked at again.
none_left()
{
	for p in $(marked); do
		gone "$p" || return 1
	done
}

clean()
{
	# A look takes longer than the pause between two: some ten seconds in all.
	if until_true 3 none_left; then
		pass "$1: no process is left"
	else
		fail "$1: no process is left"
		for p in $(marked); do
			diag "$p: $(tr '\0' ' ' <"/proc/$p/cmdline")"
			kill -KILL "$p"
		done
	fi
	is "$1: no file is left" "$(ls -A tmp)" ""
}

# inner TIMEOUT NAME: status of tests/run, its output in out
inner()
{
	TMPDIR=$PWD/tmp TEST_TIMEOUT=$1 RUN_BEGUN=$PWD/begun "$TOP/tests/run" "t/$2.t" >out 2>&1
}

inner 30 good
is "a good test: 0" $? 0
clean "a good test"
inner 30 bad
is "a bad test: not 0" $(($? != 0)) 1
clean "a bad test"
inner 30 bails
is "one that gives up: not 0" $(($? != 0)) 1
clean "one that gives up"
inner 1 slow
is "a slow one: not 0" $(($? != 0)) 1
matches "it is said why" out 'timed out after 1 s'
clean "a slow one"

# ---- ^C goes to the foreground's processes; what timeout(1) starts is none of them
rm -f begun
setsid env --default-signal=INT TMPDIR="$PWD/tmp" TEST_TIMEOUT=140 RUN_BEGUN="$PWD/begun" \
	"$TOP/tests/run" t/slow.t >out 2>&1 &
inner_pid=$!
mine $inner_pid
until_true 20 test -e begun || diag <out
# dash's own kill knows no groups.
ok "the group gets the signal" env kill -INT -- -$inner_pid
until_true 20 gone $inner_pid
wait $inner_pid
is "^C: not 0" $(($? != 0)) 1
not_mine $inner_pid
clean "^C"
done_testing
