# explain: a program that dies in each way, its core by the kernel, and the verdict; and those that look alike.
# shellcheck disable=SC3045 # every sh has ulimit -c
. "$TOP/tests/func/lib.sh"
plain_build
ulimit -c unlimited 2>/dev/null || skip_all "no core files: $(grep core /proc/self/limits)"
is_root || skip_all "needs root: core_pattern is set"
own_core_pattern "$PWD/core.of"

# die HOW: its core is the file core, what it printed the file said; false when it cannot die so here
die()
{
	rm -f core core.of crash.??????
	(
		exec 9<&-
		ulimit -s 1024
		exec "$TARGETS/${crasher-crash}" "$1"
	) >said 2>complaint
	[ $? -ne 77 ] || return 1
	[ -s core.of ] && mv core.of core
}

# verdict HOW CONFIDENCE KIND PATTERN: of the core of a program that has died so
verdict()
{
	if ! die "$1"; then
		skip "$1" "not on this machine"
		return
	fi
	exits 0 "$1: there is a verdict" "$TAGCORE" explain core
	like "$1: the sentence" "$(sed -n 1p out)" "$4"
	like "$1: the kind, and how sure" "$(sed -n 2p out)" "$2 ($3): *"
}

# ---- memory
verdict null_read certain null-pointer "read of 4 bytes at 0x0 in null_read: null pointer in *"
verdict null_offset certain null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *, with the offset 0x40"
verdict null_index certain null-pointer "write of 8 bytes at 0x1f40 in index_of: null pointer in *, with the index *"
verdict null_before "*" "*" "write of 1 byte at 0xfffffffffffffff8 in null_before: *"
# Where that is too large for an instruction it is in a register.
verdict null_far likely null-pointer "read of 4 bytes at 0x5000000 in far_id: null pointer in *, with the * 0x5000000"
verdict null_string certain null-pointer "read of * at 0x0 in *str*: null pointer in *"
verdict small_number possible null-pointer "write of 4 bytes at 0x4321 in small_number: *small number"
verdict wild certain unmapped-address "write of 4 bytes at 0x* in wild: nothing is mapped there*"
verdict freed_pointer likely use-after-free "read of 4 bytes at 0x* in freed_pointer: the pointer in * was read from a block at 0x* that was free: use after free"
verdict jump_null certain jump-to-null "call or jump through a null function pointer, called from jump_null"
verdict jump_unmapped certain jump-to-unmapped "jump to 0x123456780, where nothing is mapped, called from jump_unmapped"
verdict return_unmapped certain jump-to-unmapped "return to 0x12345678, where nothing is mapped: the return address on the stack was overwritten"
verdict return_null likely jump-to-null "return to 0x0: the return address on the stack was overwritten"
verdict jump_data certain jump-to-data "jump to 0x*, which is data and not code: anonymous memory, called from jump_data"
verdict write_literal certain write-to-read-only "write of 1 byte at 0x* in write_literal: read-only memory, .rodata of */crash"
verdict write_protected certain write-to-read-only "write of 1 byte at 0x* in write_protected: read-only memory, anonymous memory"
verdict past_mapping likely past-mapping-end "write of 1 byte at 0x*000 in past_mapping: 0x0 bytes past the end of anonymous memory"
verdict guard certain guard-page "write of 1 byte at 0x*005 in guard: 0x5 bytes into memory without permissions that is after *"
verdict guard_within possible guard-within-mapping "write of 1 byte at 0x*005 in guard_within: a guard page within *"
verdict past_file likely past-end-of-file "write of 1 byte at 0x*003 in past_file: past the end of the file */crash.*"

# ---- memory that is not to be had
case $(uname -m) in
x86_64)
	verdict no_malloc likely allocation-failed "write of 4 bytes at 0x28 in *: malloc() has returned a null pointer, as where memory is not enough, *"
	verdict no_calloc "*" allocation-failed "write of * in *mem*: calloc() has returned a null pointer, *"
	verdict no_mmap likely allocation-failed "write of 1 byte at 0xf in *: mmap*() has returned MAP_FAILED, *" ;;
*)	skip "what malloc(3) returned" "only code of x86-64 is followed" ;;
esac
verdict null_of_another certain null-pointer "write of 1 byte at 0x0 in null_of_another: null pointer in *"
verdict minus_one possible map-failed "write of 1 byte at 0xffffffffffffffff in minus_one: the pointer in * is -1, *"

