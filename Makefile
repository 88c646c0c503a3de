# Two commands do all: `make run` and `make test`. The rest is for those who build on it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
DATA ?= $(CURDIR)/var
# "--required" makes `make test` fail where no PostgreSQL can be had, instead of saying so
POSTGRESQL ?=
export JILINK_DATA ?= $(DATA)

FRONT := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
PO := $(wildcard src/jilink/webkit/locale/*/LC_MESSAGES/django.po)
MANIFEST := src/jilink/webkit/static/jl/manifest.json

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: setup ## set up and run everything on this machine, with demo data, simulated terminals and, where Debian's packages can be had, calls
	@$(BIN)/jilink voice install --accept-newer || echo "== Calls: no telephone engine could be fetched, so no calls come in; all else runs. Later: $(BIN)/jilink voice install, or see docs/contact-centre.md"
	@$(BIN)/jilink up --demo

setup: .setup/python .setup/locale $(MANIFEST)

.setup/python: requirements/dev.lock pyproject.toml
	@echo "== Python packages: downloading and checking them against the lock (once; one to three minutes, silent meanwhile)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Jilink needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python3 -m venv failed: on Debian and Ubuntu run 'apt-get install python3-venv' once"; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p .setup && touch $@

.setup/locale: .setup/python $(PO)
	@test -z "$(PO)" || $(BIN)/pybabel --quiet compile -D django -d src/jilink/webkit/locale
	@touch $@

$(MANIFEST): .setup/python $(FRONT)
	@echo "== Pages: style sheets and scripts (once; half a minute)"
	@$(BIN)/python frontend/build.py
	@touch $@

.setup/chromium: .setup/python
	@tools/browser && touch $@ || true

.setup/telephone: .setup/python
	@tools/telephone && touch $@ || true

test: setup .setup/chromium .setup/telephone ## every check and test, side by side; those of the database on PostgreSQL too (installs the browser and the telephone engine that the journeys need)
	@$(BIN)/python -m tests.parts $(POSTGRESQL)

postgresql: setup ## only the tests of the database, on PostgreSQL
	@$(BIN)/python tools/postgresql --required $(PYTEST)

check: setup ## style, types, import contracts, formatting
	@$(BIN)/ruff check --quiet src tests
	@$(BIN)/ruff format --quiet --check src tests
	@$(BIN)/lint-imports --no-cache > .setup/imports.log || { cat .setup/imports.log; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@echo "check: style, types and import contracts hold"

bench: setup ## measure against plain C on this machine and write docs/performance.md
	@$(BIN)/jilink bench

fuzz: setup ## ten million random and mutated frames against the decoders
	@$(BIN)/python -m tests.protocols.fuzz --frames 10000000

docs: setup ## generate the reference pages
	@$(BIN)/python -m jilink.site.reference

service: setup ## scaffold a service: make service NAME=parking
	@$(BIN)/python tools/scaffold.py "$(NAME)"

lock: ## renew the locks (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra postgresql pyproject.toml -o requirements/runtime.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra postgresql --extra planning --group dev pyproject.toml -o requirements/dev.lock

clean: ## remove what was built; the data in var/ stays
	rm -rf .venv .setup $(dir $(MANIFEST)) frontend/node_modules dist build

.PHONY: help run setup test postgresql check bench fuzz docs service lock clean
