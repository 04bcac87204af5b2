# `make demo` and `make test` are all that a newcomer needs; nothing has to be activated.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
PYTEST := $(BIN)/python -m pytest -n 2

# Graphviz draws pictures, and Chromium drives the pages in tests: from the system's packages, where that is allowed
define programs
	@missing=; command -v dot >/dev/null || missing="graphviz"; \
	$(if $(1),command -v $(1) >/dev/null || missing="$$missing $(1)";) \
	[ -z "$$missing" ] || { echo "installing $$missing"; \
	  if [ "$$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi; \
	  { $$sudo apt-get install -y -qq $$missing || { $$sudo apt-get update -qq && $$sudo apt-get install -y -qq $$missing; }; } \
	  >/dev/null 2>&1 || echo "please install by hand: $$missing"; }
endef

.PHONY: demo test coverage lint slow huge bench fuzz web wheel clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.demo
	@mkdir -p build
	$(BIN)/archspec stats mobilenet_v2
	$(BIN)/archspec build specs/mobilenet_v2.arch --backend torch -o build/mobilenet_v2.pth
	$(BIN)/archspec render mobilenet_v2 -o build/mobilenet_v2.html

test: $(VENV)/.test
	$(PYTEST) -m "not slow and not huge"
	@$(MAKE) --no-print-directory lint

# tracing takes half as long again
coverage: $(VENV)/.test
	$(PYTEST) -m "not slow and not huge" --cov --cov-report=term

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# 5: there is no slow test
slow: $(VENV)/.test
	$(PYTEST) -m slow || [ $$? -eq 5 ]

# an hour; what is proven there for the largest networks, `slow` proves for their smaller sisters
huge: $(VENV)/.test
	$(PYTEST) -m huge

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

# half an hour for all; `python -m fuzz TARGET --seconds 1800` for one. atheris has wheels for Linux alone.
fuzz: $(VENV)/.test
	$(PIP) install -c constraints.txt -e ".[fuzz]"
	$(BIN)/python -m fuzz --seconds 1800

# the pages' scripts, from web/ into the packages that ship them; Node.js is needed for this alone
web:
	cd web && npm ci --no-audit --no-fund && npm run build

wheel: $(VENV)/.test
	rm -rf build/lib build/bdist.*
	$(BIN)/python -m build --quiet --outdir dist .

# leaves the environment alone; remove $(VENV) by hand
clean:
	rm -rf build dist *.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -prune -exec rm -rf {} +

# An environment that is there is used; the stamps say what was installed into it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("archspec needs Python 3.11 or newer; try make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e ".[draw,torch]"
	@touch $@

# torchvision for its models alone: its compiled operators are not needed, nor the torch that it would ask for
$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(call programs,chromium)
	$(PIP) install -c constraints.txt -e ".[draw,torch,onnx,keras,lsp,serve,train,sweep,dask,ray,dev]"
	$(PIP) install -c constraints.txt --no-deps torchvision
	@touch $@ $(VENV)/.demo
