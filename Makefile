# What a developer runs. Nothing is needed but python3 (3.11 or newer, with venv), git and make;
# .venv/ is made and kept up to date by itself, and the real programs that tests run are built once into
# $XDG_CACHE_HOME/sealpy-tools (see tests/tools/build).

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.made-from-this-pyproject
# pytest's own, as in: make test PYTEST="-k mac -x"
PYTEST ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format tools interop bench venv clean

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: venv ## From encrypt through review to a running secret, on an example repository
	@$(BIN)/python examples/demo.py

test: lint tools ## Everything: lint, types, contracts, and all tests against the real programs
	@$(BIN)/pytest -n 2 $(PYTEST)

lint: venv ## Style, types, import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@# Its cache does not notice a module that appeared.
	@$(BIN)/lint-imports --no-logo --no-cache

format: venv ## Let ruff write what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

tools: venv ## Build the real sops, age, kustomize, … that tests and benchmarks run
	@$(BIN)/python tests/tools/build

interop: tools ## Only the tests in both directions against the real sops
	@$(BIN)/pytest -n 2 tests/interop $(PYTEST)

bench: tools ## Ratios against sops and git on this machine
	@$(BIN)/python bench/run.py $(BENCH)

venv: $(STAMP) ## Make .venv, or bring it up to date

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sealpy needs Python 3.11 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# --group is younger than the pip that comes with most Pythons.
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@$(BIN)/python -m compileall -q sealpy cli controller
	@touch $@

clean: ## Remove what was made here; the cache of built programs stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
