# Executables and debug files that are not here come from a server of debuginfod, where one is named, and only then.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
have debuginfod || skip_all "no debuginfod"
have strip || skip_all "no strip"

mkdir served
cp "$TARGETS/stacks" served/program && cp "$TARGETS/stacks" program && strip program
start ./program inline
ok "dump" "$TAGCORE" dump -q -o core "$PID"
finish
rm program

# A free port: one that the server says it listens at.
serve()
{
	for port in 18002 28102 38202 48302; do
		: >server.log
		debuginfod -F "$PWD/served" -p $port -d :memory: >server.log 2>&1 </dev/null &
		server=$!
		mine $server
		until_true 30 has_line server.log 'groomed database\|started http server\|cannot' &&
			until_true 20 has_line server.log 'groomed database' && return 0
		kill -KILL $server
		wait $server 2>/dev/null
		not_mine $server
	done
	return 1
}
serve || { diag <server.log; skip "the rest" "the server does not start"; done_testing; }

DEBUGINFOD_CACHE_PATH=$PWD/cache
export DEBUGINFOD_CACHE_PATH
ok "no server is named" "$TAGCORE" stack --source --inlines core
matches_not "no server is named: no names" out case_
is "no server is named: nobody was asked" "$(grep -c GET server.log)" 0

DEBUGINFOD_URLS=http://127.0.0.1:$port
export DEBUGINFOD_URLS
ok "a server is named" "$TAGCORE" stack --source --inlines core
if ! grep -q GET server.log; then
	skip "a server is named: names" "libdw asks no servers here: no libdebuginfod"
	done_testing
fi
matches "a server is named: names" out ' case_inlined \(inlined\)'
matches "a server is named: lines" out 'stacks\.c:[0-9]'
matches_not "a server is named: nothing is incomplete" out incomplete
finish $server

ok "the server has gone: what it sent is kept" "$TAGCORE" stack core
matches "the server has gone: names" out ' case_inline\+'
DEBUGINFOD_CACHE_PATH=$PWD/other
ok "the server has gone, nothing is kept" timeout 60 "$TAGCORE" stack core
matches "the server has gone, nothing is kept: says what is missing" err 'program: no such file here'
done_testing
