# KazGeo's commands. The two a newcomer needs: make demo, make test.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
CONSTRAINTS ?= -c constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check
OUT ?= out

.PHONY: demo test check lint bench docs plugin clean help

help:
	@echo "make demo    run the Kazakhstan project; results in $(OUT)/"
	@echo "make test    all tests; sets up what they need"
	@echo "make check   the fast tests, under two minutes"
	@echo "make lint    ruff, mypy --strict, import-linter"
	@echo "make plugin  the QGIS plugin as a zip, dist/kazgeo_qgis.zip"
	@echo "make docs    reference page, links and examples of the docs"
	@echo "make bench   speed against peers, with ratios"

$(VENV)/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then echo "KazGeo needs Python 3.11 or later; none was found. Install one, or name it: make PYTHON=/path/to/python"; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "The virtual environment can't be made. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing KazGeo into $(VENV) (once; about 500 MB) ..."
	@$(PIP) install -qq $(CONSTRAINTS) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@$(PIP) install -qq $(CONSTRAINTS) --editable '.[test,lint,data,dask]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/kazgeo run data/kazakhstan/project.toml --out $(OUT)

test: $(VENV)/.installed-test
	@sh .ci/system-packages
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser and not qgis"

lint: $(VENV)/.installed-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

docs: $(VENV)/.installed-test
	@$(BIN)/python docs/build_reference.py
	@$(BIN)/python -m pytest docs

plugin: $(VENV)/.installed
	@$(BIN)/python qgis_plugin/update.py >/dev/null
	@$(BIN)/python qgis_plugin/build.py --out dist

$(VENV)/.installed-bench: $(VENV)/.installed-test tests/benchmarks/requirements.txt
	@$(PIP) install -qq $(CONSTRAINTS) -r tests/benchmarks/requirements.txt
	@touch $@

bench: $(VENV)/.installed-bench
	@$(BIN)/python -W ignore -m tests.benchmarks $(TASK)

clean:
	rm -rf $(VENV) $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
