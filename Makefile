# `make` alone lists the targets. Everything a target needs, it sets up itself.
PYTHON ?= python3
VENV ?= .venv
PY = $(VENV)/bin/python
CC ?= gcc
CFLAGS_CHECK = -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wcast-qual -Werror -ffp-contract=off -g -O1 -Icsrc/include -Itests/c
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
CORE = $(wildcard csrc/src/*.c)
FUZZ_INPUTS ?= 100000
CUTS ?= 10000
DAMAGED ?= 1000000
NIGHT ?= 100000000
EMULATED = hil/emulated
EMULATED_CUTS ?= 200
PROGRAMS ?= 1000000
UF2 ?=
BOOTROM ?=
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint audit-c test-c analyze fuzz golden bench cuts verify-mutants card-faults mutated miswired faults heat-plants properties our-faults noise noise-night \
	hil-emulated \
	format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml setup.py host/system-check.sh csrc/build_core.py $(CORE) $(wildcard csrc/include/mf/*.h)
	@PYTHON="$(PYTHON)" CC="$(CC)" sh host/system-check.sh
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

setup: $(VENV)/.ready ## install everything into .venv

demo: $(VENV)/.ready ## a real sliced print through the whole chain, its verdict and its picture
	@$(PY) -m hil.demo --out out/demo

test: $(VENV)/.ready lint audit-c test-c ## all tests: style, rooms, the C core, host, board, rig
	@$(PY) -m pytest -q

lint: $(VENV)/.ready ## style, types, who may import whom
	@mkdir -p build
	@$(VENV)/bin/ruff check -q . && $(VENV)/bin/ruff format -q --check . && $(VENV)/bin/mypy --no-error-summary \
		&& $(VENV)/bin/lint-imports --no-cache >build/lint-imports.txt 2>&1 || { cat build/lint-imports.txt; exit 1; }
	@echo "ok style, types, rooms"

format: $(VENV)/.ready ## rewrite Python files in the house's form
	@$(VENV)/bin/ruff check -q --fix . ; $(VENV)/bin/ruff format -q .

audit-c: ## no allocation, no stdio, no mutable globals in the core; headers stand alone
	@mkdir -p build
	@for c in $(CORE); do $(CC) $(CFLAGS_CHECK) -c $$c -o build/audit.o || exit 1; \
		if nm build/audit.o | grep -E ' [bBdDC] | U (malloc|calloc|realloc|free|printf|fprintf|puts|abort|exit)$$'; \
		then echo "$$c breaks the core rules"; exit 1; fi; done
	@for h in $$(cd csrc/include && ls mf/*.h); do echo "#include \"$$h\"" \
		| $(CC) $(CFLAGS_CHECK) -fsyntax-only -xc - || exit 1; done
	@echo "ok the C core keeps its rules"

test-c: ## the C core alone, under address and undefined-behaviour sanitizers
	@mkdir -p build
	@for t in tests/c/test_*.c; do $(CC) $(CFLAGS_CHECK) $(SANITIZE) $(CORE) $$t -o build/ctest -lm \
		&& ./build/ctest && echo "ok $$t" || exit 1; done

analyze: ## gcc's static analyser over the C core
	@mkdir -p build
	@for c in $(CORE); do $(CC) $(CFLAGS_CHECK) -O2 -fanalyzer -c $$c -o build/analyze.o || exit 1; done
	@echo "ok gcc -fanalyzer"

fuzz: ## FUZZ_INPUTS seeded random inputs (default 100000) through each door of the C core
	@mkdir -p build
	@for f in tests/c/fuzz_*.c; do $(CC) $(CFLAGS_CHECK) $(SANITIZE) -DFUZZ_STANDALONE $(CORE) $$f -o build/fuzz -lm \
		&& ./build/fuzz $(FUZZ_INPUTS) && echo "ok $$f" || exit 1; done

golden: $(VENV)/.ready ## rewrite the golden texts; look at the difference before committing
	@$(PY) -m pytest -q tests/golden --rewrite-golden

bench: $(VENV)/.ready ## figures as JSON lines (medians, ratios to a plain-C reference in the same run)
	@for b in bench/bench_*.py; do $(PY) $$b || exit 1; done

verify-mutants: $(VENV)/.ready ## spoil 1,000 captures: each found at the right place, no false alarm
	@$(PY) -m hil.mutants --count 1000 --seed $(SEED)

mutated: $(VENV)/.ready ## 1,000 spoilt programs: refused in a sentence, or played and judged
	@$(PY) -m hil.mutated --count 1000 --seed $(SEED)

miswired: $(VENV)/.ready ## 500 miswired boards and 500 right ones: what the wiring check says of them
	@$(PY) -m hil.wiring --boards 500 --seed $(SEED)

faults: $(VENV)/.ready ## 1,000 jobs under faults of every kind; what goes wrong is shrunk and kept
	@$(PY) -m hil.faults --cases 1000 --seed $(SEED)

heat-plants: $(VENV)/.ready ## 1,000 random heaters: tuned, regulated by PID and by a model, then broken in every way
	@$(PY) -m hil.heaters --plants 1000 --seed $(SEED)
	@$(PY) -m hil.heaters --plants 1000 --seed $(SEED) --control model

build/properties: $(CORE) $(wildcard csrc/include/mf/*.h csrc/src/*.h tests/c/*.h) tests/c/test_properties.c
	@mkdir -p build
	@$(CC) $(filter-out -O1,$(CFLAGS_CHECK)) -O2 $(CORE) tests/c/test_properties.c -o $@ -lm

properties: $(VENV)/.ready build/properties ## PROGRAMS random programs (default 1,000,000) judged on their steps; RESUME=1 goes on
	@$(PY) -m hil.properties --count $(PROGRAMS) --seed $(SEED) $(if $(RESUME),--resume)

our-faults: $(VENV)/.ready ## 200 faults drawn into our own sources: do the tests notice? (an hour)
	@$(PY) -m hil.mutation --count 200 --seed $(SEED)

noise: $(VENV)/.ready ## DAMAGED frames (default 1,000,000) through the decoder: none is taken for another
	@$(PY) -m pytest -q tests/wire/test_noise.py -k damaged --damaged $(DAMAGED)

noise-night: $(VENV)/.ready ## NIGHT damaged frames (default 100,000,000) through the decoder and its twin in C; Ctrl-C stops it
	@mkdir -p build
	@$(CC) $(CFLAGS_CHECK) -O2 csrc/src/frames.c tests/c/noise_frames.c -o build/noise
	@./build/noise $(NIGHT) $(SEED)
	@$(PY) -m hil.noise --frames $(NIGHT) --seed $(SEED)

card-faults: $(VENV)/.ready ## 400 faults while jobs play from a card: pulled, slow, torn, power, USB
	@$(PY) -m hil.cardfaults --cases 400 --seed $(SEED)

cuts: $(VENV)/.ready ## cut the link at CUTS random instants (default 10000)
	@$(PY) -m hil.cuts --cuts $(CUTS) --seed $(SEED)

$(EMULATED)/node_modules/.ready: $(EMULATED)/package.json
	@command -v npm >/dev/null || { echo "node and npm are needed for the emulated rig: apt install nodejs npm"; exit 1; }
	@cd $(EMULATED) && npm install --no-audit --no-fund --silent
	@touch $@

hil-emulated: $(VENV)/.ready $(EMULATED)/node_modules/.ready ## the real firmware on an emulated chip: UF2=... BOOTROM=... [EMULATED_CUTS=200]
	@MF_UF2="$(abspath $(UF2))" MF_BOOTROM="$(abspath $(BOOTROM))" $(PY) -m pytest -q tests/emulated tests/rigs/test_plugin.py tests/rigs/test_lines.py
	@MF_UF2="$(abspath $(UF2))" MF_BOOTROM="$(abspath $(BOOTROM))" $(PY) -m hil.emulated.campaign --cuts $(EMULATED_CUTS) --seed $(SEED)
	@MF_UF2="$(abspath $(UF2))" MF_BOOTROM="$(abspath $(BOOTROM))" $(PY) -m hil.emulated.figures
	@MF_UF2="$(abspath $(UF2))" MF_BOOTROM="$(abspath $(BOOTROM))" $(PY) -m hil.emulated.probe_figures
	@MF_UF2="$(abspath $(UF2))" MF_BOOTROM="$(abspath $(BOOTROM))" $(PY) -m hil.emulated.faults --seed $(SEED)
	@MF_UF2="$(abspath $(UF2))" MF_BOOTROM="$(abspath $(BOOTROM))" $(PY) -m hil.emulated.excerpt

clean: ## remove what was built
	@rm -rf build out .venv *.egg-info host/microfactory/_core*.so