# ---- stacks
verdict stack_main certain stack-overflow "stack overflow in recurse: the stack of thread *: recurse calls itself without an end"
matches "the frames that repeat" out 'recurse at 0x.* is in a cycle of 1 frame that comes [0-9]* times'
verdict stack_mutual certain stack-overflow "stack overflow in *: * calls itself without an end by way of others"
verdict stack_callee certain stack-overflow "stack overflow in *: print_all calls itself without an end"
verdict stack_thread certain stack-overflow "stack overflow in recurse: the stack of thread *, 1??.0 KiB, is used up*"
verdict stack_large certain stack-overflow "stack overflow in large_array: the stack of thread *"
verdict stack_alloca likely stack-overflow "stack overflow in stack_alloca: it takes 64.0 MiB at once, and the stack of thread *, has not so much left"
verdict stack_index likely stack-guard "write of 1 byte at 0x* in thread_index: the guard page below the stack of thread *"
verdict deep_null certain null-pointer "read of 4 bytes at 0x0 in null_read: null pointer in *"
verdict bad_stack certain unmapped-address "write of 8 bytes at 0x* in bad_stack: nothing is mapped there*"

# ---- instructions
verdict noncanonical certain non-canonical-address "write of 8 bytes at 0xdead000000001230 in noncanonical, which is no address*"
verdict text_pointer certain non-canonical-address "read of 4 bytes at 0x4847464544434241 in text_pointer*"
[ ! -f core ] || matches "text in the pointer" out 'the text "ABCDEFGH"'
verdict jump_noncanonical certain jump-noncanonical "call or jump to 0xdead000000001230, which is no address*"
verdict return_noncanonical certain jump-noncanonical "return to 0x4141414141414141, which is no address* was overwritten"
verdict misaligned certain misaligned-vector "read of 16 bytes at 0x*4 in misaligned: * multiples of 16"
verdict privileged certain privileged-instruction "instruction \"hlt\" in privileged, which only the kernel may execute"
verdict divide_zero certain division-by-zero "integer division by zero in divide_by: *"
verdict divide_overflow certain division-overflow "integer division in divide_by whose quotient does not fit*"
verdict divide_memory certain division-by-zero "integer division by zero in divide_memory: the divisor in memory at 0x* is 0"
verdict divide_byte certain division-by-zero "integer division by zero in divide_byte: the divisor in cl is 0"
verdict unaligned_check certain misaligned-access "read of 4 bytes at 0x*[19] in unaligned_check: the address is not aligned*"
verdict float_zero certain floating-point "floating-point division by zero in float_zero"
verdict illegal certain illegal-instruction "illegal instruction* in illegal*"
verdict breakpoint certain breakpoint "a breakpoint instruction in breakpoint*"
verdict trap likely trap-instruction "the trap instruction * in trap: the program has ended itself, by __builtin_trap() or *"
verdict refused_call certain refused-system-call "system call getppid* was refused by a seccomp filter"

# ---- abort
verdict assertion certain assertion "an assertion failed: *crash.c:*: assertion: Assertion \`sink == 12345' failed."
verdict other_assertion certain assertion-without-text "an assertion failed in other_assertion: n_orders > 0, shop.c:1234"
verdict smash certain stack-smashing "a buffer on the stack was written past its end in smash: *"
verdict fortify certain buffer-overflow "a function of the C library would have written past the end of a buffer in fortify: *"
verdict free_invalid certain heap-corruption "a pointer was freed that malloc(3) has not given in free_invalid: *"
verdict free_twice certain heap-corruption "a block was freed twice in free_twice: *"
verdict heap_overwritten certain heap-corruption "the heap is damaged in heap_overwritten: *"
matches "where the heap is damaged" out 'its size is 0x4141414141414141'
verdict plain_abort likely abort "the program has ended itself by SIGABRT, as abort(3) does in plain_abort, *"

