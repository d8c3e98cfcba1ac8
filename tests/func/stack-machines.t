# Backtraces of the real cores in CORES, a folder with SUMMARY.tsv: of each as many frames as
# eu-stack has, but for those where its are known to be wrong or it was given the executable.
# gdb's counts are no measure: without files it prints whatever is on the stack.
. "$TOP/tests/func/lib.sh"
[ -f "${CORES-}/SUMMARY.tsv" ] || skip_all "no CORES: a folder of cores with SUMMARY.tsv"

cat >reasons <<'END'
rizin/core-linux-arm64	its second frame is its third again: a stale link register
rizin/core-linux-ppc64	its second frame is its third again: a stale link register
rizin/segfault-glibc-aarch64-core	its second frame is the first function again: a stale link register
chap/core.3522	its second frame is in no area of the core
drgn/crashme_static.core	it was given the executable
golang-debug/core	it was given the executable
END

tail -n +2 "$CORES/SUMMARY.tsv" | cut -f 1,9,12 | grep -v '^fuzz/' >rows
num "there are rows" "$(wc -l <rows)" -gt 20
while IFS=$(printf '\t') read -r name _ frames; do
	core=$CORES/$name
	[ -f "$core" ] || core=$core.zst
	run timeout 30 "$TAGCORE" stack "$core"
	is "$name: exit status" "$rc" 0 || diag <err
	ours=$(awk '/^TID / { n++ } n == 1 && /^#/ { f++ } END { print f + 0 }' out)
	reason=$(sed -n "s|^$name	||p" reasons)
	if [ -n "$reason" ]; then
		num "$name: fewer frames than eu-stack ($reason)" "$ours" -lt "$frames"
	else
		num "$name: no fewer frames than eu-stack" "$ours" -ge "${frames:-0}"
	fi
done <rows

# What crashed other readers: an answer or a sentence, in bounded time.
find "$CORES/fuzz" -type f ! -name '*.expect-*' >inputs
while IFS= read -r f; do
	run timeout 20 "$TAGCORE" stack "$f"
	num "fuzz/${f##*/}: an answer or a sentence" "$rc" -le 2 || diag <err
done <inputs
done_testing
