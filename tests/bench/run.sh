#!/bin/sh
# make bench: `run.sh [--short]`. TAUT names the program (build/gcc/bin/taut), NODE the Node.js.
set -eu
exec "${NODE:-node}" "$(dirname "$0")/bench.mjs" "$@"