# ---- signals
verdict sent_segv certain raised "the process has sent SIGSEGV to itself, in sent_segv"
verdict sent_quit certain raised "the process has sent SIGQUIT to itself, in sent_quit"
verdict sent_timer certain timer "a timer that has expired has sent SIGSEGV, and nothing handled it"
verdict too_large likely resource-limit "a limit was reached: the size of a file *"
verdict in_handler likely abort "the program has ended itself by SIGABRT*"
verdict survived likely abort "the program has ended itself by SIGABRT, as abort(3) does in plain_abort, *"
verdict after_fault likely abort "the program has ended itself by SIGABRT, as abort(3) does in aborter, *"
verdict after_fault_siginfo likely abort "the program has ended itself by SIGABRT, as abort(3) does in reporter, *"
verdict caught certain null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *"
matches "who ended it" out 'a handler of SIGSEGV ran for the fault, then SIGABRT ended the process'
verdict caught_plain certain null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *"
verdict caught_stack certain stack-overflow "stack overflow in recurse: *"
verdict caught_no_stack likely stack-overflow "stack overflow in recurse: *"

# A handler that has reported the fault sends the signal again, and returns to where it was.
crasher=reporters
verdict sent_again certain null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *"
matches "what the handler did" out 'the process has sent SIGSEGV to itself in a handler of that signal, which has returned'
matches "where the fault is found" out "the signal's frame is left at 0x"
for how in sent_again_plain on_mapping on_heap thread_again; do
	verdict $how certain null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *"
done
verdict stack_used_up certain stack-overflow "stack overflow in recurse: *"
verdict sent_again_divide certain division-by-zero "integer division by zero in divide_by: *"
verdict sent_again_illegal "*" "*n*" "*in illegal*"
verdict forgotten likely null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *"
matches "by what" out 'the siginfo is of the signal that the process has sent to itself'
verdict thread_to_process certain null-pointer "write of 8 bytes at 0x40 in null_offset: null pointer in *"
matches "which thread took the signal" out 'SIGSEGV came to this thread, from the process itself'
for how in abort_reported abort_to_process; do
	verdict $how likely abort "the program has ended itself by SIGABRT, as abort(3) does in give_up, without a message that is known"
done
verdict permitted certain raised "the process has sent SIGSEGV to itself, in look"
verdict while_busy certain raised "the process has sent SIGSEGV to itself, in look"
unset crasher

start crash wait_for_kill
wait_line "$LOG" ready
exits 0 "a process that runs: what it waits for" "$TAGCORE" explain "$PID"
matches "and that it has not crashed" out 'it is waiting for work: p(ause|poll)'
"$TAGCORE" dump -q -o live "$PID"
exits 0 "its dump: the same" "$TAGCORE" explain live
# killed WHAT KIND BEFORE: PID ends by a signal of ours; BEFORE is what its sentence has before that is said
killed()
{
	rm -f core.of
	# A shell lets what runs beside it ignore SIGQUIT.
	kill -ABRT "$PID"
	wait "$CHILD" 2>/dev/null
	not_mine "$CHILD"
	exits 0 "$1: there is a verdict" "$TAGCORE" explain core.of
	like "$1: the sentence" "$(sed -n 1p out)" "$3process $$ of user $(id -u) has sent SIGABRT: it was ended from outside"
	like "$1: the kind, and how sure" "$(sed -n 2p out)" "certain ($2): *"
}
killed "killed" killed ''

# A watchdog, or somebody who wants a core of what hangs: why it does is said first.
for how in two self; do
	start hangs $how
	killed "$how, killed" '*deadlock' 'deadlock*; '
done

rm -f core.of
(exec 9<&-; exec "$TARGETS/hangs" watched) >said 2>&1
exits 0 "a watchdog: there is a verdict" "$TAGCORE" explain core.of
like "a watchdog: the sentence" "$(sed -n 1p out)" "deadlock: threads *, * wait for each other; the program has ended itself by SIGABRT, as abort(3) does in watchdog, *"
like "a watchdog: the kind, and how sure" "$(sed -n 2p out)" "certain (deadlock): *"
# Nobody asks what others waited for where that was no reason.
die plain_abort
"$TAGCORE" explain core >out
matches_not "no watchdog: nothing of waiting" out 'threads wait for'

# ---- the JSON document: README and manual promise its keys
die null_offset
ok "--json" "$TAGCORE" explain --json core
tr -d "\n" <out >line
for key in schema verdict kind confidence access object tid frames candidates evidence waits deadlocks; do
	matches "key $key" out "\"$key\":"
