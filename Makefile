# Everything a person runs here. `make` alone lists it.

BIN := .venv/bin
LAB := $(BIN)/lab
COURSE ?= course
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
DEMO_LAB := finetuning_classifier
DEMO_SCENARIO := customer_service
DEMO_RELEASE = $(shell $(BIN)/python -c "from pathlib import Path; \
  from lab_env.release import latest_release as newest; \
  print(newest(Path('$(COURSE)'), '$(DEMO_LAB)', '$(DEMO_SCENARIO)', 'zh').id)")

export LAB_COURSE := $(COURSE)
# Two threads of one process are slower here than two processes of one thread.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM := false
export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo publish lab test gates lint labs bench axe labelstudio release
.NOTPARALLEL:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

setup: ## install everything into .venv (again: only what changed)
	@.ci/setup

demo: setup publish ## publish a lab, grade sample submissions, print mark sheets
	@$(MAKE) --no-print-directory demo-grade RELEASE=$(DEMO_RELEASE)

publish: setup ## publish the practice lab, unless it is published already
	@$(LAB) publish $(DEMO_LAB) --scenario $(DEMO_SCENARIO) --if-changed

lab: publish ## open JupyterLab on the practice lab
	@$(LAB) start $(DEMO_LAB)

test: ## lint, compare generated files, run all tests
	@.ci/setup --tests
	@$(MAKE) --no-print-directory lint
	@$(LAB) build --check
	@$(BIN)/pytest -q -n 2 --dist loadgroup --ignore=tests/gates

gates: setup ## every lab on every scenario through every gate: most of an hour
	@$(BIN)/pytest -v --durations=0 tests/gates

lint: setup ## ruff and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary

labs: setup ## make the notebooks in labs/ from their lab.py
	@$(LAB) build

bench: setup ## measure: what moves a mark, what grading costs, the annotation page
	@$(BIN)/python tests/bench/marks.py
	@$(BIN)/python tests/bench/throughput.py
	@$(BIN)/python tests/bench/many.py
	@$(BIN)/python tests/bench/annotator.py

axe: setup ## check the annotation page for accessibility, with axe-core from npm
	@npm install --silent --prefix $(CACHE)/lab-axe --ignore-scripts axe-core@4.14.1
	@LAB_AXE=$(CACHE)/lab-axe $(BIN)/pytest -q tests/lab_env/annotator/test_page.py -k anybody

labelstudio: setup ## import what we export into Label Studio, in an environment of its own
	@[ -x $(CACHE)/lab-label-studio/bin/python ] || python3 -m venv $(CACHE)/lab-label-studio
	@$(CACHE)/lab-label-studio/bin/python -m pip install --quiet label-studio==1.23.2
	@LAB_LABEL_STUDIO=$(CACHE)/lab-label-studio $(BIN)/pytest -q tests/lab_env/annotator/test_label_studio.py

release: test ## check version and changelog, build the wheel into dist/
	@grep -qx "version = \"$$(sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md | head -1)\"" pyproject.toml || \
	  { echo "The newest heading of CHANGELOG.md is not the version in pyproject.toml." >&2; exit 2; }
	@$(BIN)/hatchling build -t wheel

# Candidates in the order of the folder; a refused one has no mark sheet to print.
.PHONY: demo-grade
demo-grade:
	@$(BIN)/python tests/fixtures/sample_submissions.py \
	  --release $(COURSE)/release/$(RELEASE) --out $(COURSE)/samples/$(RELEASE)
	@$(LAB) grade $(RELEASE) $(COURSE)/samples/$(RELEASE) > $(COURSE)/samples/class.txt || \
	  { code=$$?; [ $$code -le 2 ] || { cat $(COURSE)/samples/class.txt; exit $$code; }; }
	@ls $(COURSE)/samples/$(RELEASE) | sed 's/\.zip$$//; s/\.ipynb$$//' | sort -u | \
	  while read -r candidate; do \
	    $(LAB) record show "$$candidate" --release $(RELEASE) 2>/dev/null || true; \
	  done
	@cat $(COURSE)/samples/class.txt
	@$(LAB) record verify
	@echo
	@echo "Open the practice lab in JupyterLab:      make lab"
	@echo "Mark by hand, in nbgrader's formgrader:   $(LAB) formgrader"
	@echo "All commands:                             $(LAB) --help"
