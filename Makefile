# Everything runs in .venv, which the first target that needs it creates with the standard library.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS  ?= 2
REQUIREMENTS := requirements/dev.txt

.PHONY: help venv demo test deep mutate lint format bench lock schema clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

venv: $(STAMP) ## create .venv from the lock file

$(STAMP): $(REQUIREMENTS) pyproject.toml
	@test -n "$(PYTHON)" || { echo "pamt needs Python 3.11 or newer (set PYTHON=...)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $(REQUIREMENTS)
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## a real server's failure: reproduced, explained, decided
	@PATH="$(abspath $(BIN)):$$PATH" bash docs/demo.sh

test: $(STAMP) ## the whole test suite (a few minutes)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not deep" -q

deep: $(STAMP) ## the same with many more random maps, and what takes minutes each
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

mutate: $(STAMP) ## would the tests notice a mistake in the certificate checker? (many minutes)
	JOBS=$(JOBS) $(BIN)/python tests/mutation/run.py

lint: $(STAMP) ## style, types, and the arrows between the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP) ## let ruff rewrite what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure; prints tables, fails below the floors that are promised
	@for script in $$(grep -l '__main__' tests/bench/*.py); do \
	  echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: ## renew the lock file from pyproject.toml
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check install --quiet pip-tools
	.venv-lock/bin/pip-compile pyproject.toml --extra dev --extra cross --output-file $(REQUIREMENTS) \
	  --generate-hashes --strip-extras --allow-unsafe --no-header --upgrade --quiet \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

clean: ## remove .venv and every cache
	rm -rf $(VENV) .venv-lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
