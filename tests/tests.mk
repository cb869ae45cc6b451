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
	$(Q)$(LINK) -o $@ $< $(UNIT_SUPPORT) $(INTERNAL_LIBRARY) -lcmocka $(NETWORK_LIBS)

# ---- faults: tests/fault ----

# One folder of commands whose calls can be told to fail (inject.h), one
# command that does not look (careless.c), one that refuses too little
# (heedless.c), one with foretold randomness in place of the system's
# (fixed_random.c), one that takes any key for the right one (gullible.c), a
# program with planted keys, and one that does with the kernel's keyring what no
# command does.
FAULT = $(BUILD)/tests/fault
FILTERS = $(filter-out $(NETWORK_COMMANDS),$(COMMANDS))
FAULT_COMMANDS := $(addprefix $(FAULT)/bin/,$(FILTERS))
FAULT_OBJECTS := $(call object,tests/fault/inject.c tests/fault/inject_crypto.c)
FAULT_WRAPS := $(patsubst %,-Wl$(comma)--wrap=%,open64 openat64 fcntl64 \
	$(shell sed -nE 's/^WRAP[A-Z_]*.([A-Za-z0-9_]+),.*/\1/p' tests/fault/inject*.c))
CARELESS_WRAPS := $(patsubst %,-Wl$(comma)--wrap=%,fd_write fd_write_at temporary_release)
GULLIBLE_OBJECTS := $(LIBRARY_OBJECTS) $(call filter_objects,e2e-open) \
	$(call object,tests/fault/gullible.c)
HEEDLESS_WRAPS := $(patsubst %,-Wl$(comma)--wrap=%,open_check_addressed rewrap_block_verify \
	state_admit state_done state_abandon state_find_sent)
FIXED_OBJECTS := $(filter-out %/base/random.o,$(LIBRARY_OBJECTS)) \
	$(call filter_objects,e2e-seal) $(call object,tests/fault/fixed_random.c)

.PHONY: faults
tests: faults
faults: $(FAULT_COMMANDS) $(FAULT)/careless/e2e-seal $(FAULT)/heedless/e2e-open \
	$(FAULT)/fixed-seal $(FAULT)/gullible-open $(FAULT)/planted $(FAULT)/keyring

define fault_command
$(FAULT)/bin/$(1): $(call filter_objects,$(1)) $(BASE_OBJECTS) $(STATIC_LIBRARY) $(FAULT_OBJECTS)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(LINK) $$(FAULT_WRAPS) -o $$@ $$(filter %.o,$$^) $(STATIC_LIBRARY) $$(call filter_libs,$(1))
endef
$(foreach c,$(FILTERS),$(eval $(call fault_command,$(c))))

