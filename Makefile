# Needs Python 3.11 or newer, make and git; everything else is installed into .venv.
PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS)
SOURCES := bridge models tests benchmarks
# Tests that open MIDI ports get a private JACK server where one can be started.
WITH_JACK := $(if $(shell command -v jackd 2>/dev/null),sh tests/with_jack.sh,)

.PHONY: help demo test check format bench clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.installed ## install what is needed, then hear a clip continued: audio, picture and MIDI in demo-out/
	$(BIN)/continuo demo --out demo-out

test: $(VENV)/.installed-dev ## run every test
	$(WITH_JACK) $(BIN)/python -m pytest

check: $(VENV)/.installed-dev ## format, lint, types, import rules and the fast tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow and not live and not jack and not gpu"

format: $(VENV)/.installed-dev ## put the sources into shape
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: $(VENV)/.installed ## measure this machine: a table, then one line of JSON
	$(BIN)/continuo bench

clean: ## remove the environment, caches and what the demo left
	rm -rf $(VENV) demo-out build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Continuo needs Python 3.11 or newer, but $(PYTHON) is older; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (the first time takes a few minutes: PyTorch is large)"
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) -e '.[dev]'
	@touch $@
