#!/bin/bash
# run.sh - builds the preset `coverage`, runs unit and end-to-end tests on it, and prints which part of core's lines was
# run: a table, then "coverage: NN.N % of lines of core". Less than LEAST fails. The lines that were not run are named in
# build/coverage/uncovered.txt.
#
# This measures; whether the tests pass is for the suites unit and e2e to say, which run them without company. One that
# fails here is named, as its lines may be missing.
# Left out: the tests of the store, which run nothing of core, and those that measure memory or wait for long.
set -u
cd "$(dirname "$0")/../.."
LEAST=85
build=$PWD/build/coverage
left_out_units='test_store_'
left_out_e2e='memory|pings|disk|service|stranger'
node=${NODE:-node}
export CMOCKA_MESSAGE_OUTPUT=TAP TAUT=$build/bin/taut

mkdir -p "$build"
{ [ -f "$build/build.ninja" ] || cmake --preset coverage && ninja -C "$build"; } >"$build/build.log" 2>&1 || {
    tail -n 40 "$build/build.log"
    exit 1
}
find "$build/core" -name '*.gcda' -delete
mkdir -p "$build/log"
rm -f "$build"/log/*

# at_once: reads lines "NAME COMMAND…", runs three at a time, and names those that fail.
at_once() {
    log=$build/log xargs -P 3 -L 1 bash -c '
        name=$0
        "$@" >"$log/$name" 2>&1 || echo "$name failed (see $log/$name)"'
}

units() {
    local program
    for program in "$build"/bin/test_*; do
        [[ $program =~ $left_out_units ]] || echo "${program##*/} $program"
    done
}

e2e() {
    local file
    for file in tests/e2e/*.test.mjs; do
        [[ ${file##*/} =~ ^($left_out_e2e)\. ]] || echo "${file##*/} $node --test --test-force-exit --test-reporter=tap $file"
    done
}

{ units && e2e; } | at_once
find "$build/core" -name '*.gcno' | (cd "$build" && xargs gcov --json-format --stdout 2>log/gcov) |
    "$node" tests/coverage/table.mjs . "$LEAST" "$build/uncovered.txt"
