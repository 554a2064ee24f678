# Recipes for people and for CI. `make` alone lists them. Each does its own set-up; see scripts/set_up.sh.
.DEFAULT_GOAL := help
.PHONY: help demo test check quick fix coverage bench bench-linkage bench-evaluation bench-disclosure simulate witnesses docs requirements changelog clean

BIN := .venv/bin
COMPILE := CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-find-links --no-emit-index-url --no-emit-trusted-host

help: ## list the targets
	@echo "Usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r target what; do \
		printf '  %-16s %s\n' "$$target" "$$what"; done

demo: ## run the main job on a synthetic lab of 100,000 people, from raw records to reports
	@sh scripts/set_up.sh run
	@rm -rf build/demo
	$(BIN)/counterfoil demo --out build/demo

test: check ## everything CI runs: the checks, then every test (up to half an hour)
	$(BIN)/python -m pytest -n 2 --dist=loadfile

witnesses: ## install what tests look at pages and files with: Chromium, axe-core, LibreOffice, Pango (Debian, as root)
	@sh scripts/set_up_witnesses.sh

check: ## format, lint, types, import contract, generated docs; changes nothing
	@sh scripts/set_up.sh dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check

quick: ## the tests that are fast (four minutes)
	@sh scripts/set_up.sh dev
	$(BIN)/python -m pytest -n 2 --dist=loadfile -x -q -m "not slow"

fix: ## mend what a machine can: format, simple lint, generated docs
	@sh scripts/set_up.sh dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/generate_docs.py

coverage: ## run every test and say where branch coverage is under what we hold ourselves to
	@sh scripts/set_up.sh dev
	$(BIN)/python -m pytest -n 2 --dist=loadfile --cov --cov-report=
	$(BIN)/coverage json --quiet -o build/coverage/report.json
	$(BIN)/python scripts/check_coverage.py build/coverage/report.json

bench: ## measure population, link, logit, match and evaluate on 100,000 people, beside other programs
	@sh scripts/set_up.sh dev
	$(BIN)/python -m benchmarks.bench

bench-linkage: ## measure training, scoring, linking and search beside Splink, recordlinkage and SQL (about 20 minutes)
	@sh scripts/set_up.sh dev
	@sh scripts/set_up_peers.sh
	$(BIN)/python -m benchmarks.bench_linkage
	$(BIN)/python -m benchmarks.linkage_growth

bench-evaluation: ## measure score, matching, balance and errors at 1,000,000 people beside glum, scikit-learn, MatchIt, causalml (20 minutes)
	@sh scripts/set_up.sh dev
	@sh scripts/set_up_peers.sh
	$(BIN)/python -m benchmarks.bench_evaluation $(LAB) $(LIST) $(PLAN)
	$(BIN)/python -m benchmarks.evaluation_growth

bench-disclosure: ## measure the intruder audit of a report beside earlier ones, and tables protected, with growth
	@sh scripts/set_up.sh dev
	$(BIN)/python -m benchmarks.bench_disclosure

simulate: ## draw 10,500 tables and 20 labs with known truths: do intervals hold them? (40 minutes; CI has a small version)
	@sh scripts/set_up.sh dev
	PYTHONPATH=tests:. $(BIN)/python -m simulations
	PYTHONPATH=tests:. $(BIN)/python -m simulations.page

docs: ## write the generated pages of docs/reference
	@sh scripts/set_up.sh dev
	$(BIN)/python scripts/generate_docs.py

requirements: ## compile requirements/*.in to pinned, hashed *.txt (needs the network)
	@sh scripts/set_up.sh dev
	$(COMPILE) --output-file=requirements/run.txt requirements/run.in requirements/build.in
	$(COMPILE) --output-file=requirements/dev.txt requirements/dev.in
	$(COMPILE) --output-file=requirements/peers.txt requirements/peers.in

changelog: ## fold changelog.d/ into CHANGELOG.md for the version in __init__.py
	@sh scripts/set_up.sh dev
	$(BIN)/towncrier build --yes --version "$$($(BIN)/python -c 'import counterfoil; print(counterfoil.__version__)')"

clean: ## remove what runs left behind (not .venv)
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find src tests scripts benchmarks simulations -name __pycache__ -type d -prune -exec rm -rf {} +
