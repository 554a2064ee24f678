#!/bin/sh
# Makes .venv: a Python of 3.11 or later, the pinned requirements, and this package. Instant when nothing has changed.
#
#   sh scripts/set_up.sh run     what the product needs        (make demo)
#   sh scripts/set_up.sh dev     and what tests and checks need (make test)
#
# PYTHON=/path/to/python chooses the interpreter; without it the newest of python3.14 ... python3.11, python3 is taken.
# Needs the network once. A set-up that was cut short is thrown away and done again.
set -eu

LEVEL=${1:-run}
VENV=.venv
STAMP=$VENV/counterfoil-ready
BUSY=$VENV/counterfoil-busy
OLDEST="3, 11"

cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

case $LEVEL in
run | dev) ;;
*) stop "set_up.sh was given '$LEVEL'; it takes run or dev." ;;
esac

# What the environment was made from. The folder counts: the scripts inside an environment hold its path.
key() { { pwd; cat requirements/run.txt requirements/dev.txt pyproject.toml scripts/set_up.sh; } | cksum; }

is_ready() {
    [ -f "$STAMP" ] && [ -x $VENV/bin/counterfoil ] || return 1
    read -r made_level made_key <"$STAMP" || return 1
    [ "$made_key" = "$(key)" ] && { [ "$made_level" = dev ] || [ "$made_level" = "$LEVEL" ]; }
}

is_new_enough() { "$1" -c "import sys; sys.exit(sys.version_info < ($OLDEST))" >/dev/null 2>&1; }

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo "not a Python"; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && { echo "$PYTHON"; return; }
        stop "PYTHON is '$PYTHON' ($(version_of "$PYTHON")); Counterfoil needs Python 3.11 or later, so point PYTHON at one."
    fi
    for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
        command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate" && { echo "$candidate"; return; }
    done
    found=$(command -v python3 >/dev/null 2>&1 && version_of python3 || echo none)
    stop "Counterfoil needs Python 3.11 or later (found: $found); install one, or run make again with PYTHON=/path/to/python3.11."
}

check_can_make_environments() {
    "$1" -c 'import venv, ensurepip' >/dev/null 2>&1 && return
    version=$(version_of "$1")
    stop "Python $version is here without its venv module; install it (Debian, Ubuntu: apt install python$version-venv) and run make again."
}

# A new environment is marked until it is whole: one that was cut short is made anew. An old one is topped up in place.
make_environment() {
    python=$(find_python)
    check_can_make_environments "$python"
    rm -rf $VENV
    mkdir $VENV
    echo $$ >"$BUSY"
    say "Setting up .venv with Python $(version_of "$python"). This takes a minute or two, once."
    "$python" -m venv $VENV
}

start() {
    if [ -f "$BUSY" ]; then
        other=$(cat "$BUSY")
        [ -n "$other" ] && kill -0 "$other" 2>/dev/null &&
            stop "Another set-up is at work here (process $other); wait for it and run make again."
        say "The last set-up was cut short; starting again."
        make_environment
    elif ! is_new_enough $VENV/bin/python || ! $VENV/bin/python -m pip --version >/dev/null 2>&1; then
        make_environment
    fi
    rm -f "$STAMP"
}

pip_install() {
    $VENV/bin/python -m pip install --quiet --no-input --disable-pip-version-check "$@" ||
        stop "Set-up could not install the requirements (see above); it needs the network this once, so run make again when there is one."
}

is_ready && exit 0
start
# --no-deps: the files list everything; left to look, pip asks for `coverage[toml]`'s newest version, which has no hash here.
pip_install --no-deps --require-hashes --only-binary :all: -r "requirements/$LEVEL.txt"
pip_install --no-deps --no-build-isolation --no-index --editable .
say "Compiling the engine ahead of time; some minutes, once."
$VENV/bin/python -m counterfoil.cli.compiling 2>/dev/null || say "That did not work; it is compiled at its first use instead."
printf '%s %s\n' "$LEVEL" "$(key)" >"$STAMP"
rm -f "$BUSY"
