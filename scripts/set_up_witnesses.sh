#!/bin/sh
# Installs the programs that tests look at our pages and files with: Chromium and axe-core, LibreOffice, Pango.
# For Debian and Ubuntu, as root, with npm. Without them those tests say what is missing and are skipped.
# Instant when nothing is missing. Needs the network once.
set -eu

cd "$(dirname "$0")/.."
PLACE=build/witnesses
AXE=axe-core@4.14.1
AXE_SHA256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
PACKAGES="chromium libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libreoffice-calc-nogui"

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

is_installed() { dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

install_packages() {
    missing=
    for package in $PACKAGES; do is_installed "$package" || missing="$missing $package"; done
    [ -z "$missing" ] && return
    command -v apt-get >/dev/null 2>&1 || stop "Set-up of witnesses knows apt-get alone; install these another way:$missing."
    [ "$(id -u)" = 0 ] || stop "Installing packages needs root; run this as root, or install them yourself:$missing."
    say "Installing$missing. This takes a minute, once."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || say "The list of packages could not be renewed; going on with the one that is here."
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null || stop "The packages could not be installed (see above)."
}

has_axe() { echo "$AXE_SHA256  $PLACE/node_modules/axe-core/axe.min.js" | sha256sum --check --status 2>/dev/null; }

install_axe() {
    has_axe && return
    command -v npm >/dev/null 2>&1 || stop "axe-core comes with npm; install npm and run this again."
    mkdir -p "$PLACE"
    npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
        --fetch-retries 1 --fetch-timeout 60000 --prefix "$PLACE" "$AXE" >/dev/null ||
        stop "axe-core could not be installed (see above)."
    has_axe || stop "axe-core is not the file that was expected ($AXE); nothing was run of it. Delete $PLACE and run this again."
}

install_packages
install_axe
