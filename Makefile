# make [CC=clang] [V=1] [O=build] [CROSS=aarch64-linux-gnu]; make check | demo | bench | install
# make fuzz | fuzz-afl [FUZZ_TIME=3600] [CORES=directory of cores to begin with]
# and for arm64, in an emulated machine: make check-mte | demo-mte | bench-mte
O           ?= build$(if $(CROSS),-$(CROSS))
PREFIX      ?= /usr/local
VERSION     := 0.1.0
CROSS       ?=
ifneq ($(CROSS),)
# override: CC=clang on the command line chooses a compiler, not the machine.
override CC := $(if $(findstring clang,$(CC)),$(CC) --target=$(CROSS),$(CROSS)-gcc)
AR          := $(CROSS)-ar
# In the command itself: $(shell) hands down exported variables only since make 4.4.
PKG_CONFIG  ?= env PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS)/pkgconfig:/usr/share/pkgconfig pkg-config
endif
PKG_CONFIG  ?= pkg-config
CFLAGS      ?= -O2 -g
Q           := $(if $(V),,@)
say          = $(if $(V),,@printf '  %-7s %s\n' '$1' '$(patsubst $(O)/%,%,$2)')

DEPS        := libdw libunwind-generic libelf json-c libzstd zlib liblzma libseccomp capstone
WARN        := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla -Wstrict-prototypes -Wpointer-arith
TC_CFLAGS   := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTAGCORE_VERSION='"$(VERSION)"' \
               $(WARN) -Iinclude -Isrc $(shell $(PKG_CONFIG) --cflags $(DEPS)) -MMD -MP -pthread
# libiberty (binutils): names of C++ and Rust; it has no .pc file.
TC_LIBS     := $(shell $(PKG_CONFIG) --libs $(DEPS)) -liberty -pthread
# The sanitizers start threads and open files at the end: what is locked in could not.
SAN         := -DTAGCORE_NO_SANDBOX -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

