# Two commands: `make demo` runs the main job, `make test` runs every check. Both set up by themselves.
PYTHON := .venv/bin/python
# A test that hangs prints where every thread is and ends the run, which would otherwise wait for it forever.
PYTEST := $(PYTHON) -m pytest -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true
# Workers that share the cores: a library that spreads over all of them only gets in the others' way.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Pytest's exit status where ARGS chose no test.
NOTHING_CHOSEN := 5

.PHONY: demo test lint docs screenshots audit clean

demo: .venv/.ready
	@.venv/bin/hdemg demo $(ARGS)

test: .venv/.ready lint
	@# A worker that crashes fails the run: xdist 3.8 hangs when it starts another one under loadfile.
	@# What computes, a worker a core; what mostly waits, more workers; what measures the clock or drives a session, alone.
	$(ONE_THREAD) $(PYTEST) -n 2 --max-worker-restart=0 tests/unit tests/properties tests/contracts $(ARGS) || [ $$? -eq $(NOTHING_CHOSEN) ]
	$(ONE_THREAD) $(PYTEST) -n 3 --dist loadfile --max-worker-restart=0 -m "not slow and not alone" tests/integration tests/e2e $(ARGS) || [ $$? -eq $(NOTHING_CHOSEN) ]
	$(PYTEST) -m "alone and not slow" tests/integration tests/e2e $(ARGS) || [ $$? -eq $(NOTHING_CHOSEN) ]

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
