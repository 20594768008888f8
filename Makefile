# The front door: every target does all the set-up itself. `make help` lists them.
#
#   make reproduce-table1 [MODEL=smollm2-135m] [DATASET=webnlg] [PRESET=full] [SET="train.steps=50 ..."]
PRESET ?= quick
BUILD  := build/release
SP     := $(BUILD)/softprompt
STUDY   = --preset $(PRESET) $(if $(MODEL),--set model=$(MODEL)) \
          $(if $(DATASET),--set dataset=$(DATASET)) $(foreach s,$(SET),--set $(s))

# Runs a study, then reports what there is, also when a run failed; the run's exit code counts. A model
# that has a card is fetched first.
define study
	$(if $(MODEL),@sh scripts/fetch.sh $(SP) '$(MODEL)')
	@$(SP) run $(1) $(STUDY); status=$$?; $(SP) report $(1) $(STUDY) && exit $$status
endef

# Configures and builds one folder; the whole log is shown when it fails.
define cmake-build
	@mkdir -p $(1)
	@cmake -S . -B $(1) $(2) > $(1)/configure.log 2>&1 || { cat $(1)/configure.log; exit 1; }
	@cmake --build $(1) -j $$(nproc) > $(1)/build.log 2>&1 || { cat $(1)/build.log; exit 1; }
endef

TARGETS := all help deps build fetch test fuzz parity bench bench-peft peers scaling test-slurm clean \
    reproduce-table1 reproduce-table4 reproduce-low-data \
    sweep-prefix-length sweep-prefix-length-generation sweep-prefix-length-classification \
    sweep-init sweep-init-prompt sweep-init-prefix \
    sweep-model-size sweep-model-size-generation sweep-depth sweep-encoder sweep-tagging \
    sweep-precision domain-shift multi-task ensemble low-data-classification \
    search search-generation search-classification claims
.PHONY: $(TARGETS)

all: build

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 40
	@echo
	@echo "  Studies take PRESET=quick (default) or full, MODEL=, DATASET= and SET=\"path=value ...\"."
	@echo "  PRESET=paper, where a spec has it: the paper's settings, meant for its larger models."
	@echo "  Any spec of experiments/, or your own: $(SP) run SPEC, then $(SP) report SPEC."

deps: ## install the Debian packages that are missing
	@sh scripts/deps.sh

build: deps ## build/release/softprompt
	$(call cmake-build,$(BUILD))

fetch: build ## a published model: MODEL=smollm2-135m (softprompt model list names them)
	@[ -n '$(MODEL)' ] || { echo "make fetch: which one? MODEL=NAME; the names:" >&2; \
	    $(SP) model list >&2; exit 2; }
	@sh scripts/fetch.sh $(SP) '$(MODEL)'

reproduce-table1: build ## all methods on data-to-text (Prefix-Tuning, Table 1)
	$(call study,experiments/table1.yaml)

reproduce-table4: build ## prefix, infix, embedding-only (Prefix-Tuning, Table 4)
	$(call study,experiments/table4.yaml)

reproduce-low-data: build ## 50 to 500 training examples (Prefix-Tuning, Figure 3)
	$(call study,experiments/low-data.yaml)

sweep-prefix-length: sweep-prefix-length-generation ## the two below
sweep-prefix-length: sweep-prefix-length-classification

sweep-prefix-length-generation: build ## length of the prompt, data-to-text
	$(call study,experiments/prefix-length.yaml)

sweep-prefix-length-classification: build ## length of the prompt, classification
	$(call study,experiments/prefix-length-classification.yaml)

sweep-init: sweep-init-prompt sweep-init-prefix ## the two below

sweep-init-prompt: build ## initialisation of prompt tuning over model size
	$(call study,experiments/init.yaml)

sweep-init-prefix: build ## initialisation of prefix-tuning, few examples
	$(call study,experiments/init-prefix.yaml)

sweep-model-size: build ## methods over model size, classification
	$(call study,experiments/model-size.yaml)

sweep-model-size-generation: build ## methods over model size, data-to-text
	$(call study,experiments/model-size-generation.yaml)

