/* cli.h - the `taut` program: everything behind main(), so that tests can link it. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no server runs (commands that need one). */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_NO_SERVER = 3 };

int cli_main(int argc, char **argv);

#endif
