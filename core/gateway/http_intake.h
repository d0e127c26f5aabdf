/* http_intake.h - a body on its way in that is not looked at in the connection's buffer: raw ones of routes that are
 * large or of unknown length, and all of multipart/form-data. Up to 64 KiB stay in memory; of what is more each piece
 * (the body, or a part of it) goes to a file of its own. Gateway thread. */
#ifndef GATEWAY_HTTP_INTAKE_H
#define GATEWAY_HTTP_INTAKE_H

#include "base/base.h"

struct http_conn;
struct http_server;
struct http_intake;
struct call;

enum { INTAKE_MEMORY_MAX = 65536 /* bytes of a body that stay in memory */ };

/* Starts one for the request that c->req has the head of, which lies at `head`. boundary.ptr NULL: the body is taken as
 * it is. is_method: what the parts are is told by the method's answer, and those without a file name stay in memory.
 * False: refused, the answer is on its way. */
bool http_intake_start(struct http_conn *c, const char *head, bool is_multipart, taut_str boundary, bool is_method);

/* Takes what comes of the body; returns how many bytes of it were the request's. What is wrong has been answered then:
 * c->intake is NULL. */
size_t http_intake_feed(struct http_conn *c, const char *p, size_t n);
bool http_intake_wants(const struct http_intake *i); /* more of the body, now */
bool http_intake_is_whole(const struct http_intake *i);
bool http_intake_holds(const struct http_intake *i); /* memory that is not on its way to the disk */
/* Its copy of the head, for http_dispatch. */
const char *http_intake_head(const struct http_intake *i);
/* Why a method's multipart body is none, or NULL. */
const char *http_intake_error(const struct http_intake *i);

/* The call has it from here on: its http.body, parts, release. c->intake is NULL then. */
void http_intake_give(struct http_conn *c, struct call *call);
void http_intake_drop(struct http_conn *c); /* c->intake may be NULL */

#endif
