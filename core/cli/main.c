/* main.c - the program's entry; cli_main is in a library so that tests link it. */
#include "cli/cli.h"

int main(int argc, char **argv) {
    return cli_main(argc, argv);
}
