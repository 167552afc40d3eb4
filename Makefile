# Run my targets one at a time; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/' | expand -t 12

.PHONY: dev
dev: .venv/.stamp ## make the virtual environment with everything that tests, lint and benchmarks need

.venv/.stamp: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test,lint]'
	@touch $@

.PHONY: test
test: ## run the tests; installs nginx and gnutls-bin by apt when they are missing
	./tests/run.sh

.PHONY: fuzz
fuzz: dev ## damage every parser's input 10,000 times, at random and guided by coverage (atheris, where it installs)
	ATSPROBE_MUTANTS=10000 $(BIN)/pytest -q -k "mutant or mutated"
	@if $(BIN)/pip install -q -e '.[fuzz]'; then $(BIN)/python -m fuzz --runs 10000; \
	else echo "atheris does not install here: NOT fuzzed by coverage" >&2; fi

.PHONY: lint
lint: dev ## ruff (format and rules) and mypy --strict
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: format
format: dev ## write what ruff format would
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: demo
demo: dev ## audit the bundled sample app against servers on this machine
	$(BIN)/atsprobe demo

.PHONY: bench
bench: dev ## connections and verdicts a second, beside sslyze's stock scanner; peak memory
	$(BIN)/python -m benchmarks.scan

.PHONY: bench-policy
bench-policy: dev ## hosts resolved a second against 1 to 10,000 exceptions, observations judged a second
	$(BIN)/python -m benchmarks.policy

.PHONY: bench-extract
bench-extract: dev ## hosts found in real apps and SDKs from npm and PyPI, beside other tools; SMALL=1 fetches 50 MB
	$(BIN)/python -m benchmarks.extract $(if $(SMALL),--small)

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf .venv build dist *.egg-info fuzz-found .pytest_cache .mypy_cache .ruff_cache .hypothesis
