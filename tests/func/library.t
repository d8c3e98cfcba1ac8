# libtagcore as a stranger meets it: installed, found by pkg-config, linked either way, in C and in C++.
. "$TOP/tests/func/lib.sh"
check_leaks

for tool in make cc pkg-config nm objcopy; do
	have $tool || skip_all "no $tool"
done
unset MAKEFLAGS MFLAGS MAKELEVEL
# As built: -o, since the compiler and flags of that are not known here.
make_here() { run make -C "$TOP" "$@"; }
make_here O="$O" -o "$O/flags" -o "$O/sources" DESTDIR="$PWD/root" PREFIX=/usr LIBDIR=/usr/lib install
is "make install" "$rc" 0 || diag <err
lib=$PWD/root/usr/lib
PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PWD/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
with_so() { LD_LIBRARY_PATH=$lib "$@"; }

is "the soname" "$(readelf -d "$lib/libtagcore.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')" libtagcore.so.0
is "the version that pkg-config prints is the program's" "tagcore $(pkg-config --modversion tagcore)" "$("$TAGCORE" --version)"

# ---- names: nothing without the prefix, and all of it public
cat "$TOP"/include/tagcore/*.h | tr '\n' ' ' | grep -o 'TAGCORE_API [^;(]*(' | grep -o 'tagcore_[a-z0-9_]*($' |
	tr -d '(' | sort >public
num "functions in the headers" "$(wc -l <public)" -gt 50
nm -D --defined-only "$lib/libtagcore.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >exported
is "the shared object exports the headers' functions alone" "$(diff public exported)" ""
is "all have the version node" "$(nm -D --defined-only --with-symbol-versions "$lib/libtagcore.so" | grep -vc 'TAGCORE_0$')" 0
nm -g --defined-only "$lib/libtagcore.a" | awk 'NF == 3 { print $3 }' | sort >archived
is "so does the archive" "$(diff public archived)" ""

# ---- headers, each alone
for header in "$TOP"/include/tagcore/*.h; do
	echo "#include <tagcore/${header##*/}>" >alone.c
	cp alone.c alone.cc
	for compiler in 'gcc -std=c11' 'clang -std=c11' 'g++ -std=c++17' 'clang++ -std=c++17'; do
		have "${compiler%% *}" || continue
		case $compiler in *++*) source=alone.cc ;; *) source=alone.c ;; esac
		# shellcheck disable=SC2086 # words
		$compiler -pedantic -Wall -Wextra -Wshadow -Wstrict-aliasing -Werror -I"$TOP/include" -fsyntax-only $source \
			>>alone.err 2>&1 || echo "${header##*/}: $compiler" >>alone.failed
	done
done
is "every header compiles alone, as C11 and C++17" "$(cat alone.failed 2>/dev/null)" "" || diag <alone.err

# ---- the ABI: what callers allocate has the size that TAGCORE_0 was made with; options, which say theirs, may only grow
cat >abi.c <<'END'
#include <tagcore/tagcore.h>
#define IS(type, size) _Static_assert(sizeof(struct type) == (size), #type)
#if __SIZEOF_POINTER__ == 8
IS(tagcore_error, 512);
IS(tagcore_area_iter, 1280);
IS(tagcore_open_options, 24);
IS(tagcore_page_walk_ops, 32);
IS(tagcore_unwind_options, 64);
IS(tagcore_dump_options, 104);
#endif
END
ok "the callers' structures have kept their sizes" cc -std=c11 -I"$TOP/include" -fsyntax-only abi.c

# ---- a program with names of its own that are ours, too
cat >own.c <<'END'
#include <inttypes.h>
#include <stdio.h>
#include <tagcore/tagcore.h>

int array_grow(void);
int core_open(void);
int err_set(void);
int vma_next(void);
int xmalloc(void);
int array_grow(void) { return 1; }
int core_open(void) { return 2; }
int err_set(void) { return 4; }
int vma_next(void) { return 8; }
int xmalloc(void) { return 16; }

static int print_areas(struct tagcore_core *core, struct tagcore_error *error)
{
	const struct tagcore_area *area;

	TAGCORE_AREA_ITER(it, tagcore_core_mm(core), 0);
	tagcore_for_each_area(it, area)
		printf("0x%" PRIx64 " %s\n", area->start, area->name ? area->name : "-");
	return tagcore_area_iter_end(&it, error);
}

