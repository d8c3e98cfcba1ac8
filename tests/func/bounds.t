# The reader is bounded: cores that are large in one way (targets/bigcore.c) are shown in little memory, and in
# time that grows as they do.  This runs the plain build; how long it takes is make bench's, here only that it is not more
# than in proportion.
. "$TOP/tests/func/lib.sh"
PLAIN=$O/tagcore
MIB=1024		# KiB
views=$("$PLAIN" help inspect | awk '/^  [a-z]/ && !/^  -/ { print $1 }')
num "the views are listed" "$(echo "$views" | wc -l)" -ge 10

big() { "$TARGETS/bigcore" "$@" || bail bigcore; }

# what VIEW: its command line, but for the core
what()
{
	case $1 in
	memory) echo "inspect memory --tags 0x10000000 0x10000" ;;
	validate*) echo "$1" ;;
	*) echo "inspect $1" ;;
	esac
}

# measure VIEW CORE [ROUNDS]: processor time (ms, the median) into cpu, peak memory (KiB) into rss
measure()
{
	measure_line=$("$TARGETS/benchrun" "${3-1}" 60 true "exec '$PLAIN' $(what "$1") $2 >out 2>err; exit 127") || bail benchrun
	cpu=$(echo "$measure_line" | awk '{ printf "%.0f", $2 * 1000 }')
	rss=$(echo "$measure_line" | awk '{ print $3 }')
	rc=$(echo "$measure_line" | awk '{ print $4 }')
}

# in_memory CORE KIB: every view and validate end well, in so much memory
in_memory()
{
	memory_bad=
	for view in $views "summary --json" "threads --json" "maps --json" validate "validate --json"; do
		measure "$view" "$1"
		[ "$rc" -le 1 ] && [ "$rss" -lt "$2" ] || memory_bad="$memory_bad $view: exit $rc, $rss KiB;"
	done
	is "$1: every view, in $2 KiB" "$memory_bad" ""
}

# KiB of the notes, which are kept while a core is open
notes_of() { "$PLAIN" inspect headers --json "$1" >h.json && echo $(($(grep -m1 '"NOTE"' h.json |
	sed 's/.*"filesz": \([0-9]*\).*/\1/') / 1024)); }

# in_proportion CORE SMALL TIMES KIB VIEW...: not more than TIMES as long (two and a half times that, for noise, and
# 0.2 s), in so much memory
in_proportion()
{
	prop_core=$1 prop_small=$2 prop_times=$3 prop_kib=$4 prop_bad=
	shift 4
	for view; do
		measure "$view" "$prop_small" 3
		prop_base=$cpu
		measure "$view" "$prop_core"
		[ "$cpu" -le $((prop_base * prop_times * 5 / 2 + 200)) ] && [ "$rss" -lt "$prop_kib" ] ||
			prop_bad="$prop_bad $view: $prop_base and $cpu ms, $rss KiB;"
	done
	is "$prop_core: time is in proportion, memory below $prop_kib KiB" "$prop_bad" ""
}

# In an emulator an eighth must do, in make check half, which is still more than e_phnum can say (PN_XNUM).
big probe segments 16384
measure summary probe
[ "$cpu" -lt 100 ] && part=$(soak_or 2 1) || part=8
rm probe

# ---- 16 GiB, of which 64 MiB have content

big sparse sparse 16 64
num "16 GiB" "$(size_of sparse)" -gt $((16 << 30))
num "of which little is on the disk" "$(disk_of sparse)" -lt $((80 << 20))
in_memory sparse $((32 * MIB))
ok "summary" "$PLAIN" inspect --json sparse
json_is "its areas" out .areas 64
json_is "and bytes" out .saved_bytes $((16 << 30))
at=$(printf "0x%x" $((0x10000000 + 63 * (0x10000000 + 4096) + 0x8000000)))
ok "memory in the last segment" "$PLAIN" inspect memory "$at" 16 sparse
matches "is found" out '40 40 40 40'
rm sparse

# ---- a number of segments, of files, and of ranges that are missing, as no kernel has by default

for shape in segments nested missing tags; do
	case $shape in
	segments) n=131070 ;;
	*) n=40000 ;;
	esac
	n=$((n / part))
	big $shape $shape $n
	big small $shape $((n / 8))
	# What is read for the first time costs the kernel ten times as much.
	cat $shape small >/dev/null
	kib=$((32 * MIB + $(notes_of $shape)))
	[ $shape != segments ] || in_memory $shape $kib
	in_proportion $shape small 8 $kib headers maps modules missing tags validate
	ok "$shape: summary" "$PLAIN" inspect --json $shape
	json_is "$shape: all areas" out .areas $([ $shape = nested ] && echo 1 || echo $n)
	ok "$shape: headers" "$PLAIN" inspect headers --json $shape
	num "$shape: all headers" "$(grep -c '"type":' out)" -gt $n
	rm $shape small
done

# ---- threads

for shape in threads same; do
	n=$((10000 / part))
	big $shape $shape $n
	big small $shape $((n / 8))
	# What is read for the first time costs the kernel ten times as much.
	cat $shape small >/dev/null
	kib=$((32 * MIB + $(notes_of $shape)))
	[ $shape != threads ] || in_memory $shape $kib
	in_proportion $shape small 8 $kib threads notes validate
	ok "$shape: listed" "$PLAIN" inspect threads --json $shape
	json_is "$shape: all of them" out '#' $n
	rm $shape small
done

# ---- a file that shrinks while it is read

big shrinks sparse 1 64
full_pipe fifo
"$PLAIN" inspect memory 0x10000000 0x1000000 shrinks >fifo 2>err &
pid=$!
mine $pid
# It writes, and cannot: then it has read the beginning and not the rest.
writes()
{
	case $(cat "/proc/$1/wchan" 2>/dev/null) in
	*pipe_w*) return 0 ;;
	0 | '') in_state "$1" S ;;
	*) return 1 ;;
	esac
}
ok "it waits for us" until_true 10 writes $pid
: >shrinks
cat <&9 >/dev/null &
mine $!
wait $pid
is "a core that shrinks is trouble" $? 2
not_mine $pid
matches "and said to have shrunk" err 'became shorter while it was read'
exec 9>&-
done_testing
