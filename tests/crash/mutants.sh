#!/bin/sh
# Builds the server with the faults that it can be told to have, and shows that the checker catches each of them.
#   mutants.sh --all     all of them, and nothing without them
#   mutants.sh --short   those of `make test`: one of each thread
#   mutants.sh NAME …    these
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${TAUT_MUTANTS_BUILD:-$root/build/mutants}

mkdir -p "$(dirname "$build")"
cmake -S "$root" -B "$build" -G Ninja -DTAUT_MUTANTS=ON -DTAUT_TESTS=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$build.log" 2>&1 ||
    { cat "$build.log"; exit 1; }
ninja -C "$build" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }

case ${1-} in
--all) shift ;;
--short) set -- ack_before_commit stale_rows lag_skips_queue ;;
esac
TAUT_MUTANTS_BIN="$build/bin/taut" exec "${NODE:-node}" "$here/mutants.mjs" "$@"
