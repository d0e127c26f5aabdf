# lib.sh - what the scripts share. Sourced by bash; leaves the working directory at the top of the tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
die() {
    say "taut: $*"
    exit 1
}

# as_root COMMAND…: as it is when root, else through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "'$*' needs root; run it as root, or install sudo, then try again"
    fi
}

# The major version of a Node.js program, or 0.
node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

NODE_NEEDED=20 # what @slack/web-api asks for
node_is_new_enough() { [ "$(node_major node)" -ge "$NODE_NEEDED" ]; }

# The Node.js that runs the tests: the machine's own, else the one that package-lock.json pins.
node_program() {
    if node_is_new_enough; then command -v node; else echo "$PWD/node_modules/.bin/node"; fi
}

# build_tree DIR [CMake options…]: configures DIR once, then builds what has changed.
build_tree() {
    local dir=$1
    shift
    [ -f "$dir/build.ninja" ] || cmake -S . -B "$dir" -G Ninja "$@" || return
    ninja -C "$dir"
}
