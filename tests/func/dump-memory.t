# dump: every byte in the core is the target's; nothing in the target grows.
. "$TOP/tests/func/lib.sh"
need_ptrace

# same WHAT CORE [N]: the core against the (stopped) target; N ranges cannot be read
same()
{
	only_lost "$1" "$2" "${3-0}"
	exits 0 "$1: memory is the target's, byte for byte" "$CORECMP" mem "$2" "$PID" "$2.lost"
	diag <out
}

freeze()
{
	kill -STOP "$PID"
	wait_state "$PID" T || diag "did not stop"
}

thaw()
{
	kill -CONT "$PID"
	wait_state "$PID" SRD || diag "did not go on"
}

# Second page of the area that the target printed as "map START END".
map_page()
{
	printf '%#x' $(($(sed -n 's/^map \(.*\) .*/\1/p' "$LOG") + 4096))
}

for how in random pattern; do
	start bigmem $how 96M
	freeze
	ok "bigmem $how" "$TAGCORE" dump -o big "$PID"
	same "bigmem $how" big
	is "its area is in the core" "$("$CORECMP" state big "$(map_page)")" present
	num "dense: all of it is on disk" "$(disk_of big)" -ge $((96 << 20))
	thaw
	is "and the target has it still" "$(report)" intact
	finish
	rm big
done

# 4 GiB mapped, 4 MiB touched
start bigmem sparse 4G 4M
freeze
rss=$(status_of "$PID" VmRSS) pte=$(status_of "$PID" VmPTE)
exits 0 "bigmem sparse" "$TAGCORE" dump --json -o sparse "$PID"
is "VmRSS has not grown" "$(status_of "$PID" VmRSS)" "$rss"
is "VmPTE has not grown" "$(status_of "$PID" VmPTE)" "$pte"
json_is "the report says the same (RSS)" out '.dumps[0].target_rss_after' \
	"$(json out '.dumps[0].target_rss_before')"
json_is "the report says the same (PTE)" out '.dumps[0].target_pte_after' \
	"$(json out '.dumps[0].target_pte_before')"
num "the core is as long as the mapping" "$(size_of sparse)" -gt $((4 << 30))
# What is touched: 4 MiB and what libc and the stack have; 2% and the headers above it.
num "and takes on disk what is touched" "$(disk_of sparse)" -le $((rss * 1024 * 102 / 100 + 65536))
num "but not less than was touched" "$(disk_of sparse)" -ge $((4 << 20))
thaw
is "the target's memory is intact" "$(report)" intact
finish
rm -f sparse

start bigmem sparse 512M 2M
freeze
ok "bigmem sparse, smaller" "$TAGCORE" dump -o sparse "$PID"
same "bigmem sparse" sparse
finish
rm -f sparse

# ---- every kind of area
start kinds
freeze
sed -n 's/^skip/skip:/p' "$LOG" | diag
exits $PARTIAL "kinds" "$TAGCORE" dump -o kinds "$PID"
if [ $PARTIAL -eq 0 ]; then
	matches "nothing is missing" err 'nothing missing'
else
	matches "something is missing" err 'MISSING'
fi
guards=$(grep -c '^kind guarded ' "$LOG")
[ "$guards" -eq 0 ] || matches "guard pages are not missing, but known to have no content" err ', 16.0 KiB of guard pages'
same kinds kinds
num "what cannot be had here, in ranges" "$(wc -l <kinds.lost)" -ge $PARTIAL
while read -r name want; do
	range=$(range_of "$name")
	if [ -z "$range" ]; then
		skip "$name" "$(sed -n "s/^skip $name //p" "$LOG")"
		continue
	fi
	start_=${range% *}
	# Its 16 pages in short: p(resent) z(ero) a(bsent) u(nmapped).
	got=$(i=0; while [ $i -lt 16 ]; do
		printf '%#x ' $((start_ + i * 4096))
		i=$((i + 1))
	done | xargs "$CORECMP" state kinds | sed 's/^\(.\).*/\1/' | tr -d '\n')
	# Not root: what is not mapped in is lost, and reads as zero.
	case $PARTIAL$name in
	1memfd-hidden | 1file-deleted) want=zzzzzzzzzzzzzzzz ;;
	1memfd-hidden-private) want=pzzpzzpzzpzzpzzp ;;
	esac
	is "$name" "$got" "$want"
done <<'EOF'
anon-touched pppppppppppppppp
anon-partial pzzpzzpzzpzzpzzp
anon-untouched zzzzzzzzzzzzzzzz
anon-zero-read zzzzzzzzzzzzzzzz
anon-dropped ppppzzzzpppppppp
anon-exec pzzpzzpzzpzzpzzp
anon-writeonly pppppppppppppppp
none-written pppppppppppppppp
dontdump aaaaaaaaaaaaaaaa
dontfork pppppppppppppppp
wipeonfork pppppppppppppppp
growsdown pzzpzzpzzpzzpzzp
guarded ppppzzzzpppppppp
shared-anon pzzpzzpzzpzzpzzp
shared-anon-untouched zzzzzzzzzzzzzzzz
file-private aaaaaaaaaaaaaaaa
file-private-written pppppppppppppppp
file-elf paaaaaaaaaaaaaaa
file-shared aaaaaaaaaaaaaaaa
memfd pzzpzzpzzpzzpzzp
file-short aaaaaaaaaaaaaaaa
memfd-private pzzpzzpzzpzzpzzp
memfd-hidden pppppppppppppppp
memfd-hidden-private pppppppppppppppp
memfd-open pppppppppppppppp
file-deleted pppppppppppppppp
sysv-shm pzzpzzpzzpzzpzzp
EOF
thaw
is "kinds lives" "$(report)" alive
kill -STOP "$PID"
wait_state "$PID" T
exits 1 "--all: what is missing is said" "$TAGCORE" dump --all -o kinds-all "$PID"
diag <err
matches "--all: past the end of a short file" err 'missing .*\(56.0 KiB\): past the end of its file'
same "kinds --all" kinds-all $(($(grep -c '^kind secret ' "$LOG") + $(past_of_kinds)))
for name in dontdump file-private file-shared memfd; do
	range=$(range_of $name)
	is "--all saves $name" "$("$CORECMP" state kinds-all "${range% *}")" present
done
range=$(range_of file-short)
is "--all saves what a short file has" "$("$CORECMP" state kinds-all "${range% *}")" present
ok "it validates" "$TAGCORE" validate kinds-all
finish
done_testing
