# Cores packed by zstd, gzip and xz, whole, cut and hostile: what inspect and validate say of them is what they say of the plain one.
. "$TOP/tests/func/lib.sh"
plain_build
have zstd || skip_all "no zstd"
have gzip || skip_all "no gzip"
have xz || skip_all "no xz"

"$TARGETS/mtecore" plain || bail mtecore
size=$(size_of plain)
"$TAGCORE" help inspect | sed -n '/^Options:/q; s/^  \([a-z]*\) .*/\1/p' >views
num "there are views" "$(wc -l <views)" -ge 10
# As long as a core that is worth packing, but with zeros after its end.
cp plain long
truncate -s 40M long

# views_of CORE PREFIX: what every view and validate print, in both forms, of the file CORE as core
views_of()
{
	ln -f "$1" core
	while read -r views_view; do
		set -- "$1" "$2" "$views_view"
		[ "$views_view" != memory ] || set -- "$@" --tags 0x500000 300
		for views_json in "" --json; do
			# Its own words, each of them.
			# shellcheck disable=SC2086
			"$TAGCORE" inspect $views_json "$3" ${4:+"$4" "$5" "$6"} core >"$2.$3$views_json" 2>&1 ||
				echo "exit $?" >>"$2.$3$views_json"
		done
	done <views
	for views_json in "" --json; do
		# shellcheck disable=SC2086
		"$TAGCORE" validate $views_json core >"$2.validate$views_json" 2>&1
		echo "exit $?" >>"$2.validate$views_json"
	done
	rm -f core
}

# as_plain NAME WANT FILE [COMPRESSION]: every view of FILE is that of WANT's, but for what the summary says of packing
as_plain()
{
	rm -f got.*
	views_of "$3" got
	sed '/^packed  /d' got.summary >got && mv got got.summary
	for f in "$2".*; do
		case $f in *.summary--json) continue ;; esac
		cmp -s "$f" "got.${f#*.}" || { echo "$f:"; diff "$f" "got.${f#*.}"; }
	done >differ 2>&1
	is "$1: every view" "$(head -n 20 differ)" ""
	ok "$1: the summary, under the sanitizers" "$SANITIZED" inspect "$3"
	json_is "$1: its compression" got.summary--json .compression "${4-null}"
	json_is "$1: bytes of the core" got.summary--json .size "$(json "$2.summary--json" .size)"
	json_is "$1: bytes of the file" got.summary--json .file_size "$(size_of "$3")"
}

views_of plain plain
views_of long long
as_plain "not packed" plain plain

# ---- each as its own program packs it.  The names say nothing.
zstd -q plain -o a
as_plain "zstd" plain a zstd
zstd -q <plain >b
as_plain "zstd from a pipe" plain b zstd
head -c 5000 plain | zstd -q -19 >c
c_half=$(size_of c)
tail -c +5001 plain | zstd -q --no-check >>c
c_half=$(((c_half + $(size_of c)) / 2))
as_plain "zstd, two frames" plain c zstd
zstd -q long -o d
as_plain "zstd, a large frame" long d zstd
zstd -q --long=27 --ultra -22 <long >e
as_plain "zstd, the largest window" long e zstd
if have pzstd; then
	pzstd -q -p 2 plain -o f
	as_plain "pzstd" plain f zstd
else
	skip "pzstd: every view" "no pzstd"
fi
gzip -c plain >g
as_plain "gzip" plain g gzip
{ head -c 5000 plain | gzip -1; tail -c +5001 plain | gzip -9; head -c 512 /dev/zero; } >h
as_plain "gzip, two members and padding" plain h gzip
xz -c plain >i
as_plain "xz" plain i xz
xz -c -T2 --block-size=1MiB long >j
as_plain "xz, blocks" long j xz
{ head -c 5000 plain | xz -0; tail -c +5001 plain | xz -0 --check=crc32; } >k
as_plain "xz, two streams" plain k xz
xz -c --check=none -9e long >l
ok "xz, the largest of its levels" "$TAGCORE" inspect l

# ---- cut and damaged: what there is is shown
TAGCORE=$SANITIZED
for f in c g i; do
	n=$(($(size_of $f) * 2 / 3))
	# A zstd block, at most 128 KiB, gives nothing before its end: in the middle of the second frame.
	[ $f != c ] || n=$c_half
	head -c "$n" $f >part
	exits 1 "$f, cut: validate" "$TAGCORE" validate part
	matches "$f, cut: it says so" out "error packed-truncated at 0x[0-9a-f]*: the [a-z]* data end in the middle"
	matches "$f, cut: and what is lost" out "error seg-truncated"
	ok "$f, cut: summary" "$TAGCORE" inspect --json part
	json_is "$f, cut: is a core that is cut" out .truncated true
	num "$f, cut: shorter" "$(json out .size)" -lt "$size"
	ok "$f, cut: text" "$TAGCORE" inspect part
	matches "$f, cut: the summary warns" out '^packed .*, which is damaged$'
	ok "$f, cut: threads" "$TAGCORE" inspect threads part
done

