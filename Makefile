# e2e: end-to-end encrypted messages as Unix filters.
#
#	make		the commands in build/bin, the library in build/lib
#	make demo	set up what is missing, then watch a file travel
#	make check	set up what is missing, then run every test
#	make bench	compare with age, gpg and openssl cms
#	make bench-relay	what the relay does in a second, on this disk
#	make fuzz	run every fuzz target for FUZZ_SECONDS each
#	make install	into DESTDIR and PREFIX; make uninstall takes it away
#	make deps	install what building and testing need (Debian)
#
# Plain `make` never installs anything. CC, CFLAGS, CPPFLAGS and LDFLAGS are
# the caller's; what the project itself needs is in E2E_CFLAGS.

VERSION = 0.1.0
SONAME = libe2e.so.0

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/e2e
UNITDIR ?= $(PREFIX)/lib/systemd/system

CC ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy
FUZZ_SECONDS ?= 60

PACKAGES = libcrypto libargon2 libcbor
# The relay and its clients need more than the filters do.
NETWORK_PACKAGES = libssl libuv sqlite3
# So do filters that remember (--state).
STATE_PACKAGES = sqlite3
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	-Wformat=2 -Wno-unused-parameter

comma := ,
# A flag if the compiler takes it, else nothing.
try = $(shell printf 'int main(void){return 0;}' | \
	$(CC) $(CFLAGS) -Werror $(1) -x c -o /dev/null - 2>/dev/null && printf '%s' '$(1)')

