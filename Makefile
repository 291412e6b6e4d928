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

demo: RUN_DIR := runs/demo_$(shell date +%Y-%m-%d_%H-%M-%S)
demo: setup  ## colour photos; train on rendered scenes for two minutes, score, write a page to open
	$(BIN)/python experiments/demo/photos.py runs/photos/grey
	$(RUN) colorization.predict runs/photos/grey run=box out=runs/photos/coloured
	$(RUN) colorization.train experiment=demo run.dir=$(RUN_DIR)
	$(RUN) colorization.predict runs/photos/grey run=$(RUN_DIR) out=$(RUN_DIR)/coloured
	$(RUN) colorization.compare $(RUN_DIR) out=$(RUN_DIR)/compare.html
	@echo "photos, coloured by the network that comes along: runs/photos/coloured/; by this run: $(RUN_DIR)/coloured/"
	@echo "open $(RUN_DIR)/compare.html"

test: setup  ## run the tests, on up to four cores
	OMP_NUM_THREADS=1 $(RUN) pytest -q -n auto --maxprocesses 4 --dist worksteal --durations 20

check: setup  ## lint, format, types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## measure every promise of speed, as ratios
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(RUN) benchmarks

docs: setup  ## the documents as a site in site/; checks links, and that every shown command runs as written
	$(BIN)/pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet --strict
	$(RUN) pytest -q tests/test_docs.py tests/test_site.py
	@echo "open site/index.html"

clean:  ## remove the environment and the caches, not the runs
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
