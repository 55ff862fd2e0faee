# mailtwin. GNU make. Targets:
#   all (default)   ./mailtwin
#   deps            install build and test packages (no-op where they are there)
#   demo            see it work against a private, throw-away Dovecot
#   check           build and run all tests
#   torture         all of what check runs a part of: hours; goes on where it
#                   was stopped, ends with a table
#   fuzz            look for inputs that break something, for hours
#   coverage        which branches of what decides and of what parses no unit
#                   test takes, and why
#   bench           measure beside the peers that are installed; bench-quick
#   install         PREFIX, DESTDIR
#   lint format     clang-tidy, clang-format
#   clean
# COV=1 builds for gcov into build-cov/,
# SAN=1 builds with ASan and UBSan into build-san/, FUZZ=1 with clang for
# libFuzzer into build-fuzz/, SABOTAGE=1 with mistakes to choose from into
# build-sabotage/ (base/sabotage.h; after make).

PREFIX ?= /usr/local
BINDIR = $(PREFIX)/bin
DATADIR = $(PREFIX)/share
UNITDIR = $(PREFIX)/lib/systemd/user
VERSION := $(shell sed -n 's/^\#define VERSION "\(.*\)"/\1/p' cmd/version.h)

CC ?= cc
FUZZ_CC ?= clang
COV_CC ?= gcc
OPT ?= -O2 -g
BUILD := build
ifdef SAN
BUILD := build-san
OPT := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined
endif
ifdef SABOTAGE
BUILD := build-sabotage
OPT := -O2 -g -DSABOTAGE
endif
ifdef COV
BUILD := build-cov
OPT := -O0 -g --coverage -fprofile-update=atomic
endif
ifdef FUZZ
CC := $(FUZZ_CC)
BUILD := build-fuzz
OPT := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla \
	-Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference
HARDEN := -fstack-protector-strong -fPIE
ifeq ($(SAN)$(FUZZ)$(COV),)
HARDEN += -D_FORTIFY_SOURCE=2
endif
# _DEFAULT_SOURCE: syncfs, d_type and friends where they exist.
CFLAGS_ALL := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_GNU_SOURCE \
	-I. $(WARN) $(WERROR) $(HARDEN) $(OPT) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now $(OPT) $(LDFLAGS)
LIBS := -luv -lssl -lcrypto -lgsasl -llmdb -lz -ljansson -lpthread

# The layers, lowest first; an arrow points down only (tests/layers.sh).
LAYERS := base imap store sync cmd
SOURCES := $(foreach layer,$(LAYERS),$(sort $(wildcard $(layer)/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
ifdef SABOTAGE
# What cannot be broken is that of build/.
BREAKABLE := $(shell grep -l SABOTAGED $(SOURCES))
OBJECTS := $(BREAKABLE:%.c=$(BUILD)/%.o) \
	$(patsubst %.c,build/%.o,$(filter-out $(BREAKABLE),$(SOURCES)))
endif
LIBRARY := $(filter-out %/cmd/main.o,$(OBJECTS))
UNITS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_PROGRAMS := $(UNITS:%=$(BUILD)/tests/%)
# A mailbox in memory is linked to every unit; what stands in for the C library
# only to those that are named here; the simulated worlds, whose network, servers
# and clock take the place of libuv, to test_simulation.
SIM := $(BUILD)/tests/sim/model.o
DISK := $(patsubst %.c,$(BUILD)/%.o,tests/sim/clock.c tests/sim/chance.c \
	$(wildcard tests/sim/disk*.c))
DISK_UNITS := test_disk_model test_disk_faults test_dirs test_maildir_tree
PAIR := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/pair*.c))
WORLD := $(filter-out $(SIM) $(DISK) $(PAIR), \
	$(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c)))