done
matches "the access" line '"type": *"write", *"size": *8, *"address": *"0x40", *"register": *"[rx][a-z0-9]*", *"register_value": *"0x0"'
matches "evidence has its place" line '"what": *"instruction .*", *"where": *"thread [0-9]*, frame 0, 0x'

# ---- the sentence elsewhere: in text only
ok "stack" "$TAGCORE" stack core
like "stack: above the thread" "$(sed -n 2p out)" "crash: write of 8 bytes at 0x40 in null_offset: null pointer in * (certain; tagcore explain)"
ok "inspect" "$TAGCORE" inspect core
matches "inspect: in the summary" out '^crash      .* at 0x40.*: .*null pointer'
for what in stack inspect; do
	ok "$what --json" "$TAGCORE" $what --json core
	matches_not "$what: not in JSON" out 'null pointer in'
done

# ---- the program by --exe, where the core's files are elsewhere
cp "$TARGETS/crash" elsewhere
ok "--exe" "$TAGCORE" explain --exe elsewhere core
like "the function" "$(sed -n 1p out)" "write of 8 bytes at 0x40 in null_offset: *"
exits 2 "--exe of another program" "$TAGCORE" explain --exe "$TARGETS/threads" core

# ---- sanitizers
cat >asan.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* volatile: a compiler that sees through it would leave it out. */
static __attribute__((noinline)) int used_after_free(volatile char *p) { return p[3]; }
/* What follows: no tail call. */
static __attribute__((noinline)) void overflow(char *p, size_t n) { memset(p, 1, n); *(volatile char *)p = 2; }

static __attribute__((noinline)) int abort_request(volatile int *p) { if (*p) abort(); return 0; }
/* As a sanitizer's start of a thread, further out than who called abort. */
void *__asan_thread_start(void *p) { *(volatile char *)p = abort_request(p); return p; }

int main(int argc, char **argv)
{
	char *p = malloc(10);
	pthread_t t;
	int zero = argc - 2;

	switch (argv[1][0]) {
	case 'f':
		free(p);
		return used_after_free(p);
	case 'o':
		overflow(p, 12);
		return 0;
	case 'd':
		return 7 / zero;
	case 't':
		return pthread_create(&t, 0, __asan_thread_start, memset(p, 1, 10)) || pthread_join(t, 0);
	default:
		abort();
	}
}
END
# sanitized HOW CONFIDENCE KIND PATTERN
sanitized()
{
	rm -f core.of
	(exec 9<&-; unset LSAN_OPTIONS
	 ASAN_OPTIONS=abort_on_error=1:disable_coredump=0 UBSAN_OPTIONS=abort_on_error=1 exec ./sanitized "$1") >said 2>&1
	ok "sanitizer, $1: there is a verdict" "$TAGCORE" explain core.of
	like "sanitizer, $1: the sentence" "$(sed -n 1p out)" "$4"
	like "sanitizer, $1: the kind, and how sure" "$(sed -n 2p out)" "$2 ($3): *"
}
if cc -g -O1 -pthread -fsanitize=address -o sanitized asan.c 2>complaint; then
	sanitized freed certain sanitizer-report "AddressSanitizer has found heap-use-after-free in used_after_free: READ of size 1 at 0x*3 thread T0, 3 bytes inside of 10-byte region *"
	matches "what its report sums up" out '"SUMMARY: AddressSanitizer: heap-use-after-free '
	ok "the access and the object" "$TAGCORE" explain --json core.of
	tr -d ' \n' <out >line
	matches "the access" line '"access":{"type":"read","size":1,'
	matches "the object" line '"object":{.*"state":"freed","offset":3}'
	sanitized overflow certain sanitizer-report "AddressSanitizer has found heap-buffer-overflow in overflow: WRITE of size 12 at 0x*a thread T0, 0 bytes * 10-byte region *"
	sanitized abort likely abort "the program has ended itself by SIGABRT, as abort(3) does in main, *"
	# By name the function is neither abort(3), nor the sanitizer's.
	sanitized thread likely abort "the program has ended itself by SIGABRT, as abort(3) does in abort_request, *"
else
	skip "AddressSanitizer" "$(cat complaint)"
fi
if cc -g -O1 -pthread -fsanitize=undefined -fno-sanitize-recover=all -o sanitized asan.c 2>complaint; then
	sanitized divide certain sanitizer "UndefinedBehaviorSanitizer has ended the program in main: divrem_overflow"
