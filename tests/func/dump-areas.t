# dump: 30,000 areas, and names that break parsers.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
# A slow machine (an emulated one) takes longer than a target lives by itself.
life 290
many=30000
max=$(cat /proc/sys/vm/max_map_count 2>/dev/null || echo 65530)
[ "$max" -gt 31000 ] || many=$((max - 1000))
start manyareas $many
kill -STOP "$PID"
wait_state "$PID" T
ok "dump of $many areas" "$TAGCORE" dump --json -o areas "$PID"
num "all are counted" "$(json out '.dumps[0].areas')" -gt $many
diag "stopped for $(json out '.dumps[0].pause_us') us"
num "a PT_LOAD each" "$(readelf -lW areas 2>/dev/null | grep -c '^  LOAD')" -gt $many
exits 0 "memory is the target's" "$CORECMP" mem areas "$PID"
diag <out
ok "it validates" "$TAGCORE" validate areas
kill -CONT "$PID"
wait_state "$PID" S
is "it lives" "$(report)" alive
finish
rm -f areas

# More than fit into e_phnum: PN_XNUM.  The kernel's limit must be raised for it.
if is_root && [ -w /proc/sys/vm/max_map_count ]; then
	exec 8</proc/sys/vm/max_map_count
	# Read only under the lock: another run may have raised it meanwhile.
	if flock -w 60 8; then
		at_end "echo $(cat /proc/sys/vm/max_map_count) >/proc/sys/vm/max_map_count"
		echo "$(soak_or 140000 1020000)" >/proc/sys/vm/max_map_count
	fi
fi
if [ "$(cat /proc/sys/vm/max_map_count)" -ge 70000 ]; then
	start manyareas 66000
	ok "dump of 66,000 areas" "$TAGCORE" dump -o xnum "$PID"
	matches "e_phnum is PN_XNUM" err . && readelf -hW xnum >h 2>/dev/null
	matches "readelf sees the real number" h 'program headers: +65535 \(6[67][0-9]{3}\)'
	ok "it validates" "$TAGCORE" validate xnum
	if have gdb; then
		addr=$(sed -n 's/^map \(.*\) .*/\1/p' "$LOG")
		live=$(gdb -nx -batch -p "$PID" -ex "x/gx $addr" 2>/dev/null | grep "^$addr")
		run gdb -nx -batch -ex "x/gx $addr" "$TARGETS/manyareas" xnum
		is "gdb reads the same word from it" "$(grep "^$addr" out)" "$live"
	else
		skip "gdb reads it" "not installed"
	fi
	# With so many, the checksums are of 4 MiB of program headers, and of the section header that has their number.
	exits 0 "with checksums" "$TAGCORE" dump --force --checksums -o xnum "$PID"
	ok "they are right" "$TAGCORE" validate xnum
	readelf -hW xnum >h 2>/dev/null
	phdr=$(($(sed -n 's/.*Start of program headers: *\([0-9]*\).*/\1/p' h) + 66000 * 56))
	shdr=$(sed -n 's/.*Start of section headers: *\([0-9]*\).*/\1/p' h)
	for at in $phdr $shdr; do
		cp xnum damaged
		printf '\001' | dd of=damaged bs=1 seek=$((at + 8)) conv=notrunc status=none
		exits 1 "validate finds a byte at $at that is damaged" "$TAGCORE" validate damaged
		case $at in
		"$phdr") matches "where it is" out "tagcore-checksums at $(printf '0x%x' $((at >> 20 << 20))):" ;;
		"$shdr") matches "what it is" out "tagcore-checksums at .*: it is damaged itself, or what follows it is" ;;
		esac
	done
	rm damaged
	finish
	rm -f xnum
else
	skip "66,000 areas" "vm.max_map_count cannot be raised"
fi

# many_at_once WAY ARG...: so many areas that a table of them is what counts: in less than 1 KiB each of ours
many_at_once()
{
	many_way=$1
	shift
	many_line=$("$TARGETS/benchrun" 1 1200 true \
		"exec '$O/tagcore' dump -q --force $* --json -o huge $PID >json 2>err; exit 127") || bail benchrun
	diag "$many_way: stopped for $(json json '.dumps[0].pause_us') us, seconds, processor, KiB, status: $many_line"
	is "$many_way: 500,000 areas" "$(echo "$many_line" | awk '{ print $4 }') $(cat err)" "0 "
	num "$many_way: a PT_LOAD each" "$(json json '.dumps[0].areas')" -gt 500000
	num "$many_way: in bounded memory" "$(echo "$many_line" | awk '{ print $3 }')" -lt 500000
	exits 0 "$many_way: memory is the target's" "$CORECMP" mem huge "$PID"
	ok "$many_way: it validates" "$O/tagcore" validate huge
	rm -f huge
}
if soak && [ "$(cat /proc/sys/vm/max_map_count)" -ge 1020000 ]; then
	life 3000
	start manyareas 500000
	many_at_once plain
	many_at_once snapshot --snapshot
	many_at_once pre-copied --max-pause 100
	is "it lives" "$(report)" alive
	finish
	life 290
fi

# ---- names
start names
ok "dump" "$TAGCORE" dump -o names "$PID"
diag <err
ok "it validates" "$TAGCORE" validate names
ok "inspect maps" "$TAGCORE" inspect maps names
matches_not "no control character reaches the terminal" out "$(printf '[\001-\010\013-\037\177]')"
ok "inspect maps --json" "$TAGCORE" inspect maps --json names
is_json "is JSON, whatever the names are" out
cp out maps.json

# has_name ADDRESS PATTERN DESCRIPTION: the name of the area at the address
area_name()
{
	i=0
	n=$(json maps.json '#')
	while [ $i -lt "$n" ]; do
		if [ "$(json maps.json "[$i].start")" = "$1" ]; then
			json maps.json "[$i].name"
			return
		fi
		i=$((i + 1))
	done
	echo "no such area"
}

while read -r how want; do
	addr=$(sed -n "s/^name \(.*\) $how\$/\1/p" "$LOG")
	if grep -q "^skip $how" "$LOG"; then
		skip "name: $how" "the kernel does not name anonymous areas"
		continue
	fi
	like "name: $how" "$(area_name "$addr")" "$want"
done <<'EOF'
newline */new*line
space */with two  spaces?
looks-deleted */alive (deleted)
unlinked */unlinked (deleted)
unlinked-newline */un*linked (deleted)
literal-escape */back\\012slash
quote */"quo'te"
looks-special */[[]heap]
memfd */memfd:tagcore memfd (deleted)
shared-anon */dev/zero (deleted)
anon-named [[]anon:tagcore anon]
EOF
is "content of the file called alive (deleted)" \
	"$(strings -a names | grep -c '^content of looks-deleted')" 1
is "it lives" "$(report)" alive
done_testing
