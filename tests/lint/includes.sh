#!/bin/bash
# includes.sh - the rules of the tree that no compiler checks. Prints TAP. usage: tests/lint/includes.sh [BUILD-DIR]
set -uo pipefail
cd "$(dirname "$0")/../.."
build=${1:-}
n=0 failures=0

# check NAME <offending lines: none is success. Never behind a pipe, where it could not count.
check() {
    local found
    found=$(cat)
    n=$((n + 1))
    if [ -z "$found" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        sed 's/^/    /' <<<"$found"
        failures=$((failures + 1))
    fi
}

# What each folder of core/ may include besides itself and include/: as core/CMakeLists.txt links them.
declare -A may_include=(
    [base]=""
    [obs]="base"
    [log]="base"
    [config]="obs base"
    [module]="config obs base"
    [hub]="log module config obs base"
    [gateway]="hub log module config obs base"
    [cli]="gateway hub log module config obs base"
)

# Prints FILE:LINE: HEADER for each quoted include of the files under $1.
quoted_includes() {
    find "$1" -name '*.[ch]' -print0 | xargs -0 -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
        sed -E 's/^([^:]*:[0-9]+):[^"]*"([^"]*)".*/\1: \2/'
}

core_includes_upwards() {
    local folder
    for folder in core/*/; do
        folder=$(basename "$folder")
        [ -n "${may_include[$folder]+set}" ] || echo "core/$folder: not in the table of tests/lint/includes.sh"
        quoted_includes "core/$folder" | awk -v own="$folder" -v may="${may_include[$folder]-}" '
            BEGIN { n = split(may, list, " "); for (i = 1; i <= n; i++) ok[list[i]] = 1; ok[own] = ok["taut"] = 1 }
            { slash = index($2, "/"); first = slash ? substr($2, 1, slash - 1) : own }
            !(first in ok)'
    done
}
check "core folders include only what stands below them" < <(core_includes_upwards)

# A module has include/ and its own folder; a header of another module, or of core, does not resolve.
module_includes_more() {
    local dir
    for dir in modules/*/; do
        quoted_includes "$dir" | grep -v "^${dir}tests/" | while read -r where header; do
            case $header in
            taut/*) [ -f "include/$header" ] || echo "$where $header" ;;
            *) [ -f "$dir$header" ] && [[ $header != *..* ]] || echo "$where $header" ;;
            esac
        done
    done
}
check "modules include taut/, their own folder and the system, nothing else" < <(module_includes_more)

check "public headers include only public headers" < <(quoted_includes include | grep -v ' taut/')

# A module's author includes what he needs, in any order, from C or C++.
headers_alone() {
    local header
    for header in include/taut/*.h include/taut/svc/*.h; do
        cc -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Werror -Iinclude -fsyntax-only \
            -include "$header" -x c /dev/null >/dev/null 2>&1 || echo "$header: not by itself as C11"
        c++ -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude -fsyntax-only \
            -include "$header" -x c++ /dev/null >/dev/null 2>&1 || echo "$header: not by itself as C++17"
    done
}
check "each public header compiles by itself, as C11 and as C++17" < <(headers_alone)

# The right types first: what does not compile anyway proves nothing.
option_fields() {
    local kind type
    takes() { # KIND TYPE
        printf '#include "taut/option.h"\nstruct o { %s f; };\nstatic const struct taut_opt opts[] = {TAUT_OPT(struct o, f, TAUT_OPT_%s)};\nint n(void) { return (int)opts[0].offset; }\n' "$2" "$1" |
            "${CC:-cc}" -std=c11 -Wpedantic -Werror -fsyntax-only -Iinclude -x c - 2>/dev/null
    }
    while read -r kind type; do takes "$kind" "$type" || echo "$kind: $type is refused"; done <<END
INT int64_t
BOOL int64_t
FLOAT double
STR taut_str
LIST struct taut_array
END
    while read -r kind type; do ! takes "$kind" "$type" || echo "$kind: $type is accepted"; done <<END
INT int
BOOL _Bool
INT taut_str
STR const char *
DURATION uint32_t
LIST void *
END
}
check "an option whose field has another type's size does not compile" < <(option_fields)

chat_words() {
    find core include/taut -name '*.[ch]' -not -path 'include/taut/svc/*' -not -name msg.h -print0 |
        xargs -0 grep -HniE 'reaction|emoji|thread_ts|conversations'
}
check "the core and the public headers know no word of chat" < <(chat_words)

long_files() {
    find core modules include tests scripts tools -type f \( -name '*.[ch]' -o -name '*.mjs' -o -name '*.sh' -o -path 'scripts/*' \) \
        -print0 | xargs -0 wc -l | awk '$2 != "total" && $1 > 700 { print $2 ": " $1 " lines" }'
}
check "no file is over 700 lines" < <(long_files)

# File-scope data that is not const would be shared by two instances of a module.
module_has_mutable_data() {
    local so
    for so in "$build"/lib/taut/*.so; do
        [ -f "$so" ] || continue
        objdump -t "$so" | awk -v so="${so##*/}" '
            NF > 3 && $(NF - 2) ~ /^\.(data|bss)$/ && / O / && $NF !~ /^(completed\.|__dso_handle|__TMC_END__)/ { print so ": " $NF }'
    done
}
module_exports_more() {
    local so
    for so in "$build"/lib/taut/*.so; do
        [ -f "$so" ] || continue
        nm -D --defined-only "$so" | awk -v so="${so##*/}" '$3 != "taut_module" { print so ": " $3 }'
        nm -D --defined-only "$so" | grep -q ' taut_module$' || echo "${so##*/}: no taut_module"
    done
}
if [ -n "$build" ]; then
    check "modules export taut_module and nothing else" < <(module_exports_more)
    check "modules have no data that changes at file scope" < <(module_has_mutable_data)
fi

echo "1..$n"
[ $failures -eq 0 ]
