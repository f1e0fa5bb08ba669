# make demo         train a first network, from a bare machine
# make test         every check: ruff, mypy, import-linter, pytest
# make docs         the documentation, in docs/_build/html
# make bench        the benchmarks, beside scikit-learn, PyTorch and JAX
# make bench-quick  the same with fewer rounds and sizes, in two to three minutes
# make scaling      measure docs/scaling.md and its picture anew
# make papers       published results measured again, in an hour; goes on where it was interrupted
# make soak         two thousand random graphs on both engines, in half an hour
# make lock         pin the newest versions that pyproject.toml allows
# make clean        remove what the others made
#
# PYTHON=python3.12 picks another Python for .venv; ORACLES=no leaves PyTorch, a test oracle, out;
# RIVALS=no leaves JAX out of the benchmarks.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lock docs bench bench-quick scaling soak papers clean install extras oracles rivals

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
QUIET := -qq
ORACLES ?= yes
RIVALS ?= yes
WORKERS ?= 2

# A Python that starts (a shim may not), is new enough and can make virtual environments.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(FITS)' >/dev/null 2>&1 && { echo $$p; break; }; done)

help:
	@sed -n 's/^# \(make [a-z-]*\)  */\1\t/p' Makefile | expand -t 19

$(VENV)/.made:
	@if $(BIN)/python -c '$(FITS)' >/dev/null 2>&1 && $(PIP) --version >/dev/null 2>&1; then \
		echo "── .venv: using the one that is here ($$($(BIN)/python --version))"; \
	elif [ -n "$(PYTHON)" ] && $(PYTHON) -c '$(FITS)' >/dev/null 2>&1; then \
		echo "── .venv: made with $(PYTHON) ($$($(PYTHON) --version))"; \
		$(PYTHON) -m venv --clear $(VENV); \
	else \
		echo "diaphane needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: python3-venv)." >&2; \
		echo "Found: $$($(or $(PYTHON),python3) --version 2>&1 | head -n 1)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi
	@touch $@

$(VENV)/.locked: requirements/lock.txt | $(VENV)/.made
	@echo "── install requirements/lock.txt (the first time it takes a minute or two)"
	@$(PIP) install $(QUIET) -r requirements/lock.txt
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	@echo "── install diaphane, editable"
	@$(PIP) install $(QUIET) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.oracles: requirements/oracles.txt $(VENV)/.locked
	@echo "── install requirements/oracles.txt (PyTorch, which tests compare against)"
	@if $(PIP) install $(QUIET) -r requirements/oracles.txt; then touch $@; \
	else echo "   no PyTorch for this Python here: the tests that compare against it are skipped"; fi

$(VENV)/.extras: requirements/extras.txt $(VENV)/.locked
	@echo "── install requirements/extras.txt (ONNX, Arrow, TensorBoard, MLflow, skops, statsmodels: for their tests)"
	@$(PIP) install $(QUIET) -r requirements/extras.txt
	@touch $@

$(VENV)/.rivals: requirements/rivals.txt $(VENV)/.locked
	@echo "── install requirements/rivals.txt (JAX, which benchmarks run beside)"
	@if $(PIP) install $(QUIET) -r requirements/rivals.txt; then touch $@; \
	else echo "   no JAX for this Python here: the benchmarks go without it"; fi

$(VENV)/.docs: requirements/docs.txt $(VENV)/.locked
	@echo "── install requirements/docs.txt"
	@$(PIP) install $(QUIET) -r requirements/docs.txt
	@touch $@

install: $(VENV)/.installed

extras: $(VENV)/.extras

ifeq ($(ORACLES),no)
oracles:
else
oracles: $(VENV)/.oracles
endif

ifeq ($(RIVALS),no)
rivals:
else
rivals: $(VENV)/.rivals
endif

demo: install
	@echo "── diaphane train digits --out demo"
	@$(BIN)/diaphane train digits --out demo

test: install extras oracles
	@echo "── ruff check"
	@$(BIN)/python -m ruff check .
	@echo "── ruff format --check"
	@$(BIN)/python -m ruff format --check .
	@echo "── mypy"
	@$(BIN)/python -m mypy
	@echo "── lint-imports"
	@$(BIN)/lint-imports
	@echo "── pytest"
	@$(BIN)/python -m pytest -n $(WORKERS)

# uv has a virtual environment of its own, so that .venv stays what lock.txt says.
.venv-lock/.made: | $(VENV)/.made
	@$(BIN)/python -m venv .venv-lock
	@.venv-lock/bin/python -m pip --disable-pip-version-check install $(QUIET) uv
	@touch $@

COMPILE := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: .venv-lock/.made
	@echo "── requirements/lock.txt"
	@$(COMPILE) pyproject.toml --extra plot --extra table --group test --output-file requirements/lock.txt
	@echo "── requirements/extras.txt"
	@$(COMPILE) pyproject.toml --extra onnx --extra arrow --extra tensorboard --extra mlflow --extra search --group extras \
		--constraints requirements/lock.txt --output-file requirements/extras.txt
	@echo "── requirements/docs.txt"
	@$(COMPILE) --group docs --constraints requirements/lock.txt --output-file requirements/docs.txt

docs: install $(VENV)/.docs
	@echo "── sphinx"
	@$(BIN)/python -m sphinx -b html --keep-going docs docs/_build/html

bench-quick: QUICK := --quick
bench bench-quick: install extras oracles rivals
	@for script in benchmarks/bench_*.py; do \
		echo "── $$script $(QUICK)"; $(BIN)/python $$script $(QUICK) || exit 1; \
	done

scaling: install oracles
	@echo "── benchmarks/study_scaling.py"
	@$(BIN)/python benchmarks/study_scaling.py

papers: install extras
	@for script in benchmarks/paper_*.py; do \
		echo "── $$script --select"; $(BIN)/python $$script --select || exit 1; \
		echo "── $$script"; $(BIN)/python $$script || exit 1; \
	done

soak: install extras oracles
	@DIAPHANE_SOAK=2000 $(BIN)/python -m pytest -n $(WORKERS) -q tests/engines/test_native_fuzz.py

clean:
	rm -rf $(VENV) .venv-lock build dist demo docs/_build docs/api docs/gallery docs/sg_execution_times.rst
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find src tests examples docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
