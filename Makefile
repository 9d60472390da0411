# Everything a developer does here. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell tools/python)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml requirements-dev.txt
	@tools/need python $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(READY) ## Create .venv with the pinned packages

.PHONY: demo
demo: $(READY) ## Watch an answer stream, without an account: the simulator answers
	@BIN=$(BIN) examples/shell/demo.sh

.PHONY: test
test: $(READY) ## Run every test; installs what the tests need
	@tools/need commands php:php-cli node:nodejs jq:jq setpriv:util-linux
	$(BIN)/pytest

.PHONY: check
check: $(READY) ## Lint, types, layers, schema drift
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m agent_workers.protocol.schema --check schemas

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: schema
schema: $(READY) ## Write schemas/v1 anew from the models
	$(BIN)/python -m agent_workers.protocol.schema schemas

.PHONY: bench
bench: $(READY) ## Measure agent-chat beside the obvious script and the raw CLI
	$(BIN)/python -m tests.bench

.PHONY: lock
lock: ## Pin the newest development packages in requirements-dev.txt
	tools/lock $(PYTHON)

.PHONY: clean
clean: ## Remove what the targets above have made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
