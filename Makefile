# Each target sets itself up: the environment is made on first use and whenever its pins change.
SHELL := /bin/bash
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
ENVIRONMENT := .venv/.installed

BASE ?= origin/main
.PHONY: help setup repro launch test properties mutants fuzz reliability check gate summary card format metrics bench cost cpp prune constraints

help:         ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

setup: $(ENVIRONMENT)  ## create .venv with pinned packages

repro: $(ENVIRONMENT)  ## run what changed of the pipeline (dvc repro)
	python stages/check_params.py && dvc repro && python stages/results.py

launch: $(ENVIRONMENT) ## the same with items side by side, one a core: docs/several-machines.md
	python stages/launch.py && python stages/results.py

test: $(ENVIRONMENT)   ## run all tests but those that take a minute
	python -m pytest

properties: $(ENVIRONMENT) ## test what docs/properties.md promises, and what takes a minute; half an hour
	python -m pytest -m "property or long"

mutants: $(ENVIRONMENT) ## put faults into the code, see whether tests fail: docs/mutants.md; hours
	python benchmarks/mutants.py

fuzz: $(ENVIRONMENT)   ## change bytes of params, headers, images, led by coverage, 120 s each
	pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	PYTHONPATH=tests:tests/fuzz python benchmarks/fuzz_readers.py --seconds 120

check: $(ENVIRONMENT)  ## lint, format, types, known vulnerabilities
	ruff check . && ruff format --check . && mypy && python stages/audit.py

gate: $(ENVIRONMENT)   ## fail if params or code changed and the pipeline was not run
	python stages/gate.py

summary: $(ENVIRONMENT) ## what changed since BASE=origin/main: summary.md, pictures, plots in summary/
	python stages/changes.py $(BASE) summary $(if $(TOLERANCE),--tolerance $(TOLERANCE))

card: $(ENVIRONMENT)   ## write the card of each model, CARD.md beside it, for a release
	python stages/card.py

format: $(ENVIRONMENT) ## put code in order
	ruff check --fix . && ruff format .

metrics: $(ENVIRONMENT) ## show accuracy, and what changed since the last commit
	dvc metrics show && dvc metrics diff

bench: $(ENVIRONMENT)  ## measure speed and memory on this machine: docs/benchmarks.md
	python benchmarks/measure.py

cost: $(ENVIRONMENT)   ## CPU seconds of each stage of the last whole run: dvc repro --force
	python benchmarks/default_cost.py

reliability: $(ENVIRONMENT) ## kill each stage at many points, gather all figures: docs/reliability.md; half an hour
	PYTHONPATH=tests:benchmarks python tests/faults/harness.py docs/reliability/faults.json
	python benchmarks/reliability.py

cpp: $(ENVIRONMENT)    ## build the station's program in C++: cpp/README.md
	cmake -S cpp -B cpp/build -DOpenVINO_DIR="$$(python -c 'import openvino.utils as u; print(u.get_cmake_path())')"
	cmake --build cpp/build

prune: $(ENVIRONMENT)  ## remove results of categories, sizes and seeds that params.yaml dropped
	python stages/prune.py --delete

constraints: $(ENVIRONMENT) ## write the installed versions to constraints.txt
	pip freeze --exclude-editable | sed -E 's/\+cpu$$//' > constraints.txt

$(ENVIRONMENT): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "expected Python 3.11 or newer; make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[train,backbones,elpv,test]'
	touch $@
