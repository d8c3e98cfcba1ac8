# Cores of other machines and makers, in the folder CORES: what inspect and validate say
# of each against what gdb, elfutils and the makers' own tests say.  Beside a core NAME
# (or NAME.zst) are NAME.expect-gdb.txt, NAME.expect-eu-readelf-n.txt and
# NAME.expect-peer.txt, any of them.  Those in fuzz/ are broken on purpose.
. "$TOP/tests/func/lib.sh"
[ -n "${CORES-}" ] || skip_all "CORES names no folder with cores of other machines"
[ -d "$CORES" ] || skip_all "there is no folder $CORES"
have zstd || skip_all "no zstd"
have python3 || skip_all "no python3"

# fetch NAME: as the file core, unless it is of more than 64 MiB
fetch()
{
	rm -f core
	if [ -f "$CORES/$1" ]; then
		head -c 67108865 "$CORES/$1" >core
	elif [ -f "$CORES/$1.zst" ]; then
		zstd -dcq "$CORES/$1.zst" 2>err | head -c 67108865 >core
	fi
	[ -f core ] && [ "$(size_of core)" -le 67108864 ]
}

# No crash and no report of a sanitizer, whatever the file: every view, and validate
views="headers notes threads registers maps modules auxv files tags missing"
survives()
{
	survives_bad=
	for view in $views; do
		timeout 60 "$TAGCORE" inspect "$view" core >view.out 2>view.err
		case $? in 0|2) ;; *) survives_bad="$survives_bad $view" ;; esac
		# The rest of the files are read as JSON below.
		case $name in *fuzz/*) ;; *) continue ;; esac
		timeout 60 "$TAGCORE" inspect --json "$view" core >view.out 2>view.err
		case $? in 0|2) ;; *) survives_bad="$survives_bad $view(json)" ;; esac
	done
	timeout 60 "$TAGCORE" validate core >view.out 2>view.err
	case $? in 0|1) ;; *) survives_bad="$survives_bad validate" ;; esac
	is "$name: every view" "$survives_bad" ""
}

machines=
names=$(cd "$CORES" && find . -type f -name '*.expect-*.txt' | sed 's|^\./||; s/\.expect-.*//' | sort -u)
for name in $names; do
	fetch "$name" || continue
	survives
	case $name in fuzz/*|*/fuzz/*) continue ;; esac
	"$TAGCORE" inspect --json core >summary.json 2>err || continue
	"$TAGCORE" inspect registers --json core >registers.json
	"$TAGCORE" inspect threads --json core >threads.json
	[ "$(json threads.json '#')" -gt 0 ] || continue
	machine=$(json summary.json .machine)
	machines="$machines $machine"
	set --
	for who in gdb eu-readelf-n peer; do
		[ ! -f "$CORES/$name.expect-$who.txt" ] || set -- "$@" "$CORES/$name.expect-$who.txt"
	done
	python3 "$TOP/tests/func/inspect-registers.py" "$machine" registers.json threads.json "$@" >out 2>err
	case $? in
	0) pass "$name ($machine): registers, threads: $(tail -n 1 out)" ;;
	3) skip "$name ($machine): registers" "nobody else prints them" ;;
	*) fail "$name ($machine): registers, threads"; diag <out; diag <err ;;
	esac
	"$TAGCORE" validate core >findings 2>err
	matches_not "$name: sizes of notes" findings ' note-(size|regset-size) '
	# Where the file has all segments, every thread stands in code, on a stack.
	case $(json summary.json .tool) in
	kernel) matches_not "$name: pc and sp" findings ' thread-(pc|sp) ' ;;
	esac
done
for machine in x86_64 i386 aarch64 arm riscv64 ppc64le s390x mipsel mipsn32el mips64el loongarch64 sparc64 \
	m68k alpha parisc; do
	case " $machines " in
	*" $machine "*) pass "there was one of $machine" ;;
	*) skip "there was one of $machine" "not in CORES" ;;
	esac
done
done_testing
