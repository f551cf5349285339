.PHONY: demo test lint bench deb soak-repair soak-cuts soak-agent soak-dhcp soak-storm

demo: ; @tests/prepare.sh && .venv/bin/python -m tests.demo
test: ; @tests/prepare.sh && tests/run.sh
lint: ; @tests/prepare.sh && .venv/bin/ruff check && .venv/bin/mypy && .venv/bin/lint-imports
bench: ; @tests/prepare.sh && .venv/bin/python -m tests.bench
soak-repair: ; @tests/prepare.sh && .venv/bin/python -m tests.soak_repair
deb: ; @packaging/deb/build
soak-cuts: ; @tests/prepare.sh && .venv/bin/python -m tests.soak_cuts
soak-agent: ; @tests/prepare.sh && .venv/bin/python -m tests.soak_agent
soak-dhcp: ; @tests/prepare.sh && .venv/bin/python -m tests.soak_dhcp
soak-storm: ; @tests/prepare.sh && .venv/bin/python -m tests.soak_storm
