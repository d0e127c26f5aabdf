#!/bin/sh
# The reliability tests.
#   run.sh short   as in `make test`: one run with kills, under strace, stalled clients, three seeded faults
#   run.sh kills   without stalled clients and seeded faults, whose builds and bounds are their own: for a sanitized server
#   run.sh long    as in `make crash`: 50 runs that must find nothing, every seeded fault, power cuts
# TAUT names the program (build/gcc/bin/taut), NODE the Node.js. The last line is "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
node=${NODE:-node}
form=${1:-short}
case $form in
short | kills | long) ;;
*) echo "usage: run.sh short|kills|long" >&2; exit 2 ;;
esac
out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0 failed=0

# A part counts by its last closing line; one that ends without it is one failure.
part() {
    echo "# $*"
    "$@" 2>&1 | tee "$out" | grep -Ev '^[0-9]+ passed, [0-9]+ failed$'
    closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out" | tail -n 1)
    closing=${closing:-0 passed, 1 failed}
    passed=$((passed + ${closing%% *}))
    closing=${closing#*, }
    failed=$((failed + ${closing%% *}))
}
if [ "$form" = long ]; then part "$node" "$here/run.mjs" --clean 50
else part "$node" "$here/run.mjs" 2; fi
part "$node" "$here/ack_after_fsync.mjs"
part "$node" "$here/slow_fsync.mjs"
[ "$form" = kills ] || part "$node" "$here/stalled.mjs"
[ "$form" != short ] || part "$here/mutants.sh" --short
[ "$form" != long ] || part "$here/mutants.sh" --all
[ "$form" != long ] || part "$here/../faults/run.sh" 50

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
