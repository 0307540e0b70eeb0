# Each target does all the set-up it needs on a fresh machine: Python 3.11 or newer and make are enough.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS := pipeline,flows,report,learn,test
STAMP := $(VENV)/.installed

DATA ?= $(or $(GAIT2HIP_TEST_DATA),../shared/data)
DEMO := build/demo
ADULT := $(DATA)/walking_adults/2014001

.DEFAULT_GOAL := test
.PHONY: test demo lint constraints hooks

# The stamp is older than these files when what is installed no longer is what they ask for.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

test: $(STAMP)
	$(BIN)/python -m pytest -m "not long" $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The first adult of Schreiber & Moissenet (2019): one static trial, two walks; mass, height, sex and age
# as in the dataset's anthropometrics.csv.
demo: $(STAMP)
	@test -d $(ADULT) || { \
	  echo "make demo needs the shared recordings: found no $(ADULT)." >&2; \
	  echo "Put them there, or name their folder: make demo DATA=/path/to/data" >&2; exit 1; }
	@rm -rf $(DEMO)
	$(BIN)/gait2hip init-session $(ADULT) --subject 2014001 --mass-kg 67 --height-m 1.66 --sex M --age-y 31 \
	  --cohort adults --condition '*_C4_*=preferred' --condition '*_C5_*=fast' -o $(DEMO)/session.toml
	$(BIN)/gait2hip ingest $(DEMO)/session.toml --warehouse $(DEMO)/warehouse
	$(BIN)/gait2hip status --warehouse $(DEMO)/warehouse

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
