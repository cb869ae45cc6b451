# Builds the fuzz targets from the library's sources; tests/fuzz/run calls it
# from the top of the tree.
#
#	OUT	the folder for everything that is made
#	INSTRUMENT	what the compiler weaves in
#	DEFINES	of the harness

CLANG ?= clang
PKG_CONFIG ?= pkg-config
PACKAGES = libcrypto libargon2 libcbor sqlite3
INSTRUMENT ?= -fsanitize=fuzzer-no-link,address,undefined

FLAGS = -std=c11 -pedantic -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wno-unused-parameter -Wno-missing-prototypes -Wno-overlength-strings -O1 -g \
	-fno-omit-frame-pointer -fno-sanitize-recover=all $(INSTRUMENT) \
	-pthread -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE \
	-D_FILE_OFFSET_BITS=64 -Iinclude -Ilib -Itests/fuzz $(DEFINES) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES))
LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES))

LIBRARY := $(sort $(foreach l,base crypto wire message store relay,$(wildcard lib/$(l)/*.c)))
TARGETS := $(patsubst tests/fuzz/target_%.c,%,$(sort $(wildcard tests/fuzz/target_*.c)))
SHARED = $(addprefix $(OUT)/obj/tests/fuzz/,support.o keys.o) \
	$(patsubst %.c,$(OUT)/obj/%.o,$(LIBRARY))

.SECONDARY:
all: $(addprefix $(OUT)/,$(TARGETS)) $(OUT)/seeds

$(OUT)/obj/%.o: %.c tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(CLANG) $(FLAGS) -MMD -MP -c -o $@ $<

$(OUT)/shared.a: $(SHARED)
	@rm -f $@
	$(AR) rcs $@ $^

# Linked by the same flags: its main takes the place of libFuzzer's.
$(OUT)/seeds: $(OUT)/obj/tests/fuzz/seeds.o $(OUT)/shared.a
	$(CLANG) $(FLAGS) -o $@ $^ $(LIBS)

$(OUT)/%: $(OUT)/obj/tests/fuzz/target_%.o $(OUT)/shared.a
	$(CLANG) $(FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
