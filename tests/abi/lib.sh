# lib.sh - what gate.sh and release.sh share. Sourced; the working directory is the top of the tree.
KEPT_HEADERS_ONLY=(-std=gnu11 -w)

# types_so INCLUDE FILE: the shared object with every public type, with debug information.
types_so() {
    cc -std=gnu11 -g -O0 -fPIC -shared -fvisibility=hidden -Wl,-soname,types.so -I"$1" tests/abi/types.c -o "$2"
}

# types_abi FILE.so: its types as XML, without anything of this machine.
types_abi() { abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed "$1"; }