$(FAULT)/careless/e2e-seal: $(call filter_objects,e2e-seal) $(BASE_OBJECTS) $(STATIC_LIBRARY) \
	$(FAULT_OBJECTS) $(call object,tests/fault/careless.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(FAULT_WRAPS) $(CARELESS_WRAPS) -o $@ $(filter %.o,$^) $(STATIC_LIBRARY) $(call filter_libs,e2e-seal)

$(FAULT)/heedless/e2e-open: $(call command_objects,e2e-open) $(call object,tests/fault/heedless.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(HEEDLESS_WRAPS) -o $@ $(filter-out %.a,$^) $(INTERNAL_LIBRARY) $(NETWORK_LIBS)

$(FAULT)/fixed-seal: $(FIXED_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -Wl,--wrap=clock_now -o $@ $(FIXED_OBJECTS) $(call filter_libs,e2e-seal)

$(FAULT)/gullible-open: $(GULLIBLE_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -Wl,--wrap=content_matches,--wrap=content_decrypt -o $@ $(GULLIBLE_OBJECTS) $(call filter_libs,e2e-open)

$(FAULT)/keyring: $(call object,tests/fault/keyring.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $<

$(FAULT)/planted: $(call object,tests/fault/planted.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -Wl,--wrap=random_bytes -o $@ $< $(INTERNAL_LIBRARY) $(LIBS)

# Programs in which a function of the library is replaced: the mutator
# remembers what Argon2id said; its control has openers that verify nothing.
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
$(BUILD)/tests/test_message_control: private override LDFLAGS += $(call wrap,rewrap_block_verify sign1_verify \
	claims_has_hash group_key_admits derive_put_rewrap_aad)
$(BUILD)/tests/test_message_mutator: private override LDFLAGS += $(call wrap,passhash_argon2id)
$(BUILD)/tests/test_message_control: private override LDFLAGS += $(call wrap,secret_equal aead_open sender_verify sender_verify_segment)
# Calls of the kernel's keyring that fail, or in whose midst the process dies.
$(BUILD)/tests/test_cli_keyring: private override LDFLAGS += $(call wrap,syscall)

# ---- what is remembered: tests/order ----

# Commands that can be killed at each of their calls (die.c), and what the
# harness has to catch: an e2e-seal that commits numbers late, and an e2e-open
# that records messages too early, or none.
ORDER = $(BUILD)/tests/order
.PHONY: order
tests: order
order: $(addprefix $(ORDER)/,sound/e2e-seal sound/e2e-open late/e2e-seal hasty/e2e-open forgetful/e2e-open)

# MANNER, COMMAND, functions that tests/order/MANNER.c replaces
define order_command
$(ORDER)/$(1)/$(2): $(call filter_objects,$(2)) $(BASE_OBJECTS) $(STATIC_LIBRARY) \
	$(call object,tests/order/die.c $(if $(3),tests/order/$(1).c))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(LINK) $(call wrap,$(3)) -o $$@ $$(filter %.o,$$^) $(STATIC_LIBRARY) $$(call filter_libs,$(2))
endef
REMEMBERING = state_admit state_done state_abandon
$(eval $(call order_command,sound,e2e-seal))
$(eval $(call order_command,sound,e2e-open))
$(eval $(call order_command,late,e2e-seal,state_reserve sqlite_commit state_close))
$(eval $(call order_command,hasty,e2e-open,$(REMEMBERING)))
$(eval $(call order_command,forgetful,e2e-open,$(REMEMBERING)))

# ---- the relay: tests/relay, tests/bench/relay ----

# A generator of load, a store full of mailboxes, and what the harnesses have to
# catch: a relay that says OK before the commit, one that believes every
# signature, and an e2e-fetch to which every verdict is a good one.
.PHONY: relay_tests
tests: relay_tests
relay_tests: $(addprefix $(BUILD)/tests/,relay_load relay_fill relayd_early relayd_trusting fetch_credulous)

$(BUILD)/tests/relay_load: $(call object,tests/bench/relay_load.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $< $(LIBS)

$(BUILD)/tests/relay_fill: $(call object,tests/bench/relay_fill.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $< $(INTERNAL_LIBRARY) $(NETWORK_LIBS)

$(BUILD)/tests/relayd_early: $(call command_objects,e2e-relayd) $(call object,tests/relay/early.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(call wrap,worker_start worker_submit worker_take worker_stop) -o $@ $(filter-out %.a,$^) $(INTERNAL_LIBRARY) $(NETWORK_LIBS)

$(BUILD)/tests/relayd_trusting: $(call command_objects,e2e-relayd) $(call object,tests/relay/trusting.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(call wrap,proof_check_auth proof_check_ack) -o $@ $(filter-out %.a,$^) $(INTERNAL_LIBRARY) $(NETWORK_LIBS)

$(BUILD)/tests/fetch_credulous: $(call command_objects,e2e-fetch) $(call object,tests/relay/credulous.c) $(INTERNAL_LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(call wrap,child_shell) -o $@ $(filter-out %.a,$^) $(INTERNAL_LIBRARY) $(NETWORK_LIBS)

# ---- the state: tests/state ----

# A harness that kills, and two states that it has to catch: one commits after
# it has answered, the other does not wait for others with the same message.
.PHONY: state_tests
STATE_CRASH := $(addprefix $(BUILD)/tests/,state_crash state_crash_late state_crash_unlocked)
tests: state_tests
state_tests: $(STATE_CRASH)

$(BUILD)/tests/state_crash: $(call object,tests/state/crash.c) $(INTERNAL_LIBRARY)
$(BUILD)/tests/state_crash_late: $(call object,tests/state/crash.c tests/state/late.c) $(INTERNAL_LIBRARY)
$(BUILD)/tests/state_crash_unlocked: $(call object,tests/state/crash.c tests/state/unlocked.c) $(INTERNAL_LIBRARY)
$(BUILD)/tests/state_crash_late: private override LDFLAGS += $(call wrap,sqlite_begin sqlite_commit sqlite_close)
$(BUILD)/tests/state_crash_unlocked: private override LDFLAGS += $(call wrap,fd_lock_at)
$(STATE_CRASH):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ -lcmocka $(NETWORK_LIBS)
