# Memory tags of an arm64 core, looked at on any machine: tags, memory --tags, faults.
. "$TOP/tests/func/lib.sh"
"$TARGETS/mtecore" core || bail mtecore

# has DESCRIPTION WANT COMMAND...: what it prints, without the spaces that align it
has()
{
	has_what=$1 has_want=$2
	shift 2
	ok "$has_what" "$@"
	is "$has_what: prints" "$(tr -s ' ' <out)" "$has_want"
}

ok "validate --strict" "$TAGCORE" validate --strict core
# An area that is left out has no tags, and the kernel does the same.
is "nothing but a hint" "$(sed 's/ at .*//' out | grep -v quirk-gdb-machine)" "core: info file-missing
core: info mte-no-data"
case $(uname -m) in
aarch64) matches_not "this machine's gdb reads it" out quirk-gdb-machine ;;
*) matches "a gdb for this machine alone does not" out 'info quirk-gdb-machine .*crashes.*gdb-multiarch' ;;
esac

# ---- summary
ok "summary" "$TAGCORE" inspect core
matches "the pointer's tag beside the memory's" out \
	'^tag fault  synchronous at 0x500010: pointer tag 0xb, memory tag 0x5$'
matches "how accesses are checked" out '^tag check  synchronous, new tags from the mask 0xfffe$'
matches "how many areas" out '^tagged     3 areas$'
ok "summary --json" "$TAGCORE" inspect --json core
json_is "fault_tag" out .fault_tag 11
json_is "fault_memory_tag" out .fault_memory_tag 5
json_is "fault_address" out .fault_address 0xb00000000500010
json_is "mte_segments" out .mte_segments 3
json_is "tag_ctrl.sync" out .tag_ctrl.sync true
json_is "tag_ctrl.async" out .tag_ctrl.async false
json_is "tag_ctrl.include_mask" out .tag_ctrl.include_mask 0xfffe
json_is "tag_ctrl.all_threads" out .tag_ctrl.all_threads true
"$TARGETS/mtecore" async 8
ok "summary of an asynchronous fault" "$TAGCORE" inspect async
matches "has no address" out '^tag fault  asynchronous: '
matches_not "and does not make one up" out 'address 0x'
ok "the same --json" "$TAGCORE" inspect --json async
for key in fault_tag fault_memory_tag fault_address; do
	json_is "$key" out .$key null
done
"$TARGETS/mtecore" plain 1
ok "another fault" "$TAGCORE" inspect --json plain
json_is "has no fault_tag" out .fault_tag null

# ---- maps
ok "maps --json" "$TAGCORE" inspect maps --json core
is "tagged areas" "$(for i in 0 1 2 3 4; do json out "[$i].mte"; done | tr '\n' ' ')" "false true true true false "
ok "maps" "$TAGCORE" inspect maps core
num "marked in the text, too" "$(grep -c '(mte)$' out)" -eq 3

# ---- tags
ok "tags" "$TAGCORE" inspect tags core
is "the first runs" "$(head -n 3 out | tr -s ' ')" "0x500000-0x501000 4.0 KiB 0x5
0x501000-0x501010 16 B 0x0
0x501010-0x501020 16 B 0x1"
is "what is not stored is absent" "$(tail -n 4 out | tr -s ' ')" "0x600000-0x601000 4.0 KiB 0x3
0x601000-0x604000 12.0 KiB absent
0x700000-0x702000 8.0 KiB absent
772 runs, the tags of 20.0 KiB; those of 20.0 KiB are absent"
has "tags START-END" "0x500ff0-0x501000 16 B 0x5
0x501000-0x501010 16 B 0x0
2 runs, the tags of 32 B" "$TAGCORE" inspect tags 500ff0-0x501010 core
has "of pointers with a tag" "0x500ff0-0x501000 16 B 0x5
0x501000-0x501010 16 B 0x0
2 runs, the tags of 32 B" "$TAGCORE" inspect tags 0x0b00000000500ff0-0xff00000000501010 core
has "of a part of a granule: all of it" "0x5010f0-0x501100 16 B 0xf
1 run, the tags of 16 B" "$TAGCORE" inspect tags 0x5010f1-0x5010f2 core
has "of one address" "0x5010f0-0x501100 16 B 0xf
1 run, the tags of 16 B" "$TAGCORE" inspect tags 0x5010ff core
has "where there are none" "0 runs, the tags of 0 B" "$TAGCORE" inspect tags 0x800000-0x801000 core
ok "tags --json" "$TAGCORE" inspect tags --json 0x600ff0-0x601010 core
is_json "is JSON" out
has_keys "keys" out '[0]' start end tag
json_is "known" out '[0].tag' 3
json_is "absent is null, not 0" out '[1].tag' null
json_is "end" out '[1].end' 0x601010
ok "options may stand anywhere" "$TAGCORE" inspect tags core --json
json_is "all runs" out '#' 772

