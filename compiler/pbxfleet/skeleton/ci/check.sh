#!/bin/sh
# What a pull request is checked with. Changes nothing but the folder that it writes.
#
#   ci/check.sh [BASE [FOLDER]]
#
# BASE is the revision that the change is compared with; without it there is no comparison. FOLDER (default: check)
# gets pbxfleet.sarif, quality.json (for GitLab), diff.md (fits into a comment) and diff-whole.md (all of it).
# Exit code: that of the first check that failed; 8 where the policy of the fleet denies the change.
set -u
base=${1:-}
folder=${2:-check}
outcome=0

failed() { # NAME CODE
    echo "$1 failed (exit code $2)" >&2
    test "$outcome" -ne 0 || outcome=$2
}

mkdir -p "$folder" || exit 1

# The files for the forge: what is wrong is told below, and counted once.
pbxfleet validate --format sarif >"$folder/pbxfleet.sarif" 2>/dev/null
pbxfleet validate --format gitlab >"$folder/quality.json" 2>/dev/null

format=human
test -z "${GITHUB_ACTIONS:-}" || format=github
pbxfleet validate --format "$format" || failed validate $?
pbxfleet compile --check || failed "compile --check" $?

if test -n "$base"; then
    if ! commit=$(git rev-parse --verify --quiet "$base^{commit}"); then
        echo "$base is not in this clone: fetch the whole history (fetch-depth: 0, GIT_DEPTH: 0)" >&2
        exit 1
    fi
    limit=github
    test -z "${GITLAB_CI:-}" || limit=gitlab
    pbxfleet diff "$commit" --format markdown --limit "$limit" --out "$folder/diff-whole.md" \
        >"$folder/diff.md" || failed diff $?
fi
exit "$outcome"