else
	skip "UndefinedBehaviorSanitizer" "$(cat complaint)"
fi

# ---- checks that trap
cat >traps.c <<'END'
#include <stdlib.h>
int table[4];
#define APART __attribute__((noinline)) static
APART int at(int i) { return table[i]; }
APART int add(int a, int b) { return a + b; }
APART int divide(int a, int b) { return a / b; }
APART int shift(int a, int b) { return a << b; }
APART int not_reached(int x) { if (x) __builtin_unreachable(); return 1; }
int main(int argc, char **argv)
{
	switch (argv[1][0]) {
	case 'i': return at(argc + 5);
	case 'a': return add(0x7fffffff, argc);
	case 'd': return divide(7, argc - 2);
	case 's': return shift(1, 30 + argc);
	default: return not_reached(argc);
	}
}
END
if clang -g -O1 -fsanitize=undefined -fsanitize-trap=undefined -o sanitized traps.c 2>complaint; then
	sanitized index certain undefined-behaviour-trap "a check for undefined behaviour has failed in at: an index is out of bounds"
	sanitized add certain undefined-behaviour-trap "a check for undefined behaviour has failed in add: an addition overflowed"
	sanitized divide certain undefined-behaviour-trap "a check for undefined behaviour has failed in divide: a division by zero, *"
	sanitized shift certain undefined-behaviour-trap "a check for undefined behaviour has failed in shift: a shift by *"
	sanitized unreachable certain undefined-behaviour-trap "a check for undefined behaviour has failed in *: control came to *"
else
	skip "checks that trap" "$(cat complaint)"
fi

# ---- LLVM's hardened allocator
cat >scudo.c <<'END'
#include <stdlib.h>
#include <string.h>
__attribute__((noinline)) static void drop(char *p) { free(p); }
int main(int argc, char **argv)
{
	char *volatile p = memset(malloc(48), 1, 48);

	switch (argv[argc > 1][0]) {
	case 'd': drop(p); break;
	case 'u': memset(p - 16, 0x41, 8); break;
	case 'a': abort();
	}
	drop(p);
	return 0;
}
END
# Where clang has it in this place; in the program, before the C library's malloc(3).
scudo=$(clang -print-resource-dir 2>/dev/null)/lib/linux/libclang_rt.scudo_standalone-$(uname -m).a
if [ -e "$scudo" ] && clang -g -O1 -o sanitized scudo.c -Wl,--whole-archive "$scudo" -Wl,--no-whole-archive -pthread 2>complaint; then
	sanitized double certain scudo-report "Scudo has ended the program in drop: invalid chunk state when deallocating address 0x*0: it was freed before"
	matches "its header" out 'the block.s header: 48 bytes, free '
	ok "the object" "$TAGCORE" explain --json core.of
	tr -d ' \n' <out >line
	matches "it is freed" line '"object":{.*"state":"freed","offset":0}'
	sanitized under certain scudo-report "Scudo has ended the program in drop: corrupted chunk header at address 0x*0: what is before the block was overwritten, *"
	# What else such a program dies of is no report of it.
	sanitized abort likely abort "the program has ended itself by SIGABRT, as abort(3) does in main, *"
else
	skip "Scudo" "not here: $(head -n 1 complaint)"
fi

# ---- a 32-bit process whose handler has no siginfo
cat >caught32.c <<'END'
#include <signal.h>
#include <stdlib.h>
__attribute__((noinline)) static void store(volatile int *p) { p[16] = 1; }
static void handler(int s) { (void)s; abort(); }
int main(void) { signal(SIGSEGV, handler); store(0); return 0; }
END
if have i686-linux-gnu-gcc && i686-linux-gnu-gcc -static -g -O1 -o caught32 caught32.c 2>complaint; then
	rm -f core.of
	(exec 9<&-; exec ./caught32) >said 2>&1
	ok "32 bits, a handler without siginfo" "$TAGCORE" explain core.of
	like "32 bits: the sentence" "$(sed -n 1p out)" "write of 4 bytes at 0x40 in store: null pointer in *"
else
	skip "32 bits" "no compiler for them"
fi

