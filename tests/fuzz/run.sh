#!/bin/bash
# run.sh SECONDS [TARGET…]: each fuzz target for so long, on its corpus, two at a time. A target is tests/fuzz/fuzz_NAME.c;
# its corpus is tests/fuzz/corpus_NAME, what it finds of interest goes to build/fuzz/corpus/NAME, what breaks it lies in
# build/fuzz/found.
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-5}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        file=${file##*/fuzz_}
        targets+=("${file%.c}")
    done
fi

# run_target NAME: prints one TAP line, and the end of its log when it fails.
run_target() {
    local name=$1 log=build/fuzz/log/$1 finds=build/fuzz/corpus/$1
    mkdir -p "$finds"
    if "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/found/$name-" "$finds" "tests/fuzz/corpus_$name" 2>"$log"; then
        echo "ok - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
    else
        tail -n 40 "$log"
        echo "not ok - $name"
        return 1
    fi
}
export seconds
export -f run_target

mkdir -p build/fuzz/log build/fuzz/found
{ [ -f build/fuzz/build.ninja ] || cmake --preset fuzz && ninja -C build/fuzz fuzz_targets; } >build/fuzz/log/build 2>&1 || {
    tail -n 40 build/fuzz/log/build
    exit 1
}
printf '%s\n' "${targets[@]}" | xargs -P 2 -I NAME bash -c 'run_target NAME'
