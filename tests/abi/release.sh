#!/bin/bash
# release.sh VERSION - keeps what ABI VERSION releases: tests/abi/VERSION with the headers, their types and constants, and
# the sources of modules that use all of it. Then `node tests/abi/answers.mjs VERSION TAUT` writes what they answer.
# docs/abi.md says when. --again writes a release anew, which nobody has got yet.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/abi/lib.sh
version=$1
said=$(sed -nE 's/^#define TAUT_ABI_(MAJOR|MINOR) //p' include/taut/abi.h | paste -sd.)
[ "$version" = "$said" ] || { echo "release.sh: include/taut/abi.h is version $said, not $version" >&2; exit 1; }
kept=tests/abi/$version
[ ! -e "$kept/taut.abi" ] || [ "${2:-}" = --again ] || { echo "release.sh: $kept is there; what was released never changes" >&2; exit 1; }
new=$(mktemp -d)
trap 'rm -r "$new"' EXIT
rm -rf "$kept/include" "$kept/modules"
mkdir -p "$kept/modules"
cp -r include "$kept/include"
find "$kept/include" -type f ! -name '*.h' -delete
cp -r tests/testmods/kitchen "$kept/modules/kitchen"
mkdir "$kept/modules/sample"
cp tests/badmods/sample.c "$kept/modules/sample/"
types_so include "$new/types.so"
types_abi "$new/types.so" >"$kept/taut.abi"
"${NODE:-node}" tests/abi/constants.mjs include >"$new/print.c"
cc "${KEPT_HEADERS_ONLY[@]}" -Iinclude "$new/print.c" -o "$new/print"
"$new/print" >"$kept/constants.c"
