# Everything one does with this project. Needs python3 (3.11 or newer) and make; `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What the audits of the pages need, where there is npm; elsewhere the summary says what did not run.
AUDIT := tests/browser/audit
TOOLS := $(if $(shell command -v npm),$(AUDIT)/node_modules/.package-lock.json)

.PHONY: help run setup test check convergence screenshots bench bench-full format messages lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## start the web server and the worker on http://127.0.0.1:8000 (HOST, PORT)
	@exec $(BIN)/python manage.py run

setup: $(VENV)/.installed ## make .venv with the locked packages

test: $(VENV)/.installed-dev $(TOOLS) ## run all tests, with coverage
	@$(BIN)/pytest --cov --cov-report=term:skip-covered

check: $(VENV)/.installed-dev ## run every check: lint, format, types, imports, migrations, deployment, locks
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/check

convergence: $(VENV)/.installed-dev ## play 2,000 made-up lives and every scenario in 50 more orders (long)
	@CONVERGENCE_EXAMPLES=2000 SCENARIO_SHUFFLES=50 $(BIN)/pytest tests/test_convergence.py tests/test_scenarios.py

screenshots: $(VENV)/.installed-dev ## picture every page of a demo in every state, into docs/screenshots/
	@$(BIN)/pytest -q tests/browser/audit/screenshots.py

bench: $(VENV)/.installed-dev $(TOOLS) ## measure speed beside limits and others; writes docs/performance.md
	@$(BIN)/python -m bench

bench-full: $(VENV)/.installed-dev $(TOOLS) ## the same with ten million rows (an hour and 45 GB)
	@$(BIN)/python -m bench --full

format: $(VENV)/.installed-dev ## format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: $(VENV)/.installed-dev ## bring locale/ in step with the texts of the source (needs gettext)
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/messages

lock: $(VENV)/.installed-dev ## bring the lock files in step with pyproject.toml
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/lock requirements.lock requirements-dev.lock

clean: ## remove the environment and the caches; var/ with the data stays
	rm -rf $(VENV) $(AUDIT)/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "make: $(PYTHON) was not found. Install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: $$($(PYTHON) --version) is too old; 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "make: $(PYTHON) could not make $(VENV). On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "Installing the locked packages …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing the locked packages and the tools …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

# Not fatal (-), for most tests do not need it. In CI what is missing fails its tests.
$(AUDIT)/node_modules/.package-lock.json: $(AUDIT)/package-lock.json
	@echo "Installing what audits the pages …"
	-@npm ci --prefix $(AUDIT) --silent
