# Each target does all the set-up it needs on a fresh machine: Python 3.11 or newer and make are enough.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS := pipeline,flows,report,learn,track,test
STAMP := $(VENV)/.installed

DEMO := build/demo
SUBJECTS := 6

.DEFAULT_GOAL := test
.PHONY: test demo lint constraints hooks

# The stamp is older than these files when what is installed no longer is what they ask for.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

# The mechanics are compiled first, by one process, so that no test waits for another. A file's tests share their fixtures.
test: $(STAMP)
	$(BIN)/python -c "from pipeline.mechanics.warm_up import ready; ready()"
	$(BIN)/python -m pytest -m "not long" -n logical --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# From C3D files to a page of trained models' scorecards, on people who never were: needs no data and no network.
demo: $(STAMP)
	@rm -rf $(DEMO)
	$(BIN)/gait2hip virtual $(DEMO)/laboratory --subjects $(SUBJECTS) --conditions slow,med,fast --trials 1 --seed 1
	$(BIN)/gait2hip ingest $(DEMO)/laboratory/*/* --warehouse $(DEMO)/warehouse
	$(BIN)/gait2hip status --warehouse $(DEMO)/warehouse
	$(BIN)/gait2hip release --warehouse $(DEMO)/warehouse --name demo --holdout-fraction 0.34 --seed 1
	for model in lstm transformer mamba; do \
	  $(BIN)/gait2hip train $(DEMO)/warehouse/releases/demo-* --model $$model --task both --protocol holdout \
	    --recipe quick --tracking-uri sqlite:///$(DEMO)/mlruns.db --output $(DEMO)/runs/$$model || exit 1; done
	$(BIN)/gait2hip report --warehouse $(DEMO)/warehouse --release $(DEMO)/warehouse/releases/demo-* \
	  --run $(DEMO)/runs/lstm --run $(DEMO)/runs/transformer --run $(DEMO)/runs/mamba \
	  --title "Virtual people, from C3D files to predicted muscle forces" --output $(DEMO)/report.html

# The comment at the top and torch's pin are written by hand and kept.
constraints:
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet -e ".[$(EXTRAS)]"
	{ grep '^#' constraints.txt; \
	  { build/constraints/bin/python -m pip freeze --exclude-editable | grep -v '^torch=='; grep '^torch==' constraints.txt; } | LC_ALL=C sort -f; \
	} > build/constraints.txt
	mv build/constraints.txt constraints.txt

hooks: $(STAMP)
	$(BIN)/pre-commit install