int main(int argc, char **argv)
{
	struct tagcore_core *core = NULL;
	struct tagcore_error error;
	int r = tagcore_core_open(&core, argv[argc - 1], NULL, &error);

	if (!r)
		r = print_areas(core, &error);
	for (size_t i = 0; !r && i < tagcore_core_threads(core); i++)
		printf("thread %" PRId32 " %s\n", tagcore_core_thread(core, i)->tid, tagcore_core_thread(core, i)->name);
	if (r)
		fprintf(stderr, "%s\n", error.message);
	tagcore_core_close(core);
	return r ? 1 : array_grow() + core_open() + err_set() + vma_next() + xmalloc() == 31 ? 0 : 2;
}
END
need_ptrace
start threads 3
ok "a core" "$TAGCORE" dump -q -o core "$PID"
# threads_of COMMAND...: the ids that inspect threads prints
threads_of() { "$@" inspect threads core | awk 'NR > 1 { print $1 == "*" ? $2 : $1 }'; }
"$TAGCORE" inspect maps core | awk 'NR > 1 { sub(/-.*/, "", $1); sub(/^0*/, "0x", $1); print $1 }' >want
threads_of "$TAGCORE" | sed 's/^/thread /' >>want
# shellcheck disable=SC2046 # words
ok "a program with clashing names: shared" cc -std=c11 -pedantic -Wall -Werror own.c -o own $(pkg-config --cflags --libs tagcore)
ok "it runs" with_so ./own core
sed 's/^\(thread [0-9]*\).*/\1/; s/^\(0x[^ ]*\) .*/\1/' out >got
is "areas and threads are those of tagcore inspect" "$(cat got)" "$(cat want)"
# shellcheck disable=SC2046
ok "the same: static" cc -std=c11 own.c -o own-static $(pkg-config --cflags tagcore) \
	$(pkg-config --static --libs tagcore | sed 's/-ltagcore/-l:libtagcore.a/')
ok "it runs without the library" ./own-static core
sed 's/^\(thread [0-9]*\).*/\1/; s/^\(0x[^ ]*\) .*/\1/' out >got
is "with the same answers" "$(cat got)" "$(cat want)"
# The commands lock themselves in, which valgrind does not survive; what they are made of is this.
if have valgrind && valgrind -q true 2>complaint; then
	memcheck() { valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible "$@"; }
	ok "valgrind finds nothing" memcheck ./own-static core
	ok "nor where there is no core" sh -c 'valgrind -q --error-exitcode=99 --leak-check=full ./own-static /no/such/core; [ $? = 1 ]'
else
	skip "valgrind" "not here"
fi
exits 1 "no core: an error" with_so ./own /no/such/core
matches "that says which" err '/no/such/core: No such file'
is "and nothing else is printed" "$(wc -l <err) $(wc -c <out)" "1 0"

# ---- C++
cat >areas.cc <<'END'
#include <cstdio>
#include <memory>
#include <tagcore/tagcore.h>

struct close_core {
	void operator()(tagcore_core *c) const { tagcore_core_close(c); }
};

int main(int, char **argv)
{
	tagcore_core *opened = nullptr;
	tagcore_error error;
	const tagcore_area *area;
	unsigned n = 0;

	if (tagcore_core_open(&opened, argv[1], nullptr, &error) < 0)
		return std::fprintf(stderr, "%s\n", error.message), 1;
	std::unique_ptr<tagcore_core, close_core> core(opened);
	TAGCORE_AREA_ITER(it, tagcore_core_mm(core.get()), 0);
	tagcore_for_each_area(it, area)
		n++;
	std::printf("%u\n", n);
	return tagcore_area_iter_end(&it, &error) ? 1 : 0;
}
END
if have c++; then
	# shellcheck disable=SC2046
	ok "a program in C++" c++ -std=c++17 -pedantic -Wall -Wextra -Werror areas.cc -o areas $(pkg-config --cflags --libs tagcore)
	ok "it runs" with_so ./areas core
	is "and counts the areas" "$(cat out)" "$(grep -c '^0x' want)"