WORLD_LIBS := $(filter-out -luv,$(LIBS))
TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))
TOOLS += $(patsubst tests/tools/preload/%.c,$(BUILD)/tools/%.so, \
	$(wildcard tests/tools/preload/*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

all: mailtwin

# Renamed into place: a running one is left alone.
mailtwin: $(BUILD)/mailtwin
	@cp $< $@.new && mv $@.new $@

$(BUILD)/mailtwin: $(OBJECTS)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $(OBJECTS) $(LIBS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/libmailtwin.a: $(LIBRARY)
	@rm -f $@
	@ar rcs $@ $(LIBRARY)

# What a test looks up and does not find may well crash it, and its paths are
# short.
UNIT_FLAGS := -Wno-null-dereference -Wno-format-truncation

# Exported, so that the calls of shared libraries land in them, too.
$(DISK_UNITS:%=$(BUILD)/tests/%): $(DISK)
$(DISK_UNITS:%=$(BUILD)/tests/%): SIM += $(DISK) -rdynamic
$(BUILD)/tests/test_disk_faults: $(PAIR)
$(BUILD)/tests/test_disk_faults: SIM += $(PAIR)

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libmailtwin.a tests/tap.h $(SIM)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) $(UNIT_FLAGS) -MMD -MP $(LDFLAGS_ALL) -o $@ $< \
		$(SIM) $(BUILD)/libmailtwin.a $(LIBS)

$(BUILD)/tests/test_simulation: tests/unit/test_simulation.c \
		$(BUILD)/libmailtwin.a tests/tap.h $(WORLD) $(DISK)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) $(UNIT_FLAGS) -MMD -MP $(LDFLAGS_ALL) -o $@ $< \
		$(WORLD) $(DISK) -rdynamic $(BUILD)/libmailtwin.a $(WORLD_LIBS)

$(BUILD)/tools/%: tests/tools/%.c $(wildcard tests/tools/*.h)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -o $@ $<

# With libFuzzer's main, or with one that only replays and mutates.
ifdef FUZZ
FUZZ_MAIN := -fsanitize=fuzzer
else
FUZZ_MAIN := tests/fuzz/replay.c
endif
$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c \
		$(BUILD)/libmailtwin.a
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) -o $@ $< $(FUZZ_MAIN) \
		$(BUILD)/libmailtwin.a $(LIBS)

units: $(UNIT_PROGRAMS)
$(BUILD)/fuzz/sync: tests/fuzz/fuzz_sync.c tests/fuzz/replay.c \
		$(BUILD)/libmailtwin.a $(WORLD) $(DISK)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) -o $@ $< $(FUZZ_MAIN) \
		$(WORLD) $(DISK) -rdynamic $(BUILD)/libmailtwin.a $(WORLD_LIBS)

fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
# To be preloaded.
$(BUILD)/tools/%.so: tests/tools/preload/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -fPIC -shared -o $@ $<

tools: $(TOOLS)

deps:
	@sh tests/deps.sh

demo:
	@sh tests/deps.sh
	@$(MAKE) --no-print-directory mailtwin tools
	@sh tests/demo/demo.sh

# The units and the end-to-end tests run under the sanitizers, but for those
# that kill the program. JOBS: tests at once.
JOBS ?= $(shell echo $$((2 * $$(nproc 2>/dev/null || echo 2))))
check:
	@sh tests/deps.sh
	@$(MAKE) --no-print-directory -j2 WERROR=-Werror mailtwin tools
	@$(MAKE) --no-print-directory -j2 WERROR=-Werror SAN=1 \
		build-san/mailtwin units fuzzers
	@MAILTWIN=build-san/mailtwin perl tests/run.pl -j $(JOBS) tests/gates/*.t \
		$(wildcard tests/torture/*.t) $(UNITS:%=build-san/tests/%) \
		tests/e2e/*.t

# TORTURES="tests/torture/kill.t" chooses; tests/torture.pl tells the rest.
TORTURES ?= $(wildcard tests/torture/*.t)
torture:
	@sh tests/deps.sh long
	@$(MAKE) --no-print-directory -j2 WERROR=-Werror mailtwin tools units
	@$(MAKE) --no-print-directory -j2 WERROR=-Werror SAN=1 \
		build-san/mailtwin units fuzzers
	@perl tests/torture.pl -j 2 $(TORTURES)

# Counted anew each time; the units that only wait or take the disk apart are
# left out.
COVERED := $(filter-out test_binding test_confine test_disk_% test_maildir_storm \
	test_simulation,$(UNITS))
coverage:
	@$(MAKE) --no-print-directory -j2 COV=1 CC="$(COV_CC)" \
		$(COVERED:%=build-cov/tests/%)
	@find build-cov -name '*.gcda' -delete
	@perl tests/run.pl -j 4 $(COVERED:%=build-cov/tests/%)
	@SCOPES="same other" EVERY=3001 build-cov/tests/test_planner_worlds
	@tests/coverage/coverage.py build-cov tests/coverage/reasons

# FUZZ_SECONDS for each target; FUZZERS="session names" chooses. What is found
# on the way stays in FUZZ_WORK, for the next time.
FUZZ_SECONDS ?= 600
FUZZ_WORK ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mailtwin-fuzz
fuzz:
	@sh tests/deps.sh long
	@$(MAKE) --no-print-directory -j2 FUZZ=1 fuzzers
	@sh tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_WORK) $(FUZZERS)

# ROWS="1 3" chooses rows; BENCH="-n 3 -o FILE" are options of tests/bench/bench.py.
bench: mailtwin tools
	@python3 tests/bench/bench.py $(BENCH) $(ROWS)

bench-quick: mailtwin tools
	@python3 tests/bench/bench.py -q $(BENCH) $(ROWS)

# One file at a time: with several, clang-tidy 14 mixes them up.
lint:
	@for file in $(SOURCES); do clang-tidy --quiet $$file -- -std=c11 \
		-D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_GNU_SOURCE \
		-I. || exit; done

format:
	clang-format -i $(SOURCES) $(wildcard */*.h) tests/tap.h \
		$(wildcard tests/*/*.c)

install: $(BUILD)/mailtwin
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DATADIR)/man/man1 \
		$(DESTDIR)$(DATADIR)/man/man5 $(DESTDIR)$(DATADIR)/doc/mailtwin \
		$(DESTDIR)$(DATADIR)/bash-completion/completions \
		$(DESTDIR)$(DATADIR)/zsh/site-functions \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d \
		$(DESTDIR)$(UNITDIR)
	install -m 755 $< $(DESTDIR)$(BINDIR)/mailtwin
	install -m 644 docs/mailtwin.1 $(DESTDIR)$(DATADIR)/man/man1/
	install -m 644 docs/mailtwin.conf.5 $(DESTDIR)$(DATADIR)/man/man5/
	install -m 644 sample.conf $(DESTDIR)$(DATADIR)/doc/mailtwin/
	install -m 644 contrib/completions/mailtwin.bash \
		$(DESTDIR)$(DATADIR)/bash-completion/completions/mailtwin
	install -m 644 contrib/completions/_mailtwin \
		$(DESTDIR)$(DATADIR)/zsh/site-functions/
	install -m 644 contrib/completions/mailtwin.fish \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/
	sed 's|@BINDIR@|$(BINDIR)|' contrib/systemd/mailtwin@.service \
		> $(DESTDIR)$(UNITDIR)/mailtwin@.service
	chmod 644 $(DESTDIR)$(UNITDIR)/mailtwin@.service
	install -m 644 contrib/systemd/mailtwin@.timer $(DESTDIR)$(UNITDIR)/

clean:
	rm -rf build build-san build-fuzz build-sabotage build-cov mailtwin

.PHONY: all units fuzzers tools deps demo check torture coverage fuzz bench bench-quick lint format install clean
.PRECIOUS: $(BUILD)/%.o
-include $(OBJECTS:.o=.d) $(SIM:.o=.d) $(DISK:.o=.d) $(PAIR:.o=.d) $(WORLD:.o=.d) $(wildcard $(BUILD)/tests/*.d)
-include $(wildcard $(BUILD)/fuzz/*.d)
