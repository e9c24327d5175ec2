# make demo   trains, evaluates and predicts on synthetic phantoms; make test   runs everything that CI runs.
# Both set up .venv first. PYTHON=python3.12 picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
PLUGINS := $(wildcard plugins/*)

.PHONY: demo test test-all install lint docs clean

install: $(STAMP)

$(STAMP): setup.cfg pyproject.toml constraints.txt monai_tumor/entry_points.ini $(PLUGINS:=/setup.cfg)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    --editable ".[test]" $(foreach plugin,$(PLUGINS),--editable $(plugin))
	@touch $@

demo: $(STAMP)
	@sh docs/demo.sh $(BIN)

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-all: lint
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv build dist *.egg-info
