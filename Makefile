# Everything that people type. All of it stays inside this folder: the environment, caches and results.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-gpu bench truth ui check format lint types definitions doctor audit wheel clean

VENV := .venv
export XDG_CACHE_HOME := $(CURDIR)/.cache
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
export DAGSTER_DISABLE_TELEMETRY := yes
# Python reads the path of this folder in the locale's encoding, and dies at its start of a letter that this lacks.
export LC_ALL := $(or $(shell locale -a 2>/dev/null | grep -ixm1 -e C.UTF-8 -e C.utf8 || locale -a 2>/dev/null | grep -im1 utf-*8),$(LC_ALL))
RUN := $(VENV)/bin

help: ## what can be typed here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## make .venv and install the locked dependencies (the others do it themselves)

# It says where it was made: the programs of a folder that was moved name its old place.
ifneq ($(shell cat $(VENV)/.ready 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.ready
endif

$(VENV)/.ready: pyproject.toml uv.lock tools/setup.sh tools/uv.txt
	@bash tools/setup.sh $(VENV)
	@touch $@

demo: setup ## run the studies `demo` and `photographs`, from pictures to PDF reports
	@$(RUN)/xai run demo
	@$(RUN)/xai run photographs

ui: setup ## serve the web UI at http://127.0.0.1:3000
	@$(RUN)/xai ui

# As many processes as cores, up to four (each takes 2 GB), and one thread in each: a file's tests stay together.
TEST_PROCESSES ?= $(shell nproc 2>/dev/null | awk '{print $$1 < 4 ? $$1 : 4}')

test: setup ## the tests
	@SECONDS=0; OMP_NUM_THREADS=1 $(RUN)/python -m pytest -m "not slow and not gpu" \
		-n $(or $(TEST_PROCESSES),2) --dist loadfile; echo "make test: $$SECONDS s"

test-slow: setup ## the proofs that take minutes
	@$(RUN)/python -m pytest -m "slow and not gpu"

test-gpu: setup ## on a machine with a GPU: the CPU's maps and counts on it, steps where their tags say, and its speed
	@$(RUN)/python -m pytest -m gpu
	@$(RUN)/python -m benchmarks.attribution_gpu

bench: setup ## ratios against the published algorithms and libraries, many minutes
	@OMP_NUM_THREADS=1 $(RUN)/python -m benchmarks.dissection all
	@OMP_NUM_THREADS=1 $(RUN)/python -m benchmarks.attribution all

truth: setup ## simulations of every decision and interval where the truth is known, into docs/truth.md (slow)
	@OMP_NUM_THREADS=1 $(RUN)/python -m benchmarks.truth

check: setup format-check lint types definitions ## format, lint, types, definitions

.PHONY: format-check
format-check: setup
	@$(RUN)/ruff format --check .

format: setup ## put the code into the project's format
	@$(RUN)/ruff format . && $(RUN)/ruff check --fix .

lint: setup
	@$(RUN)/ruff check .

types: setup
	@$(RUN)/mypy

definitions: setup
	@$(RUN)/dagster definitions validate

doctor: setup ## what this machine has, and what is missing
	@$(RUN)/xai doctor

audit: setup ## look up known holes in the locked versions (asks the network; fails where it cannot)
	@bash tools/audit.sh $(VENV)

wheel: setup ## build the wheel into dist/
	@$(RUN)/uv build --wheel

clean: ## throw away results and caches; studies and shipped weights stay
	rm -rf .cache dist data/artifacts data/dagster data/reports data/warehouse.duckdb*
