# Every target builds .venv from requirements.lock when it is not there or the lock changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Stages call `python -m pipeline`; they must find the environment's interpreter.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: reproduce test test-slow check format bench clean

reproduce: $(READY)
	dvc repro report@quick
	@echo "Open reports/quick/index.html"

# One worker a core, one thread a worker: two pools of threads on one core only wait for each other.
test test-slow: export OMP_NUM_THREADS := 1

test: $(READY)
	pytest -m "not slow" -n auto --dist loadfile

test-slow: $(READY)
	pytest -m slow

check: $(READY)
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format: $(READY)
	ruff format .
	ruff check --fix .

bench: $(READY)
	python -m benchmarks

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) build *.egg-info
