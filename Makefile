# Two commands: `make run` and `make test`. Both set up .venv first, and only when pyproject.toml has changed.
#
# The distribution's own Python first: it is built with optimisation, and what version managers build often is not; Ferry
# then takes 1.7 times as long for what it does itself.
PYTHON ?= $(shell for p in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
ARGS ?=

# Without compiled files each of the hundreds of processes that tests start would compile Ferry anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-again lint types contracts bench bench-remote soak screenshots docs clean

.venv/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Ferry needs Python 3.11 or newer, with venv (Debian: python3-venv);" \
		"install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv --clear .venv  # what another Python left there would be mixed with this one
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1,<27'
	$(BIN)/python -m pip install --quiet --group dev --editable ".[s3,keyring]"
	@touch $@

run: .venv/ready
	@$(BIN)/ferry $(ARGS)

# Five workers on two cores: half of what a test takes is waiting for a terminal or another process.
test: .venv/ready
	$(BIN)/python -m pytest -n 5 --dist worksteal $(ARGS)

# What failed last time, one after the other.
test-again: .venv/ready
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

contracts: .venv/ready
	$(BIN)/lint-imports

docs: .venv/ready
	$(BIN)/python -m tui.cli.reference > docs/configuration.md
	$(BIN)/python -m tui.cli.reference commands > docs/commands.md
	$(BIN)/python -m tui.ui.key_reference > docs/keys.md

screenshots: .venv/ready
	$(BIN)/python -m tests.snapshot.screenshots screenshots

soak: .venv/ready
	$(BIN)/python -m tests.soak.crash_rounds --rounds 150
	$(BIN)/python -m tests.soak.merge_rounds --rounds 150
	$(BIN)/python -m tests.soak.undo_rounds --rounds 50
	$(BIN)/python -m tests.soak.far_rounds --rounds 60
	$(BIN)/python -m tests.soak.command_rounds --rounds 30
	$(BIN)/python -m tests.soak.far_command_rounds --rounds 30
	$(BIN)/python -m tests.soak.store_command_rounds --rounds 20
	$(BIN)/python -m tests.soak.fault_rounds
	FERRY_SWEEPS=whole $(BIN)/python -m pytest -q -n 2 tests/engine

bench: .venv/ready
	$(BIN)/python -m tests.bench $(ARGS)

bench-remote: .venv/ready
	$(BIN)/python -m tests.bench --remote $(ARGS)

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