# ---- checks of the C++ library
cat >checked.cc <<'END'
#include <memory>
#include <vector>
#define APART __attribute__((noinline)) static
APART int at(std::vector<int> &v, size_t i) { return v[i]; }
APART int pointed_to(std::unique_ptr<int> &p) { return *p; }
int main(int, char **argv)
{
	std::vector<int> v(3);
	std::unique_ptr<int> p;
	return argv[1][0] == 'a' ? at(v, 7) : pointed_to(p);
}
END
if have c++ && c++ -g -O1 -D_GLIBCXX_ASSERTIONS -o sanitized checked.cc 2>complaint; then
	sanitized at certain cxx-library-assertion "a check of the C++ library has failed in at(*: __n < this->size(), *stl_vector.h:*"
	sanitized pointer certain cxx-library-assertion "a check of the C++ library has failed in pointed_to(*: get() != pointer(), *unique_ptr.h:*"
else
	skip "the C++ library" "$(cat complaint)"
fi

# ---- V8's names, as Node.js has them
cat >v8.cc <<'END'
#include <cstdio>
#include <cstdlib>
#define APART __attribute__((noinline))
static bool traps;
namespace v8 {
	struct OOMDetails;
	namespace internal {
		class Isolate;
		struct V8 { static void FatalProcessOutOfMemory(Isolate *, const char *location, const OOMDetails *); };
		struct Heap { int used; void FatalProcessOutOfMemory(const char *location); void CollectGarbage(); };
		APART void V8::FatalProcessOutOfMemory(Isolate *, const char *location, const OOMDetails *)
		{
			std::fprintf(stderr, "FATAL ERROR: %s\n", location);
			if (traps)
				__builtin_trap();
			std::abort();
		}
		APART void Heap::FatalProcessOutOfMemory(const char *location) { V8::FatalProcessOutOfMemory(nullptr, location, nullptr); used = 1; }
		APART void Heap::CollectGarbage() { if (used < 7) FatalProcessOutOfMemory("Reached heap limit"); used = 0; }
	}
}
int main(int, char **argv)
{
	static v8::internal::Heap heap;
	traps = argv[1][0] == 't';
	heap.CollectGarbage();
	return heap.used;
}
END
if have c++ && c++ -g -O1 -o sanitized v8.cc 2>complaint; then
	for how in abort trap; do
		sanitized $how certain v8-out-of-memory "there was not enough memory for JavaScript: the heap of V8 is used up: Reached heap limit"
	done
else
	skip "V8" "$(cat complaint)"
fi

# ---- musl: no messages, and an instruction of the kernel's for what it finds
cat >musl.c <<'END'
#include <assert.h>
#include <stdlib.h>
static char *volatile p;
__attribute__((noinline)) static void failed(int argc) { assert(argc == 77); p = 0; }
__attribute__((noinline)) static void freed(void) { p = malloc(100); free(p + 8); p = 0; }
int main(int argc, char **argv) { if (argv[1][0] == 'a') failed(argc); else freed(); return 0; }
END
if have musl-gcc && musl-gcc -O1 -o musl musl.c 2>complaint; then
	for how in assert free; do
		rm -f core.of
		(exec 9<&-; exec ./musl $how) >said 2>&1
		ok "musl, $how: there is a verdict" "$TAGCORE" explain core.of
		case $how in
		assert) like "musl, assert" "$(cat out)" "an assertion failed in failed: *, *musl.c:*certain (assertion-without-text): *" ;;
		*) like "musl, free" "$(cat out)" "musl has ended the program in freed: a check has failed*likely (musl-check): *" ;;
		esac
	done
else
	skip "musl" "no musl-gcc, or it builds no programs"
fi

# ---- C++
if have c++; then
	cat >throw.cc <<'END'
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct mine : std::runtime_error { mine(const std::string &s) : std::runtime_error(s) {} };
struct own : std::exception { std::string s = "text of its own"; const char *what() const noexcept override { return s.c_str(); } };
struct plain { int code; };
static char *volatile kept;
struct base { base(); virtual void f() = 0; virtual ~base() {} };
struct derived : base { void f() override { } };
__attribute__((noinline)) void call(base *b) { b->f(); }
base::base() { call(this); }
__attribute__((noinline)) void handler() { std::abort(); }

__attribute__((noinline)) void thrower(char how)
{
	switch (how) {
	case 'i': throw -42;
	case 'c': throw "a char pointer";
	case 's': throw std::string("a string of C++ that is too long for the object itself");
	case 'o': throw own();
	case 'p': throw plain{ 7 };
	case 'q': throw std::make_shared<int>(3);
	case 'm': throw mine("mine: the file is gone");
	default: throw std::out_of_range("index 17 of 3");
	}
}
__attribute__((noinline)) void no_way_out(char how) noexcept { thrower(how); }

