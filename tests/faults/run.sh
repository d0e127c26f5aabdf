#!/bin/sh
# The long form of the store's fault tests, part of `make crash`: power cuts with new seeds, every call and every allocation
# failing once, none left out.
#   run.sh [CUTS [SEED]]    50 cuts; the seed of the first life is printed, and gives the same again
# BUILD names the build tree (build/gcc). The last line is "N passed, N failed".
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${BUILD:-$root/build/gcc}/bin
out=$(mktemp)
trap 'rm -f "$out"' EXIT
export CMOCKA_MESSAGE_OUTPUT=TAP

"$bin/test_store_power" "${1:-50}" ${2+"$2"} | tee -a "$out"
for name in io_faults alloc_faults; do
    "$bin/test_store_$name" all >"$out.one" 2>&1
    grep -aE '^(not )?ok |calls: |allocations: ' "$out.one" | tee -a "$out"
    grep -qaE '^(not )?ok ' "$out.one" || { cat "$out.one"; echo "not ok $name ended without a result" >>"$out"; }
    rm -f "$out.one"
done
awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } /^ok / { p++ } /^not ok / { f++ }
    END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' "$out"
