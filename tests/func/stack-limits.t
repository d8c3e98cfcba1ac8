# What stack waits for has limits, and a signal ends it: servers and file systems that hang, files that are not regular, links
# that lead out of a root directory, sections that unpack to gigabytes.
. "$TOP/tests/func/lib.sh"
need_ptrace

cp "$TARGETS/stacks" program && strip program || skip_all "no strip"
# As long as the test may take.
TARGET_LIFE=300 start ./program inline
ok "dump" "$TAGCORE" dump -q -o core "$PID"
LIVE=$PID
TAGCORE_CACHE=$PWD/cache
export DEBUGINFOD_CACHE_PATH="$TAGCORE_CACHE"

# ---- servers

# server HOW: one that does no good
server()
{
	rm -f server.log
	"$TARGETS/server" "$1" >server.log 2>&1 </dev/null &
	SERVER=$!
	mine $SERVER
	wait_line server.log '^ready' || bail server
	DEBUGINFOD_URLS=http://127.0.0.1:$(sed -n 's/^port //p' server.log)
	export DEBUGINFOD_URLS
	rm -rf "$TAGCORE_CACHE"
}

# Files that are not finished, and directories of build-ids in which nothing is.
cache_is_clean()
{
	is "$1: nothing unfinished is in the cache" \
		"$(find "$TAGCORE_CACHE" -mindepth 1 \( -name '*.??????' -o -type d -empty -o -size +0 -path '*/*/*/debuginfo' \) 2>/dev/null)" ""
}

server silent
have_client=
run env DEBUGINFOD_MAXTIME=1 timeout 60 "$TAGCORE" stack --source core
if has_line server.log request; then have_client=1; fi
if [ $have_client ]; then
	is "silent server: done" "$rc" 0
	matches "silent server: frames" out '#[0-9]'
	matches "silent server: says which limit" err 'debuginfod: no file within 1 s \(DEBUGINFOD_MAXTIME\)'
	is "silent server: asked once, and not again" "$(grep -c request server.log)" 1
	cache_is_clean "silent server"
else
	skip "servers" "no libdebuginfod: nobody is asked"
fi
finish $SERVER

# waiting COMMAND...: it runs, as PID $waiting, and waits for the server
waiting()
{
	n_requests=$(grep -c request server.log)
	"$@" >out 2>err &
	waiting=$!
	mine $waiting
	until_true 30 has_requests $((n_requests + 1)) || bail "a request of $1"
	waiting_child=$(cat "/proc/$waiting/task/$waiting/children" 2>/dev/null)
}
has_requests()
{
	[ "$(grep -c request server.log)" -ge "$1" ]
}
# ended DESCRIPTION STATUS
ended()
{
	until_true 10 gone $waiting || fail "$1: it goes on"
	wait $waiting
	is "$1: status" $? "$2"
	not_mine $waiting
	for c in $waiting_child; do
		until_true 10 gone "$c" || fail "$1: child $c goes on"
	done
	cache_is_clean "$1"
}