int main(int, char **argv)
{
	std::vector<int> v(3);

	switch (argv[1][0]) {
	case 't': {
		try { throw std::runtime_error("caught long ago"); } catch (const std::exception &) { }
		/* It can be joined: its destructor ends the program. */
		std::thread t([] { for (;;) std::this_thread::sleep_for(std::chrono::seconds(1)); });
		return 0;
	}
	case 'b': kept = new char[atol("100000000000000")]; return kept != nullptr;
	case 'B': throw std::bad_alloc();
	case 'T': std::terminate();
	case 'r': throw;
	case 'v': { derived d; return 0; }
	case 'a': try { thrower('m'); } catch (const std::exception &) { handler(); }
	case 'P': { std::exception_ptr p; try { thrower('m'); } catch (...) { p = std::current_exception(); } std::rethrow_exception(p); }
	case 'h': std::set_terminate(handler); thrower('m');
	case 'n': no_way_out('m');
	case 'l': return v.at(17);
	}
	thrower(argv[1][0]);
}
END
	c++ -g -O1 -pthread -o throw throw.cc
	# thrown HOW CONFIDENCE KIND PATTERN
	thrown()
	{
		rm -f core.of
		(exec 9<&-; exec ./throw "$1") >said 2>&1
		ok "C++, $1: there is a verdict" "$TAGCORE" explain core.of
		like "C++, $1: the sentence" "$(sed -n 1p out)" "$4"
		like "C++, $1: the kind, and how sure" "$(sed -n 2p out)" "$2 ($3): *"
	}
	thrown x certain uncaught-exception 'a C++ exception of type std::out_of_range was not caught in thrower(char): "index 17 of 3"'
	thrown m certain uncaught-exception 'a C++ exception of type mine was not caught in thrower(char): "mine: the file is gone"'
	thrown o certain uncaught-exception 'a C++ exception of type own was not caught in thrower(char); it probably has the text "text of its own"'
	thrown p certain uncaught-exception 'a C++ exception of type plain was not caught in thrower(char)'
	thrown q certain uncaught-exception 'a C++ exception of type std::shared_ptr<int> was not caught in thrower(char)'
	thrown i certain uncaught-exception 'a C++ exception of type int was not caught in thrower(char): -42'
	thrown c certain uncaught-exception 'a C++ exception of type char const* was not caught in thrower(char): "a char pointer"'
	thrown s certain uncaught-exception 'a C++ exception of type std::string was not caught in thrower(char): "a string of C++ *"'
	thrown n certain uncaught-exception 'a C++ exception of type mine*a* it may not leave (noexcept, or a destructor): "mine: the file is gone"'
	thrown h certain uncaught-exception 'a C++ exception of type mine was not caught in thrower(char): "mine: *"'
	thrown P certain uncaught-exception 'a C++ exception of type mine was not caught in main: "mine: *"'
	thrown l certain uncaught-exception 'a C++ exception of type std::out_of_range was not caught in main: "vector::*"'
	thrown b certain bad-alloc 'there was not enough memory in main: a C++ exception of type std::bad_alloc was not caught'
	thrown B likely bad-alloc 'there was not enough memory in main: *'
	# Those that look alike: an exception is no reason while it is handled, or was.
	thrown a likely abort 'the program has ended itself by SIGABRT, as abort(3) does in handler(), *'
	thrown t "*" terminate '*std::terminate() was called*'
	thrown T likely terminate 'std::terminate() was called in main, and no exception is in memory'
	thrown r certain terminate '"throw;" where no exception is handled in main: std::terminate() was called'
	thrown v certain pure-virtual-call 'a pure virtual function was called in *: the object is being constructed *'
else
	skip "C++" "no c++"
fi

# ---- the table
ok "--list" "$TAGCORE" explain --list
num "rows" "$(wc -l <out)" -ge 40
ok "--list --json" "$TAGCORE" explain --list --json
exits 2 "--list of a core" "$TAGCORE" explain --list core
exits 2 "nothing" "$TAGCORE" explain
exits 2 "what is no core" "$TAGCORE" explain "$TAGCORE"
done_testing
