# Cores of other machines and makers, in the folder CORES: what its MANIFEST.tsv says of each
# is so, and where gdb, elfutils or LLDB see something else (SUMMARY.tsv, NAME.expect-*.txt),
# the reason is known: manifest_table.py.
. "$TOP/tests/func/lib.sh"
[ -n "${CORES-}" ] || skip_all "CORES names no folder with cores of other makers"
[ -f "$CORES/MANIFEST.tsv" ] || skip_all "there is no $CORES/MANIFEST.tsv"
have zstd || skip_all "no zstd"
have python3 || skip_all "no python3"
# The plain program: under the sanitizers there is no bound on memory, and large cores take minutes.
PYTHONDONTWRITEBYTECODE=1 exec python3 "$TOP/tests/func/manifest.py" "$O/tagcore" "$CORES"
