# The verbs of this checkout. Everything is installed into .venv on demand.
#
#   make demo         install, watch a rendered street, print counts beside the truth, open the desk
#   make test         all tests
#   make check        format, lint, types, layers, rules of the house
#   make fix          format and repair what can be repaired
#   make faults       200 kills, as root 50 power cuts, minutes with a bad camera (minutes)
#   make bench        speeds as ratios (minutes)
#   make bench-peers  against other software, in environments of its own (minutes, network)
#   make web          the pages of the desk again, when their sources changed
#   make web-check    their types, and their unit tests
#   make pictures     docs/pictures, from a desk served for them (EXTRAS=dev,browser, Chromium)
#   make clean        remove .venv and build products
#
# PYTHON=/path/to/python chooses the Python, EXTRAS=dev,browser what is installed with it;
# CALMSTREET_NET_DIR, CALMSTREET_REQUIRE_NET and CALMSTREET_REQUIRE_WEB are handed to the build (see
# hatch_build.py); pip's own settings apply.

VENV := .venv
EXTRAS ?= dev
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
CODE := src tests build_net build_web hatch_build.py

SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = for candidate in $(or $(PYTHON),python3.11 python3.13 python3.12 python3); do \
	if "$$candidate" -c "$(SUITABLE)" >/dev/null 2>&1; then echo "$$candidate"; break; fi; done

.DEFAULT_GOAL := help
.PHONY: help demo web web-check pictures test check fix faults bench bench-peers clean

help:
	@sed -n 's/^#   //p' Makefile

$(READY): pyproject.toml constraints.txt hatch_build.py $(wildcard build_net/*.py build_web/*.py)
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "Calmstreet needs Python 3.11 or newer with venv (Debian: python3 and python3-venv);" \
			"none was found. Name one with: make PYTHON=/path/to/python" >&2; exit 1; fi; \
	"$$python" -c 'import sys; print("Installing into $(VENV) with Python", sys.version.split()[0])'; \
	"$$python" -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@$(PY) -c 'from calmstreet.perception.onnx import net_is_installed as there; \
	print("Installed, with the net." if there() else "Installed WITHOUT the net, which could not be fetched: Calmstreet sees with its motion eye alone. Connect and run make again after make clean.")'
	@touch $@

web: $(READY)
	@$(PY) -m build_web

web-check: $(READY)
	@$(PY) -m build_web check

pictures: $(READY) web
	@$(PY) -m tests.desk.pictures

demo: $(READY)
	@$(VENV)/bin/calmstreet demo

test: $(READY)
	@$(PY) -m pytest $(PYTEST_ARGS)

check: $(READY)
	@$(PY) -m ruff format --check --quiet $(CODE)
	@$(PY) -m ruff check --quiet $(CODE)
	@$(PY) -m mypy --no-error-summary
	@$(VENV)/bin/lint-imports --no-cache
	@$(PY) -m pytest tests/house

fix: $(READY)
	@$(PY) -m ruff check --fix --quiet $(CODE)
	@$(PY) -m ruff format $(CODE)

faults: $(READY)
	@$(PY) -m tests.faults

bench: $(READY)
	@$(PY) -m tests.bench

bench-peers: $(READY)
	@bash tests/bench-peers/run

clean:
	@rm -rf $(VENV) dist build src/calmstreet/perception/nets src/calmstreet/web/static \
		frontend/node_modules
