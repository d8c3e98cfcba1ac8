# repair: dumps and others' cores, cut off in many places, become cores that debuggers open.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace
start threads 3
ok "a dump" "$TAGCORE" dump -q -o core "$PID"
size=$(size_of core)

# ---- what is good
cp --sparse=always core before
ok "nothing is to be repaired" "$TAGCORE" repair core copy
is "it says so" "$(cat out)" "nothing to repair"
ok "the output is a copy" cmp core copy
is "for the owner only" "$(stat -c %a copy)" 600
num "as sparse as the input" "$(disk_of copy)" -le $(($(disk_of core) + 65536))

# ---- the command line
exits 2 "an output that exists" "$TAGCORE" repair core copy
ok "with --force" "$TAGCORE" repair --force core copy
for same in core ./core link hard; do
	[ $same != link ] || ln -s core link
	[ $same != hard ] || ln core hard
	exits 2 "the input as $same" "$TAGCORE" repair --force core $same
done
mkdir dir
exits 2 "a directory" "$TAGCORE" repair --force core dir
exits 2 "a device" "$TAGCORE" repair --force core /dev/null
ok "which stays one" test -c /dev/null
exits 2 "one operand" "$TAGCORE" repair core
exits 2 "three operands" "$TAGCORE" repair core new other
exits 2 "no core" "$TAGCORE" repair "$TOP/Makefile" new
exits 2 "no input" "$TAGCORE" repair nothing new
exits 2 "no directory" "$TAGCORE" repair core none/new
exits 2 "a program" "$TAGCORE" repair "$TAGCORE" new
is "no output of these" "$(ls new other 2>/dev/null)" ""
ok "the input is as it was" cmp core before

# ---- cut off
# opens FILE: gdb takes it for a core with its threads
opens()
{
	gdb -nx -batch -ex 'info threads' "$TARGETS/threads" "$1" >gdb.out 2>&1
	is "gdb: not truncated" "$(grep -ciE 'truncated|not in executable format|not a core' gdb.out)" 0
}

# repaired WHAT FILE WANT: FILE becomes a core with exit WANT that has no error but losses, and stays so
repaired()
{
	rm -f out.core again
	exits "$3" "$1" "$TAGCORE" repair "$2" out.core
	cp out said
	"$TAGCORE" validate out.core >found
	is "$1: errors are reported" "$(grep -c ' error ' found)" "$(grep -c '^left: error ' said)"
	is "$1: no size is false" "$(grep -cE 'seg-truncated|seg-wrap|note-malformed|phdr-truncated' found)" 0
	run "$TAGCORE" repair out.core again
	is "$1: repaired once" "$(head -n 1 out)" "nothing to repair"
	cmp out.core again >cmp.out && pass "$1: the same again" || fail "$1: the same again"
	if have eu-readelf; then
		eu-readelf -hln out.core >eu.out 2>&1
		is "$1: eu-readelf reads it" "$?" 0
	fi
}

for part in 10 50 90; do
	cut=$((size / 100 * part))
	head -c $cut core >part
	repaired "the first $part %" part 0
	matches "the first $part %: what was cut is reported" said '^seg-cut at 0x[0-9a-f]*: area 0x'
	ok "all threads" "$TAGCORE" inspect threads out.core
	is "the first $part %: all threads" "$(wc -l <out)" 5
	! have gdb || opens out.core
done
# ---- what was lost is said, and gdb takes nothing else for it
head -c $((size / 100)) core >part
repaired "most of it" part 0
matches "most of it: said" found '^out.core: warning tagcore-lost at '
matches "a stack is lost, too" found '^out.core: warning thread-stack at '
exits 1 "with --strict an error" "$TAGCORE" validate --strict out.core
ok "a summary" "$TAGCORE" inspect out.core
matches "the summary says it" out '^lost  *[0-9.]* [KM]iB of memory in [0-9]* ranges'
ok "in JSON" "$TAGCORE" inspect --json out.core
json_is "in JSON: truncated" out .truncated true
ok "what is missing" "$TAGCORE" inspect missing out.core
matches "the list says why" out '  lost: the file was cut short'
is "none of it is said to be saved" "$(grep -c 'rule private.*touched' out)" 0
cat >value.c <<'END'
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
int value = 7;
int main(void)
{
	value = 4242;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	alarm(120);
	puts("ready");
	fflush(stdout);
	pause();
}
END
if have gdb && ${CC:-cc} -g -O0 -no-pie -o value value.c 2>cc.err; then
	./value >value.out &
	value=$!
	mine $value
	until_true 60 grep -q ready value.out
	ok "a program with a changed variable" "$TAGCORE" dump -q -o whole $value
	kill $value
	wait $value 2>/dev/null
	not_mine $value
	addr=$(gdb -nx -batch -ex 'output/x (long)&value' ./value 2>/dev/null)
	gdb -nx -batch -ex 'print value' ./value whole 2>&1 | tail -n 1 >got
	# shellcheck disable=SC2016 # gdb's own
	is "gdb shows it in the whole core" "$(cat got)" '$1 = 4242'
	off=$("$TAGCORE" inspect headers whole | awk '$2 == "LOAD" { print $4; exit }')
	head -c "$((off))" whole >part
	repaired "all memory" part 0
	gdb -nx -batch -ex 'print value' ./value out.core >got 2>&1
	matches "gdb says that it is not there" got "Cannot access memory at address $addr"
	# shellcheck disable=SC2016
	gdb -nx -batch -ex 'x/gx $sp' ./value out.core >got 2>&1
	matches "nor is the stack, which is not zero" got 'Cannot access memory at address 0x'
	"$TAGCORE" inspect memory "$addr" 4 out.core >out
	matches "inspect shows it as absent" out '-- -- -- --'
