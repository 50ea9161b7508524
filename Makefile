# make scan                    set up .venv, scan the shipped example, end well
# make scan ARGS="path ..."    scan anything; fails where `otplint check` does, and names its exit status
# make test                    everything a change must pass
# make soak                    the same properties with many more examples
# make docs                    run the proofs, and write the pages that quote them, rules and scans
# make bench                   compare with other linters on pinned real projects (hours; ARGS="--projects mopidy" for less)
# make growth                  how the cost of a scan grows with its input
# make findings                what the rules find in pinned real projects, to be judged
# make test-frameworks         try Ray and dask.distributed for real: programs, and the names in the data (hundreds of MB)
# make test-pre-commit         try the hook for real (installs pre-commit beside the project)
#
# PYTHON=... chooses the interpreter; by default the first that is new enough and can make environments.

VENV := .venv
BIN := $(VENV)/bin
SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))
ARGS ?=

.PHONY: scan test soak docs bench growth findings test-frameworks test-pre-commit clean
.DEFAULT_GOAL := test

$(VENV)/made:
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	    for name in python3 python3.13 python3.12 python3.11 python3.10 python; do \
	        if "$$name" -c '$(SUITABLE)' 2>/dev/null; then python="$$name"; break; fi; \
	    done; \
	fi; \
	if [ -z "$$python" ]; then \
	    echo "make: no Python 3.10 or newer with venv and pip found; say which with PYTHON=..." >&2; exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml otplint/__init__.py
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/made pyproject.toml otplint/__init__.py
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/installed

scan: $(VENV)/installed
ifeq ($(strip $(ARGS)),)
	$(BIN)/otplint check --exit-zero fixtures/flaws_report3/before
else
	@$(BIN)/otplint check $(ARGS)
endif

test: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

test-frameworks: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet distributed ray
	$(BIN)/python -m pytest tests/frameworks tests/facts/test_frameworks.py --frameworks distributed,ray

soak: $(VENV)/installed-dev
	$(BIN)/python -X dev -m pytest --hypothesis-profile=soak --ignore tests/runtime
	OTPLINT_SOAK=5000 $(BIN)/python -m pytest tests/runtime

docs: $(VENV)/installed
	$(BIN)/otplint prove --save
	$(BIN)/python docs/generate.py

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks.run $(ARGS)

growth: $(VENV)/installed
	$(BIN)/python -m benchmarks.growth $(ARGS)

findings: $(VENV)/installed
	$(BIN)/python -m benchmarks.real_projects $(ARGS)

$(VENV)/pre-commit/bin/pre-commit: $(VENV)/made
	$(BIN)/python -m venv $(VENV)/pre-commit
	$(VENV)/pre-commit/bin/python -m pip install --quiet pre-commit

test-pre-commit: $(VENV)/pre-commit/bin/pre-commit
	sh tests/try_hook.sh $(VENV)/pre-commit/bin/pre-commit

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