if [ $have_client ]; then
	server silent
	waiting "$TAGCORE" stack --source "$LIVE"
	kill -TERM $waiting
	ended "TERM while a server is waited for, live" 143
	waiting "$TAGCORE" stack --source core
	kill -HUP $waiting
	ended "HUP while a server is waited for" 129
	runs_free "$LIVE" "signals while a server is waited for"
	waiting "$TAGCORE" stack --source core
	kill -KILL $waiting
	ended "KILL while a server is waited for" 137
	# Jobs of a script do not get INT: it is ignored there.
	waiting "$TAGCORE" stack --source core
	kill -INT $waiting
	kill -TERM $waiting
	ended "INT is ignored and stays so" 143
	if env --default-signal=INT true 2>/dev/null; then
		waiting env --default-signal=INT "$TAGCORE" stack --source core
		kill -INT $waiting
		ended "INT while a server is waited for" 130
	else
		skip "INT while a server is waited for" "env cannot set it"
	fi
	waiting env DEBUGINFOD_MAXTIME=3 nohup "$TAGCORE" stack --source core
	kill -HUP $waiting
	ended "nohup: HUP does not end it" 0
	finish $SERVER

	for how in endless packed; do
		server $how
		ok "$how server" env DEBUGINFOD_MAXSIZE=1000000 timeout 60 "$TAGCORE" stack --source core
		matches "$how server: says which limit" err 'debuginfod: a file is larger than 1000000 bytes \(DEBUGINFOD_MAXSIZE\)'
		is "$how server: asked once, and not again" "$(grep -c request server.log)" 1
		cache_is_clean "$how server"
		finish $SERVER
	done
	server announced
	ok "announced size" env DEBUGINFOD_MAXSIZE=1000000 DEBUGINFOD_MAXTIME=2 timeout 60 "$TAGCORE" stack --source core
	matches "announced size: says which limit" err 'debuginfod: (a file is larger than 1000000 bytes|no file within 2 s)'
	cache_is_clean "announced size"
	finish $SERVER
fi
unset DEBUGINFOD_URLS

# ---- the end in any instant: the target runs, and the status is the signal's or that of a whole run
bad=
for i in $(seq 1 15); do
	"$TAGCORE" stack "$LIVE" >out 2>err &
	waiting=$!
	# Not to wait for anything: for another instant each time.
	sleep "0.$(printf '%03d' $((i * 10)))"
	kill -TERM $waiting 2>/dev/null
	wait $waiting 2>/dev/null
	case $? in 0 | 143) ;; *) bad="$bad $i:$?" ;; esac
done
is "TERM in any instant: the signal's status, or a whole run's" "$bad" ""
runs_free "$LIVE" "TERM in any instant"

# ---- a file system that does not answer
cp program hung
mkdir mnt
if ! is_root || ! "$TARGETS/hungfs" mnt true; then
	skip "hung file system" "no FUSE here"
else
	# The shell's expansion is the inner one's.
	# shellcheck disable=SC2016
	"$TARGETS/hungfs" mnt sh -c 'echo $$ >hung.pid; exec "$@"' - "$TAGCORE" stack --exe mnt/program core >hung.log 2>&1 &
	hungfs=$!
	mine $hungfs
	wait_line hung.log '^read' || diag <hung.log
	kill -TERM "$(cat hung.pid)"
	until_true 10 gone $hungfs
	wait $hungfs
	is "hung file system: TERM ends it" $? 143
	not_mine $hungfs
fi

# ---- files that are not regular: FIFOs in whose place nobody may read; a writer notices
fifo()
{
	rm -f "$1"
	mkfifo "$1"
	(exec 3>"$1") &
	writer=$!
	mine $writer
}
# still DESCRIPTION: nobody has opened it
still()
{
	if [ -e /proc/$writer ] && ! in_state $writer Z; then pass "$1: it was not opened"; else fail "$1: it was not opened"; fi
	finish $writer
}

mv program good
fifo program
ok "FIFO for the program" timeout 60 "$TAGCORE" stack core
matches "FIFO for the program: says so" err 'program is no regular file; not used'
still "FIFO for the program"
rm program

cp "$TARGETS/stacks" linked
objcopy --only-keep-debug linked linked.debug && strip linked && objcopy --add-gnu-debuglink=linked.debug linked
start ./linked inline
ok "debug link: dump" "$TAGCORE" dump -q -o linked.core "$PID"
finish
ok "debug link" "$TAGCORE" stack --source linked.core
matches "debug link: lines" out 'stacks\.c:[0-9]'
fifo linked.debug
ok "FIFO for the debug file" timeout 60 "$TAGCORE" stack --source linked.core
matches "FIFO for the debug file: says so" err 'linked.debug is no regular file; not used'
still "FIFO for the debug file"
rm -f linked.debug

