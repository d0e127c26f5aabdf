#!/bin/bash
# run.sh SECONDS [TARGET…]: each fuzz target for so long, on its corpus. What it finds lies in build/fuzz/TARGET.
# A target is tests/fuzz/fuzz_NAME.c; the corpus that grows is build/fuzz/NAME, the one that is kept tests/fuzz/corpus_NAME.
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-5}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(http json ws yaml event)
mkdir -p build/fuzz
flags=(-std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude -Icore)
read -ra libs <<<"$(pkg-config --cflags --libs yaml-0.1 libpcre2-8 jansson libuv) -lm -lhttp_parser -ldl -lpthread"
core=(core/base/*.c core/obs/*.c core/log/*.c core/config/*.c core/module/*.c core/hub/call.c core/hub/port.c
    core/gateway/http_parse.c core/gateway/http_target.c core/gateway/api*.c)
# What a target needs beside these, with its callers played by the target itself.
declare -A more=([ws]=core/gateway/ws_read.c
    [http]="core/gateway/http_body.c core/gateway/http_range.c core/gateway/multipart.c core/hub/route.c")
passed=0 failed=0
for name in "${targets[@]}"; do
    mkdir -p "build/fuzz/$name"
    if clang "${flags[@]}" "tests/fuzz/fuzz_$name.c" ${more[$name]:-} "${core[@]}" "${libs[@]}" -DTAUT_LIBDIR='"lib"' -o "build/fuzz/fuzz_$name" &&
        "build/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
            -artifact_prefix="build/fuzz/$name-" "build/fuzz/$name" "tests/fuzz/corpus_$name" 2>"build/fuzz/$name.log"; then
        passed=$((passed + 1))
        echo "ok $passed - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs in $seconds s"
    else
        failed=$((failed + 1))
        tail -n 40 "build/fuzz/$name.log"
        echo "not ok - $name"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
