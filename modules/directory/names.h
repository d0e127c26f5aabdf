/* names.h - what may be a name, and what stands for one. Pure functions. */
#ifndef DIRECTORY_NAMES_H
#define DIRECTORY_NAMES_H

#include "taut/types.h"

enum { NAME_MAX_LEN = 80, DOMAIN_MAX_LEN = 21, TITLE_MAX_LEN = 200 };

/* People and bots: 1 to 80 of a-z 0-9 . _ - */
int name_valid(taut_str name);
#define NAME_RULE "1 to 80 characters: lower case letters, digits, '.', '_' and '-'"

/* Workspaces: 1 to 21 of a-z 0-9 -, not beginning or ending with '-'. */
int domain_valid(taut_str domain);
#define DOMAIN_RULE "1 to 21 characters: lower case letters, digits and '-', none at its ends"

/* A domain made of a workspace's name: what may stand there in lower case, the rest as one '-'. Empty when nothing is
 * left. out holds DOMAIN_MAX_LEN bytes. */
taut_str domain_from_name(taut_str name, char out[DOMAIN_MAX_LEN]);

/* Text for people (real names, workspace names): 1 to 200 bytes without control characters. */
int title_valid(taut_str title);
#define TITLE_RULE "1 to 200 bytes without control characters"

/* An email address as far as it matters here: something, '@', something; no blanks or control characters. */
int email_valid(taut_str email);

#endif
