# The front door. `make reproduce-table1` and `make test` do all the set-up themselves.
# Options: MODEL=gpt2-4m DATASET=wntriples PRESET=quick JOBS=1
PRESET ?= quick
BUILD  := build/release
SP     := $(BUILD)/softprompt
SET    := $(if $(MODEL),--set model=$(MODEL)) $(if $(DATASET),--set dataset=$(DATASET))

.PHONY: all deps build reproduce-table1 sweep-prefix-length test clean
all: build

deps:
	@sh scripts/deps.sh

build: deps
	@cmake -S . -B $(BUILD) > build/cmake.log 2>&1 || { cat build/cmake.log; exit 1; }
	@cmake --build $(BUILD) -j 2 > build/build.log 2>&1 || { cat build/build.log; exit 1; }

reproduce-table1: build
	@$(SP) run experiments/table1.yaml --preset $(PRESET) $(SET)
	@$(SP) report experiments/table1.yaml --preset $(PRESET) $(SET)

sweep-prefix-length: build
	@$(SP) run experiments/prefix-length.yaml --preset $(PRESET) $(SET)
	@$(SP) report experiments/prefix-length.yaml --preset $(PRESET) $(SET)

test: build
	@cmake -S . -B build/sanitize -DSP_SANITIZE=ON > build/cmake-sanitize.log 2>&1 || \
	  { cat build/cmake-sanitize.log; exit 1; }
	@cmake --build build/sanitize -j 2 > build/build-sanitize.log 2>&1 || \
	  { cat build/build-sanitize.log; exit 1; }
	@ctest --test-dir build/sanitize --output-on-failure --timeout 300 -j 2
	@ctest --test-dir $(BUILD) --output-on-failure --timeout 300 -j 2

clean:
	rm -rf build
