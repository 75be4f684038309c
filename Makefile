# One vocabulary for people, hooks and CI. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then echo $$python; break; fi; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
UV := $(or $(shell command -v uv 2>/dev/null),$(wildcard .venv/bin/uv))

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: install
install: $(INSTALLED)  ## set up .venv from the locked, hashed requirements

LOCKED := --require-hashes --no-deps --requirement requirements.lock

# uv installs in a fraction of pip's time. Where there is none, pip installs the locked one first.
# --no-deps, because the lock is complete; without it some extras that have hashes are refused.
$(INSTALLED): requirements.lock
	@test -n "$(PYTHON)" || { echo "error: Python 3.11, 3.12 or 3.13 is needed and none was found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "installing into .venv ($$($(PYTHON) --version)), a few minutes the first time"
ifeq ($(UV),)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^uv==/ { found = 1 } found { print } found && !/\\$$/ { exit }' requirements.lock >.venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement .venv/uv.txt
endif
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$(command -v $(PYTHON))" .venv
	@$(or $(UV),.venv/bin/uv) pip install --quiet --compile-bytecode --python $(BIN)/python $(LOCKED) || { \
		echo "uv could not install, perhaps for want of pip's settings; now pip tries" >&2; \
		$(BIN)/python -m ensurepip >/dev/null && $(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCKED); }
	@touch $(INSTALLED)

.PHONY: run
run: install  ## train on the embedded listings: the main job
	@$(BIN)/python run.py

PARALLEL = --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: test
test: install  ## lint and the default tests, at the same time
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy & mypy=$$!; \
	$(BIN)/python -m pytest -m "not system and not documents and not browser and not serving and not monitoring and not stacks and not airflow" \
		$(PARALLEL); tests=$$?; \
	wait $$mypy || { echo "error: mypy found what it says above" >&2; exit 1; }; \
	exit $$tests

.PHONY: test-system
test-system: install  ## whole trainings and processes as a user starts them, and every command of the documents
	@$(BIN)/python -m pytest -m "system or documents" $(PARALLEL)

.PHONY: test-serving
test-serving: install  ## the built Bento as a process: load, kills, outages, a soak of SOAK_SECONDS (300)
	@$(BIN)/python -m pytest -m serving

.PHONY: test-monitoring
test-monitoring: install  ## real Prometheus, Alertmanager, Pushgateway: rules, dashboards, the closed loop
	@$(BIN)/python -m pytest -m monitoring

.PHONY: test-stacks
test-stacks: install  ## the same pipeline here and in containers; ENGINE="COMMAND" starts an engine first
	@$(if $(ENGINE),$(ENGINE))
	@$(BIN)/python -m pytest -m stacks

.PHONY: test-airflow
test-airflow: install .venv-airflow/.installed  ## Airflow, registry, S3, ZenML and MLflow servers, for real; ENGINE="COMMAND" as above
	@$(if $(ENGINE),$(ENGINE))
	@$(BIN)/python -m pytest -m airflow

.venv-airflow/.installed: tests/airflow/requirements.lock
	@echo "installing Airflow into .venv-airflow"
	@test -x .venv-airflow/bin/python || $(PYTHON) -m venv .venv-airflow
	@$(BIN)/uv pip install --quiet --python .venv-airflow/bin/python --require-hashes --no-deps --requirement tests/airflow/requirements.lock
	@touch $@

.PHONY: test-browser
test-browser: install  ## the dashboard in a real Chromium; takes the documents' pictures
	@$(BIN)/python -m pytest -m browser

.PHONY: lint
lint: install  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.PHONY: format
format: install  ## let ruff format and fix what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: docs
docs: install  ## build the site of the documents in site/; it needs no network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "site/index.html"

.PHONY: bench
bench: install  ## time the main job beside a plain script doing the same work
	@$(BIN)/python -m benchmarks.training

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	--custom-compile-command "make lock"

# uv keeps the pins of an existing output file. So the requirements of the image and of the service start as copies of the
# lock and keep what they need. With the lock as a constraint, uv fails on platforms for which packages have no files.
.PHONY: lock
lock: install  ## resolve the locks again; UPGRADE=--upgrade takes newer versions
	@$(COMPILE) $(UPGRADE) --extra dask --extra embeddings --group dev --group ui --group docs --output-file requirements.lock pyproject.toml
	@cp requirements.lock requirements/steps.txt
	@$(COMPILE) --no-annotate --output-file requirements/steps.txt pyproject.toml
	@cp requirements.lock requirements/serving.txt
	@$(COMPILE) --no-annotate --group serving --output-file requirements/serving.txt
	@cp requirements.lock requirements/serving-embeddings.txt
	@$(COMPILE) --no-annotate --group serving-embeddings --output-file requirements/serving-embeddings.txt
	@$(COMPILE) $(UPGRADE) --output-file tests/airflow/requirements.lock tests/airflow/requirements.in

.PHONY: clean
clean:  ## delete .venv, .state, site and caches
	@rm -rf .venv .venv-airflow .state site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
