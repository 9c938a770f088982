#!/bin/sh
# What must hold of the sources without running them. Uses .venv; `make lint` makes it.
set -eu
cd "$(dirname "$0")/.."

step() {
    printf '+ %s\n' "$*"
    "$@"
}

step .venv/bin/ruff check .
step .venv/bin/ruff format --check .
step .venv/bin/lint-imports --no-logo
if command -v shellcheck >/dev/null 2>&1; then
    step shellcheck tools/*.sh .ci/run
else
    echo 'shellcheck is not installed: the shell scripts were not checked'
fi
