# Everything a developer does here. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell tools/python)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Processes that run tests, three for each processor: most of the time they wait for others, the CLI, servers, browsers.
JOBS ?= $(shell echo $$((3 * $$(getconf _NPROCESSORS_ONLN))))
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml requirements-dev.txt hatch_build.py bin/launcher agent_workers/workers/__init__.py
	@tools/need python $(PYTHON)
	@[ $@ -nt requirements-dev.txt ] || { $(PYTHON) -m venv --clear $(VENV) && \
		$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt; }
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(READY) ## Create .venv with the pinned packages

.PHONY: demo
demo: $(READY) ## Watch an answer stream and an agent change a file, without an account: the simulator answers
	@BIN=$(BIN) examples/shell/demo.sh

REACT := examples/react
PHP_LIBRARIES := $(foreach pair,Symfony/Component/Process:php-symfony-process Psr/Log:php-psr-log \
	Illuminate:php-laravel-framework Mockery:php-mockery,/usr/share/php/$(pair)) \
	/usr/share/php8.2-sqlite3:php-sqlite3 /usr/share/php8.2-xml:php-xml
WEB_SERVERS := nginx:nginx /usr/sbin/php-fpm8.2:php-fpm chromium:chromium chromedriver:chromium-driver composer:composer

.PHONY: demo-laravel
demo-laravel: $(READY) ## Serve the chat page of the Laravel example; Ctrl-C ends it
	@BIN=$(abspath $(BIN)) examples/laravel/serve.sh

node_modules/.ready: package-lock.json
	@tools/need commands node:nodejs npm:npm
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(REACT)/dist/agent-chat.js: node_modules/.ready $(shell find packages/*/src $(REACT)/src -type f)
	cd $(REACT) && npm run build --silent

TYPES := tools/types
$(TYPES)/node_modules/.ready: $(TYPES)/package-lock.json
	@tools/need commands node:nodejs npm:npm
	cd $(TYPES) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

FRAMES := tools/frames
$(FRAMES)/node_modules/.ready: $(FRAMES)/package-lock.json
	@tools/need commands node:nodejs npm:npm
	cd $(FRAMES) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

NODE := examples/node
$(NODE)/node_modules/.ready: $(NODE)/package-lock.json
	@tools/need commands node:nodejs npm:npm
	cd $(NODE) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

NODE_PACKAGES := $(REACT)/dist/agent-chat.js $(foreach folder,$(TYPES) $(NODE) $(FRAMES),$(folder)/node_modules/.ready)

TESTS_NEED := php:php-cli redis-server:redis-server /usr/sbin/mariadbd:mariadb-server /usr/lib/postgresql:postgresql node:nodejs go:golang-go jq:jq curl:curl git:git setpriv:util-linux bwrap:bubblewrap socat:socat systemd-analyze:systemd $(PHP_LIBRARIES) $(WEB_SERVERS)
DATABASES := /usr/sbin/mariadbd:mariadb-server /usr/share/php8.2-mysql:php-mysql \
	/usr/lib/postgresql:postgresql /usr/share/php8.2-pgsql:php-pgsql
PHP_TESTS_NEED := php:php-cli redis-server:redis-server /etc/php/8.2/mods-available/redis.ini:php-redis go:golang-go phpunit:phpunit phpcs:php-codesniffer $(PHP_LIBRARIES) $(DATABASES)

# The suites run side by side, for each waits much of its time; what two of them would install or build comes before.
.PHONY: test
test: $(READY) $(NODE_PACKAGES) ## Run every test; installs what the tests need
	@tools/need commands $(TESTS_NEED) $(PHP_TESTS_NEED)
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target test-python test-php test-react

.PHONY: test-python
test-python: $(READY) $(NODE_PACKAGES) ## Test the workers, and all of it from the browser to the CLI
	@tools/need commands $(TESTS_NEED)
	$(BIN)/pytest --numprocesses $(JOBS)

FAST_TESTS := tests/protocol tests/policy tests/engine $(addprefix tests/test_, \
	admission.py json_schema.py layers.py wire.py workers.py)

.PHONY: test-fast
test-fast: $(READY) ## Test what starts no CLI
	$(BIN)/pytest --numprocesses $(JOBS) $(FAST_TESTS)

.PHONY: matrix
matrix: ## Check and run the fast tests on each other supported Python that is installed
	@tools/matrix $(PYTHON)

# Everything in Python that the SDK, its CLI or mcp take part in.
COMPAT_TESTS := tests/engine tests/e2e tests/simulator tests/test_package.py

.PHONY: compat
compat: ## Test with the newest SDK and mcp that pyproject.toml allows, or others: make compat SDK=0.2.190 MCP=2.3.0
	@tools/need python $(PYTHON)
	@tools/need commands $(TESTS_NEED)
	@SDK=$(SDK) MCP=$(MCP) JOBS=$(JOBS) tools/compat $(PYTHON) $(COMPAT_TESTS)

.PHONY: test-php
test-php: $(READY) ## Test the PHP bridge
	@tools/need commands $(PHP_TESTS_NEED)
	cd php-bridge && phpcs
	cd php-bridge && AGENT_CHAT_BIN=$(abspath $(BIN))/agent-chat phpunit

.PHONY: test-react
test-react: node_modules/.ready ## Test the React package, its example and the page without a build
	npm run check --workspaces --silent
	npm test --workspaces --silent

.PHONY: shots
shots: $(READY) $(REACT)/dist/agent-chat.js ## Take pictures of each state of the pages into .artifacts/, wide and narrow, light and dark
	@tools/need commands $(TESTS_NEED)
	$(BIN)/pytest --quiet tests/laravel/test_looks.py tests/laravel/test_fleet_looks.py tests/laravel/test_runs.py

.PHONY: check
check: $(READY) ## Lint, types, layers, drift of the schemas and of what is made of them
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m agent_workers.workers.schema --check schemas
	$(BIN)/python $(TYPES)/declarations.py --check
	$(BIN)/pytest --quiet tests/protocol/test_php_events.py tests/fleet/test_php_copies.py

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: schema
schema: $(READY) ## Write schemas/v1 anew from the models
	$(BIN)/python -m agent_workers.workers.schema schemas

.PHONY: types
types: $(READY) $(TYPES)/node_modules/.ready ## Write schemas/v1/agent-workers.d.ts anew from the schemas
	$(BIN)/python $(TYPES)/declarations.py

.PHONY: element
element: node_modules/.ready ## Write the file of <agent-chat> in the PHP package anew
	npm run build --silent --workspace packages/element

.PHONY: bench
bench: $(READY) ## Measure agent-chat beside the obvious script and the raw CLI, agent-batch beside a shell loop, a pool beside processes, a fleet beside runs of its own process, and the PHP bridge beside a bare one; BASE=… beside another checkout
ifdef BASE
	BENCH_BASE=$(BASE) $(BIN)/python -m tests.bench
else
	@tools/need commands php:php-cli $(PHP_LIBRARIES) $(WEB_SERVERS)
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.batch
	$(BIN)/python -m tests.bench.engines
	$(BIN)/python -m tests.bench.pool
	$(BIN)/python -m tests.bench.fleet
	$(BIN)/python -m tests.bench.php_latency
	$(BIN)/python -m tests.bench.pool_page
	$(BIN)/python -m tests.bench.fleet_relay
	$(BIN)/python -m tests.bench.gateway
endif

.PHONY: lock
lock: ## Pin the newest development packages in requirements-dev.txt
	tools/lock $(PYTHON)

.PHONY: clean
clean: ## Remove what the targets above have made
	rm -rf $(VENV) .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
