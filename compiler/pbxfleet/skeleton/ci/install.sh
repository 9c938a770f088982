#!/bin/sh
# Install the pbxfleet that this repository is checked with: its wheel and the pinned list of what it needs, both in
# ci/pbxfleet/. "How to install" in the documentation of pbxfleet says how they are made. An image that has the
# program already needs neither.
set -eu
if command -v pbxfleet >/dev/null; then
    exit 0
fi
here=$(dirname "$0")/pbxfleet
if ! test -e "$here/runtime.txt"; then
    echo "put pbxfleet-VERSION.whl and runtime.txt into $here, or use an image that has pbxfleet" >&2
    exit 1
fi
python3 -m pip install --quiet --require-hashes --requirement "$here/runtime.txt"
python3 -m pip install --quiet --no-deps "$here"/pbxfleet-*.whl
