#!/bin/sh
# Set up what the Makefile's targets need, and nothing twice.
#
#   tools/setup.sh venv   .venv with the packages of requirements/dev.txt, by digest, and pbxfleet itself
#   tools/setup.sh beds   Debian packages of tools/debian-packages.txt (root only; others are told)
#   tools/setup.sh editors   the language servers of tools/editors, by digest (where node and npm are)
set -eu
cd "$(dirname "$0")/.."

say() {
    printf 'setup: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Prints the first Python that is new enough and can do `import $1`. A version manager may put a
# python3.13 on the path that refuses to run, so each candidate is tried.
find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if "$candidate" -c "import sys, $1; sys.exit(sys.version_info < (3, 11))" \
            >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

can_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

apt_install() {
    say "installing Debian packages: $*"
    DEBIAN_FRONTEND=noninteractive apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Debian splits ensurepip from python3; without it `python3 -m venv` ends half-way.
make_venv() {
    rm -rf .venv
    if ! python=$(find_python ensurepip) && can_install; then
        apt_install python3 python3-venv
        python=$(find_python ensurepip) || die "Python 3.11 or newer is needed; this system's is older"
    fi
    if [ -n "$python" ]; then
        say "making .venv with $python"
        "$python" -m venv .venv
    elif python=$(find_python venv) && "$python" -m pip --version >/dev/null 2>&1; then
        say "making .venv with $python and its own pip"
        "$python" -m venv --without-pip .venv
    elif [ -n "$python" ]; then
        die "$python cannot make virtual environments; install the package python3-venv and run again"
    else
        die "Python 3.11 or newer is needed; none was found (PYTHON=/path/to/python names one)"
    fi
}

# pip of the virtual environment, or another Python's pip working on it.
pip_install() {
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        .venv/bin/python -m pip install -qq --disable-pip-version-check "$@"
    else
        "$(find_python pip)" -m pip --python .venv/bin/python \
            install -qq --disable-pip-version-check "$@"
    fi
}

requirements_digest() {
    { cat requirements/dev.txt pyproject.toml; pwd; } | sha256sum | cut -d ' ' -f 1
}

venv() {
    stamp=.venv/pbxfleet.stamp
    digest=$(requirements_digest)
    if [ -x .venv/bin/pbxfleet ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$digest" ]; then
        return
    fi
    if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        make_venv
    fi
    say "installing requirements/dev.txt"
    pip_install --require-hashes --requirement requirements/dev.txt
    pip_install --no-deps --no-build-isolation --editable .
    printf '%s\n' "$digest" >"$stamp"
}

# Prints the packages of which no proving file exists.
missing_packages() {
    grep -v '^#' tools/debian-packages.txt | while read -r package files; do
        found=no
        for file in $(printf '%s' "$files" | tr : ' '); do
            if [ -e "$file" ]; then found=yes; fi
        done
        if [ "$found" = no ]; then printf '%s\n' "$package"; fi
    done
}

beds() {
    missing=$(missing_packages | tr '\n' ' ')
    missing=${missing% }
    if [ -z "$missing" ]; then
        return
    fi
    if can_install; then
        # The list is split into words on purpose.
        # shellcheck disable=SC2086
        apt_install $missing || say "could not install: $missing; tests that need them will say so"
    else
        say "not installed, so the tests that need them are skipped: $missing"
        say "to run them too: apt-get install $missing"
    fi
}

# Beside the Python packages: `.venv` holds everything that was installed for this clone.
editors() {
    into=.venv/editors
    digest=$(cat tools/editors/* | sha256sum | cut -d ' ' -f 1)
    if [ "$(cat "$into/pbxfleet.stamp" 2>/dev/null || true)" = "$digest" ]; then
        return
    fi
    if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
        say "no node and npm here, so the tests of hover and completion in editors are skipped"
        return
    fi
    say "installing tools/editors/package-lock.json"
    rm -rf "$into"
    mkdir -p "$into"
    cp tools/editors/* "$into"
    if (cd "$into" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null); then
        printf '%s\n' "$digest" >"$into/pbxfleet.stamp"
    else
        say "could not install them; the tests that need them will say so"
    fi
}

case ${1:-} in
    venv) venv ;;
    beds) beds ;;
    editors) editors ;;
    *) die "usage: tools/setup.sh venv|beds|editors" ;;
esac
