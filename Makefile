# Every target sets up what it needs, in .venv, and is quick when nothing has changed.
# All paths are relative, so that a clone may lie under a path with spaces.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format docs bench wheel ui browser screenshots lock audit clean
.PHONY: lint floors types tidy
.PHONY: ui-check ui-types chromium postgres

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# Every file by its hash, and nothing else: what is built here needs what the lock holds already.
LOCKED := $(PIP) --require-hashes --requirement
EDITABLE := $(PIP) --no-deps --no-build-isolation --editable .
ARGS ?=
# Two workers by default: the tests start processes of their own.
JOBS ?= 2

help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

demo: .venv/.demo ui  ## See a report wait for you (ARGS=--unattended: it answers itself)
	@$(BIN)/python examples/demo.py $(ARGS)

# The tests in a browser stay together, with one browser and one server at a time; they skip, and say why, where they cannot run.
test: .venv/.dev ui chromium postgres  ## Run all tests (ARGS: anything for pytest)
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: lint floors types tidy ui-check  ## Lint, format, types, floors, sizes and names, of Python and of the web UI

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

floors: .venv/.dev
	$(BIN)/lint-imports --no-logo

types: .venv/.dev
	$(BIN)/python -m mypy

tidy: .venv/.dev
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/tidy

format: .venv/.dev  ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	cd ui && npm exec --offline -- prettier --write --log-level=warn .

ui: .venv/.python  ## Build the web UI, if its sources have changed
	@$(BIN)/python ui/build.py

ui-check: .venv/.dev
	@$(BIN)/python ui/check.py

ui-types: .venv/.dev
	@$(BIN)/python ui/check.py --write

browser: .venv/.dev ui chromium  ## Run the tests of the web UI, in Chromium
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS) tests/browser

screenshots: .venv/.dev ui chromium  ## Take pictures of every page, in light, dark and on a phone, and those of the README
	$(BIN)/python -m tests.browser.screenshots

chromium:
	@.ci/chromium

postgres:
	@.ci/postgres

docs: .venv/.dev  ## Write the generated parts of docs/, and build the site: site/index.html
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv/.dev  ## Measure, beside the bare machine (ARGS: names of cases)
	$(BIN)/python bench/run.py $(ARGS)

wheel: .venv/.python  ## Build the wheel, and try it in an empty environment
	$(BIN)/python .ci/try_wheel.py

lock: .venv/.dev  ## Lock what pyproject.toml asks for (ARGS=--upgrade: the newest of it)
	$(BIN)/python .ci/lock.py $(ARGS)

audit: .venv/.dev  ## Check locks, hashes, licences and, where a service is reached, known vulnerabilities (ARGS=--offline)
	@$(BIN)/python .ci/audit.py $(ARGS)

clean:  ## Remove everything that the other targets made
	rm -rf .venv .demo site .screenshots dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# ---- set-up ----

.venv/.python: .ci/venv
	@.ci/venv
	@touch $@

.venv/.demo: .venv/.python pyproject.toml locks/demo.txt
	@echo 'Setting up .venv (once) ...' >&2
	@$(LOCKED) locks/demo.txt
	@$(EDITABLE)
	@touch $@

.venv/.dev: .venv/.python pyproject.toml locks/dev.txt
	@echo 'Setting up .venv with the development tools (once) ...' >&2
	@$(LOCKED) locks/dev.txt
	@$(EDITABLE)
	@touch $@ .venv/.demo
