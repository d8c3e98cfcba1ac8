# The drop-in for gdb's gcore.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
start threads 3
first=$PID first_log=$LOG
start kinds

ok "gcore PID" "$GCORE" "$first"
exists "writes core.PID" "core.$first"
matches "prints the message of gdb's gcore" out "^Saved corefile core\.$first\$"
ok "it validates" "$TAGCORE" validate "core.$first"
exits $PARTIAL "gcore -o PREFIX PID PID" "$GCORE" -o pre "$first" "$PID"
exists "PREFIX.PID" "pre.$first"
exists "and the other" "pre.$PID"
is "a message for each" "$(grep -c '^Saved corefile pre\.' out)" 2
is "and nothing else on standard output" "$(wc -l <out)" 2
echo old >"core.$first"
ok "an older core is replaced, as gdb's gcore does" "$GCORE" "$first"
num "by a core" "$(size_of "core.$first")" -gt 4096
ok "-d DIR is taken (gdb's data directory)" "$GCORE" -d /usr/share/gdb -o data "$first"
exists "and the core is where it belongs" "data.$first"
only_lost "the other" "pre.$PID"
range=$(range_of dontdump)
is "without -a: MADV_DONTDUMP is honoured" "$("$CORECMP" state "pre.$PID" "${range% *}")" absent
run "$GCORE" -a -o all "$PID"
is "-a: everything" "$("$CORECMP" state "all.$PID" "${range% *}")" present
# shellcheck disable=SC2016
ok "a prefix with a directory" sh -c 'mkdir sub && "$0" -o sub/x "$1"' "$GCORE" "$first"
exists "is there" "sub/x.$first"
ok "a prefix is no template" "$GCORE" -o 'a%tb' "$first"
exists "its % stays" "a%tb.$first"

run "$GCORE" -o some "$first" 999999999
is "one of two fails: not 0" "$((rc != 0))" 1
exists "the other is saved" "some.$first"
matches_not "the one that failed is not announced" out '999999999'
run "$GCORE" 999999999
is "none: not 0" "$((rc != 0))" 1
num "with a message on standard error" "$(wc -l <err)" -ge 1
run "$GCORE"
is "no PID: not 0" "$((rc != 0))" 1
matches "usage" err '[Uu]sage|PID|pid'
run "$GCORE" -x "$first"
is "an unknown option: not 0" "$((rc != 0))" 1
run "$GCORE" "$first" -o late
like "both live" "$(report "$first" "$first_log") $(report)" "alive 3 heap intact alive"
runs_free "$first" "after gcore"
done_testing
