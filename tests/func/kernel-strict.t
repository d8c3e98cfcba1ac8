# Whatever state a process dies in: the core that the kernel makes of it is a good one, also with
# --strict, unless a stack was left out.
. "$TOP/tests/func/lib.sh"
# Every sh has ulimit -c.
# shellcheck disable=SC3045
ulimit -c unlimited 2>/dev/null || skip_all "no core files: $(grep core /proc/self/limits)"
is_root || skip_all "core_pattern is not ours to set"
own_core_pattern "$PWD/kernel.%e"

# strict WHAT PROGRAM ARG...
strict()
{
	what=$1
	shift
	rm -f kernel.*
	timeout 60 "$@" 9<&- >log 2>&1
	rc=$?
	if [ $rc -eq 77 ]; then
		skip "$what" "$(cat log)"
	elif [ ! -f "kernel.${1##*/}" ]; then
		fail "$what: no core, exit $rc"
	else
		exits 0 "$what: good" "$TAGCORE" validate "kernel.${1##*/}"
		case $what in
		unsaved-stack | filter-0)
			exits 1 "$what: strictly, its stack is missing" "$TAGCORE" validate --strict "kernel.${1##*/}"
			is "$what: and that is all" "$(grep -v ' info ' out | cut -d' ' -f3)" thread-stack ;;
		*)	exits 0 "$what: strictly good" "$TAGCORE" validate --strict "kernel.${1##*/}" ;;
		esac
	fi
}

for odd in $("$TARGETS/odd" list); do
	strict "$odd" "$TARGETS/odd" "$odd"
done
done_testing
