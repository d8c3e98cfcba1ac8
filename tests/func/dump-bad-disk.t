# dump: a file behind a mapping that cannot be read (EIO) costs what only the file has.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
"$HELPER" bad-disk true 2>err || skip_all "no seccomp: $(cat err)"
start kinds
kill -STOP "$PID"
wait_state "$PID" T

# lost_of CORE: "START END" of what the file had
lost_of()
{
	"$TAGCORE" inspect missing "$1" |
		sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*  \(cannot be read\|cannot be read from the file\|not mapped in, .*\)$/\1 \2/p'
}

# of_file KIND: how often its whole area is given up because of the file
of_file()
{
	of_range=$(range_of "$1")
	"$TAGCORE" inspect missing core | grep -c "^${of_range% *}-${of_range#* } .*  cannot be read from the file\$"
}

exits 1 "exit 1" "$HELPER" bad-disk "$TAGCORE" dump --all -o core "$PID"
matches "the report says so" err 'MISSING'
ok "the core is valid" "$TAGCORE" validate core
is "a file of which nothing is mapped in" "$(of_file file-private)" 1
is "one of which some pages are copied: not as a whole" "$(of_file file-private-written)" 0
range=$(range_of file-private-written)
first=${range% *}
is "its copied pages are there, the others are not" "$("$CORECMP" state core "$first" $((first + 4096)) \
	$((first + 3 * 4096)) | tr '\n' ' ')" "present zero present "
range=$(range_of anon-touched)
is "nor is memory without a file lost" "$("$CORECMP" state core "${range% *}")" present
lost_of core >core.lost
num "ranges are lost" "$(wc -l <core.lost)" -ge 5
exits 0 "all else is the target's, byte for byte" "$CORECMP" mem core "$PID" core.lost
kill -CONT "$PID"
is "the target lives" "$(report)" alive
runs_free "$PID" "after that"

# By default only private copies of a file's pages are saved: nothing of file-private.
start threads 2
ok "a dump that reads no bad file is whole" "$HELPER" bad-disk "$TAGCORE" dump -o plain "$PID"
is "the target lives" "$(report)" "alive 2 heap intact"
done_testing
