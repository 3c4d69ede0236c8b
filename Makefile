.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint golden clean

help: ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(VENV)/bin/stackgen: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("stackgen needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed: $(VENV)/bin/stackgen
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/bin/stackgen ## Render the four images of stacks/ into build/
	$(BIN)/stackgen render stacks/wordpress.yml

lint: $(VENV)/.installed ## Lint, format check and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint ## Lint, types and every test that needs no engine
	$(BIN)/pytest -n auto -m "not engine and not editor"
	@echo "Left out: the tests that need a Docker engine or npm; .ci/run runs them, docs/engine.md says how to."

golden: $(VENV)/.installed ## Render the golden outputs again, after a change that is meant
	$(BIN)/python -m tests.golden

clean: ## Remove what was made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
