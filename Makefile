# make run: a bot to talk to, in this terminal.  make test: everything that is checked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check bench relay-torture format clean

run: $(VENV)/installed
	@$(BIN)/pynfo demo

test: $(VENV)/installed check
	$(BIN)/python -m pytest

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed
	$(BIN)/python -m bench

# Minutes: InspIRCd, ngIRCd and the bot are killed while people speak. Is anything lost, or said twice?
relay-torture: $(VENV)/installed
	$(BIN)/python -m bench.torture

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	$(BIN)/python -m compileall -q pynfo plugins
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
