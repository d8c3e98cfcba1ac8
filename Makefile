#: make [CC=clang] [V=1] [O=build]     build/tagcore, build/gcore, build/libtagcore.{a,so}; O may be anywhere
#: make LINK=shared                    the same, with a tagcore that takes all it can from libtagcore.so
#: make CROSS=aarch64-linux-gnu        the same for another machine, in build-aarch64-linux-gnu
#: make check                          the tests, but those that are for other machines or take long
#: make check-all                      those in the arm64 machine and for others too, all but what is long and rare
#: make check T=NAME                   of all tests those with NAME in their path, building no more than they need
#: make soak [T=NAME]                  the same in their long form: all that make check-all takes a sample of; hours
#: make lint                           clang's warnings, clang-tidy, cppcheck, shellcheck
#: make bench [BENCH_N=5] [BENCH="dense ways"] against gdb's gcore
#: make demo                           a dump of a running program, looked at
#: make fuzz | fuzz-afl [FUZZ_TIME=3600] [CORES=directory of cores to begin with]
#: make check-mte | demo-mte | bench-mte    for arm64, in an emulated machine
#: make check-kernels [K="6.1 newest"] [T=NAME]    functional tests on other x86-64 kernels, emulated: 6.1 6.12 newest
#: make install | uninstall            [DESTDIR=] PREFIX=/usr/local, BINDIR, LIBDIR, INCLUDEDIR, MANDIR, BASHDIR, ZSHDIR, FISHDIR
#: make install-gcore                  also the name gcore: it hides gdb's
#: make dist                           build/tagcore-VERSION.tar.xz, of what is committed
#: make clean
O           ?= build$(if $(CROSS),-$(CROSS))
PREFIX      ?= /usr/local
BINDIR      ?= $(PREFIX)/bin
LIBDIR      ?= $(PREFIX)/lib
INCLUDEDIR  ?= $(PREFIX)/include
MANDIR      ?= $(PREFIX)/share/man
BASHDIR     ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR      ?= $(PREFIX)/share/zsh/site-functions
FISHDIR     ?= $(PREFIX)/share/fish/vendor_completions.d
VERSION     := 0.2.0
CROSS       ?=
ifneq ($(CROSS),)
# override: CC=clang on the command line chooses a compiler, not the machine.
override CC := $(if $(findstring clang,$(CC)),$(CC) --target=$(CROSS),$(CROSS)-gcc)
AR          := $(CROSS)-ar
NM          := $(CROSS)-nm
OBJCOPY     := $(CROSS)-objcopy
# In the command itself: $(shell) hands down exported variables only since make 4.4.
PKG_CONFIG  ?= env PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS)/pkgconfig:/usr/share/pkgconfig pkg-config
endif
PKG_CONFIG  ?= pkg-config
CFLAGS      ?= -O2 -g
NM          ?= nm
OBJCOPY     ?= objcopy
Q           := $(if $(V),,@)
say          = $(if $(V),,@printf '  %-7s %s\n' '$1' '$(patsubst $(O)/%,%,$2)')

LIB_DEPS    := libdw libunwind-generic libelf libzstd libxxhash zlib liblzma
DEPS        := $(LIB_DEPS) json-c libseccomp capstone
WARN        := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla -Wstrict-prototypes -Wpointer-arith
TC_CFLAGS   := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTAGCORE_VERSION='"$(VERSION)"' \
               $(WARN) -Iinclude -I. -Isrc $(shell $(PKG_CONFIG) --cflags $(DEPS)) -MMD -MP -pthread
# libiberty (binutils): names of C++ and Rust; it has no .pc file.
# capstone is loaded by those who need it.
LIB_LIBS    := $(shell $(PKG_CONFIG) --libs $(LIB_DEPS)) -pthread
TC_LIBS     := $(shell $(PKG_CONFIG) --libs $(filter-out capstone,$(DEPS))) -liberty -pthread
# The sanitizers start threads and open files at the end: what is locked in could not.  What is undefined ends in an illegal
# instruction, which AddressSanitizer reports with its place: a second runtime, libubsan, took half of each command's time.
SAN         := -DTAGCORE_NO_SANDBOX -fsanitize=address,undefined -fsanitize-undefined-trap-on-error -fno-omit-frame-pointer -O1 -g

