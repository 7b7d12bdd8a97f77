# Each target sets up its own virtual environment when there is none. VENV=DIR takes another one,
# PIP_ARGS adds to pip's command line (an index with PyTorch's CPU builds, say), TEST_ARGS to pytest's; JOBS tests run at once.
PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
JOBS ?= 2
SOURCES = setup.cfg setup.py pyproject.toml constraints.txt $(wildcard kaldi_bridge/csrc/* nnet3_compat/*/csrc/*)
# What decoding needs, and all that tests, lint and benchmarks need.
SMALL = $(VENV)/.nnet-pytorch-small
READY = $(VENV)/.nnet-pytorch-ready
PYTEST = $(VENV)/bin/python -m pytest -q -n $(JOBS) --dist loadfile
comma := ,
# Without the C++ extensions an installation for work on them is none: pip fails where they do.
export NNET_PYTORCH_EXTENSION = required

.PHONY: help install demo test test-all lint docs bench clean

help:
	@echo "make demo      decode recorded speech with a Kaldi model: wav -> features -> network -> lattices -> WER"
	@echo "make test      the fast tests"
	@echo "make test-all  all tests"
	@echo "make lint      ruff and mypy"
	@echo "make docs      the pages of docs/ and a reference of all docstrings, as a site in build/site"
	@echo "make bench     side-by-side measurements, one table each"

install: $(READY)

# $(call installed,extras,what for): into the environment, which is made first where there is none.
define installed
	@bash .ci/prerequisites "$(PYTHON)"
	[ -d $(VENV) ] || $(PYTHON) -m venv $(VENV)
	@echo "== Into $(VENV): PyTorch and what $(2) (pip tells each package as it goes, and then C++ is compiled)."
	@echo "== With GPU support that is some 2.4 GB and minutes; PyTorch's CPU builds are a tenth of that:"
	@echo "==   make demo PIP_ARGS='--extra-index-url https://download.pytorch.org/whl/cpu'"
	$(VENV)/bin/python -m pip install $(PIP_ARGS) --constraint constraints.txt --editable '.$(1)'
	touch $(SMALL)
endef

$(SMALL): $(SOURCES)
	$(call installed,,decoding needs)

$(READY): $(SOURCES)
	$(call installed,[recipes$(comma)test$(comma)lint$(comma)onnx$(comma)docs],training$(comma) recipes$(comma) tests$(comma) lint and docs need)
	touch $@

demo: $(SMALL)
	PATH="$(abspath $(VENV))/bin:$$PATH" egs/fsdd/demo.sh $(DEMO_ARGS)

test: $(READY)
	$(PYTEST) -m 'not slow' $(TEST_ARGS)

test-all: $(READY)
	$(PYTEST) $(TEST_ARGS)

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy kaldi_bridge nnet3_compat steps_pytorch

docs: $(READY)
	$(VENV)/bin/python -m pytest -q tests/docs/test_docstrings.py
	$(VENV)/bin/mkdocs build

bench: $(READY)
	@for script in bench/*.py; do echo "== $$script"; PYTHONPATH=. $(VENV)/bin/python $$script || exit 1; done

clean:
	rm -rf $(VENV) build *.egg-info kaldi_bridge/_csrc*.so nnet3_compat/*/_csrc*.so exp