sweep-depth: build ## P-tuning v2 on top and bottom layers
	$(call study,experiments/depth.yaml)

# Fetches the spec's model too.
sweep-encoder: MODEL := $(or $(MODEL),minilm-l6)
sweep-encoder: build ## all methods on an encoder, classification
	$(call study,experiments/encoder.yaml)

sweep-precision: build ## curves with frozen weights in fp32 and in bf16
	$(call study,experiments/precision.yaml)

sweep-tagging: build ## a tag for every word, methods compared (P-tuning v2)
	$(call study,experiments/tagging.yaml)

domain-shift: build ## trained on nouns, tested on verbs, and the other way round (Prompt Tuning)
	$(call study,experiments/domain-shift.yaml)

multi-task: build ## a prompt for each task, or one shared by all (P-tuning v2)
	$(call study,experiments/multi-task.yaml)

ensemble: build ## five prompts and the majority of their answers (Prompt Tuning, Table 3)
	$(call study,experiments/ensemble.yaml)

low-data-classification: build ## 50 to 8,000 labelled examples, methods compared
	$(call study,experiments/low-data-classification.yaml)

search: search-generation search-classification ## the two below

search-generation: build ## learning rates of all methods, data-to-text
	$(call study,experiments/tuning/generation.yaml)

search-classification: build ## learning rates of all methods, classification
	$(call study,experiments/tuning/classification.yaml)

claims: build ## every claim of the papers judged: runs all studies that have some, prints the board
	@sh scripts/claims.sh $(SP) $(STUDY)

# Unit tests and fuzzing under the sanitizers first; then unit tests and the program itself in the
# release build, so that the last lines are CTest's summary of those.
test: build ## everything, sanitizers and fuzzing included
	$(call cmake-build,build/sanitize,-DSP_SANITIZE=ON)
	@ctest --test-dir build/sanitize --output-on-failure --timeout 300 -j $$(nproc) -LE cli
	@ctest --test-dir $(BUILD) --output-on-failure --timeout 300 -j $$(nproc) -LE fuzz

parity: build ## how far from transformers and PEFT, method by family: docs/parity.md
	@sh scripts/parity.sh $(BUILD) results/parity.md

fuzz: build ## libFuzzer on every parser: SECONDS=60 each, PARSERS="gguf index" for only these
	@sh scripts/deps.sh clang libclang-rt-14-dev
	$(call cmake-build,build/fuzz,-DCMAKE_C_COMPILER=clang -DSP_FUZZ=ON -DSP_KERNELS=$(CURDIR)/$(BUILD))
	@sh scripts/fuzz.sh build/fuzz $(or $(SECONDS),60) $(PARSERS)

bench: build ## speed and memory on this machine: docs/benchmarks.md
	@echo "Measures two model shapes in fp32 and bf16, each measurement in a process of its own;"
	@echo "about 10 minutes on two quiet cores. Table, CSV and figures go to results/bench/."
	@mkdir -p results/bench
	@start=$$(date +%s); $(SP) bench --csv results/bench/bench.csv --figures results/bench \
	    $(BENCH_ARGS) > results/bench/bench.txt || exit $$?; cat results/bench/bench.txt; \
	    echo "$$(($$(date +%s) - start)) seconds; results/bench/"

bench-peft: build ## against PEFT: PEFT_PYTHON=python with it, or several GB into build/peft-venv
	@python=$$(sh tests/peers/python.sh build/peft-venv) && \
	    "$$python" tests/peers/bench_peft.py --softprompt $(SP) $(PEFT_ARGS)

peers: build ## golden vectors made again, adapters to and from PEFT; needs what bench-peft needs
	@python=$$(sh tests/peers/python.sh build/peft-venv) && \
	    "$$python" tests/peers/golden.py && \
	    "$$python" tests/peers/adapters.py --softprompt $(SP)

scaling: build ## ranks on this machine, and what more would bring: docs/scaling.md
	@sh scripts/scaling.sh $(SP) results/scaling

test-slurm: build ## submit on a real Slurm of this one machine; needs root, installs Slurm
	@sh tests/slurm/run.sh $(SP)

clean: ## remove build/
	rm -rf build
