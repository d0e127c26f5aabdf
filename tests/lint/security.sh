#!/bin/bash
# security.sh - SECURITY.md says of options what docs/config.md says: each `name` = `default` is a row there. And what it
# says is tested where it is said to be: each test that it names is a file.
set -u
cd "$(dirname "$0")/../.."
failed=0 passed=0
check() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: SECURITY.md: $what"
    fi
}
has_default() { grep -qE "^\| \`$1\` \|[^|]*\| \`${2//./\\.}\` \|" docs/config.md; }
has_test() { # KIND NAME
    case $1 in
    unit) compgen -G "tests/unit/test_$2.c" >/dev/null ;;
    e2e) compgen -G "tests/e2e/$2.test.mjs" >/dev/null ;;
    fuzz) compgen -G "tests/fuzz/fuzz_$2.c" >/dev/null ;;
    esac
}
while IFS='=' read -r name value; do
    check "$name is not $value in docs/config.md" has_default "$name" "$value"
done < <(tr '\n' ' ' <SECURITY.md | grep -oE '`[a-z_.]+` = +`[^`]+`' | sed -E 's/`([^`]+)` = +`([^`]+)`/\1=\2/')
while read -r kind name; do
    check "there is no $kind test \"$name\"" has_test "$kind" "$name"
done < <(awk '
    /^\*Tested\*/ { on = 1 }
    /^$/ { on = 0 }
    on { text = text " " $0 }
    END {
        n = split(text, words, /[ ;,:()]+/)
        for (i = 1; i <= n; i++) {
            if (words[i] == "unit" || words[i] == "e2e" || words[i] == "fuzz") kind = words[i]
            else if (words[i] ~ /^`[a-z0-9_]+`$/) print kind, substr(words[i], 2, length(words[i]) - 2)
        }
    }' SECURITY.md)
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 20 ]
