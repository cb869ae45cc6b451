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
