/* http_edge.h - what the edge (edge.h) has to say to requests: who asks, below which path, from which pages. Gateway
 * thread. data: where the head of c->req lies. */
#ifndef GATEWAY_HTTP_EDGE_H
#define GATEWAY_HTTP_EDGE_H

#include "gateway/http.h"

/* The path below that of public_url; a proxy may have cut that off already. */
taut_str http_path_below(const struct http_conn *c, taut_str path);

/* Requests that go no further: a preflight of a browser, a foreign name on the admin address. True: it was answered. */
bool http_edge_answers(struct http_conn *c, const char *data);

/* May a WebSocket be opened? Takes the seat of whom a proxy asks for. False: no, that was answered. */
bool http_may_open(struct http_conn *c, const char *data);

/* Whom limits of addresses take for one who asks; 0: nobody whom they hold for. */
uint64_t http_limited_group(const struct http_conn *c, const char *data);

/* Fills who asks in a new call. */
void http_name_client(const struct http_conn *c, const char *data, struct call *call);

/* Lets a page read the answers that were added since `from`, when it may read those of /api. */
void http_cors(struct http_conn *c, const char *data, uint16_t from);

#endif