# Asked for once, and only by the goals that compile.
ifneq ($(filter-out demo check bench bench-relay fuzz deps setup clean uninstall,$(or $(MAKECMDGOALS),all)),)
HARDENING := $(call try,-fstack-protector-strong) \
	$(call try,-fstack-clash-protection) $(call try,-fcf-protection) \
	$(if $(findstring -O0,$(CFLAGS)),,$(if $(findstring -fsanitize,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
LINK_HARDENING := $(call try,-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) $(NETWORK_PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)
NETWORK_PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(NETWORK_PACKAGES) 2>/dev/null)
STATE_PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(STATE_PACKAGES) 2>/dev/null)
endif

E2E_CFLAGS = -std=c11 -pedantic $(WARNINGS) -fPIC -fvisibility=hidden \
	-ffunction-sections -fdata-sections \
	-pthread -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE \
	-D_FILE_OFFSET_BITS=64 -Iinclude -Ilib $(HARDENING) $(PKG_CFLAGS)
COMPILE = $(CC) $(E2E_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) $(LINK_HARDENING) -Wl,--gc-sections -pthread $(LDFLAGS)
LIBS = $(PKG_LIBS) $(LDLIBS)
NETWORK_LIBS = -Wl,--as-needed $(NETWORK_PKG_LIBS) $(LIBS)

# One short line for each step; V=1 shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

# ---- what there is ----

LIBRARY_LAYERS = base crypto wire message
# Of the relay and its clients; not part of libe2e.
NETWORK_LAYERS = store relay net
LIBRARY_SOURCES := $(sort $(foreach l,$(LIBRARY_LAYERS),$(wildcard lib/$(l)/*.c)))
NETWORK_SOURCES := $(sort $(foreach l,$(NETWORK_LAYERS),$(wildcard lib/$(l)/*.c)))
# Of the filters that remember; not part of libe2e either, which needs no SQLite.
STATE_SOURCES := $(sort $(wildcard lib/state/*.c))
BASE_SOURCES := $(sort $(wildcard lib/base/*.c))
CLI_SOURCES := $(sort $(wildcard lib/cli/*.c))
# A command is cmd/e2e-NAME.c, or all of cmd/e2e-NAME/.
COMMANDS := $(sort $(patsubst cmd/%.c,%,$(wildcard cmd/e2e-*.c)) \
	$(patsubst cmd/%/,%,$(wildcard cmd/e2e-*/)))
NETWORK_COMMANDS = $(filter e2e-relayd e2e-send e2e-fetch e2e-directory,$(COMMANDS))
REMEMBERING_COMMANDS = e2e-seal e2e-open

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIBRARY_OBJECTS := $(call object,$(filter-out lib/base/sqlite.c,$(LIBRARY_SOURCES)))
SQLITE_OBJECTS := $(call object,lib/base/sqlite.c)
NETWORK_OBJECTS := $(call object,$(NETWORK_SOURCES)) $(SQLITE_OBJECTS)
STATE_OBJECTS := $(call object,$(STATE_SOURCES)) $(SQLITE_OBJECTS)
# For the commands; what error.c defines is public and theirs already.
BASE_OBJECTS := $(call object,$(filter-out %/error.c %/sqlite.c,$(BASE_SOURCES)))
CLI_OBJECTS := $(call object,$(filter-out %/remember.c,$(CLI_SOURCES)))
REMEMBER_OBJECTS := $(call object,lib/cli/remember.c) $(STATE_OBJECTS)
COMMAND_FILES := $(addprefix $(BUILD)/bin/,$(COMMANDS))
command_objects = $(call object,$(wildcard cmd/$(1).c cmd/$(1)/*.c))
# Of a filter: what it is made of besides base and the library.
remembers = $(filter $(1),$(REMEMBERING_COMMANDS))
filter_objects = $(call command_objects,$(1)) $(CLI_OBJECTS) $(if $(call remembers,$(1)),$(REMEMBER_OBJECTS))
filter_libs = $(if $(call remembers,$(1)),$(STATE_PKG_LIBS)) $(LIBS)

STATIC_LIBRARY = $(BUILD)/lib/libe2e.a
SHARED_LIBRARY = $(BUILD)/lib/$(SONAME)
# Every object by itself, of which a program takes what it uses: for the relay
# and its clients, which speak with inner layers, and for the tests.
INTERNAL_LIBRARY = $(BUILD)/obj/libinternal.a

.SECONDARY:
.PHONY: all
all: $(COMMAND_FILES) $(STATIC_LIBRARY) $(SHARED_LIBRARY) $(BUILD)/lib/e2e.pc

# ---- objects ----

$(BUILD)/obj/%.o: %.c | $(BUILD)/obj/.packages
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# Says what is missing in one line instead of a page of compiler errors.
$(BUILD)/obj/.packages:
	@mkdir -p $(@D)
	@$(PKG_CONFIG) --exists $(PACKAGES) $(NETWORK_PACKAGES) || { \
	echo "missing: pkg-config or one of $(PACKAGES) $(NETWORK_PACKAGES); on Debian, 'make deps' installs them" >&2; exit 1; }
	@touch $@

# ---- the library ----

# One object in which only the public interface is left visible: names of
# inner functions cannot clash with a program's own.
$(BUILD)/lib/e2e.o: $(LIBRARY_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LD) -r -o $@ $(LIBRARY_OBJECTS)
	$(Q)$(OBJCOPY) --localize-hidden $@

$(STATIC_LIBRARY): $(BUILD)/lib/e2e.o
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $<

$(SHARED_LIBRARY): $(LIBRARY_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -shared -Wl,-soname,$(SONAME) -o $@ $(LIBRARY_OBJECTS) $(LIBS)
	@ln -sf $(SONAME) $(BUILD)/lib/libe2e.so

$(INTERNAL_LIBRARY): $(sort $(LIBRARY_OBJECTS) $(NETWORK_OBJECTS) $(REMEMBER_OBJECTS) $(CLI_OBJECTS))
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/lib/e2e.pc: lib/e2e.pc.in Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

# ---- the commands ----

# The filters link the library as anybody would, and base once more for
# themselves.
define command
$(BUILD)/bin/$(1): $(call filter_objects,$(1)) $(BASE_OBJECTS) $(STATIC_LIBRARY)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(LINK) -pie -o $$@ $(call filter_objects,$(1)) $(BASE_OBJECTS) $(STATIC_LIBRARY) $$(call filter_libs,$(1))
endef
$(foreach c,$(filter-out $(NETWORK_COMMANDS),$(COMMANDS)),$(eval $(call command,$(c))))

define network_command
$(BUILD)/bin/$(1): $(call command_objects,$(1)) $(INTERNAL_LIBRARY)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(LINK) -pie -o $$@ $(call command_objects,$(1)) $(INTERNAL_LIBRARY) $$(NETWORK_LIBS)
endef
$(foreach c,$(NETWORK_COMMANDS),$(eval $(call network_command,$(c))))

# ---- what needs set-up first ----

.PHONY: deps setup demo check bench bench-relay fuzz clean
deps:
	sh tests/tools/deps install
setup:
	@sh tests/tools/deps ensure
demo: setup
	@$(MAKE) --no-print-directory all
	@BIN=$(BUILD)/bin bash tests/demo
check: setup
	@$(MAKE) --no-print-directory all tests
	@CC='$(CC)' BUILD=$(BUILD) bash tests/check
bench: setup
	@sh tests/tools/deps ensure bench
	@$(MAKE) --no-print-directory all
	BIN=$(abspath $(BUILD))/bin bash tests/bench/bench
bench-relay: setup
	@$(MAKE) --no-print-directory all relay_tests
	BIN=$(abspath $(BUILD))/bin BUILD=$(abspath $(BUILD)) tests/bench/relay
fuzz: setup
	FUZZ_SECONDS=$(FUZZ_SECONDS) bash tests/fuzz/run
clean:
	rm -rf $(BUILD)

include tests/tests.mk

# ---- installing ----

HEADERS := $(sort $(wildcard include/e2e/*.h))
UNITS := $(sort $(wildcard contrib/systemd/*))
MAN_PAGES := $(sort $(wildcard man/*.[1-8]))
.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/e2e $(DESTDIR)$(DOCDIR)
	install -m 755 $(COMMAND_FILES) $(DESTDIR)$(BINDIR)
	install -m 644 $(STATIC_LIBRARY) $(DESTDIR)$(LIBDIR)
	install -m 755 $(SHARED_LIBRARY) $(DESTDIR)$(LIBDIR)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libe2e.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' lib/e2e.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/e2e.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/e2e.pc
	install -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)/e2e
	for page in $(MAN_PAGES); do s=$${page##*.}; \
	    install -d $(DESTDIR)$(MANDIR)/man$$s && install -m 644 $$page $(DESTDIR)$(MANDIR)/man$$s || exit 1; done
	install -m 644 README.md docs/*.md $(DESTDIR)$(DOCDIR)
	install -d $(DESTDIR)$(DATADIR)/bash-completion/completions $(DESTDIR)$(DATADIR)/zsh/site-functions $(DESTDIR)$(DATADIR)/fish/vendor_completions.d
	for c in $(COMMANDS); do \
	    install -m 644 completions/e2e.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/$$c && \
	    install -m 644 completions/$$c.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/ || exit 1; done
	install -m 644 completions/_e2e $(DESTDIR)$(DATADIR)/zsh/site-functions/_e2e
	install -d $(DESTDIR)$(UNITDIR)
	for u in $(UNITS); do sed 's|/usr/local/bin|$(BINDIR)|' $$u > $(DESTDIR)$(UNITDIR)/$${u##*/} && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$${u##*/} || exit 1; done
uninstall:
	for c in $(COMMANDS); do rm -f $(DESTDIR)$(BINDIR)/$$c \
	    $(DESTDIR)$(DATADIR)/bash-completion/completions/$$c \
	    $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/$$c.fish; done
	rm -f $(DESTDIR)$(DATADIR)/zsh/site-functions/_e2e $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS)))
	rm -f $(DESTDIR)$(LIBDIR)/libe2e.a $(DESTDIR)$(LIBDIR)/libe2e.so $(DESTDIR)$(LIBDIR)/$(SONAME) $(DESTDIR)$(LIBDIR)/pkgconfig/e2e.pc
	for page in $(notdir $(MAN_PAGES)); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done
	rm -rf $(DESTDIR)$(INCLUDEDIR)/e2e $(DESTDIR)$(DOCDIR)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