# Now, by name, and not as undefined references after minutes of compiling.
ifneq ($(filter-out help clean dist install install-gcore uninstall,$(or $(MAKECMDGOALS),all)),)
NEEDED      := $(DEPS) $(if $(filter tests check% soak fuzz%,$(MAKECMDGOALS)),cmocka)
MISSING     := $(strip $(shell for p in $(NEEDED); do $(PKG_CONFIG) --exists $$p || echo $$p; done; \
               printf '%s\n' '$(\#)include <libiberty/demangle.h>' | $(CC) $(CPPFLAGS) -E -o /dev/null - 2>/dev/null || echo libiberty))
$(if $(MISSING),$(error missing here, or unknown to "$(PKG_CONFIG)": $(MISSING).  "./bootstrap deps" installs what is needed on Debian))
endif

LIB_SRC     := $(sort $(filter-out src/cli/%,$(wildcard src/*/*.c src/*/*/*.c)) $(wildcard arch/*.c))
CLI_SRC     := $(sort $(wildcard src/cli/*.c))
# Made by a program of this build: where it is of another machine, by what runs such, as EXEC=qemu-aarch64, or not at all.
COMPLETIONS := $(if $(if $(CROSS),$(EXEC),yes),$(addprefix $(O)/completion/tagcore.,bash zsh fish))
UNIT_SRC    := $(sort $(wildcard tests/unit/test_*.c))
TARGET_SRC  := $(sort $(wildcard tests/targets/*.c))
obj          = $(patsubst %.c,$(O)/$1/%.o,$2)
# The tests run what they test under the sanitizers: a second build beside the plain one.
UNITS       := $(patsubst tests/unit/%.c,$(O)/san/unit/%,$(UNIT_SRC))
TARGETS     := $(patsubst tests/targets/%.c,$(O)/targets/%,$(TARGET_SRC)) $(O)/targets/threads-static

# The library: only what is TAGCORE_API has a name outside it.  The program is made of the same
# objects; LINK=shared is for who wants that code on a disk once: then libtagcore.so has what the
# program uses of the rest, too, under names that no other program may use.
LINK        ?= static
SONAME      := libtagcore.so.0
SO          := libtagcore.so.$(VERSION)
LIBRARY     := $(addprefix $(O)/,libtagcore.a $(SO) $(SONAME) libtagcore.so)
# A name in the library is the library's own, as if it were hidden.  Hidden for good would be too much
# for LINK=shared: that is done by the version script and by objcopy below.
PIC         := -fPIC -fvisibility=protected

all: $(O)/tagcore $(O)/gcore $(LIBRARY) $(COMPLETIONS)
san: $(O)/san/tagcore $(O)/san/gcore

# Objects depend on the flags that made them, so that a change of CC, CFLAGS or SAN rebuilds.
# Archives and programs depend on the list of sources, so that one that is removed leaves them.
$(O)/flags: NOTED := $(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TC_CFLAGS) $(PIC) $(SAN)
$(O)/sources: NOTED := $(LIB_SRC) $(CLI_SRC)
$(O)/flags $(O)/sources: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(NOTED))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(NOTED))' > $@

# $(call objects,DIRECTORY,COMPILER,FLAGS): the objects of all sources below $(O)/DIRECTORY.
define objects
$(O)/$1/%.o: %.c $(O)/flags
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$(Q)$2 $$(TC_CFLAGS) $$(CPPFLAGS) $$(CFLAGS) $3 -MT '$$$$(O)$$(@:$(O)%=%)' -c -o $$@ $$<
endef
$(eval $(call objects,obj,$$(CC),$$(PIC)))
$(eval $(call objects,san,$$(CC),$$(SAN)))

# All names of the library, for the program and the tests.
$(O)/libinternal.a: $(call obj,obj,$(LIB_SRC))
$(O)/san/libinternal.a: $(call obj,san,$(LIB_SRC))
# The commands and views for unit tests: what a test does not need of it is not linked.
$(O)/san/libcli.a: $(call obj,san,$(filter-out src/cli/main.c,$(CLI_SRC)))
$(O)/libinternal.a $(O)/san/libinternal.a $(O)/san/libcli.a $(O)/libtagcore.a: $(O)/sources
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

# $(call link,COMPILER,FLAGS,LIBRARIES)
define link
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$1 $(CFLAGS) $2 $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $3 $(TC_LIBS)
endef
CMOCKA      := $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null)

# One object of many, with what it needs of libiberty, whose names (xmalloc) are as likely to be a
# program's own as ours; and that of the library with local names for all that is not TAGCORE_API.
$(O)/lib.o: $(call obj,obj,$(LIB_SRC)) $(O)/sources
$(O)/cli.o: $(call obj,obj,$(CLI_SRC)) $(O)/sources
$(O)/lib.o $(O)/cli.o:
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(if $(findstring -flto,$(CFLAGS)),-flinker-output=nolto-rel) -nostdlib -r -o $@ $(filter %.o,$^) \
		$(if $(filter %lib.o,$@),-liberty)
$(O)/libtagcore.o: $(O)/lib.o
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='tagcore_*' $< $@
$(O)/libtagcore.a: $(O)/libtagcore.o

# $(call so,OBJECT,MAP)
define so
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$2 -Wl,-z,defs $(LDFLAGS) -o $@ $1 $(LIB_LIBS)
endef
$(O)/$(SONAME) $(O)/libtagcore.so: $(O)/$(SO)
	$(Q)ln -sf $(SO) $@

ifneq ($(LINK),shared)
$(O)/$(SO): $(O)/lib.o src/api/libtagcore.map
	$(call so,$<,src/api/libtagcore.map)
$(O)/tagcore: $(call obj,obj,$(CLI_SRC)) $(O)/libinternal.a $(O)/sources
	$(call link,$(CC))
else
# What the program uses of the library's own functions and tables, "NAME tagcore_private_NAME" a line.
$(O)/private.names: $(O)/lib.o $(O)/cli.o
	$(Q)for f in $^; do $(NM) -P $$f | sort -u; done | awk '$$2 ~ /[A-TV-Z]/ && !/^tagcore_/ { has[$$1]++ } \
		$$2 == "U" { needs[$$1] } END { for (n in needs) if (n in has) print n, "tagcore_private_" n }' > $@
$(O)/private.map: src/api/libtagcore.map
	$(Q){ cat $<; echo 'TAGCORE_PRIVATE_$(VERSION) { global: tagcore_private_*; };'; } > $@
$(O)/shared-%.o: $(O)/%.o $(O)/private.names
	$(Q)$(OBJCOPY) --redefine-syms=$(O)/private.names $< $@
$(O)/$(SO): $(O)/shared-lib.o $(O)/private.map
	$(call so,$<,$(O)/private.map)
$(O)/tagcore: $(O)/shared-cli.o $(O)/$(SO) $(O)/$(SONAME)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(O)/$(SO) $(TC_LIBS)
endif
$(O)/san/tagcore: $(call obj,san,$(CLI_SRC)) $(O)/san/libinternal.a $(O)/sources
	$(call link,$(CC),$(SAN))
$(O)/gcore $(O)/san/gcore: $(O)/%gcore: $(O)/%tagcore
	$(Q)ln -sf tagcore $@
$(O)/completion/print: $(call obj,obj,completion/print.c $(filter-out src/cli/main.c,$(CLI_SRC))) $(O)/libinternal.a $(O)/sources
	$(call link,$(CC))
$(O)/completion/rows: $(O)/completion/print
	$(Q)$(EXEC) $< >$@.new && mv $@.new $@
$(O)/completion/tagcore.%: completion/%.awk completion/rows.awk $(O)/completion/rows completion/tagcore.%
	$(call say,GEN,$@)
	$(Q)awk $(addprefix -f ,$(filter %.awk,$^)) $(filter-out %.awk,$^) >$@.new && mv $@.new $@
$(O)/san/unit/%: $(O)/san/tests/unit/%.o $(O)/san/libcli.a $(O)/san/libinternal.a
	$(call link,$(CC),$(SAN),$(CMOCKA))
# Else make removes them after linking, as links of a chain, and builds them anew next time.
.SECONDARY: $(patsubst %.c,$(O)/san/%.o,$(UNIT_SRC))

# What is dumped: plain programs, with symbols and without the sanitizers' shadow memory.
TARGET_CC    = $(CC)
TARGET_FLAGS = -g -O1 -pthread
$(O)/targets/threads-static: TARGET_FLAGS += -static
$(O)/targets/threads-static: tests/targets/threads.c
$(filter-out %-static,$(TARGETS)): $(O)/targets/%: tests/targets/%.c

# The same for 32-bit programs that the kernel runs beside its own: without a library for any
# compiler that makes such code, and of glibc where its cross compiler is.
ifneq ($(filter tests programs dumped check check-all soak check-mte,$(MAKECMDGOALS)),)
MACHINE     := $(or $(firstword $(subst -, ,$(CROSS))),$(shell uname -m))
BARE_CC     := $(shell tests/targets/bare/cc '$(CC)' $(MACHINE))
NARROW_CC   := $(shell command -v $(if $(filter aarch64,$(MACHINE)),arm-linux-gnueabihf-gcc,i686-linux-gnu-gcc))
MUSL_CC     := $(if $(CROSS),,$(shell command -v musl-gcc))
endif
target       = $(addprefix $(O)/targets/,$1)
BARE        := $(if $(BARE_CC),$(call target,calls32 execs32 full32 $(if $(filter aarch64,$(MACHINE)),calls32-thumb,wide32)))
$(BARE): TARGET_CC = $(BARE_CC)
$(BARE): TARGET_FLAGS = -g -O1 -nostdlib -static -ffreestanding -fno-pic -fno-stack-protector -Wno-unused-function
$(call target,calls32-thumb): TARGET_FLAGS += -mthumb
$(call target,calls32 calls32-thumb): tests/targets/bare/calls.c
$(call target,execs32): tests/targets/bare/execs.c
$(call target,full32): tests/targets/bare/full.c
$(call target,wide32): tests/targets/bare/wide.c
NARROW      := $(if $(NARROW_CC),$(call target,$(addsuffix 32,threads blocked leaderexit kinds patient sigs fibers)))
$(NARROW): TARGET_CC = $(NARROW_CC)
$(NARROW): TARGET_FLAGS += -static
$(NARROW): $(O)/targets/%32: tests/targets/%.c

# Functions that have no unwind tables, as compilers make them, and of the C library that has none.
NOTABLE     := $(call target,$(addprefix notable-,O0 O2 Os O2-stripped glibc $(if $(MUSL_CC),musl musl-static musl-stripped)))
$(NOTABLE): TARGET_FLAGS = -O2 -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables -pthread
$(call target,notable-O0): TARGET_FLAGS += -O0
$(call target,notable-Os): TARGET_FLAGS += -Os
$(call target,notable-O2-stripped): TARGET_FLAGS += -s
$(call target,notable-musl notable-musl-static notable-musl-stripped): TARGET_CC = $(MUSL_CC)
$(call target,notable-musl-static): TARGET_FLAGS += -static
$(call target,notable-musl-stripped): TARGET_FLAGS += -static -s
$(filter %-O0 %-O2 %-Os %-O2-stripped,$(NOTABLE)): tests/targets/notable/steps.c
$(filter %glibc %musl %musl-static %musl-stripped,$(NOTABLE)): tests/targets/notable/cases.c

DUMPED      := $(TARGETS) $(BARE) $(NARROW) $(NOTABLE)
$(DUMPED): $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(TARGET_FLAGS) -MMD -MP -MT '$$(O)$(@:$(O)%=%)' -MF $@.d -o $@ $(filter %.c,$^)

# The fuzzer's entry, over files for any compiler; with libFuzzer only where clang has it.
# All of the library once more, by clang: not for make check.
ifneq ($(filter soak fuzz,$(MAKECMDGOALS)),)
FUZZ_CC     := $(if $(CROSS),,$(shell tests/fuzz/cc))
endif
FUZZ_SAN    := $(SAN) -O2 -fsanitize=fuzzer-no-link
FUZZ_SRC    := $(addprefix tests/fuzz/,fuzz_api.c fuzz_assert.c fuzz_core.c fuzz_print.c fuzz_proc.c fuzz_repair.c fuzz_stack.c) $(filter-out src/cli/main.c,$(CLI_SRC)) $(LIB_SRC)
FUZZ        := $(O)/san/fuzz/seeds $(O)/san/fuzz/files $(if $(FUZZ_CC),$(O)/fuzz/core)
$(eval $(call objects,fuzz/obj,$$(FUZZ_CC),$$(FUZZ_SAN)))
$(O)/fuzz/core: $(call obj,fuzz/obj,$(FUZZ_SRC) tests/fuzz/fuzz_mutate.c)
	$(call link,$(FUZZ_CC),$(SAN) -fsanitize=fuzzer)
$(O)/san/fuzz/files: $(call obj,san,$(FUZZ_SRC) tests/fuzz/fuzz_files.c)
$(O)/san/fuzz/seeds: $(O)/san/tests/fuzz/seeds.o $(O)/san/libinternal.a
$(O)/san/fuzz/files $(O)/san/fuzz/seeds:
	$(call link,$(CC),$(SAN),$(CMOCKA))
fuzz: $(FUZZ)
	$(Q)O='$(abspath $(O))' tests/fuzz/run
# AFL++ has mutators of its own; its compiler links what calls the entry in place of libFuzzer.
AFL_CC      ?= afl-clang-fast
$(eval $(call objects,afl/obj,$$(AFL_CC),$$(SAN)))
$(O)/afl/core: $(call obj,afl/obj,$(FUZZ_SRC))
	$(call link,$(AFL_CC),$(SAN) -fsanitize=fuzzer)
fuzz-afl: $(O)/san/fuzz/seeds $(O)/afl/core
	$(Q)O='$(abspath $(O))' tests/fuzz/run afl

tests: $(UNITS) programs $(FUZZ)
# What the scripts among the tests run and dump.
programs: dumped san $(O)/san/fuzz/seeds
dumped: all $(DUMPED)
# native.t is everything again, in the emulator: make check-mte.
TESTS       := $(UNITS) $(filter-out tests/vm/native.t,$(sort $(wildcard tests/func/*.t tests/vm/*.t tests/vm/host/*.t)))
# Begun first, so that at the end there is no core left without work.  The arm64 machine's first test is all of them, in
# one machine (tests/vm/check): the others wait for it, and are last.
SLOW        := $(addprefix tests/,vm/smoke.t $(addprefix func/,kernels.t inspect-packed.t bounds.t fuzz.t stack-arm.t stack-cross.t \
               stack-bare-cross.t stack-java.t stack.t dump-snapshot.t dump-variables.t sandbox.t)) \
               $(addprefix $(O)/san/unit/test_,sandbox repair_whole code_steps)
LAST        := $(filter-out $(SLOW),$(filter tests/vm/%,$(TESTS)))
TESTS       := $(filter $(TESTS),$(SLOW)) $(filter-out $(SLOW) $(LAST),$(TESTS)) $(LAST)
# Not in make check: other machines' programs, in an emulator or from the cross compilers, and what else takes 20 seconds and more.
# RARE is for make soak alone (and make check-mte): of what they look at, each has a shorter test beside it in make check-all.
RARE        := $(addprefix tests/,$(addprefix vm/,killed.t crashes.t hangs.t unnoticed-limits.t unnoticed-world.t svestack.t) $(addprefix func/,stack-riscv.t stack-tailcall.t))
LONG        := $(filter tests/vm/%,$(TESTS)) $(RARE) $(addprefix tests/func/,stack-arm.t stack-bare-cross.t stack-cross.t kernels.t bounds.t \
               dist.t dump-variables.t inspect-packed.t stack-java.t dump-calls.t dump-killed.t dump-mapped.t dump-syscalls.t stack-box.t \
               completion.t build.t dump-together.t dump-unnoticed.t stack-fiber.t stack-limits.t sandbox.t)
SHORTER      = $(filter-out $(if $(filter check,$(MAKECMDGOALS)),$(LONG),$(if $(filter check-all,$(MAKECMDGOALS)),$(RARE))),$(TESTS))
CHOSEN      := $(if $(T),$(foreach t,$(TESTS),$(if $(findstring $(T),$t),$t)),$(SHORTER))
check check-all soak: $(filter $(UNITS),$(CHOSEN)) $(if $(filter %.t,$(CHOSEN)),programs) $(if $(filter %/fuzz.t,$(CHOSEN)),$(FUZZ))
	$(if $(CHOSEN),,@echo "no test has '$(T)' in its path" >&2; exit 2)
	$(if $(filter soak,$@),$(if $(T),,$(Q)SOAK=yes $(MAKE) lint && SOAK=yes tests/cross))
	$(Q)O='$(abspath $(O))' $(if $(filter soak,$@),SOAK=yes) tests/run $(CHOSEN)
check-mte: tests
	$(Q)O='$(abspath $(O))' tests/run $(wildcard tests/vm/*.t tests/vm/host/*.t)
check-kernels: programs
	$(Q)O='$(abspath $(O))' tests/vm/kernels $(addprefix -k ,$(K)) $(if $(T),$(filter tests/func/%,$(CHOSEN)))
demo-mte: all
	$(Q)O='$(abspath $(O))' tests/vm/demo
bench-mte: all
	$(Q)O='$(abspath $(O))' tests/vm/bench
demo: all $(TARGETS)
	$(Q)O='$(abspath $(O))' tests/demo
bench: all $(TARGETS)
	$(Q)O='$(abspath $(O))' tests/bench/run $(BENCH)
lint:
	$(Q)tests/lint '$(subst ','\'',$(TC_CFLAGS))' $(LIB_SRC) $(CLI_SRC) completion/print.c

PAGES       := $(filter-out man/gcore.1,$(wildcard man/*.[1-8]))
place        = $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $1))/$(notdir $1)
place.bash   = $(DESTDIR)$(BASHDIR)/tagcore
place.zsh    = $(DESTDIR)$(ZSHDIR)/_tagcore
place.fish   = $(DESTDIR)$(FISHDIR)/tagcore.fish
define newline


endef

install: all
	install -D -m 755 $(O)/tagcore $(DESTDIR)$(BINDIR)/tagcore
	install -D -m 644 -t $(DESTDIR)$(LIBDIR) $(O)/libtagcore.a $(O)/$(SO)
	ln -sf $(SO) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SO) $(DESTDIR)$(LIBDIR)/libtagcore.so
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|; s|@DEPS@|$(LIB_DEPS)|' \
		src/api/tagcore.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/tagcore.pc
	install -D -m 644 -t $(DESTDIR)$(INCLUDEDIR)/tagcore include/tagcore/*.h
	$(foreach p,$(PAGES),install -D -m 644 $p $(call place,$p)$(newline)	)
	$(foreach c,$(COMPLETIONS),install -D -m 644 $c $(place$(suffix $c))$(newline)	)
# Apart, because it hides gdb's gcore of a later place in PATH.
install-gcore: install
	ln -sf tagcore $(DESTDIR)$(BINDIR)/gcore
	$(if $(COMPLETIONS),ln -sf tagcore $(DESTDIR)$(BASHDIR)/gcore)
	install -D -m 644 man/gcore.1 $(call place,man/gcore.1)
# gcore only if it is ours.
uninstall:
	[ "$$(readlink $(DESTDIR)$(BINDIR)/gcore)" != tagcore ] || rm -f $(DESTDIR)$(BINDIR)/gcore $(DESTDIR)$(BASHDIR)/gcore $(call place,man/gcore.1)
	rm -f $(DESTDIR)$(BINDIR)/tagcore $(addprefix $(DESTDIR)$(LIBDIR)/,libtagcore.a libtagcore.so $(SONAME) $(SO) pkgconfig/tagcore.pc) \
		$(foreach p,$(PAGES),$(call place,$p)) $(place.bash) $(place.zsh) $(place.fish)
	rm -rf $(DESTDIR)$(INCLUDEDIR)/tagcore

# Of a commit's files and times alone: the same bytes wherever it is made by the same git and xz.
dist:
	$(Q)[ -e .git ] || { echo "make dist takes what is committed: this tree is no git clone" >&2; exit 2; }
	$(Q)[ -z "$$(git status --porcelain)" ] || echo "not in it: what is not committed" >&2
	$(Q)mkdir -p $(O) && git -c tar.umask=0022 -c tar.tar.xz.command='xz -c -9 -T1' archive \
		--prefix=tagcore-$(VERSION)/ -o $(O)/tagcore-$(VERSION).tar.xz HEAD
	$(call say,DIST,$(O)/tagcore-$(VERSION).tar.xz)

clean:
	rm -rf $(O)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

FORCE:
.PHONY: all san tests programs dumped help uninstall dist check check-all soak check-mte check-kernels demo demo-mte bench bench-mte fuzz fuzz-afl lint install install-gcore clean FORCE
# Not below vm: the arm64 machine's files are none of ours.
-include $(shell find $(O) -path '*/vm' -prune -o -type f -name '*.d' -print 2>/dev/null)
