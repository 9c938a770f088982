#!/bin/sh
# Everything that must hold. Stops at the first part that fails; pytest's summary is the last thing printed.
set -eu
cd "$(dirname "$0")/.."

sh tools/lint.sh
printf '+ %s\n' 'mypy --strict'
.venv/bin/python -m mypy
printf '+ %s\n' "pytest -n 2 $*"
exec .venv/bin/python -m pytest -n 2 "$@"