{ cat a; echo stray; } >stray
exits 1 "stray bytes: validate" "$TAGCORE" validate stray
matches "stray bytes: where" out "^stray: error packed-damaged at $(printf '0x%x' "$(size_of a)"): no zstd frame begins here$"
is "stray bytes: nothing else" "$(wc -l <out)" "$("$TAGCORE" validate a | wc -l | awk '{ print $1 + 1 }')"
ok "stray bytes: they do no harm" "$TAGCORE" inspect stray

head -c 100 /dev/urandom | zstd -q >nocore
exits 2 "packed, but no core: inspect" "$TAGCORE" inspect nocore
exits 1 "packed, but no core: validate" "$TAGCORE" validate nocore
matches "it says so" out "error elf-ident"
gzip -c a >twice
exits 2 "packed twice" "$TAGCORE" inspect twice
printf '\37\213\10' >magic
exits 2 "nothing but a magic" "$TAGCORE" inspect magic
matches "it says so" err "the gzip data end in the middle"

# ---- room, time and temporary files
mkdir temp
(
	# 20 blocks of 512 bytes or of 1024, either is too few for this core.
	ulimit -f 20
	TMPDIR=$PWD/temp exec "$TAGCORE" inspect b
) >out 2>err
is "no room: exit 2" $? 2
matches "no room: a sentence" err "^tagcore: b: .*temporary file"
TMPDIR=$PWD/temp ok "TMPDIR" "$TAGCORE" inspect b
is "nothing is left in it" "$(ls -A temp)" ""
TMPDIR=$PWD/nowhere ok "a TMPDIR that does not exist" "$TAGCORE" inspect b

# The last sixteenth of a small file system is left to others.
if is_root && unshare -m true 2>/dev/null; then
	{ cat plain; head -c 24M /dev/urandom; } | zstd -q -1 >noise
	mkdir -p small
	run unshare -m sh -c 'mount -t tmpfs -o size=16m none small || exit 77
		TMPDIR=$PWD/small exec "$0" inspect noise' "$TAGCORE"
	if [ "$rc" -eq 77 ]; then
		skip "a full disk" "cannot mount a tmpfs"
	else
		is "a full disk: exit 2" "$rc" 2
		matches "a full disk: what to do" err "^tagcore: noise: unpacking filled the temporary directory but for (1\.[0-9] MiB|[0-9.]* KiB): set TMPDIR to a larger one$"
	fi
else
	skip "a full disk" "not root, or no unshare(1)"
fi

# ---- a limit, which every command that opens a core can lift
gzip -c long >long.gz
zstd -q <long >long.zst
rm -f repaired
for command in "inspect" "validate" "repair" "stack"; do
	out=
	[ "$command" != repair ] || out=repaired
	for f in long.gz long.zst; do
		# Its own words.
		# shellcheck disable=SC2086
		exits 2 "$command $f: a limit" "$TAGCORE" $command --unpack-limit 10M $f $out
		matches "$command $f: it says so, and what lifts it" err "more than 10[.]0 MiB, out of .*--unpack-limit"
		is "$command $f: nothing is left behind" "$(ls repaired 2>/dev/null)" ""
		# shellcheck disable=SC2086
		"$TAGCORE" $command long $out >out.plain 2>err.plain
		plain_rc=$?
		rm -f repaired
		for limit in none 41M; do
			# shellcheck disable=SC2086
			run "$TAGCORE" $command --unpack-limit $limit $f $out
			is "$command $f: $limit" "$rc" "$plain_rc"
			rm -f repaired
		done
	done
done
for limit in 0 x -1 ""; do
	exits 2 "no limit: '$limit'" "$TAGCORE" inspect --unpack-limit "$limit" long.gz
	matches "it says so" err "unpack-limit .*is not a size"
done
rm -f long.gz long.zst

# 2 GiB of zeros, thirty times: few bytes, and minutes of work.
head -c 64M /dev/zero | zstd -q >zeros
for n in 1 2 3 4 5; do cat zeros zeros >twofold && mv twofold zeros; done
{ cat b; for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do cat zeros; done; } >bomb

# temp_of PID: bytes of its temporary file are more than 64 MiB
unpacks()
{
	for f in "/proc/$1/fd"/*; do
		case $(readlink "$f") in
		*'(deleted)') [ "$(stat -L -c %s "$f" 2>/dev/null || echo 0)" -gt 67108864 ] && return 0 ;;
		esac
	done
	return 1
}

# stops SIGNAL COMMAND...: it ends soon after the signal, in order
stops()
{
	stops_sig=$1
	shift
	"$@" >out 2>err &
	stops_pid=$!
	mine $stops_pid
	ok "$*: it unpacks" until_true 30 any_unpacks $stops_pid
	kill -"$stops_sig" $stops_pid
	ok "$*: it stops" until_true 20 gone $stops_pid
	wait $stops_pid
	is "$*: exit 2" $? 2
	not_mine $stops_pid
}

# It, or the child that it reads in
any_unpacks()
{
	for p in "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		unpacks "$p" && return 0
	done
	return 1
}

stops TERM "$TAGCORE" inspect bomb
matches "it says why" err "interrupted"
stops TERM "$TAGCORE" validate bomb

done_testing
