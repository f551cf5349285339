#!/bin/bash
# The test command: what may run side by side in two processes, a file at a time; then what must run alone.
cd "$(dirname "$0")/.." || exit
status=0
.venv/bin/python -m pytest --numprocesses 2 --dist loadfile -m "not alone" "$@" || status=$?
.venv/bin/python -m pytest -m alone "$@" || { code=$? && [[ $code -eq 5 ]] || status=$code; } # 5: there is none
exit "$status"
