#!/bin/sh
# The reliability tests.
#   run.sh short   as in `make test`: 5 kills at random times, four seeded faults
#   run.sh kills   the same without seeded faults, which have a build of their own: for a sanitized server
#   run.sh long    as in `make crash`: 50 kills, every seeded fault
# TAUT names the program (build/gcc/bin/taut), NODE the Node.js. The last line is "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
node=${NODE:-node}
case ${1:-short} in
short) kills=5 mutants=--short ;;
kills) kills=5 mutants= ;;
long) kills=50 mutants=--all ;;
*) echo "usage: run.sh short|kills|long" >&2; exit 2 ;;
esac
out=$(mktemp)
trap 'rm -f "$out"' EXIT
parts=0

part() {
    parts=$((parts + 1))
    echo "# $*"
    "$@" 2>&1 | tee -a "$out" | grep -Ev '^[0-9]+ passed, [0-9]+ failed$'
}
part "$node" "$here/run.mjs" "$kills"
part "$node" "$here/ack_after_fsync.mjs"
part "$node" "$here/slow_fsync.mjs"
[ -z "$mutants" ] || part "$here/mutants.sh" "$mutants"

# A part that ended without its closing line counts as one failure.
ended=$(grep -Ec '^[0-9]+ passed, [0-9]+ failed$' "$out")
awk -v lost=$((parts - ended)) '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 }
    END { f += lost; printf "%d passed, %d failed\n", p, f; exit f > 0 }' "$out"
