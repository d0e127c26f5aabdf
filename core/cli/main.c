/* main.c - the program's entry; cli_main is in a library so that tests link it. */
#include "base/fault.h"
#include "cli/cli.h"

int main(int argc, char **argv) {
    faults_from_environment();
    return cli_main(argc, argv);
}
