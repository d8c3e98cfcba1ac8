# dump, gcore: what another user put under the output's name does not get the core.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
start threads 1

# A FIFO that is held open here: a dump into it would neither fail nor wait for a reader.
plant_fifo()
{
	rm -f "$1"
	mkfifo "$1"
	exec 7<>"$1"
}

# How many bytes went into it (64 at most).
leaked() { dd iflag=nonblock bs=64 count=1 <&7 2>/dev/null | wc -c; }

limited() { timeout 60 "$@"; }

# refused NAME COMMAND...: exit 2, and what is at NAME is still the same
refused()
{
	refused_name=$1 refused_was=$(stat -c '%i %F' "$1")
	shift
	exits 2 "$refused_what is refused" limited "$@"
	is "$refused_what: it stays" "$(stat -c '%i %F' "$refused_name")" "$refused_was"
	is "$refused_what: and gets nothing" "$(leaked)" 0
}

is_core()
{
	is "$1: a regular file of mode 0600" "$(stat -c '%F %a' "$2")" "regular file 600"
	ok "$1: it validates" "$TAGCORE" validate "$2"
}

# ---- names that can be guessed

for way in "core.$PID -" "x.$PID x.%p" "core-threads core-%e"; do
	name=${way% *} template=${way#* }
	set -- "$TAGCORE" dump
	[ "$template" = - ] || set -- "$@" -o "$template"
	plant_fifo "$name"
	refused_what="a FIFO at $name"
	refused "$name" "$@" "$PID"
	ok "--force replaces a FIFO at $name" limited "$@" --force "$PID"
	is "and does not write into it" "$(leaked)" 0
	is_core "a FIFO at $name" "$name"
	rm "$name"

	plant_fifo pipe
	ln -s pipe "$name"
	refused_what="a link to a FIFO at $name"
	refused "$name" "$@" "$PID"
	ok "--force replaces a link to a FIFO at $name" limited "$@" --force "$PID"
	is "and does not follow it" "$(leaked)" 0
	is_core "a link at $name" "$name"
	rm "$name"

	echo precious >victim
	ln -s victim "$name"
	refused_what="a link to a file at $name"
	refused "$name" "$@" "$PID"
	ok "--force replaces a link to a file at $name" limited "$@" --force "$PID"
	is "and the file stays" "$(cat victim)" precious
	is_core "a link to a file at $name" "$name"
	rm "$name"
done

# gcore replaces an old core of that name, so a FIFO and a link, too.
plant_fifo "core.$PID"
ok "gcore: a FIFO is replaced" limited "$GCORE" "$PID"
is "gcore: and not written into" "$(leaked)" 0
is_core "gcore" "core.$PID"
ln -sf pipe "core.$PID"
plant_fifo pipe
ok "gcore: a link to a FIFO is replaced" limited "$GCORE" "$PID"
is "gcore: and not followed" "$(leaked)" 0
is_core "gcore: a link" "core.$PID"
rm "core.$PID"
echo precious >victim
ln -s victim "pre.$PID"
ok "gcore -o: a link to a file is replaced" limited "$GCORE" -o pre "$PID"
is "gcore -o: the file stays" "$(cat victim)" precious
rm -f "pre.$PID" victim

# A device of that name was put there by root: it is neither written nor replaced.
if mknod "core.$PID" c 1 3 2>/dev/null; then
	exec 7</dev/null
	for way in "dump" "dump --force" gcore; do
		refused_what="$way: a device"
		case $way in
		gcore)	refused "core.$PID" "$GCORE" "$PID" ;;
		*)	# shellcheck disable=SC2086 # words
			refused "core.$PID" "$TAGCORE" $way "$PID" ;;
		esac
	done
	rm "core.$PID"
else
	skip "a device" "no device can be made here"
fi

# ---- a name that is written out

# into NAME: a dump to it arrives whole
into()
{
	limited cat "$2" >got &
	into_reader=$!
	mine $into_reader
	ok "$1" limited "$TAGCORE" dump -o "$3" "$PID"
	wait $into_reader
	not_mine $into_reader
	ok "$1: all of it" "$TAGCORE" validate got
}
exec 7>&-
rm -f pipe
mkfifo pipe
into "a FIFO of one's own" pipe pipe
mkfifo '5%'
into "one with a % in its name" '5%' '5%%'
ln -s pipe link
into "a link of one's own to it" pipe link
limited "$TAGCORE" dump -o /dev/stdout "$PID" 2>err | cat >got
ok "/dev/stdout, a pipe" "$TAGCORE" validate got
ok "/dev/null" limited "$TAGCORE" dump -o /dev/null "$PID"
ok "/dev/null with --force" limited "$TAGCORE" dump --force -o /dev/null "$PID"
is "is still a device" "$(stat -c %F /dev/null)" "character special file"

if is_root; then
	# In a directory that others can write to, with and without the sticky bit; in one of theirs it may be meant.
	for mode in 1777 777 775; do
		mkdir "d$mode"
		chmod $mode "d$mode"
		plant_fifo "d$mode/pipe"
		chown 65534:65534 "d$mode/pipe"
		refused_what="another's FIFO in a directory of mode $mode"
		refused "d$mode/pipe" "$TAGCORE" dump -o "d$mode/pipe" "$PID"
		matches "$refused_what: the message says whose" err 'of user 65534'
		plant_fifo pipe
		ln -s ../pipe "d$mode/link"
		chown -h 65534:65534 "d$mode/link"
		refused_what="another's link in a directory of mode $mode"
		refused "d$mode/link" "$TAGCORE" dump -o "d$mode/link" "$PID"
		chown 65534 pipe
		ln -s ../pipe "d$mode/ours"
		refused_what="one's own link to another's FIFO in a directory of mode $mode"
		refused "d$mode/ours" "$TAGCORE" dump -o "d$mode/ours" "$PID"
		exec 7>&-
	done
	mkdir theirs
	mkfifo theirs/pipe
	chown -R 65534:65534 theirs
	into "a user's FIFO in a directory of that user alone" theirs/pipe theirs/pipe
else
	skip "what others own" "not root"
fi
is "no temporary file is left" "$(find . -name '.core-tagcore-*')" ""
is "the process lives" "$(report)" "alive 1 heap intact"
done_testing
