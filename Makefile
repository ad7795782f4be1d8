# make serve   set everything up and run the service on http://localhost:8000
# make test    set everything up and prove it
# Both need git, make and Python 3.11 or newer; the rest is installed into this folder.

PYTHON ?= python3
BIN := .venv/bin
FAST := tests/unit tests/meta
# Without sockets, browsers or servers: they may run side by side.
PURE := $(FAST) tests/property tests/scenario

.PHONY: serve test check bench build format clean

serve:
	@$(PYTHON) config/bootstrap.py run
	@exec $(BIN)/diemcau serve $(ARGS)

test:
	@$(PYTHON) config/bootstrap.py test
	@$(MAKE) --no-print-directory lint
	@cd web/room && PATH="$(CURDIR)/.venv/node:$$PATH" npm test --silent
ifeq ($(strip $(ARGS)),)
	@$(BIN)/pytest -n auto $(PURE)
	@$(BIN)/pytest $(addprefix --ignore=,$(PURE))
else
	@$(BIN)/pytest $(ARGS)
endif

check:
	@$(PYTHON) config/bootstrap.py check
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest -q -n auto $(FAST)

.PHONY: lint
lint:
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format:
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench:
	@$(PYTHON) config/bootstrap.py test
	@$(BIN)/python -m benchmarks $(ARGS)

build:
	@$(PYTHON) config/bootstrap.py build
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf .venv web/room/node_modules web/static/dist build dist *.egg-info

# The media node without its kernel in C, as on a machine that has no compiler.
MEDIA := $(wildcard tests/unit/media_* tests/property/media_* tests/integration/media_*)
.PHONY: twin
twin:
	@$(PYTHON) config/bootstrap.py test
	@MEDIA_FANOUT=python $(BIN)/pytest $(MEDIA) tests/scenario tests/network tests/browser/test_sfu.py $(ARGS)

# For a night: a million inputs for every parser that bytes of the network reach.
.PHONY: fuzz
fuzz:
	@$(PYTHON) config/bootstrap.py check
	-@$(BIN)/python -m pip install --quiet atheris
	@$(BIN)/python -m tests.fuzz $(ARGS)

# For a night: each process of the service is killed a hundred times in a recorded meeting.
.PHONY: crash
crash:
	@$(PYTHON) config/bootstrap.py test
	@$(BIN)/python -m tests.crash $(ARGS)

# For a night: an hour of twelve speakers, and ten minutes in real time, looked at and listened to.
.PHONY: hour
hour:
	@$(PYTHON) config/bootstrap.py test
	@$(BIN)/python -m tests.long_meeting $(ARGS)

# For a night as well: a thousand people come and go, and the node is as it was.
.PHONY: soak
soak:
	@$(PYTHON) config/bootstrap.py check
	@$(BIN)/python -m tests.soak $(ARGS)
