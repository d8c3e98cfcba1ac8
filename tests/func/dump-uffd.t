# dump: pages that a userfaultfd monitor has not filled in are neither zero nor waited for.
. "$TOP/tests/func/lib.sh"
need_ptrace

start uffd
grep -q '^refused' "$LOG" && skip_all "no userfaultfd: $(sed -n 's/^refused //p' "$LOG")"
sed -n 's/^skip/skip:/p' "$LOG" | diag

# The monitor is the process that is stopped: what waits for it waits for ever, and only SIGKILL ends that.
dump()
{
	timeout -s KILL 100 "$TAGCORE" dump "$@" "$PID"
}

# pages CORE NAME: of each page of the area, m(issing), p(resent), z(ero), by the core alone
pages()
{
	pages_range=$(range_of "$2")
	"$TAGCORE" inspect missing "$1" | grep -v '  rule ' | sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*/\1 \2/p' >ranges
	pages_at=$((${pages_range% *})) pages_step=${3:-4096}
	while [ $pages_at -lt $((${pages_range#* })) ]; do
		pages_state=$("$CORECMP" state "$1" "$(printf %#x $pages_at)")
		while read -r pages_start pages_end; do
			[ $pages_at -lt $((pages_start)) ] || [ $pages_at -ge $((pages_end)) ] || pages_state=missing:$pages_state
		done <ranges
		case $pages_state in
		missing:zero) printf m ;;
		*)	printf %.1s "$pages_state" ;;
		esac
		pages_at=$((pages_at + pages_step))
	done
}

exits 1 "dump: something is missing" dump -o core
matches "the reason names userfaultfd" err 'not filled in: the content is with a userfaultfd monitor'
ok "it validates" "$TAGCORE" validate core
while read -r name want; do
	if [ -z "$(range_of "$name")" ]; then
		skip "$name" "$(sed -n "s/^skip $name //p" "$LOG")"
		continue
	fi
	# Who may not open what has no name any more loses the pages that are not mapped in, whoever has them.
	case $PARTIAL$name in
	1shared | 1private) want=pmmpmmpmmpmmpmmm ;;
	1minor | 1marked-minor) want=mmmmmmmmmmmmmmmm ;;
	1protected-shared) want=mmmmmmmmmpmmpmmp ;;
	esac
	is "$name" "$(pages core "$name")" "$want"
done <<'END'
anon pzmpmmpmmpmmpmmp
marked pmmpmmpmmpmmpmmp
poisoned pmmzzzzzzzzzzzzz
shared ppmpmmppmpmmppmm
private ppmpmmppmpmmppmm
minor zpzzzzzpzzzzzpzz
marked-minor zpzzzzzpzzzzzpzz
protected mzzmzzmzzpzzpzzp
protected-shared pzzpzzpzzpzzpzzp
END
is "what was filled in is right" "$(strings -a core | sed -n 's/^anon page //p' | sort -n | xargs)" "0 3 6 9 12 15"
start_=$(range_of anon)
is "the core says which area it was" "$(strings -a core | grep -c "^$(echo "${start_% *}" | sed s/0x//)-.* um touched private-anon")" 1

# What is asked for by hand, and what is left out.
exits 1 "--all" dump --all -o all
is "--all: the same" "$(pages all anon)" pzmpmmpmmpmmpmmp
for name in huge huge-shared; do
	if [ -n "$(range_of $name)" ]; then
		is "$name" "$(pages all $name $((2 << 20)))" pm
	else
		skip "$name" "$(sed -n "s/^skip $name //p" "$LOG")"
	fi
done
exits 0 "--stacks does not need them" dump --stacks -o stacks
run dump --exclude "${start_% *}-${start_#* }" -o without
is "what is left out is not missing" "$("$TAGCORE" inspect missing without | grep "^${start_% *}" | grep -c '  rule excluded')" 1
ok "--dry-run" dump --dry-run
matches "--dry-run says it beforehand" out 'MISSING will be what a userfaultfd monitor has not filled in'
is "the process lives" "$(report)" alive
runs_free "$PID" "the process"

start uffd tracked
if [ -n "$(range_of tracked)" ]; then
	ok "reads are reported only afterwards" dump -o tracked
	is "tracked" "$(pages tracked tracked)" pzzpzzpzzpzzpzzp
else
	skip "tracked" "$(sed -n 's/^skip tracked //p' "$LOG")"
fi
done_testing
