# Every target builds .venv from requirements.lock when it is not there or the lock changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Stages call `python -m pipeline`; they must find the environment's interpreter.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)

# The bits of a training on a CPU depend on the vector instructions and on the number of threads.
# Two threads gain nothing on networks this thin, and AVX2 is what every x86-64 of ten years has:
# with both fixed, another machine gives the bits of the published run. Each core trains a seed.
reproduce reproduce-all: export OMP_NUM_THREADS := 1
ifeq ($(shell uname -m),x86_64)
reproduce reproduce-all: export ATEN_CPU_CAPABILITY := avx2
reproduce reproduce-all: export ONEDNN_MAX_CPU_ISA := AVX2
reproduce reproduce-all: export MKL_ENABLE_INSTRUCTIONS := AVX2
endif

.PHONY: reproduce reproduce-all test test-slow test-cuda browser pacs screenshots check format bench clean

reproduce: $(READY)
	@mkdir -p .dvc-state && chmod 700 .dvc-state
	dvc repro report@quick
	@python -m pipeline agree quick --brief
	@echo "Open reports/quick/index.html"

# Every study whose data is embedded, acquired or in a folder of PIPELINE_MIRROR.
reproduce-all: $(READY)
	python -m pipeline plan --all
	dvc repro
	@python -m pipeline agree --brief
	@echo "Open reports/index.html"

# One worker a core, one thread a worker: two pools of threads on one core only wait for each other.
test test-slow browser pacs: export OMP_NUM_THREADS := 1

test: $(READY)
	pytest -m "not slow and not browser and not cuda and not pacs" -n auto --dist loadfile

test-slow: $(READY)
	pytest -m "slow and not browser and not cuda and not pacs"

# On a machine with a CUDA device, in under four minutes: what only the device can show, and how
# fast training is there. The table is left in benchmarks/cuda.txt.
test-cuda: $(READY)
	python -m tests.on_cuda benchmarks/cuda.txt

# The pages in Debian's Chromium, which is installed where there is none: never in CI.
browser: $(READY) chromium
	pytest -m browser

# Reports and the node, before software that is not ours; what is not there is installed from Debian.
pacs: $(READY) pacs-programs
	pytest -m pacs

.PHONY: pacs-programs
pacs-programs:
	command -v Orthanc && command -v dsrdump && command -v dciodvfy \
	  || { $(SUDO) apt-get update && $(SUDO) apt-get install --yes orthanc dcmtk dicom3tools; }

# The pictures and the sample report of docs/, from the embedded study's report; where the commands
# of docs/next-patient.md were followed, also that page's.
screenshots: $(READY) chromium
	python -m tests.report.screenshots reports/quick docs $(wildcard ../next)

.PHONY: chromium
chromium:
	command -v chromium || command -v chromium-browser || command -v google-chrome \
	  || { $(SUDO) apt-get update && $(SUDO) apt-get install --yes chromium; }

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
