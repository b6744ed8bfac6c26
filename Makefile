# Two commands: `make demo` runs the main job, `make test` runs every check. Both set up by themselves.
PYTHON := .venv/bin/python
# A test that hangs prints where every thread is and ends the run, which would otherwise wait for it forever.
PYTEST := $(PYTHON) -m pytest -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true
# Workers that share the cores: a library that spreads over all of them only gets in the others' way.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Which tests `make test` runs; ARGS may narrow them.
CHOSEN := not slow
# Where those are that run alone: the other files need not even be read.
ALONE = $(shell grep -rlw --include='test_*.py' 'mark\.alone' tests)
# Pytest's exit status where no test was chosen.
NOTHING_CHOSEN := 5

.PHONY: demo test run-tests lint docs screenshots audit clean

demo: .venv/.ready
	@.venv/bin/hdemg demo $(ARGS)

test: lint
	@$(MAKE) --no-print-directory run-tests

# Those of CHOSEN: first what may run beside other tests, then, alone, what measures the clock or drives a whole session.
# A worker that crashes fails the run: xdist 3.8 hangs when it starts another one.
run-tests: .venv/.ready
	@set -e; HDEMG_TEST_MADE=$$(mktemp -d); export HDEMG_TEST_MADE; trap 'rm -rf "$$HDEMG_TEST_MADE"' EXIT; set -x; \
	$(ONE_THREAD) $(PYTEST) -n 3 --dist worksteal --max-worker-restart=0 -m "($(CHOSEN)) and not alone" $(ARGS) || [ $$? -eq $(NOTHING_CHOSEN) ]; \
	$(PYTEST) -m "($(CHOSEN)) and alone" $(ALONE) $(ARGS) || [ $$? -eq $(NOTHING_CHOSEN) ]

lint: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: .venv/.ready
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

# Every state of the windows as a picture, into out/screenshots; ARGS="FOLDER --only teleop" for others.
screenshots: .venv/.ready
	QT_QPA_PLATFORM=$${QT_QPA_PLATFORM-offscreen} $(PYTHON) -m tools.screenshots $(or $(ARGS),out/screenshots)

# Asks the public list of vulnerabilities, so it needs the internet; no test does.
audit: .venv/.ready
	$(PYTHON) -m pip install --disable-pip-version-check -q pip-audit
	$(PYTHON) -m pip_audit -r constraints.txt --no-deps --disable-pip

.venv/.ready: pyproject.toml constraints.txt .ci/setup
	@sh .ci/setup

clean:
	rm -rf .venv build dist out site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