# The shared file of dwz(1), as a name and a build-id of which there is no file.
cp "$TARGETS/stacks" shared
{ printf 'shared.dwz\0'; printf '%020d' 7; } >altlink
objcopy --add-section .gnu_debugaltlink=altlink shared
start ./shared inline
ok "shared debug file: dump" "$TAGCORE" dump -q -o shared.core "$PID"
finish
fifo shared.dwz
ok "FIFO for the shared debug file" timeout 60 "$TAGCORE" stack --source --inlines shared.core
matches "FIFO for the shared debug file: lines without it" out 'stacks\.c:[0-9]'
still "FIFO for the shared debug file"

waiting_program >waits.c
for v in 4 5; do
	if ! gcc -gdwarf-$v -O1 -gsplit-dwarf -c -o waits.o waits.c 2>log || ! gcc -o waits waits.o 2>>log; then
		skip "split DWARF $v" "no gcc"
		continue
	fi
	start ./waits
	ok "split DWARF $v: dump" "$TAGCORE" dump --force -q -o split.core "$PID"
	finish
	ok "split DWARF $v" "$TAGCORE" stack --source split.core
	matches "split DWARF $v: lines" out 'waits\.c:[0-9]'
	matches_not "split DWARF $v: nothing to say" err 'not used'
	fifo waits.dwo
	ok "FIFO for split DWARF $v" timeout 60 "$TAGCORE" stack --source split.core
	matches "FIFO for split DWARF $v: says so" err 'waits.dwo is no regular file; not used'
	still "FIFO for split DWARF $v"
	rm -f waits.dwo
done

# ---- --sysroot is a root directory
mv good program
mkdir -p "root$PWD" root/real
ln -s "$PWD/program" "root$PWD/program"
ok "sysroot: a link to itself" timeout 60 "$TAGCORE" stack --sysroot root core
matches "sysroot: a link to itself is not the file outside" err 'root.*program: no such file here'
up=$(printf '%s' "$PWD" | sed 's,/[^/]*,../,g')
ln -sf "$up../../../..$PWD/program" "root$PWD/program"
ok "sysroot: upwards" timeout 60 "$TAGCORE" stack --sysroot "$PWD/root" core
matches "sysroot: upwards does not lead out" err 'root.*program: no such file here'
cp program root/real/program
ln -sf /real/program "root$PWD/program"
ok "sysroot: an absolute link" "$TAGCORE" stack --sysroot root core
matches_not "sysroot: an absolute link leads to a file in it" err 'program: no such file here'

# ---- sections that unpack to much more than they are
# 80 MB by less than a hundred KB.
echo '.section .debug_macinfo,"",@progbits; .zero 80000000' >bomb.s
for how in zlib zlib-gnu zstd; do
	if ! gcc -g -O1 -c -o waits.o waits.c || ! gcc -Wa,--compress-debug-sections=$how -c -o bomb.o bomb.s 2>log ||
	    ! gcc "-Wl,--compress-debug-sections=$how" -o waits waits.o bomb.o 2>>log; then
		skip "$how: large sections" "the tools do not have it"
		continue
	fi
	num "$how: a small file" "$(size_of waits)" -lt 4000000
	start ./waits
	ok "$how: large sections" "$TAGCORE" stack --source "$PID"
	matches "$how: large sections: says so" err 'waits: 1 section is not used: unpacked, it would take too much memory'
	# Not every libelf unpacks zstd.
	[ $how = zstd ] || matches "$how: large sections: the rest is used" out 'waits\.c:[0-9]'
	finish
done
if have xz; then
	gcc -O1 -g -o waits waits.c && head -c 80000000 /dev/zero | xz >mini.xz && strip waits &&
		objcopy --add-section .gnu_debugdata=mini.xz waits
	start ./waits
	ok "xz: a large table of symbols" "$TAGCORE" stack "$PID"
	matches "xz: a large table of symbols: says so" err 'waits: 1 section is not used'
	finish
fi
finish "$LIVE"
done_testing
