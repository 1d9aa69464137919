# All that a developer or operator needs. A machine with Python >= 3.11, make and a compiler is enough.
# Settings are environment variables (docs/configuration.md) and pass through: PORT=9000 make run

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# More arguments for pytest: make test ARGS="-k ranking"
ARGS ?=

.PHONY: setup run test check fix migrations audit client agent

setup: .venv/installed-dev

run: .venv/installed staticfiles/staticfiles.json
	$(MANAGE) migrate --no-input --verbosity 0
	$(MANAGE) load_catalogue
	$(MANAGE) load_published
	exec $(MANAGE) serve

test: .venv/installed-dev
	@sh .ci/chromium
	$(BIN)/python -m pytest -n auto $(ARGS)

check: .venv/installed-dev
	bash .ci/run check

fix: .venv/installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

migrations: .venv/installed-dev
	$(MANAGE) makemigrations

# The client's shapes, from docs/openapi.yaml.
client: .venv/installed-dev
	$(BIN)/python -m tests.client.generate

# Known holes in the dependencies, and the bill of materials in build/sbom.json.
audit: .venv/installed-dev
	$(BIN)/python .ci/audit

agent: .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check ./gpuagent

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "lemsite needs Python 3.11 or newer, and none was found."; exit 1; }
	$(PYTHON) -m venv .venv

# The marks beside the packages make the second run quick.
.venv/installed: requirements.txt | .venv/bin/python
	$(INSTALL) -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@

# Hashed and compressed once; DEBUG would leave out the hashes.
staticfiles/staticfiles.json: .venv/installed $(shell find static -type f)
	DEBUG=0 $(MANAGE) collectstatic --no-input --clear --verbosity 0
	@touch $@
