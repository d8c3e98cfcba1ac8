# tests/bench/pause.sh - read by tests/bench/run: how long a process stands still, as a thread of it sees it.
# shellcheck shell=sh disable=SC2154 # what that sets

# watch_start MIB small|huge [RATE]
watch_start()
{
	rm -f "$dir/in" "$dir/out"
	mkfifo "$dir/in" "$dir/out" || exit 2
	"$O/targets/clockwatch" "$@" <"$dir/in" >"$dir/out" 2>"$dir/why" &
	pid=$!
	exec 9>"$dir/in" 8<"$dir/out"
	read -r word pid <&8 && [ "$word" = ready ]
}

# asked pause|fork: microseconds
asked()
{
	echo "$1" >&9
	read -r word us <&8
	echo "$us"
}

# paused_by COMMAND...: as a thread of the process sees it, in milliseconds, median
paused_by()
{
	for _ in $(seq "$rounds"); do
		rm -f "$mem/core"
		asked pause >/dev/null
		"$@" >/dev/null 2>&1 8<&- 9>&- </dev/null || { echo 1e9; return; }
		asked pause
	done | sort -n | sed -n "$(((rounds + 1) / 2))p" | awk '{ printf "%.2f", $1 / 1000 }'
}

own_fork()
{
	for _ in $(seq "$rounds"); do
		asked fork
	done | sort -n | sed -n "$(((rounds + 1) / 2))p" | awk '{ printf "%.2f", $1 / 1000 }'
}

ratio() { num "sprintf(\"%.3f\", $1 / ($2 + 1e-9))"; }

bench_snapshot()
{
	what="snapshot: 1 GiB of random memory, to $shm: pause in ms, median of $rounds"
	if [ "$(mem_free)" -lt $((3500 << 10)) ] || [ "$(disk_free "$shm")" -lt $((1200 << 10)) ]; then
		skip "$what" 'needs 3.5 GiB of memory and 1.2 GiB there'
		return
	fi
	watch_start 1024 small || { skip "$what" "$(cat "$dir/why")"; return; }
	fork=$(own_fork)
	ours=$(paused_by "$O/tagcore" dump -q --snapshot=require -o "$mem/core" "$pid")
	plain=$(paused_by "$O/tagcore" dump -q -o "$mem/core" "$pid")
	its=$(paused_by gdb -nx -batch -p "$pid" -ex "generate-core-file $mem/core")
	head_line "$what" 'its fork(2)'
	judge 'small pages' "$ours" "$fork" "$(ratio "$ours" "$fork")" 1.3
	head_line "$what"
	judge 'small pages' "$ours" "$its" "$(ratio "$ours" "$its")" 0.05
	printf '  %-34s %12s %12s %9s\n' 'without a snapshot' "$plain" "$its" "$(ratio "$plain" "$its")"
	rm -f "$mem/core"
	target_end
	watch_start 1024 huge || { skip "$what, huge pages" "$(cat "$dir/why")"; return; }
	ours=$(paused_by "$O/tagcore" dump -q --snapshot=require -o "$mem/core" "$pid")
	judge 'huge pages: ms' "$ours" '' "$ours" 3
	rm -f "$mem/core"
}