LIB_SRC     := $(sort $(filter-out src/cli/%,$(wildcard src/*/*.c)) $(wildcard arch/*.c))
CLI_SRC     := $(sort $(wildcard src/cli/*.c))
UNIT_SRC    := $(sort $(wildcard tests/unit/test_*.c))
TARGET_SRC  := $(sort $(wildcard tests/targets/*.c))
obj          = $(patsubst %.c,$(O)/$1/%.o,$2)
# The tests run what they test under the sanitizers: a second build beside the plain one.
UNITS       := $(patsubst tests/unit/%.c,$(O)/san/unit/%,$(UNIT_SRC))
TARGETS     := $(patsubst tests/targets/%.c,$(O)/targets/%,$(TARGET_SRC)) $(O)/targets/threads-static

all: $(O)/tagcore $(O)/gcore $(O)/libtagcore.a
san: $(O)/san/tagcore $(O)/san/gcore
tests: all san $(UNITS) $(TARGETS)

# Objects depend on the flags that made them, so that a change of CC, CFLAGS or SAN rebuilds.
FLAGS       := $(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TC_CFLAGS) $(SAN)
$(O)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@

$(O)/obj/%.o: %.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TC_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(O)/san/%.o: %.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(SAN) -c -o $@ $<

$(O)/libtagcore.a: $(call obj,obj,$(LIB_SRC))
$(O)/san/libtagcore.a: $(call obj,san,$(LIB_SRC))
$(O)/libtagcore.a $(O)/san/libtagcore.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/tagcore: $(call obj,obj,$(CLI_SRC)) $(O)/libtagcore.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TC_LIBS)
$(O)/san/tagcore: $(call obj,san,$(CLI_SRC)) $(O)/san/libtagcore.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(TC_LIBS)
$(O)/gcore $(O)/san/gcore: $(O)/%gcore: $(O)/%tagcore
	$(Q)ln -sf tagcore $@

$(O)/san/unit/%: $(O)/san/tests/unit/%.o $(O)/san/libtagcore.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs cmocka) $(TC_LIBS)
# Tests of views need the rest of the program, too.
CLI_UNITS   := $(addprefix $(O)/san/unit/,test_notes_show test_view_kinds test_package)
$(CLI_UNITS): $(O)/san/unit/%: $(O)/san/tests/unit/%.o $(call obj,san,$(filter-out src/cli/main.c,$(CLI_SRC))) $(O)/san/libtagcore.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs cmocka) $(TC_LIBS)
# Else make removes them after linking, as links of a chain, and builds them anew next time.
.SECONDARY: $(patsubst %.c,$(O)/san/%.o,$(UNIT_SRC))

# What is dumped: plain programs, with symbols and without the sanitizers' shadow memory.
$(O)/targets/%: tests/targets/%.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -g -O1 -pthread -MMD -MP -MF $@.d -o $@ $<
$(O)/targets/threads-static: tests/targets/threads.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -g -O1 -pthread -static -MMD -MP -MF $@.d -o $@ $<

# The same for 32-bit programs that the kernel runs beside its own: without a library for any
# compiler that makes such code, and of glibc where its cross compiler is.
ifneq ($(filter tests check check-mte,$(MAKECMDGOALS)),)
MACHINE     := $(or $(firstword $(subst -, ,$(CROSS))),$(shell uname -m))
BARE_CC     := $(shell tests/targets/bare/cc '$(CC)' $(MACHINE))
NARROW_CC   := $(shell command -v $(if $(filter aarch64,$(MACHINE)),arm-linux-gnueabihf-gcc,i686-linux-gnu-gcc))
endif
BARE        := $(if $(BARE_CC),calls32 execs32 full32 $(if $(filter aarch64,$(MACHINE)),calls32-thumb,wide32))
NARROW      := $(if $(NARROW_CC),$(addsuffix 32,threads blocked leaderexit kinds patient sigs))
tests: $(addprefix $(O)/targets/,$(BARE) $(NARROW))
BARE_FLAGS  := -nostdlib -static -ffreestanding -fno-pic -fno-stack-protector -Wno-unused-function
$(O)/targets/calls32-thumb: BARE_FLAGS += -mthumb
$(O)/targets/calls32 $(O)/targets/calls32-thumb: tests/targets/bare/calls.c
$(O)/targets/execs32: tests/targets/bare/execs.c
$(O)/targets/full32: tests/targets/bare/full.c
$(O)/targets/wide32: tests/targets/bare/wide.c
$(addprefix $(O)/targets/,calls32 calls32-thumb execs32 full32 wide32): $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(BARE_CC) -std=gnu11 $(WARN) -g -O1 $(BARE_FLAGS) -MMD -MP -MF $@.d -o $@ $(filter %.c,$^)
$(addprefix $(O)/targets/,$(NARROW)): $(O)/targets/%32: tests/targets/%.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(NARROW_CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -g -O1 -pthread -static -MMD -MP -MF $@.d -o $@ $<

# Functions that no table tells of, as compilers make them, and of the C library that has none.
ifneq ($(filter tests check check-mte,$(MAKECMDGOALS)),)
MUSL_CC     := $(if $(CROSS),,$(shell command -v musl-gcc))
endif
NOTABLE     := $(addprefix notable-,O0 O2 Os O2-stripped glibc $(if $(MUSL_CC),musl musl-static musl-stripped))
tests: $(addprefix $(O)/targets/,$(NOTABLE))
NOTABLE_FLAGS := -O2 -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables
NOTABLE_CC  := $(CC)
$(O)/targets/notable-O0: NOTABLE_FLAGS += -O0
$(O)/targets/notable-Os: NOTABLE_FLAGS += -Os
$(O)/targets/notable-O2-stripped: NOTABLE_FLAGS += -s
$(O)/targets/notable-mus%: NOTABLE_CC := $(MUSL_CC)
$(O)/targets/notable-musl-static: NOTABLE_FLAGS += -static
$(O)/targets/notable-musl-stripped: NOTABLE_FLAGS += -static -s
$(filter $(O)/targets/notable-O%,$(addprefix $(O)/targets/,$(NOTABLE))): tests/targets/notable/steps.c
$(filter-out $(O)/targets/notable-O%,$(addprefix $(O)/targets/,$(NOTABLE))): tests/targets/notable/cases.c
$(addprefix $(O)/targets/,$(NOTABLE)): $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(NOTABLE_CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(NOTABLE_FLAGS) -pthread -MMD -MP -MF $@.d -o $@ $(filter %.c,$^)

# The fuzzer's entry, over files for any compiler; with libFuzzer only where clang has it.
ifneq ($(filter tests check fuzz,$(MAKECMDGOALS)),)
FUZZ_CC     := $(if $(CROSS),,$(shell tests/fuzz/cc))
endif
FUZZ_SAN    := $(SAN) -O2 -fsanitize=fuzzer-no-link
FUZZ_SRC    := $(addprefix tests/fuzz/,fuzz_core.c fuzz_hold.c fuzz_repair.c fuzz_say.c fuzz_stack.c) $(filter-out src/cli/main.c,$(CLI_SRC)) $(LIB_SRC)
FUZZ        := $(O)/san/fuzz/seeds $(O)/san/fuzz/files $(if $(FUZZ_CC),$(O)/fuzz/core)
$(O)/fuzz/obj/%.o: %.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(TC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(FUZZ_SAN) -c -o $@ $<
$(O)/fuzz/core: $(call obj,fuzz/obj,$(FUZZ_SRC) tests/fuzz/fuzz_mutate.c)
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) $(CFLAGS) $(SAN) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(TC_LIBS)
$(O)/san/fuzz/files: $(call obj,san,$(FUZZ_SRC) tests/fuzz/fuzz_files.c)
$(O)/san/fuzz/seeds: $(O)/san/tests/fuzz/seeds.o $(O)/san/libtagcore.a
$(O)/san/fuzz/files $(O)/san/fuzz/seeds:
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs cmocka) $(TC_LIBS)
tests: $(FUZZ)
fuzz: $(FUZZ)
	$(Q)O='$(abspath $(O))' tests/fuzz/run
# AFL++ has mutators of its own; its compiler links what calls the entry in place of libFuzzer.
AFL_CC      ?= afl-clang-fast
$(O)/afl/obj/%.o: %.c $(O)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(AFL_CC) $(TC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(SAN) -c -o $@ $<
$(O)/afl/core: $(call obj,afl/obj,$(FUZZ_SRC))
	$(call say,LD,$@)
	$(Q)$(AFL_CC) $(CFLAGS) $(SAN) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(TC_LIBS)
fuzz-afl: $(O)/san/fuzz/seeds $(O)/afl/core
	$(Q)O='$(abspath $(O))' tests/fuzz/run afl

check: tests
	$(Q)O='$(abspath $(O))' T='$(T)' tests/run
check-mte: tests
	$(Q)O='$(abspath $(O))' tests/run $(wildcard tests/vm/*.t tests/vm/host/*.t)
demo-mte: all
	$(Q)O='$(abspath $(O))' tests/vm/demo
bench-mte: all
	$(Q)O='$(abspath $(O))' tests/vm/bench
demo: all $(TARGETS)
	$(Q)O='$(abspath $(O))' tests/demo
bench: all $(TARGETS)
	$(Q)O='$(abspath $(O))' tests/bench/run
lint:
	$(Q)tests/lint '$(subst ','\'',$(TC_CFLAGS))' $(LIB_SRC) $(CLI_SRC)

PAGES       := $(filter-out man/gcore.1,$(wildcard man/*.[1-8]))
page         = install -D -m 644 $1 $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $1))/$(notdir $1)
define newline


endef

install: all
	install -D -m 755 $(O)/tagcore $(DESTDIR)$(PREFIX)/bin/tagcore
	install -D -m 644 $(O)/libtagcore.a $(DESTDIR)$(PREFIX)/lib/libtagcore.a
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/tagcore include/tagcore/*.h
	$(foreach p,$(PAGES),$(call page,$p)$(newline)	)
# Apart, because it hides gdb's gcore of a later place in PATH.
install-gcore: install
	ln -sf tagcore $(DESTDIR)$(PREFIX)/bin/gcore
	$(call page,man/gcore.1)

clean:
	rm -rf $(O)

FORCE:
.PHONY: all san tests check check-mte demo demo-mte bench bench-mte fuzz fuzz-afl lint install install-gcore clean FORCE
# Not below vm: the arm64 machine's files are none of ours.
-include $(shell find $(O) -path '*/vm' -prune -o -type f -name '*.d' -print 2>/dev/null)
