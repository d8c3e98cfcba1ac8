# What one kernel has and another lacks: one dump of each kind, which is done in another way or says why it is not done.
# A short test, because it also runs on old kernels in an emulator: tests/vm/kernels.
. "$TOP/tests/func/lib.sh"
need_ptrace
plain_build
case $(uname -m) in
x86_64 | aarch64) ;;
*) skip_all "snapshots and pre-copy are for x86-64 and arm64" ;;
esac
life 900

# since MAJOR MINOR: this kernel has what that version was the first to have
since() { uname -r | awk -F '[.-]' '{ exit !($1 > major || $1 == major && $2 >= minor) }' major="$1" minor="$2"; }
# Memory and the target's record of it agree.
one_instant() { is "$1: of one instant" "$("$TARGETS/drift" check core | sed 's/ of .*//')" "0 bad pages"; }
now_is() { json report ".dumps[0].target_${1}_after"; }
was() { json report ".dumps[0].target_${1}_before"; }

# dumped KIND MODE OPTION...: a core in which nothing is missing, which says how it was made; the target is as before
dumped()
{
	kind=$1 mode=$2
	shift 2
	ok "$kind" "$TAGCORE" dump --force --json "$@" -o core "$PID"
	mv out report
	ok "$kind: it validates" "$TAGCORE" validate core
	one_instant "$kind"
	is "$kind: it has not grown" "$(now_is shmem) $(now_is huge)" "$(was shmem) $(was huge)"
	"$TAGCORE" inspect notes NT_TAGCORE_PAUSE core >notes
	matches "$kind: how it was made" notes "^ *mode $mode\$"
	runs_free "$PID" "$kind"
}

start drift 8 2000
dumped plain stop
if since 6 7; then
	dumped pre-copy pre-copy --max-pause 0.1
	json_is "pre-copy: no reason why not" report '.dumps[0].no_precopy' null
else
	# The next best.
	dumped pre-copy snapshot --max-pause 0.1
	matches "no pre-copy: why" report '"no_precopy": "no pre-copy: .*Linux 6\.7'
	# Who does not ask for JSON sees it, too.
	"$TAGCORE" dump --force --max-pause 0.1 -o core "$PID" 2>err
	matches "no pre-copy: it is said" err 'no pre-copy: .*Linux 6\.7'
fi
dumped snapshot snapshot -s
json_is "snapshot: it is one" report '.dumps[0].snapshot' true
ok "stack of a snapshot" "$TAGCORE" stack -s "$PID"
matches "and who called" out ' main\+'
runs_free "$PID" "stack of a snapshot"
if have zstd; then
	ok "packed" "$TAGCORE" dump --force -q -z -o packed.zst "$PID"
	ok "it is unpacked" zstd -qdf -o core packed.zst
	ok "packed: it validates" "$TAGCORE" validate core
	one_instant packed
else
	skip packed "no zstd"
fi
full_pipe fifo
exits 2 "an output that stands still: given up" sh -c 'exec "$@" 9<&-' sh \
	timeout -s KILL 60 "$TAGCORE" dump --output-timeout 0.5 -o fifo "$PID"
matches "and why" err "the output has stood still for 0\.5 s"
runs_free "$PID" "an output that stands still"
done_testing