else
	skip "gdb shows no false value" "there is no gdb or no compiler"
fi

# Only the filling of the MISSING note is lost: it still lists the gaps.
head -c $((size - 200)) core >part
repaired "without the end" part 0
matches "the last note is kept" said '^note-missing at 0x'
"$TAGCORE" inspect notes out.core >out
matches "and there" out TAGCORE_MISSING
head -c 4600 core >part
repaired "in the notes" part 0
matches "in the notes: said" said '^note-cut at 0x'
head -c 700 core >part
repaired "without notes" part 1
matches "without notes: said" said '^left: error thread-none '

# ---- in one document
exits 1 "with --json" "$TAGCORE" repair --json --force part out.core
is_json "one document" out
json_is "the input" out .file part
json_is "the output" out .output out.core
has_keys "a repair" out '.repairs[0]' id offset message
has_keys "what is left" out '.left[0]' id severity offset message

# ---- a header that was overwritten
cp core broken
dd if=/dev/zero of=broken bs=1 count=16 conv=notrunc 2>/dev/null
exits 1 "16 zeros are no core" "$TAGCORE" validate broken
repaired "16 zeros" broken 0
printf '\000' | dd of=out.core bs=1 seek=7 conv=notrunc 2>/dev/null
printf '\000' | dd of=core bs=1 seek=7 conv=notrunc 2>/dev/null
ok "all of it is back" cmp core out.core

# ---- a full disk, a signal: nothing is left
mkdir full
(ulimit -f 64; exec "$TAGCORE" repair core full/core) >out 2>err
is "no room for the output: exit 2" "$?" 2
is "nothing is left of it" "$(ls -A full)" ""
# Zeros that are in the file, not holes, so that copying them takes its time.
head -c 314572800 /dev/zero >>core
"$TAGCORE" repair core full/late >late.out 2>late.err &
late=$!
mine $late
# The output has no name before it is finished, but is among the open files.  Or it is over already.
writes()
{
	# shellcheck disable=SC2010 # names of links
	ls -l "/proc/$late/fd" 2>/dev/null | grep -q "$PWD/full/" || gone $late
}
until_true 60 writes
kill -STOP $late
if [ -e full/late ]; then
	skip "interrupted" "it was done too soon"
	kill -KILL $late
else
	# Not INT, which a shell's background jobs ignore.
	kill -TERM $late
	kill -CONT $late
	wait $late
	is "interrupted: exit 2" "$?" 2
	like "interrupted: says so" "$(cat late.err)" '*cancelled by a signal*'
fi
wait $late
not_mine $late
rm -f full/late
is "interrupted: nothing is left" "$(ls -A full)" ""

# ---- far larger than what is in it
truncate -s 256G core
ok "256 GiB of nothing" timeout 60 "$TAGCORE" repair --json core large
is "has the size" "$(size_of large)" 274877906944
num "takes no room" "$(disk_of large)" -lt 4194304
rm -f core large
finish

# ---- cores of others
if [ -z "${CORES-}" ] || [ ! -d "$CORES" ] || ! have zstd; then
	skip "cores of others" "CORES names no folder with cores, or there is no zstd"
	done_testing
fi
for name in chap/truncated/core.48555.1M chap/truncated/core.48555.512K chap/truncated/core.48555; do
	[ -f "$CORES/$name.zst" ] || continue
	zstd -dcq "$CORES/$name.zst" >other
	repaired "$name" other 0
done
# For every machine and maker: nothing that is no fault is changed, and a half is repaired.
find "$CORES" -type f -name '*core*' ! -name '*.txt*' -size -1024k | grep -v -e /fuzz/ -e truncated -e /proc\. | sort >names
while read -r path; do
	name=${path#"$CORES/"}
	case $path in
	*.zst) zstd -dcq "$path" | head -c 8388608 >other ;;
	*) cat "$path" >other ;;
	esac
	head -c $(($(size_of other) / 2)) other >half
	rm -f out.core again
	run "$TAGCORE" repair half out.core
	[ "$rc" -le 1 ] || { fail "half of $name"; diag <err; continue; }
	"$TAGCORE" repair out.core again >twice
	is "half of $name: repaired once" "$(head -n 1 twice)" "nothing to repair"
	"$TAGCORE" validate out.core >found
	# Where the number of program headers is lost for good, none of them is changed.
	if grep -q 'phdr-xnum.* is a guess' found; then
		matches "half of $name: is reported to have lost its count" out '^left: error phdr-xnum'
		continue
	fi
	is "half of $name: no size is false" "$(grep -cE 'seg-truncated|note-malformed|phdr-truncated' found)" 0
done <names
done_testing
