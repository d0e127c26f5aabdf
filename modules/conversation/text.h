/* text.h - the rules of texts that need no store: message times, channel names, reaction names, lists.
 * Pure functions, any thread.
 */
#ifndef CONVERSATION_TEXT_H
#define CONVERSATION_TEXT_H

#include "taut/types.h"

enum {
    CHANNEL_NAME_MAX = 80,    /* characters */
    MESSAGE_TEXT_MAX = 40000, /* characters */
    REACTION_NAME_MAX = 100,
    STAMP_SIZE = 28
};

/* A message time as text: "1512085950.000216". out gets STAMP_SIZE bytes; returned is the text in it. */
taut_str stamp_write(char out[STAMP_SIZE], int64_t us);
/* And back. Whole seconds and shorter fractions count too; -1 when it is no time. */
int64_t stamp_read(taut_str s);
/* The same for bounds of time, which programs compute: digits beyond the sixth are left out. */
int64_t stamp_read_bound(taut_str s);

/* NULL, or Slack's code for what is wrong with the name. */
const char *channel_name_error(taut_str name);
int reaction_name_ok(taut_str name);

/* Is there nothing but blanks? */
int text_blank(taut_str s);
/* Characters of a valid UTF-8 text. */
size_t text_length(taut_str s);
int text_is_utf8(taut_str s); /* what clients get as JSON must be */
/* The first `max` characters of it. */
taut_str text_cut(taut_str s, size_t max);

/* The next item of a comma list; *rest moves behind it. 0 at the end. Empty items are left out. */
int list_next(taut_str *rest, taut_str *item);
int list_has(taut_str list, taut_str item);
size_t list_count(taut_str list);

#endif
