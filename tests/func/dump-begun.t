# A call that a thread begins just as it is stopped: it does not come back with EINTR, whichever it is.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
: "${DUMPS_N:=$(soak_or 20 500)}"
life 3000

begun() { report | sed 's/^begun \([0-9]*\) .*/\1/'; }
# shellcheck disable=SC2317 # as an argument
begins_more() { [ "$(begun)" -gt "$1" ]; }

# begins WHAT [handler]
begins()
{
	what=$1
	shift
	start begins "$@"
	n=0
	while [ $n -lt "$DUMPS_N" ]; do
		n=$((n + 1))
		"$TAGCORE" dump -q --force -o core "$PID" 2>err || diag "$(head -n 1 err)"
	done
	like "$what: none has ended" "$(report)" "begun * noticed 0 nothing"
	ok "$what: they go on" until_true 20 begins_more "$(begun)"
	runs_free "$PID" "$what"
	finish
}

begins "no handlers"
begins "one has a handler" handler
done_testing
