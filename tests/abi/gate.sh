#!/bin/bash
# gate.sh - does everything that was released in a tests/abi/1.x still hold for the headers of today? And does this gate
# itself stop what it must? Prints TAP. Needs abidw and abidiff (abigail-tools).
set -uo pipefail
cd "$(dirname "$0")/../.."
. tests/abi/lib.sh
node=${NODE:-node}
new=$(mktemp -d)
trap 'rm -r "$new"' EXIT
n=0 failures=0

# result STATUS NAME <what was said
result() {
    local said
    said=$(cat)
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/    /' <<<"$said"
        failures=$((failures + 1))
    fi
}

# Structs that begin with their size, and the elements of arrays.
growing() {
    {
        cat include/taut/*.h include/taut/svc/*.h | tr '\n' ' ' | grep -oE 'struct taut_\w+ \{ +(/\*[^*]*\*/ +)?uint32_t size;' |
            sed -E 's/^struct (\w+).*/\1/'
        grep -v '^#' tests/abi/elements.txt
    } | sort -u | paste -sd'|'
}

every_type_is_there() {
    local name
    cat include/taut/*.h include/taut/svc/*.h | sed -nE 's/^(typedef )?struct (taut_\w+) \{.*/STRUCT(\2)/p; s/^typedef [^;{]*\(\*(taut_\w+)\)\(.*/TYPE(\1)/p' |
        while read -r name; do grep -qF "$name;" tests/abi/types.c || echo "tests/abi/types.c lacks $name"; done
}

# holds RELEASE INCLUDE: says what no longer holds. 1: something; 2: the headers do not compile.
holds() {
    local kept=tests/abi/$1 status=0
    types_so "$2" "$new/types.so" && types_abi "$new/types.so" >"$new/types.abi" || return 2
    abidiff --suppressions "$new/suppressions.ini" --no-added-syms "$kept/taut.abi" "$new/types.so" || status=1
    "$node" tests/abi/members.mjs "$kept/taut.abi" "$new/types.abi" || status=1
    cc "${KEPT_HEADERS_ONLY[@]}" -I"$2" "$kept/constants.c" -o "$new/constants" && "$new/constants" || status=1
    return $status
}

"$node" tests/abi/elements.mjs include tests/abi/elements.txt >"$new/missing"
result $? "what lies in arrays that know its size may grow, and nothing else" <"$new/missing"
for struct in taut_cursor taut_event_rec taut_durable; do
    { cat tests/abi/elements.txt; echo $struct; } >"$new/elements.txt"
    ! "$node" tests/abi/elements.mjs include "$new/elements.txt" >"$new/missing"
    result $? "$struct, which lies in a plain array, may not be listed as growing" <"$new/missing"
done
every_type_is_there >"$new/missing"
if [ -s "$new/missing" ]; then status=1; else status=0; fi
result $status "every public type is looked at" <"$new/missing"

sed "s/(GROWING)/($(growing))/" tests/abi/suppressions.ini >"$new/suppressions.ini"
releases=$(cd tests/abi && ls -d [0-9]*.[0-9]*)
for release in $releases; do
    holds "$release" include >"$new/said" 2>&1
    result $? "what ABI $release released is as it was" <"$new/said"
done

# ---- the gate itself: the headers of the last release, changed ----

last=$(tail -n 1 <<<"$releases")

# changed NAME FILE SED-EXPRESSION…: a copy of the kept headers with that change.
changed() {
    local file=$1 expression
    shift
    rm -rf "$new/include"
    cp -r "tests/abi/$last/include" "$new/include"
    for expression in "$@"; do sed -i -E "$expression" "$new/include/taut/$file"; done
    ! diff -rq "tests/abi/$last/include" "$new/include" >/dev/null || echo "the change changes nothing"
}
allows() {
    local name=$1 said
    shift
    said=$(changed "$@") && [ -z "$said" ] && said=$(holds "$last" "$new/include" 2>&1)
    result $? "allows $name" <<<"$said"
}
stops() {
    local name=$1 said status
    shift
    said=$(changed "$@")
    if [ -z "$said" ]; then
        said=$(holds "$last" "$new/include" 2>&1)
        status=$?
    else
        status=0
    fi
    result $((status != 1)) "stops $name" <<<"$said"
}
allows "a function at the end of the host's table" host.h 's|^    const struct taut_route_host \*route;|&\n    void (*more)(struct taut_mod *m);|'
allows "a member at the end of a struct in an array" hook.h 's|^    taut_provide_fn provide;|&\n    void *more;|'
allows "a further constant" op.h 's|^struct taut_completion|enum { TAUT_MORE = 7 };\n&|'
stops "a member at the end of a frozen struct" event.h 's|^    taut_str who, topic;|&\n    void *more;|'
stops "a member in the middle" host.h 's|^    void \(\*timer_stop\)|    void *middle;\n&|'
stops "two members that change places" host.h '/^    taut_timer \(\*timer_start\)/d' \
    's|^    void \(\*timer_stop\).*|&\n    taut_timer (*timer_start)(struct taut_mod *m, uint64_t ms, uint64_t r, taut_fn fn, void *arg);|'
stops "a member that is taken away" conn.h '/^    taut_str hello;/d'
stops "a member of another type" method.h 's|^    uint32_t rate;|    int32_t rate;|'
stops "a member of another width" method.h 's|^    uint32_t rate;|    uint64_t rate;|'
stops "a member of another type beside one more at the end" method.h 's|^    uint32_t rate;|    int32_t rate;|' \
    's|^    int32_t \(\*run\)\(struct taut_mod \*m, struct taut_call \*c\);|&\n    void *more;|'
stops "a function with another argument" host.h 's|(\(\*timer_stop\)\(struct taut_mod \*m, )taut_timer t|\1int32_t t|'
stops "a function with another result" host.h 's|void (\(\*at_end\))|int32_t \1|'
stops "a member with another name" hook.h 's|^    int32_t priority;|    int32_t weight;|'
stops "a constant with another value" hook.h 's|TAUT_STAGE_ROUTE = 20|TAUT_STAGE_ROUTE = 30|'
stops "another text" msg.h 's|"message.sent"|"message.posted"|'

echo "1..$n"
[ $failures -eq 0 ]
