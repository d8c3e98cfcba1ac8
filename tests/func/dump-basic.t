# dump: names of the output, modes, reports, exit codes.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace

# ---- the default
start threads 5
ok "dump PID" "$TAGCORE" dump "$PID"
exists "the default name is core.PID" "core.$PID"
is "mode 0600" "$(stat -c %a "core.$PID")" 600
is "standard output is empty" "$(size_of out)" 0
is "one report line on standard error" "$(wc -l <err)" 1
matches "the report names the file" err "core\.$PID"
matches "the report counts the threads" err '6 threads'
ok "it validates" "$TAGCORE" validate "core.$PID"
runs_free "$PID" "after a dump"
is "all threads live and the heap is intact" "$(report)" "alive 5 heap intact"

# ---- an existing file
echo precious >"core.$PID"
exits 2 "an existing file is refused" "$TAGCORE" dump "$PID"
is "and left untouched" "$(cat "core.$PID")" precious
matches "the message names the file and the way out" err "core\.$PID.*--force"
ok "--force replaces it" "$TAGCORE" dump --force "$PID"
num "by a core" "$(size_of "core.$PID")" -gt 4096
is "mode 0600 also then" "$(stat -c %a "core.$PID")" 600
rm "core.$PID"
ln -s elsewhere "core.$PID"
exits 2 "a dangling symbolic link is refused, too" "$TAGCORE" dump "$PID"
is "and not followed" "$(ls elsewhere 2>/dev/null)" ""
rm "core.$PID"

# ---- templates
before=$(date +%s)
ok "a template" "$TAGCORE" dump -o 'x-%p-%e-%h-%%-%t' "$PID"
made=$(ls x-*)
like "%p %e %h %%" "$made" "x-$PID-threads-$(uname -n)-%-[0-9]*"
num "%t is the time in seconds" "${made##*-}" -ge "$before"
rm -f x-*
ok "--output=FILE" "$TAGCORE" dump --output=plain "$PID"
exists "makes FILE" plain
mkdir sub
ok "--output FILE in a directory" "$TAGCORE" dump --output "sub/c.%p" "$PID"
exists "makes it there" "sub/c.$PID"
is "and nothing beside it" "$(ls -A sub)" "c.$PID"
exits 2 "an unknown specifier is refused" "$TAGCORE" dump -o 'core.%Q' "$PID"
exits 2 "a single % at the end is refused" "$TAGCORE" dump -o 'core.%' "$PID"

# ---- several
first=$PID first_log=$LOG
start threads 2
exits 2 "two PIDs and no %p are refused" "$TAGCORE" dump -o same "$first" "$PID"
is "before a file is made" "$(ls same 2>/dev/null)" ""
ok "two PIDs" "$TAGCORE" dump -o 'two.%p' "$first" "$PID"
exists "the first" "two.$first"
exists "the second" "two.$PID"
is "a report line for each" "$(wc -l <err)" 2
run "$TAGCORE" dump -o 'three.%p' "$first" 999999999 "$PID"
is "one of three cannot be dumped: exit 2" "$rc" 2
exists "the one before it is there" "three.$first"
exists "the one after it, too" "three.$PID"

# ---- quiet, JSON
ok "--quiet" "$TAGCORE" dump -q -o quiet "$PID"
is "says nothing" "$(cat out err)" ""
ok "--json" "$TAGCORE" dump --json -o 'json.%p' "$first" "$PID"
is_json "is one JSON document" out
cp out j
is "two dumps in it" "$(json j '.dumps#')" 2
has_keys "the keys of a dump" j '.dumps[0]' pid comm path bytes bytes_on_disk threads areas mte_areas \
	pause_us total_us snapshot missing target_rss_before target_rss_after target_pte_before \
	target_pte_after target_shmem_before target_shmem_after target_huge_before target_huge_after copy_pte copy_own
is "version" "$(json j .version)" "$("$TAGCORE" --version | sed 's/.* //')"
json_is "pid" j '.dumps[0].pid' "$first"
json_is "comm" j '.dumps[0].comm' threads
json_is "path" j '.dumps[0].path' "json.$first"
json_is "bytes" j '.dumps[0].bytes' "$(size_of "json.$first")"
json_is "bytes_on_disk" j '.dumps[0].bytes_on_disk' "$(disk_of "json.$first")"
json_is "threads" j '.dumps[0].threads' 6
json_is "snapshot" j '.dumps[0].snapshot' false
json_is "nothing is missing" j '.dumps[0].missing#' 0
num "pause_us" "$(json j '.dumps[0].pause_us')" -gt 0
num "total_us is not less" "$(json j '.dumps[0].total_us')" -ge "$(json j '.dumps[0].pause_us')"
is "the first still lives" "$(report "$first" "$first_log")" "alive 5 heap intact"
is "the second, too" "$(report)" "alive 2 heap intact"

# ---- other programs
start threads-static 3
ok "a static program" "$TAGCORE" dump -o static "$PID"
ok "validates" "$TAGCORE" validate static
is "its memory" "$(report)" "alive 3 heap intact"
start threads 0
ok "a process of one thread" "$TAGCORE" dump -o single "$PID"
matches "1 thread, not 1 threads" err '1 thread,'
cp "$TARGETS/threads" ./fleeting
start ./fleeting 1
rm fleeting
ok "a deleted executable" "$TAGCORE" dump -o deleted "$PID"
ok "validates" "$TAGCORE" validate deleted

# ---- bad arguments
for bad in "" 0 -1 1x x "$PID $PID.5" 99999999999999999999; do
	# The words are meant to be several.
	# shellcheck disable=SC2086
	exits 2 "dump '$bad' is refused" "$TAGCORE" dump -o bad.%p $bad
done
rm -f bad.*
exits 2 "an empty output name is refused" "$TAGCORE" dump -o "" "$PID"
exits 2 "a directory as output is refused" "$TAGCORE" dump --force -o sub "$PID"
exits 2 "--limit wants a size" "$TAGCORE" dump --limit many "$PID"
exits 2 "--stop-timeout wants seconds" "$TAGCORE" dump --stop-timeout soon "$PID"
exits 2 "--filter wants a mask" "$TAGCORE" dump --filter xyz "$PID"
exits 2 "--progress wants auto, always or never" "$TAGCORE" dump --progress perhaps "$PID"
done_testing
