# Two commands: `make demo` runs the main job, `make test` runs every check. Both set up by themselves.
PYTHON := .venv/bin/python

.PHONY: demo test lint clean

demo: .venv/.ready
	@.venv/bin/hdemg demo $(ARGS)

test: .venv/.ready lint
	$(PYTHON) -m pytest $(ARGS)

lint: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

.venv/.ready: pyproject.toml constraints.txt .ci/setup
	@sh .ci/setup

clean:
	rm -rf .venv build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
