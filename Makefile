# make            lists what there is to do
# Every target sets up .venv by itself when it is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/ready  ## make .venv with everything that the other targets need

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "colorization needs CPython 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[test,check]'
	@touch $@

demo: setup  ## train on rendered scenes for two minutes, score, colour photos, write a page to open
	$(RUN) colorization.train experiment=demo run.dir=runs/demo_$$(date +%Y-%m-%d_%H-%M-%S)
	$(BIN)/python experiments/demo/photos.py runs/demo_photos
	$(RUN) colorization.predict runs/demo_photos out=runs/demo_coloured
	$(RUN) colorization.compare $$(ls -d runs/demo_2* | tail -n 1) out=runs/demo.html
	@echo "open runs/demo.html; coloured photos: runs/demo_coloured/"

test: setup  ## run the tests
	$(RUN) pytest -q

check: setup  ## lint, format, types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## measure every promise of speed, as ratios
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(RUN) benchmarks

docs: setup  ## check that every command in the documents runs as written
	$(RUN) pytest -q tests/test_docs.py

clean:  ## remove the environment and the caches, not the runs
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