else
	skip "a program in C++" "no c++"
fi

# ---- memory that is short is an error, at each place
cat >short.c <<'END'
#include <errno.h>
#include <stdlib.h>
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);
static long left;
static int fails(void)
{
	static int begun;
	if (!begun) {
		const char *s = getenv("FAIL_AT");
		left = s ? atol(s) : -1;
		begun = 1;
	}
	if (!left || --left)
		return 0;
	errno = ENOMEM;
	return 1;
}
void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return fails() ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
END
if cc -shared -fPIC -o short.so short.c 2>short.err && with_so env LD_PRELOAD="$PWD/short.so" ./own core >whole 2>&1; then
	i=1 worst=
	while [ $i -lt 400 ]; do
		with_so env FAIL_AT=$i LD_PRELOAD="$PWD/short.so" ./own core >short.out 2>short.err
		short_rc=$?
		# 0: what failed was the C library's own, or what one can do without; 1: with a sentence.
		case $short_rc:$(wc -l <short.err) in 0:0 | 1:1) ;; *) worst="$worst $i:$short_rc" ;; esac
		[ $short_rc -ne 0 ] || ! cmp -s short.out whole || [ $i -lt 60 ] || break
		i=$((i + 1))
	done
	is "short of memory: an error or a whole answer" "$worst" ""
else
	skip "short of memory: an error or a whole answer" "malloc cannot be replaced here"
fi

# ---- a thousand calls in one process: no descriptor stays open, and memory does not grow
cat >many.c <<'END'
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <tagcore/tagcore.h>

static int fail(const char *what, const struct tagcore_error *e) { fprintf(stderr, "%s: %s\n", what, e->message); exit(2); }
static int nothing(const struct tagcore_symbol *symbol, void *arg) { (void)symbol; (void)arg; return 0; }

static void backtrace(struct tagcore_core *core)
{
	struct tagcore_unwind *u;
	struct tagcore_stack *stack;
	struct tagcore_error e;

	if (tagcore_unwind_open_core(&u, core, NULL, &e) || tagcore_unwind_thread(&stack, u, tagcore_core_thread(core, 0), &e) ||
	    !tagcore_stack_frames(stack) || tagcore_symbols_each(u, tagcore_stack_frame(stack, 0), 0, nothing, NULL, &e))
		fail("backtrace", &e);
	tagcore_stack_free(stack);
	tagcore_unwind_close(u);
}

static void read_core(const char *path)
{
	struct tagcore_core *core;
	const struct tagcore_area *area;
	struct tagcore_error e;

	if (tagcore_core_open(&core, path, NULL, &e))
		fail("open", &e);
	TAGCORE_AREA_ITER(it, tagcore_core_mm(core), 0);
	tagcore_for_each_area(it, area)
		;
	if (tagcore_area_iter_end(&it, &e))
		fail("areas", &e);
	backtrace(core);
	tagcore_core_close(core);
	if (!tagcore_core_open(&core, "/no/such/core", NULL, &e))
		exit(2);
}

static void save(pid_t pid)
{
	struct tagcore_dump_options o = { .size = sizeof(o), .output = "many.core", .flags = TAGCORE_DUMP_FORCE };
	struct tagcore_dump *dump;
	struct tagcore_error e;

	if (tagcore_dump_run(&dump, pid, &o, &e))
		fail("dump", &e);
	tagcore_dump_free(dump);
	if (!tagcore_dump_run(&dump, 999999999, &o, &e))
		exit(2);
}

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	int rounds = atoi(argv[1]), fds = 0;
	size_t used = 0;

	(void)argc;
	/* What libraries keep for the next time is there after some calls. */
	for (int i = 0; i < 20 + rounds; i++) {
		read_core(argv[2]);
		if (!(i % 5))
			save((pid_t)atoi(argv[3]));
		if (i == 19) {
			fds = descriptors();
			used = mallinfo2().uordblks;
		}
	}
	printf("%d %zd\n", descriptors() - fds, (ssize_t)(mallinfo2().uordblks - used));
	return 0;
}
END
# shellcheck disable=SC2046 # words
if ok "a program with many calls" cc -D_GNU_SOURCE -std=c11 many.c -o many $(pkg-config --cflags tagcore) \
	$(pkg-config --static --libs tagcore | sed 's/-ltagcore/-l:libtagcore.a/'); then
	ok "a thousand calls" ./many 1000 core "$PID"
	is "descriptors that stay" "$(cut -d ' ' -f 1 out)" 0
	num "bytes that stay" "$(cut -d ' ' -f 2 out)" -lt 65536
	diag <out
