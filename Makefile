.PHONY: demo test lint bench deb

demo: ; @tests/prepare.sh && .venv/bin/python -m tests.demo
test: ; @tests/prepare.sh && .venv/bin/python -m pytest
lint: ; @tests/prepare.sh && .venv/bin/ruff check && .venv/bin/mypy && .venv/bin/lint-imports
bench: ; @tests/prepare.sh && .venv/bin/python -m tests.bench
deb: ; @packaging/deb/build
