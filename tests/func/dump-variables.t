# Variables in a core of stacks, as debuggers show them: as in a full core, or said not to be there.
. "$TOP/tests/func/lib.sh"
plain_build
need_ptrace
have gcc || skip_all "no gcc"

cat >lib.c <<'END'
int lib_data = 1, lib_bss, lib_big[1 << 18], lib_clean[5000] = { 7 };
_Thread_local int lib_tls = 5, lib_tbss;
int *const lib_relro = &lib_data;
char lib_pad[20000] = "pad";
const char lib_rodata[] = "lib rodata";
void lib_set(void)
{
	lib_data = 11;
	lib_bss = 12;
	lib_big[100000] = 13;
	lib_tls = 14;
	lib_tbss = 15;
	lib_pad[10000] = 'x';
}
END
cat >late.c <<'END'
int late_data = 1, late_bss;
_Thread_local int late_tls = 3;
void late_set(void) { late_data = 61; late_bss = 62; late_tls = 63; }
END
cat >main.c <<'END'
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void lib_set(void);
int var_data = 1, bss, big[1 << 20], never[1 << 20], clean[5000] = { 7 };
#ifdef HUGE
int huge[6 << 20];
#else
int huge[1 << 10];
#endif
_Thread_local int tls = 3, tbss;
int *const relro = &var_data, *pointers[] = { &var_data, &bss };
char pad[40000] = "pad";
const char rodata[] = "main rodata";
int *heap, *anon, *shared, *file_shared, *file_private, *file_written;
static pthread_barrier_t all;

static void *run(void *arg)
{
	tls = 100 + (int)(long)arg;
	tbss = 200;
	lib_set();
	pthread_barrier_wait(&all);
	for (;;)
		pause();
	return arg;
}

static int *map(int flags, int fd)
{
	return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, flags, fd, 0);
}

int main(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT, 0600);
	pthread_t t;

	var_data = 21;
	bss = 22;
	big[500000] = 23;
	tls = 24;
	tbss = 25;
	pad[20000] = 'y';
	for (size_t i = 0; i < sizeof(huge) / 4; i += 1024)
		huge[i] = 41;
	lib_set();
	heap = malloc(1 << 16);
	heap[5000] = 31;
	anon = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	anon[5000] = 32;
	shared = map(MAP_SHARED | MAP_ANONYMOUS, -1);
	shared[5000] = 33;
	if (ftruncate(fd, 1 << 20))
		return 1;
	file_shared = map(MAP_SHARED, fd);
	file_shared[5000] = 34;
	file_private = map(MAP_PRIVATE, fd);
	file_private[100] = 35;
	file_written = file_private + 200000;
	*file_written = 36;
#ifdef LATE
	void *late = dlopen("./liblate.so", RTLD_NOW);
	((void (*)(void))dlsym(late, "late_set"))();
#endif
	pthread_barrier_init(&all, NULL, 4);
	for (long i = 0; i < 3; i++)
		pthread_create(&t, NULL, run, (void *)i);
	pthread_barrier_wait(&all);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
	return never[0];
}
END

# What must have its value, and what may be missing; NAME or NAME[INDEX].
saved='var_data bss big[500000] relro pointers[1] pad[20000] rodata clean[1] tls tbss file_private[100] file_written[0]
	lib_data lib_bss lib_big[100000] lib_relro lib_pad[10000] lib_rodata lib_clean[0] lib_clean[4000] lib_tls lib_tbss'
lost='heap[5000] anon[5000] shared[5000] file_shared[5000] never[5] big[0] big[1000000]'

# ask_gdb CORE EXPRESSION...: a line "EXPRESSION = VALUE" or "EXPRESSION = lost" each, and the threads
ask_gdb()
{
	ask_core=$1
	shift
	for x; do
		printf 'python\ntry: print("%s =", gdb.parse_and_eval("%s"))\n' "$x" "$x"
		printf 'except Exception as e: print("%s = lost")\nend\n' "$x"
	done >ask
	echo 'thread apply all -q p tls' >>ask
	timeout 100 gdb -nx -batch -x ask ./prog "$ask_core" >out 2>err
	grep -E ' = ' out
}

ask_lldb()
{
	ask_core=$1
	shift
	for x; do
		set -- "$@" -o "target variable $x"
		shift
	done
	timeout 100 lldb -b "$@" ./prog -c "$ask_core" </dev/null >out 2>err
	sed -n 's/^([^)]*) \([^ ]*\) = \(.*\)/\1 = \2/p' out | sed 's/= <.*/= lost/'
}

cat >ask.py <<'END'
import re, sys, drgn
p = drgn.Program()
p.set_core_dump(sys.argv[1])
try:
    p.load_debug_info(None, default=True)
except Exception:
    pass
for x in sys.argv[2:]:
    name, index = re.match(r"(\w+)(?:\[(\d+)\])?$", x).groups()
    try:
        o = p.variable(name, "main.c" if not name.startswith("lib_") else "lib.c")
        o = o[int(index)] if index else o
        print(x, "=", o.read_().value_())
    except Exception:
        print(x, "= lost")
END

