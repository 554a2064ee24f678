#!/bin/sh
# Makes build/peers: the environment of programs that `make bench-linkage` and `make bench-evaluation` run beside ours and
# that cannot share .venv.
# Instant when nothing has changed. Needs the network once, and scripts/set_up.sh to have run.
set -eu

cd "$(dirname "$0")/.."
PEERS=build/peers
STAMP=$PEERS/ready

key() { cat requirements/peers.txt requirements/peers-alone.txt | cksum; }

[ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(key)" ] && exit 0
echo "Setting up build/peers for the programs that ours is measured against. This takes a minute, once." >&2
rm -rf "$PEERS"
.venv/bin/python -m venv "$PEERS"
"$PEERS/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    -r requirements/peers.txt || {
    echo "The peers could not be installed (see above); it needs the network this once, so run make again then." >&2
    exit 1
}
# causalml alone: its matching needs nothing that is not there already, and all that it asks for is over a gigabyte
"$PEERS/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    -r requirements/peers-alone.txt || echo "causalml could not be installed (see above); the benches leave it out." >&2
key >"$STAMP"
