# The front door. `make reproduce-table1` and `make test` do all the set-up themselves.
#
#   make reproduce-table1 [MODEL=gpt2-12m] [DATASET=webnlg] [PRESET=full] [SET="train.steps=50 ..."]
PRESET ?= quick
BUILD  := build/release
SP     := $(BUILD)/softprompt
STUDY   = --preset $(PRESET) $(if $(MODEL),--set model=$(MODEL)) \
          $(if $(DATASET),--set dataset=$(DATASET)) $(foreach s,$(SET),--set $(s))

# Runs a study, then reports what there is, also when a run failed; the run's exit code counts.
define study
	@$(SP) run $(1) $(STUDY); status=$$?; $(SP) report $(1) $(STUDY) && exit $$status
endef

# Configures and builds one folder; the whole log is shown when it fails.
define cmake-build
	@mkdir -p $(1)
	@cmake -S . -B $(1) $(2) > $(1)/configure.log 2>&1 || { cat $(1)/configure.log; exit 1; }
	@cmake --build $(1) -j $$(nproc) > $(1)/build.log 2>&1 || { cat $(1)/build.log; exit 1; }
endef

.PHONY: all deps build reproduce-table1 sweep-prefix-length test clean
all: build

deps:
	@sh scripts/deps.sh

build: deps
	$(call cmake-build,$(BUILD))

reproduce-table1: build
	$(call study,experiments/table1.yaml)

sweep-prefix-length: build
	$(call study,experiments/prefix-length.yaml)

# Unit tests and fuzzing under the sanitizers first; then unit tests and the program itself in the
# release build, so that the last lines are CTest's summary of those.
test: build
	$(call cmake-build,build/sanitize,-DSP_SANITIZE=ON)
	@ctest --test-dir build/sanitize --output-on-failure --timeout 300 -j $$(nproc) -LE cli
	@ctest --test-dir $(BUILD) --output-on-failure --timeout 300 -j $$(nproc) -LE fuzz

clean:
	rm -rf build