ask_drgn()
{
	timeout 100 /usr/bin/python3 ask.py "$@" 2>err
}

# equal_or_lost WHAT FULL MINI: each line of the first is in the second, or says "lost" there
equal_or_lost()
{
	num "$1: it answered" "$(wc -l <"$2")" -ge 10
	awk 'NR == FNR { mini[$1] = $0; next } { if (mini[$1] != $0 && mini[$1] !~ /= lost$/) { print $0, "but", mini[$1]; bad = 1 } }
		END { exit bad }' "$3" "$2" >wrong && pass "$1: no other value" || { fail "$1: no other value"; diag <wrong; }
}

# check NAME: prog, built
check()
{
	start ./prog
	ok "$1: dump" "$TAGCORE" dump -q --force --limit 100M -o full "$PID"
	ok "$1: dump --stacks" "$TAGCORE" dump -q --force --stacks -o mini "$PID"
	# Whoever reads the file now does not see what the process saw.
	dd if=/dev/urandom of=mapped bs=64k count=16 conv=notrunc 2>/dev/null
	run "$TAGCORE" validate mini
	matches_not "$1: valid" out 'error|warning'
	num "$1: it is small" "$(disk_of mini)" -lt $(($([ "$1" = huge ] && echo 18 || echo 1) << 20))
	is "$1: no segment is longer than its bytes" "$(readelf -lW mini | awk '/ LOAD / && $5 != $6')" ""
	for who in $asked; do
		have $who || { skip "$1: $who" "not installed"; continue; }
		# Words, each of them one.
		# shellcheck disable=SC2086
		for core in full mini; do
			ask_$who $core $saved $lost $LATE >$who.$core
		done
		grep -q '= [^l]' $who.full || { skip "$1: $who" "it shows no variables: $(head -n 1 err)"; continue; }
		equal_or_lost "$1: $who" $who.full $who.mini
	done
	if have gdb; then
		ask_gdb mini $lost >heap
		for x in 'heap[5000]' 'anon[5000]' 'shared[5000]' 'file_shared[5000]'; do
			matches "$1: gdb: $x is not there" heap "^${x%%\[*}.*= lost\$"
		done
		for x in $saved; do grep -F "$x = lost" gdb.mini; done >not
		# Only the beginning of a large .bss is saved.
		[ "$1" = huge ] || is "$1: gdb: all else is there" "$(cat not)" ""
		at=$(gdb -nx -batch -ex 'output/x (long)&heap[5000]' ./prog full 2>err | grep -o '0x[0-9a-f]*$')
		gdb -nx -batch -ex 'info threads' ./prog mini >out 2>err
		is "$1: gdb: libthread_db finds the threads" "$(grep -c 'Thread 0x.* (LWP ' out)" \
			"$(gdb -nx -batch -ex 'info threads' ./prog full 2>err | grep -c 'Thread 0x.* (LWP ')"
	fi
	own "$1"
	finish
}

# Our own reader: what the program's pointers point at is absent, and the pointers are there.
own()
{
	for core in full mini; do
		"$TAGCORE" inspect maps "$core" | awk '$NF ~ /^[\/[]/ { print $NF }' | sort -u >maps.$core
	done
	is "$1: the areas have the same names in either core" "$(diff maps.full maps.mini)" ""
	"$TAGCORE" stack full | sed 1d >stack.full
	"$TAGCORE" stack mini | sed 1d >stack.mini
	is "$1: the same backtraces" "$(diff stack.full stack.mini)" ""
	"$TAGCORE" inspect missing mini >missing
	matches "$1: inspect missing says why" missing 'rule stack-rest: omit'
	[ -n "${at:-}" ] || { skip "$1: the heap is absent" "no gdb that knows where it is"; return; }
	"$TAGCORE" inspect memory "$at" 4 full >out
	matches "$1: the heap is in a full core" out '  1f 00 00 00 '
	"$TAGCORE" inspect memory "$at" 4 mini >out
	matches "$1: and absent in one of stacks, not zero" out '  -- -- -- -- '
}

LATE=
while read -r name asked flags; do
	asked=$(echo "$asked" | tr , ' ')
	# shellcheck disable=SC2086
	case $name in
	static*) gcc -w -g -O0 $flags -o prog main.c lib.c -pthread >log 2>&1 ;;
	*) gcc -w -g -O0 -shared -fPIC -o libvars.so lib.c >log 2>&1 && gcc -w -g -O0 -shared -fPIC -o liblate.so late.c >>log 2>&1 &&
		gcc -w -g -O0 $flags -o prog main.c ./libvars.so -pthread -ldl >>log 2>&1 ;;
	esac || { skip "$name" "gcc: $(head -n 1 log)"; continue; }
	case $name in
	late) LATE='late_data late_bss late_tls' ;;
	huge) LATE='huge[0] huge[2097152] huge[6290432]' ;;
	*) LATE= ;;
	esac
	check "$name"
done <<'END'
PIE gdb,lldb,drgn -pie -fPIE
no-PIE gdb -no-pie
late gdb -DLATE -Wl,-z,now
huge gdb,drgn -DHUGE
static gdb,lldb,drgn -static
static-PIE gdb -static-pie
END
done_testing
