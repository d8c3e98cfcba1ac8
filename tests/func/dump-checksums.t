# dump --checksums: validate finds what was damaged since, wherever that is, and repair keeps all else.
. "$TOP/tests/func/lib.sh"
need_ptrace
have python3 || skip_all "no python3"
start kinds

# valid DESCRIPTION FILE: it has checksums, and they are right
valid()
{
	run "$TAGCORE" inspect notes "$2"
	matches "$1: the note is the last" out 'NT_TAGCORE_CHECKSUMS .*blocks of 1048576 bytes'
	run "$TAGCORE" validate "$2"
	matches_not "$1: the checksums are right" out 'tagcore-checksums'
}

# ---- ways of writing
exits $PARTIAL "a plain core" "$TAGCORE" dump -q --checksums -o plain "$PID"
valid "plain" plain
exits $PARTIAL "a packed one" "$TAGCORE" dump -q -z --checksums -o packed "$PID"
valid "packed" packed.zst
if have zstd; then
	zstd -q -d packed.zst -o unpacked
	valid "unpacked" unpacked
fi
"$TAGCORE" dump -q --checksums -o - "$PID" >streamed
valid "streamed" streamed
exits $PARTIAL "stacks" "$TAGCORE" dump -q --stacks --checksums -o stacks "$PID"
valid "stacks" stacks
exits $PARTIAL "a snapshot" "$TAGCORE" dump -q -s --checksums -o snapshot "$PID"
valid "snapshot" snapshot
exits $PARTIAL "a plain core without" "$TAGCORE" dump -q -o without "$PID"
run "$TAGCORE" inspect notes without
matches_not "without: no note" out CHECKSUMS
run "$TAGCORE" validate without
matches_not "and no word of it" out checksums
case $(uname -m) in
x86_64 | aarch64)
	life 300
	start drift 16 5000
	for i in 1 2 3; do
		ok "pre-copy $i" "$TAGCORE" dump -q --force --max-pause 0.1 --checksums -o precopied "$PID"
		valid "pre-copy $i" precopied
	done ;;
esac

# ---- damage
cat >damage.py <<'PY'
import struct, sys

def segments(d):
    phoff, = struct.unpack_from("<Q", d, 32)
    phnum, = struct.unpack_from("<H", d, 56)
    return [struct.unpack_from("<IIQQQQQQ", d, phoff + 56 * i) for i in range(phnum)]

d = bytearray(open(sys.argv[1], "rb").read())
loads = [s for s in segments(d) if s[0] == 1 and s[5]]
largest = max(loads, key=lambda s: s[5])
note = d.rfind(struct.pack("<I", 0x54430006) + b"TAGCORE\0") - 8
end = segments(d)[-1][2] + segments(d)[-1][5]
places = {
    "header": 18, "phdr": 64 + 56 + 8, "phdr-size": 64 + 33, "note-type": 24 + 8 + segments(d)[0][2],
    "memory": largest[2] + largest[5] // 2, "hole": 0, "value": note + 20 + 24, "own": note + 20 + 16,
    "sums-type": note + 8, "late-note": segments(d)[-1][2] + 30,
}
zero = bytes(4096)
places["hole"] = next(o for s in loads for o in range(s[2], s[2] + s[5], 4096) if d[o:o + 4096] == zero) + 77
for name, off in places.items():
    d[off] ^= 4
    open("bad." + name, "wb").write(d)
    d[off] ^= 4
    print(name, "0x%x" % (off >> 20 << 20), "0x%x" % note)
open("bad.junk", "wb").write(d + b"junk")
PY
if [ "$(uname -m)" != x86_64 ] && [ "$(uname -m)" != aarch64 ]; then
	skip "damage" "the script is for 64-bit little-endian"
	done_testing
	exit
fi
ok "damaged copies" python3 damage.py plain
cp out places
while read -r name block note; do
	case $name in
	value | own) at=$note ;;
	sums-type) at=0x40 ;;
	*) at=$block ;;
	esac
	exits 1 "$name: validate finds damage" "$TAGCORE" validate "bad.$name"
	matches "$name: where it is" out "error tagcore-checksums at $at:"
	is "$name: once" "$(grep -c tagcore-checksums out)" 1
	[ $at = "$block" ] || continue
	exits 0 "$name: repair" "$TAGCORE" repair --force "bad.$name" "good.$name"
	matches "$name: says it" out "^checksum-damage at $at: .*its checksum is wrong"
	run "$TAGCORE" validate "good.$name"
	matches_not "$name: the checksums are void" out tagcore-checksums
	matches "$name: the loss is recorded" out tagcore-lost
	run "$TAGCORE" repair --force "good.$name" again
	is "$name: repaired once" "$(head -n 1 out)" "nothing to repair"
	ok "$name: the same again" cmp "good.$name" again
done <places
exits 1 "junk at the end" "$TAGCORE" validate bad.junk
matches "is found" out 'tagcore-checksums at .* what follows it is'
run "$TAGCORE" inspect notes good.memory
matches "the note says that it is void" out 'void: a repair has changed the core'

# ---- what is kept
run "$TAGCORE" inspect missing plain
grep -v -e rule -e ' ranges, ' out | tr -s ' ' >before
run "$TAGCORE" inspect missing good.memory
grep -v -e rule -e ' ranges, ' out | tr -s ' ' >after
exits 0 "what is missing more" test "$(diff before after | grep -c '^>')" -ge 1
is "has the reason" "$(diff before after | grep '^>' | grep -vc 'lost: its checksum is wrong\|not memory')" 0
"$CORECMP" notes plain | grep -v TAGCORE >notes
is "the notes are the same" "$("$CORECMP" notes good.memory | grep -v TAGCORE)" "$(cat notes)"
gdb -nx -batch -ex 'info threads' -ex bt "$TARGETS/kinds" good.memory >gdb.out 2>&1
is "gdb opens it" "$(grep -ciE 'truncated|not in executable format|not a core' gdb.out)" 0
matches "and has its threads" gdb.out 'LWP'
if have eu-readelf; then
	for core in plain good.memory; do
		ok "eu-readelf reads $core" eu-readelf -hln "$core"
	done
fi

# ---- a packed one: frames that are good are kept
python3 -c '
d = bytearray(open("packed.zst", "rb").read())
d[len(d) // 2] ^= 16
open("bad.zst", "wb").write(d)'
exits 1 "a damaged frame" "$TAGCORE" validate bad.zst
matches "is found" out 'packed-damaged'
matches "and what was in it" out 'tagcore-checksums at .* cannot be unpacked'
exits 0 "repair" "$TAGCORE" repair bad.zst good.packed
matches "keeps the others" out '^packed-damage at '
matches_not "and finds no other damage" out '^checksum-damage'
done_testing
