# The test programs. tests/check runs them; nothing here is installed.

UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SOURCES))
UNIT_SUPPORT := $(call object,$(sort $(filter-out $(UNIT_SOURCES),$(wildcard tests/unit/*.c))))

.PHONY: tests unit
tests: all unit
unit: $(UNIT_TESTS)

$(BUILD)/tests/test_%: $(BUILD)/obj/tests/unit/test_%.o $(UNIT_SUPPORT) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $< $(UNIT_SUPPORT) $(INTERNAL_LIBRARY) -lcmocka $(LIBS)

# ---- faults: tests/fault ----

# One folder of commands whose calls can be told to fail (inject.h), one
# command that does not look (careless.c), one with foretold randomness in
# place of the system's (fixed_random.c), and a program with planted keys.
FAULT = $(BUILD)/tests/fault
FAULT_COMMANDS := $(addprefix $(FAULT)/bin/,$(COMMANDS))
FAULT_OBJECTS := $(call object,tests/fault/inject.c tests/fault/inject_crypto.c)
FAULT_WRAPS := $(patsubst %,-Wl$(comma)--wrap=%,open64 openat64 fcntl64 \
	$(shell sed -nE 's/^WRAP[A-Z_]*.([A-Za-z0-9_]+),.*/\1/p' tests/fault/inject*.c))
CARELESS_WRAPS := $(patsubst %,-Wl$(comma)--wrap=%,fd_write fd_write_at temporary_release)
FIXED_OBJECTS := $(filter-out %/base/random.o,$(LIBRARY_OBJECTS)) $(CLI_OBJECTS) \
	$(call command_objects,e2e-seal) $(call object,tests/fault/fixed_random.c)

.PHONY: faults
tests: faults
faults: $(FAULT_COMMANDS) $(FAULT)/careless/e2e-seal $(FAULT)/fixed-seal $(FAULT)/planted

define fault_command
$(FAULT)/bin/$(1): $(call command_objects,$(1)) $(CLI_OBJECTS) $(BASE_OBJECTS) $(STATIC_LIBRARY) $(FAULT_OBJECTS)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(LINK) $$(FAULT_WRAPS) -o $$@ $$(filter %.o,$$^) $(STATIC_LIBRARY) $$(LIBS)
endef
$(foreach c,$(COMMANDS),$(eval $(call fault_command,$(c))))

$(FAULT)/careless/e2e-seal: $(call command_objects,e2e-seal) $(CLI_OBJECTS) $(BASE_OBJECTS) $(STATIC_LIBRARY) \
	$(FAULT_OBJECTS) $(call object,tests/fault/careless.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(FAULT_WRAPS) $(CARELESS_WRAPS) -o $@ $(filter %.o,$^) $(STATIC_LIBRARY) $(LIBS)

$(FAULT)/fixed-seal: $(FIXED_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -Wl,--wrap=clock_now -o $@ $(FIXED_OBJECTS) $(LIBS)

$(FAULT)/planted: $(call object,tests/fault/planted.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -Wl,--wrap=random_bytes -o $@ $< $(INTERNAL_LIBRARY) $(LIBS)

# Programs in which a function of the library is replaced: the mutator
# remembers what Argon2id said; its control has openers that verify nothing.
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
$(BUILD)/tests/test_message_mutator: private override LDFLAGS += $(call wrap,passhash_argon2id)
$(BUILD)/tests/test_message_control: private override LDFLAGS += $(call wrap,secret_equal aead_open sender_verify sender_verify_segment)