# The middle one of a file of microseconds, and the longest, in ms
middle_of() { sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p" | awk '{ printf "%.1f", $1 / 1000 }'; }
longest_of() { sort -n "$1" | tail -n 1 | awk '{ printf "%.1f", $1 / 1000 }'; }

# One dump: how long it stood still, and the longest time for which a thread of it, which looks at the clock all the time,
# saw none pass: there the processors that copying takes from it count, too, and what the kernel does to its page tables.
precopy_round()
{
	rm -f "$dir/core"
	asked pause >/dev/null
	"$O/tagcore" dump -q --json --max-pause "$limit" -o "$dir/core" "$pid" 8<&- 9>&- </dev/null >"$dir/json" || return 1
	asked pause >>"$dir/seen"
	sed -n 's/.*"pause_us": \([0-9]*\).*/\1/p' "$dir/json" >>"$dir/stopped"
}

# 50 MB a second of so many GiB are written to; the bound is a share: how often the limit was missed.
bench_precopy()
{
	gib=${BENCH_PRECOPY_GIB:-8} limit=25 times=${BENCH_PRECOPY_N:-20}
	what="pre-copy: $gib GiB of which 50 MB/s are written to, --max-pause $limit, to ${TMPDIR:-/tmp}, $times dumps"
	if [ "$(mem_free)" -lt $(((gib + 3) << 20)) ] || [ "$(disk_free "$dir")" -lt $(((gib + 1) << 20)) ]; then
		skip "$what" "needs $((gib + 3)) GiB of memory and $((gib + 1)) GiB there"
		return
	fi
	watch_start $((gib << 10)) small 50 || { skip "$what" "$(cat "$dir/why")"; return; }
	head_line "$what" ''
	: >"$dir/seen"
	: >"$dir/stopped"
	for _ in $(seq "$times"); do
		precopy_round || { note_over; break; }
	done
	# The same in as much time when nothing was done to it: what other work on this machine takes from it.
	asked pause >/dev/null
	sleep 3
	asked pause >"$dir/alone"
	missed=$(awk -v limit="$limit" '$1 > limit * 1000 { n++ } END { print n + 0 }' "$dir/stopped")
	judge "stopped for longer, of $times" "$missed" '' "$(ratio "$missed" "$times")" 0.05
	printf '  %-34s %12s\n' 'stopped, ms: median' "$(middle_of "$dir/stopped")" 'longest' "$(longest_of "$dir/stopped")" \
		'stood still as a thread sees it' "$(middle_of "$dir/seen")" 'longest' "$(longest_of "$dir/seen")" \
		'without a dump, within 3 s' "$(longest_of "$dir/alone")"
	rm -f "$dir/core"
}

# The process's random bytes would not shrink: every second page is text.
bench_compress()
{
	what="compressed: 1 GiB, half of it random, to $shm: wall time in s, median of $rounds"
	command -v zstd >/dev/null || { skip "$what" 'no zstd'; return; }
	if [ "$(mem_free)" -lt $((4500 << 10)) ] || [ "$(disk_free "$shm")" -lt $((2400 << 10)) ]; then
		skip "$what" 'needs 4.5 GiB of memory and 2.4 GiB there'
		return
	fi
	target_start half 1024 || { skip "$what" "$(cat "$dir/why")"; return; }
	"$O/tagcore" dump -q -o "$mem/plain" "$pid" || exit 2
	head_line "$what" 'zstd -1 -T2'
	"$O/targets/benchrun" "$rounds" 600 "rm -f $mem/core.zst" "exec '$O/tagcore' dump -q -z -o $mem/core $pid 8<&- 9>&- </dev/null" \
		"exec zstd -q -f -1 -T2 $mem/plain -o $mem/core.zst 8<&- 9>&- </dev/null" >"$dir/times" || exit 2
	read -r a_wall _ a_rss a_status <"$dir/times"
	b_wall=$(sed -n '2s/ .*//p' "$dir/times")
	[ "$a_status" = 0 ] || { echo "  tagcore FAILED: exit status $a_status"; note_over; }
	judge 'dump -z; zstd of the plain core' "$a_wall" "$b_wall" "$(ratio "$a_wall" "$b_wall")" 1.1
	judge 'peak memory, MiB' '' '' "$(num "sprintf(\"%.1f\", $a_rss / 1024)")" 64
	rm -f "$mem/plain" "$mem/core.zst"
}

bench_explain()
{
	what="explain: 1 GiB of random memory and 200 threads, median of $rounds"
	if [ "$(mem_free)" -lt $((3500 << 10)) ] || [ "$(disk_free "$shm")" -lt $((1200 << 10)) ]; then
		skip "$what" 'needs 3.5 GiB of memory and 1.2 GiB there'
		return
	fi
	watch_start 1024 small 0 200 || { skip "$what" "$(cat "$dir/why")"; return; }
	head_line "$what" 'stack'
	# No verdict is an answer, too.
	ours=$(paused_by sh -c '"$@"; [ $? -le 1 ]' sh "$O/tagcore" explain "$pid")
	its=$(paused_by "$O/tagcore" stack "$pid")
	judge 'pause, ms' "$ours" "$its" "$(ratio "$ours" "$its")" 1.2
	"$O/tagcore" dump -q -o "$mem/core" "$pid" || exit 2
	"$O/targets/benchrun" "$rounds" 600 true "'$O/tagcore' explain '$mem/core' >/dev/null; [ \$? -le 1 ]" >"$dir/times" || exit 2
	read -r a_wall a_cpu a_rss a_status <"$dir/times"
	[ "$a_status" = 0 ] || { echo "  tagcore FAILED: explain: exit status $a_status"; note_over; }
	judge 'of its core: wall time, s' "$a_wall" '' "$a_wall" 1
	judge 'peak memory, MiB' "$((a_rss / 1024))" '' "$((a_rss / 1024))" 200
	rm -f "$mem/core"
}