fi

# ---- the examples
cp -r "$TOP/examples" examples
for how in shared static; do
	make -C examples clean >/dev/null
	ok "the examples: $how" make -C examples CFLAGS='-O1 -std=c11 -pedantic -Wall -Wextra -Werror' "STATIC=$([ $how = shared ] || echo 1)"
	if [ $how = shared ]; then LD_LIBRARY_PATH=$lib; else LD_LIBRARY_PATH=/nowhere; fi
	export LD_LIBRARY_PATH
	ok "$how: threads" examples/threads core
	is "$how: those of the core" "$(sed 's/^[* ] *\([0-9]*\) .*/\1/' out | sort)" "$(sed -n 's/^thread //p' want | sort)"
	# Not every C library has a symbol for where a thread waits.
	matches "$how: with the function that a thread is in" out ' 0x[0-9a-f]+ [a-z_]+$'
	[ $how = shared ] || ! command -v memcheck >/dev/null || ok "$how: valgrind finds nothing in backtraces" memcheck examples/threads core
	ok "$how: dump" examples/dump "$PID" saved.$how
	matches "$how: reports" out "^saved.$how: [0-9]+ bytes, [0-9]+ threads"
	ok "$how: the core is good" "$TAGCORE" validate saved.$how
	exits 1 "$how: dump of no process" examples/dump 999999999 none
	nothing_left "$how: dump of no process" examples
	ok "$how: tags of a core without" examples/tags core "$(sed -n 1p want)"
	unset LD_LIBRARY_PATH
done
if ok "a core with tags" "$TARGETS/mtecore" tagged; then
	"$TAGCORE" inspect tags tagged >runs
	addr=$(sed -n '1s/-.*//p' runs)
	ok "tags" examples/tags tagged "$(printf '0x05%014x' "$addr")"
	matches "the pointer's" out '^pointer tag 0x5, area 0x'
	is "and the memory's" "$(sed -n 's/^0x.*-.* tag //p' out | head -n 1)" "$(awk 'NR == 1 { print $NF }' runs)"
fi

sed -n '/^#include/,$p' examples/threads.c >example
sed -n '/^## The library/,/^## Limits/p' "$TOP/README.md" | sed -n '/^```c$/,/^```$/p' | sed '1d;$d' >shown
is "README shows one of them" "$(diff example shown)" ""

# ---- the program, linked to either
mkdir linked
ln -s "$O/obj" linked/obj
cp "$O/flags" "$O/sources" linked
make_here O="$PWD/linked" -o "$PWD/linked/flags" -o "$PWD/linked/sources" LINK=shared "$PWD/linked/tagcore"
is "LINK=shared" "$rc" 0 || diag <err
is "nothing without the prefix is exported then" "$(nm -D --defined-only linked/libtagcore.so.0 | awk '$2 != "A" { print $3 }' |
	grep -v '^tagcore_')" ""
is "what is not public has a node of its own" "$(nm -D --defined-only --with-symbol-versions linked/libtagcore.so.0 |
	grep tagcore_private_ | grep -vc '@@TAGCORE_PRIVATE_')" 0
for program in "$O/tagcore" "$PWD/linked/tagcore"; do
	case $program in "$O"/*) how="with the objects" ;; *) how="with the shared object" ;; esac
	LD_LIBRARY_PATH=$PWD/linked
	export LD_LIBRARY_PATH
	is "linked $how" "$(ldd "$program" | grep -c "libtagcore")" "$([ "$how" = "with the objects" ]; echo $?)"
	ok "$how: help" "$program" help
	ok "$how: dump" "$program" dump -q --force -o linked.core "$PID"
	is "$how: inspect" "$(threads_of "$program")" "$(threads_of "$TAGCORE")"
	ok "$how: validate" "$program" validate linked.core
	ok "$how: stack" "$program" stack linked.core
	unset LD_LIBRARY_PATH
done
done_testing
