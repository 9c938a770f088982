# Every target sets up what it needs; `make help` lists them.
PY = .venv/bin/python
SETUP = sh tools/setup.sh

.PHONY: help venv beds editors demo test lint types fix golden bench scale docs schemas clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 12

venv: ## .venv with the pinned packages, and pbxfleet itself
	@$(SETUP) venv

beds: ## Debian packages for the tests that use real network namespaces and containers
	@$(SETUP) beds

editors: venv ## language servers for the tests of what editors show
	@$(SETUP) editors

demo: venv ## the whole loop on this machine: sandbox host, stand-in PBX processes, no root
	@.venv/bin/pbxfleet demo

test: venv beds editors ## everything that must hold: lint, types, tests
	@sh tools/test.sh

lint: venv ## ruff, import contracts, shellcheck
	@sh tools/lint.sh

types: venv ## mypy --strict
	$(PY) -m mypy

fix: venv ## format and repair what the linter can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

golden: venv ## rewrite the golden files; review the diff
	$(PY) -m pytest -q -n 2 --update-golden

bench: venv ## start-up and compile times
	$(PY) tools/bench.py

scale: venv ## how validate and compile grow up to 4,000 instances (minutes)
	$(PY) tools/bench_scale.py

docs: venv ## regenerate the reference pages
	$(PY) tools/docs.py

schemas: venv ## regenerate schemas/
	$(PY) tools/schemas.py

clean: ## remove what the targets above made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find compiler tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
