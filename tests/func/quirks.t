# What validate says of readers: a core with one thing changed that a reader here refuses, or
# sees less in, has that reader's quirk.  A later version may do better: then nothing is asked.
. "$TOP/tests/func/lib.sh"
need_ptrace
have python3 || skip_all "no python3"
case $(uname -m) in
x86_64|aarch64) ;;
*) skip_all "the changes are for 64-bit little-endian" ;;
esac
start threads 3
ok "dump" "$TAGCORE" dump -q -o good "$PID"
finish

# change NAME: the good core as the file NAME, changed
change()
{
	python3 - "$1" <<'EOF'
import struct
import sys
name = sys.argv[1]
b = bytearray(open("good", "rb").read())
phoff, = struct.unpack_from("<Q", b, 32)        # of a 64-bit header; the first segment is PT_NOTE
at, = struct.unpack_from("<Q", b, phoff + 8)
end = at + struct.unpack_from("<Q", b, phoff + 32)[0]
notes = []
while at < end:
    namesz, descsz, kind = struct.unpack_from("<III", b, at)
    notes.append((at, namesz, descsz, kind))
    at += 12 + (namesz + 3 & ~3) + (descsz + 3 & ~3)
first = {kind: (at, namesz, descsz) for at, namesz, descsz, kind in reversed(notes)}
if name == "align":         # of PT_NOTE
    struct.pack_into("<Q", b, phoff + 48, 16)
elif name == "owner":       # LINUX, of the first register set of vectors, becomes CORE
    at = first.get(0x202, first.get(0x405, (0,)))[0]
    struct.pack_into("<I", b, at, 5)
    b[at + 12:at + 20] = b"CORE\0\0\0\0"
elif name == "nameless":    # the last note's owner becomes a part of its descriptor
    at, namesz, descsz, kind = notes[-1]
    struct.pack_into("<II", b, at, 0, descsz + (namesz + 3 & ~3))
elif name == "noinfo":      # PRPSINFO becomes what nobody knows
    struct.pack_into("<I", b, first[3][0] + 8, 0x7777)
elif name == "tid":         # of the first PRSTATUS
    struct.pack_into("<I", b, first[1][0] + 20 + 32, 0)
open(name, "wb").write(b)
EOF
	"$TAGCORE" validate "$1" >"$1.findings" 2>err
}

# quirk NAME ID READER: READER, which takes the good core, does not take the core NAME
quirk()
{
	if ! $3 good; then
		skip "$2: $1" "the good core is refused here, too"
	elif $3 "$1"; then
		skip "$2: $1" "this version has no trouble with it"
	else
		matches "$2: $1" "$1.findings" " $2 "
	fi
}

# What a reader says, as the file seen: within a minute, and never at a prompt.  No pipe, as
# LLDB goes on for ever when grep has left.
reader()
{
	timeout 60 "$@" </dev/null >seen 2>/dev/null
}
gdb_opens() { reader gdb -nx -batch -ex "core $1" -ex 'info threads'; grep -q LWP seen; }
gdb_has_vectors()
{
	reader gdb -nx -batch -ex "core $1" -ex 'info registers vector'
	! grep -q unavailable seen
}
lldb_opens() { reader lldb -b -x -c "$1" -o 'thread list'; grep -q 'thread #1' seen; }
eu_opens() { reader eu-stack -n 1 --core "$1"; grep -q '^TID ' seen; }
eu_finds_all() { reader eu-stack -n 1 --core "$1"; [ "$(grep -c '^TID ' seen)" -eq 4 ]; }

for name in align owner nameless noinfo tid; do
	change $name
done
"$TAGCORE" validate good >good.findings
matches_not "the good core has the quirk of no reader" good.findings ' quirk-(gdb-notes|gdb-owner|lldb|elfutils)'
if have gdb; then
	quirk align quirk-gdb-notes gdb_opens
	case $(uname -m) in
	x86_64) quirk owner quirk-gdb-owner gdb_has_vectors ;;
	esac
else
	skip "gdb" "not installed"
fi
if have lldb; then
	quirk nameless quirk-lldb-notes lldb_opens
else
	skip "lldb" "not installed"
fi
if have eu-stack; then
	quirk noinfo quirk-elfutils-notes eu_opens
	quirk tid quirk-elfutils-tid eu_finds_all
else
	skip "elfutils" "no eu-stack"
fi
done_testing
