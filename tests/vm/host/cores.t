# Cores of the arm64 machine, brought out of it: what debuggers of this machine and we read from them.
. "$TOP/tests/func/lib.sh"
. "$TOP/tests/vm/lib.sh"
PROGRAMS=$O/arm64/vm CALLS32=$O/arm64/targets/calls32 MTECMP=$O/vm-host/mtecmp

if [ "$(cat "$VM_RESULTS/status")" != 0 ]; then
	fail "cores from the machine"
	diag <"$VM_RESULTS/tap"
	done_testing
fi
ok "cores from the machine" cp --sparse=always "$VM_RESULTS"/*.* .

# ---- ourselves
for core in tags.ours tags.kernel heap.ours heap.kernel; do
	exits 0 "$core: validates without a warning" "$TAGCORE" validate --strict $core
	[ "$rc" -eq 0 ] || diag <out
	# "0x1000-0x2000 4.0 KiB 0x5", as mtecmp has it: "1000 2000 5"
	exits 0 "$core: tags" "$TAGCORE" inspect tags $core
	sed -n 's/^0x\([0-9a-f]*\)-0x\([0-9a-f]*\) .* 0x\([0-9a-f]\)$/\1 \2 \3/p' out | while read -r from to tag; do
		echo "$from $to $((0x$tag))"
	done >seen
	exits 0 "$core: tags, by another program" "$MTECMP" runs $core
	is "$core: as they are in the file" "$(cmp seen out 2>&1)" ""
	num "$core: which are many" "$(wc -l <seen)" -gt 15
	exits 0 "$core: maps" "$TAGCORE" inspect maps --json $core
	is "$core: tagged areas, as readelf has segments" "$(grep -c '"mte": true' out)" \
		"$(readelf -lW $core | grep -c -e '^  AARCH64_MEMTAG' -e '^  LOPROC+0x2')"
done
for core in tags.ours tags.kernel; do
	exits 0 "$core: the tags that were given" "$MTECMP" areas $core tags.log
	diag <out
	cat_granules | while read -r kind n; do
		"$TAGCORE" inspect memory "$(granule "$kind" "$n")" 16 --tags $core |
			sed -n 's/^0x[0-9a-f]* *\[\(.\)\].*/0x\1/p'
	done | xargs printf '%d\n' >answers
	is "$core: memory --tags" "$(beside_granules answers)" "$(want_tags)"
done
fault_of heap.kernel
exits 0 "a tag fault" "$TAGCORE" inspect --json heap.kernel
json_is "the pointer's tag" out .fault_tag $((fault_tag))
json_is "the memory's" out .fault_memory_tag $((fault_memory))
json_is "the address" out .fault_address "$(printf '0x%x%014x' $((fault_tag)) $((0x$fault_addr)))"
json_is "SEGV_MTESERR" out .si_code 9
exits 0 "in words" "$TAGCORE" inspect heap.kernel
matches "in words: both tags" out \
	"^tag fault  synchronous at 0x0*$fault_addr: pointer tag $fault_tag, memory tag $fault_memory\$"

for core in arm.ours arm.kernel; do
	[ -s arm.kernel ] || break
	exits 0 "$core: validates without a warning" "$TAGCORE" validate --strict $core
	[ "$rc" -eq 0 ] || diag <out
	exits 0 "$core: summary" "$TAGCORE" inspect --json $core
	json_is "$core: machine" out .machine arm
	json_is "$core: class" out .class 32
	exits 0 "$core: registers" "$TAGCORE" inspect registers $core
	is "$core: vector registers of all threads" "$(grep -c 'd31 *0x89abcdef00000000' out)" 3
done
[ -s arm.kernel ] || skip "32-bit programs" "no compiler for them here, or the machine does not run them"

# ---- debuggers; which of them know arm64, and tags in cores, differs
for GDB in gdb-multiarch gdb ''; do
	[ -z "$GDB" ] || { have "$GDB" && ! "$GDB" -nx -batch -ex 'set architecture aarch64' 2>&1 | grep -q Undefined; } && break
done
if [ -n "$GDB" ]; then
	diag "$("$GDB" --version | head -n 1)"
	debug_by_gdb
	[ ! -s arm.kernel ] || arm_by_gdb
else
	skip "gdb" "none here knows arm64 (gdb-multiarch would)"
fi
LLDB=lldb
if [ -s arm.kernel ] && have lldb; then
	arm_by_lldb
fi
# 15 is the first that reads tags of cores.
version=$(lldb --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p' | head -n 1)
if [ "${version:-0}" -ge 15 ]; then
	diag "LLDB $version"
	debug_by_lldb
else
	skip "LLDB" "${version:+version $version reads no tags from cores}, 15 would"
fi
done_testing
