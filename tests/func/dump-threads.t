# dump: many threads, and threads that come and go.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
many=2000
# dash's ulimit has no -u.
limit=$(sed -n 's/^Max processes *\([^ ]*\).*/\1/p' /proc/self/limits)
if [ "$limit" != unlimited ] && [ "$limit" -lt 4000 ]; then
	many=$((limit / 4))
fi
start threads $many
ok "dump of $many threads" "$TAGCORE" dump --json -o many "$PID"
json_is "all are counted" out '.dumps[0].threads' $((many + 1))
diag "stopped for $(json out '.dumps[0].pause_us') us"
"$CORECMP" notes many >notes
is "a PRSTATUS each" "$(grep -c '^CORE 0x1 ' notes)" $((many + 1))
is "each another" "$(awk '$1 == "CORE" && $2 == "0x1" { print $4 }' notes | sort -u | wc -l)" \
	$((many + 1))
is "the leader first" "$(awk '$1 == "CORE" && $2 == "0x1" { print $4; exit }' notes)" "$PID"
ok "it validates" "$TAGCORE" validate many
is "all live" "$(report)" "alive $many heap intact"
runs_free "$PID" "after that"
finish
rm -f many

start churn 3
bad=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	run "$TAGCORE" dump --force -o churn "$PID"
	# 1: an area can be gone between the look and the stop; it is said then.
	[ "$rc" -le 1 ] || { bad=$((bad + 1)); diag "dump $i: exit $rc: $(cat err)"; }
	"$TAGCORE" validate churn >valid 2>&1 || { bad=$((bad + 1)); diag <valid; }
	[ "$("$CORECMP" notes churn | grep -c '^CORE 0x1 ')" -ge 4 ] || {
		bad=$((bad + 1))
		diag "dump $i: too few threads"
	}
done
is "10 dumps while threads and areas come and go" "$bad" 0
ok "it goes on" goes_on alive
runs_free "$PID" "after that"
done_testing