# ---- memory
has "memory --tags" "0x000000500ff0 [5] 59 5a 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e |YZABCDEFGHIJKLMN|
0x000000501000 [0] 4f 50 51 52 53 54 55 56 57 58 59 5a 41 42 43 44 |OPQRSTUVWXYZABCD|" \
	"$TAGCORE" inspect memory --tags 0x500ff0 32 core
has "without tags, from within a line, through a pointer" "0x000000500ff0 4d 4e | MN|
0x000000501000 4f |O |" "$TAGCORE" inspect memory 0x0b00000000500ffe 3 core
has "absent is not zero" "0x000000600ff0 [3] 59 5a 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e |YZABCDEFGHIJKLMN|
0x000000601000 [-] -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- | |" \
	"$TAGCORE" inspect memory --tags 0x600ff0 0x20 core
has "nor is unmapped" "0x000000603ff0 [-] -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- | |
0x000000604000 ** ** ** ** ** ** ** ** ** ** ** ** ** ** ** ** | |" \
	"$TAGCORE" inspect memory --tags 0x603ff0 32 core
ok "a length with a suffix" "$TAGCORE" inspect memory 0x500000 20K core
num "sixteen a line" "$(wc -l <out)" -eq 1280
ok "no length" "$TAGCORE" inspect memory 0x500000 core
num "256 bytes" "$(wc -l <out)" -eq 16
ok "the end of the address space" "$TAGCORE" inspect memory fffffffffffffff0 1K core
num "is the end" "$(wc -l <out)" -eq 1
ok "memory --json" "$TAGCORE" inspect memory --json --tags 0x603fff 2 core
is_json "is JSON" out
json_is "absent" out '.ranges[0].state' absent
json_is "has no bytes" out '.ranges[0].bytes' null
json_is "unmapped" out '.ranges[1].state' unmapped
json_is "tag" out '.tags[0].tag' null
ok "memory --json, present" "$TAGCORE" inspect memory --json --tags 0x501010 4 core
json_is "bytes" out '.ranges[0].bytes' 45464748
json_is "tag" out '.tags[0].tag' 1
ok "unmapped memory without end is one range" "$TAGCORE" inspect memory --json 0x900000 0x7fffffffffff core
json_is "one" out '.ranges#' 1

# ---- command lines
exits 2 "memory needs an address" "$TAGCORE" inspect memory core
exits 2 "memory takes two operands" "$TAGCORE" inspect memory 0 1 2 core
exits 2 "an address is a number" "$TAGCORE" inspect memory heap core
exits 2 "so is a length" "$TAGCORE" inspect memory 0 much core
exits 2 "tags takes one range" "$TAGCORE" inspect tags 0-1 2-3 core
exits 2 "which is not empty" "$TAGCORE" inspect tags 500000-500000 core
exits 2 "nor backwards" "$TAGCORE" inspect tags 500010-500000 core
exits 2 "and has two ends" "$TAGCORE" inspect tags 500000- core
exits 2 "maps takes none" "$TAGCORE" inspect maps 0-1 core
exits 2 "--tags is not for maps" "$TAGCORE" inspect maps --tags core
cp core tags
ok "a core that is called like a view" "$TAGCORE" inspect tags
matches "gets a summary" out '^tag check'
ok "and is looked at by that view" "$TAGCORE" inspect tags tags

# ---- cut short
head -c $(($(size_of core) - 200)) core >cut
exits 1 "validate: tags cut off" "$TAGCORE" validate cut
matches "says so" out 'error seg-truncated at .*memory tags'
ok "tags of what is left" "$TAGCORE" inspect tags --json cut
json_is "what is there is known" out '[624].tag' 15
json_is "cut off is absent" out '[625].tag' null
json_is "in every segment" out '#' 628

# ---- other readers
# Debian's gdb is for this machine alone, and version 16 crashes on other machines' cores.
for gdb in gdb-multiarch gdb; do
	! have $gdb || break
done
if have $gdb; then
	$gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'core-file core' \
		-ex 'memory-tag print-allocation-tag (char*)0x500010' \
		-ex 'memory-tag print-allocation-tag (char*)0x5010f0' >out 2>&1
	if grep -q 'not a core dump\|not supported\|Undefined\|Cannot\|No core\|Fatal signal' out; then
		skip "gdb reads the same tags" "this gdb does not know arm64 cores"
	else
		is "gdb reads the same tags" "$(sed -n 's/^\$[0-9]* = 0x//p' out | tr '\n' ' ')" "5 f "
	fi
else
	skip "gdb reads the same tags" "no gdb"
fi
done_testing
