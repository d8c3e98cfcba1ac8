# The shape of the house: tests/house on what was compiled, and on small houses with a fault each.
. "$TOP/tests/func/lib.sh"
command -v nm >/dev/null && command -v tsort >/dev/null || skip_all "no nm or tsort"

ok "no circle in a folder, no folder that uses one above it, no name twice" "$TOP/tests/house" "$O/san"
[ "$rc" -eq 0 ] || diag <out

# source FILE NAME USED...: a file that has the function NAME and calls those USED
source()
{
	file=$1 name=$2
	shift 2
	mkdir -p "tree/${file%/*}" "obj/${file%/*}"
	{
		for f; do echo "void $f(void);"; done
		echo "void $name(void) {"
		for f; do echo "$f();"; done
		echo "}"
	} >"tree/$file"
	"${CC:-cc}" -c -o "obj/${file%.c}.o" "tree/$file"
}

# house WHAT STATUS PATTERN: what is said of the tree
house()
{
	HOUSE=$PWD/tree exits "$2" "$1" "$TOP/tests/house" obj
	[ -z "$3" ] || matches "$1: it says so" out "$3"
	rm -rf tree obj
}

good()
{
	source arch/arch.c arch
	source src/base/low.c low
	source src/core/core.c core low arch
	source src/cli/main.c main core
}

good
house "a house that stands" 0 ""
good
source src/base/low.c low core
house "an arrow up" 1 "src/base is not to know src/core"
good
source src/live/live.c live core
house "neighbours" 1 "src/live/live.c uses core of src/core/core.c"
good
source src/dump/dump.c dump core
house "strangers" 1 "src/dump is not to know src/core"
good
source src/core/more.c more core
source src/core/core.c core more low
house "a circle" 1 "src/core: these files use each other"
good
source src/core/one.c one two
source src/core/two.c two three
source src/core/three.c three one
house "a circle of three" 1 "src/core/three"
good
source src/attic/attic.c attic low
house "a folder that has no floor" 1 "src/attic has no floor"
good
source src/cli/core.c show core
house "two files of one name" 1 "core.c: the name of more than one"
good
rm obj/arch/arch.o
house "a source without its object" 1 "arch/arch.c: no object"
done_testing
