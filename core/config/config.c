/* config.c - a configuration from its text: the sections, the list of modules, what the command line puts over it. */
#include "config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/internal.h"

#define SERVER(field, kind, ...) TAUT_OPT(struct server_config, field, kind, __VA_ARGS__)

#define PUBLIC_SCHEMES "http|https"
#define LIVE .flags = TAUT_OPT_LIVE

static const struct taut_opt tls_options[] = {
    TAUT_OPT(struct tls_config, cert, TAUT_OPT_PATH, .flags = TAUT_OPT_REQUIRED | TAUT_OPT_LIVE,
             .help =
                 "file of the certificate as PEM, followed by those that it was signed with; a reload reads it again"),
    TAUT_OPT(struct tls_config, key, TAUT_OPT_PATH, .flags = TAUT_OPT_REQUIRED | TAUT_OPT_LIVE,
             .help = "file of its private key as PEM, without a pass phrase"),
};
static const struct taut_opt server_options[] = {
    SERVER(listen, TAUT_OPT_ADDR, .dflt = "127.0.0.1:8065", .help = "address that people and programs connect to"),
    SERVER(public_url, TAUT_OPT_URL, .choices = PUBLIC_SCHEMES,
           .help = "how clients reach it from outside; http(s)://<listen> when not given, so needed with 0.0.0.0; "
                   "a path in it is the prefix below which everything is"),
    SERVER(tls, TAUT_OPT_STRUCT, .options = TAUT_ARRAY(tls_options), .help = "clients of listen speak TLS"),
    SERVER(trusted_proxies, TAUT_OPT_LIST, LIVE, .item = TAUT_OPT_NET,
           .help = "addresses of proxies whose X-Forwarded-For, -Proto and -Host are believed"),
    SERVER(allowed_origins, TAUT_OPT_LIST, LIVE, .item = TAUT_OPT_STR,
           .help = "origins of web pages, beside the server's own, that may use it from a browser; * for all"),
    SERVER(data, TAUT_OPT_PATH, .dflt = "var",
           .help = "directory of everything that is kept; a relative one is below this file's folder"),
    SERVER(module_path, TAUT_OPT_LIST, .item = TAUT_OPT_PATH, .max_items = 16,
           .help = "folders in which modules are looked for before those that were installed with the server; "
                   "relative ones are below this file's folder"),
    SERVER(gateways, TAUT_OPT_INT, .dflt = "0", .max = 32,
           .help = "threads for connections; 0: by the number of cores"),
    SERVER(max_connections, TAUT_OPT_INT, .dflt = "10000", .min = 1, .max = 10000000, .help = "open connections"),
    SERVER(max_connections_per_address, TAUT_OPT_INT, LIVE, .dflt = "1000", .max = 10000000,
           .help = "open connections of one address (of IPv6: of a /64); 0: any number"),
    SERVER(max_connects_per_second_per_address, TAUT_OPT_INT, LIVE, .dflt = "50", .max = 1000000,
           .help = "new connections of one address, on average over ten seconds; 0: any number"),
    SERVER(limit_exempt, TAUT_OPT_LIST, LIVE, .item = TAUT_OPT_NET, .dflt = "127.0.0.0/8, ::1",
           .help = "addresses that these two limits and that of max_spool do not hold for"),
    SERVER(max_calls, TAUT_OPT_INT, LIVE, .dflt = "16384", .min = 16, .max = 10000000,
           .help = "requests under way for each of the gateways; more are answered with 429"),
    SERVER(max_call_bytes, TAUT_OPT_BYTES, LIVE, .dflt = "64MiB", .min = 1 << 20, .max = 1LL << 40,
           .help = "their size, for each of the gateways; more are answered with 429"),
    SERVER(max_answers, TAUT_OPT_BYTES, LIVE, .dflt = "64MiB", .min = 1 << 20, .max = 1LL << 40,
           .help = "size of answers not yet read, for each of the gateways; above it the slowest reader is closed"),
    SERVER(max_input, TAUT_OPT_BYTES, LIVE, .dflt = "64MiB", .min = 1 << 20, .max = 1LL << 40,
           .help = "size of requests still arriving, for each of the gateways; above it the longest gets 503"),
    SERVER(max_body, TAUT_OPT_BYTES, LIVE, .dflt = "1MiB", .min = 1024, .max = 1 << 30,
           .help = "size of a request's body"),
    SERVER(max_spool, TAUT_OPT_BYTES, .dflt = "10GiB", .min = 1 << 20, .max = 1LL << 50,
           .help =
               "size of all bodies over 64 KiB that are kept below data/tmp until they are dealt with; one address has "
               "at most half of it"),
    SERVER(max_header, TAUT_OPT_BYTES, .dflt = "16KiB", .min = 1024, .max = 64 << 10, .help = "size of its head"),
    SERVER(header_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "10s", .min = 100, .max = 3600000,
           .help = "to send a head in"),
    SERVER(body_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "30s", .min = 100, .max = 3600000,
           .help = "for each 16 KiB of a request's body to arrive"),
    SERVER(answer_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "30s", .min = 100, .max = 3600000,
           .help = "for a client to read something of its answer"),
    SERVER(idle_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "120s", .min = 100, .max = 86400000,
           .help = "to close a connection without requests after"),
    SERVER(call_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "30s", .min = 10, .max = 3600000,
           .help = "to answer a call in"),
    SERVER(start_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "60s", .min = 100, .max = 3600000,
           .help = "for one module to start in; the server goes on without one that does not"),
    SERVER(stop_timeout, TAUT_OPT_DURATION, LIVE, .dflt = "10s", .min = 100, .max = 3600000,
           .help = "for one module to stop in; the store has at most 7s"),
    SERVER(ping_interval, TAUT_OPT_DURATION, .dflt = "10s", .min = 100, .max = 3600000, .help = "between pings"),
    SERVER(cache, TAUT_OPT_BYTES, LIVE, .dflt = "32MiB", .max = 1LL << 40, .help = "rows kept in memory"),
    SERVER(tail_events, TAUT_OPT_INT, LIVE, .dflt = "20000", .min = 1, .max = 10000000,
           .help = "events kept in memory for each workspace"),
    SERVER(connection_queue, TAUT_OPT_BYTES, LIVE, .dflt = "256KiB", .min = 4096, .max = 1 << 30,
           .help = "bytes waiting for one slow connection"),
    SERVER(rate_limits, TAUT_OPT_BOOL, LIVE, .dflt = "true",
           .help = "limit how fast one connection may send; nothing else has a limit yet"),
    SERVER(log_format, TAUT_OPT_ENUM, LIVE, .dflt = "text", .choices = "text|json",
           .help = "how a line of the log looks"),
    SERVER(log_file, TAUT_OPT_PATH,
           .help = "where the log goes; stderr when not given. SIGUSR1 or SIGHUP begin a new file after rotation"),
    SERVER(log_level, TAUT_OPT_ENUM, LIVE, .dflt = "info", .choices = "debug|info|warn|error",
           .help = "least level that is logged"),
};
static const struct taut_opt admin_options[] = {
    TAUT_OPT(struct admin_config, listen, TAUT_OPT_ADDR, .dflt = "127.0.0.1:8066", .help = "address of /metrics"),
};
const struct taut_array config_server_options = TAUT_ARRAY(server_options);
const struct taut_array config_admin_options = TAUT_ARRAY(admin_options);

const struct node *node_child(const struct node *map, const char *key) {
    for (const struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
        if (taut_str_is(n->key, key)) return n;
    return NULL;
}

/* Follows the path as far as it goes; *rest is what is left of it, or NULL. */
static const struct node *follow(const struct node *map, const char *option, const char **rest) {
    const struct node *at = NULL;
    char key[CONFIG_NAME_MAX + 1];
    *rest = option;
    while (*rest) {
        size_t n = strcspn(*rest, ".");
        if (n >= sizeof key) break;
        memcpy(key, *rest, n);
        key[n] = 0;
        map = node_child(map, key);
        if (!map) break;
        at = map;
        *rest = (*rest)[n] ? *rest + n + 1 : NULL;
    }
    return at;
}

const struct node *config_node(const struct node *map, const char *option) {
    const char *rest;
    const struct node *at = follow(map, option, &rest);
    return rest ? NULL : at;
}

const struct node *config_find(const struct node *map, const char *option, const struct node *where) {
    const char *rest;
    const struct node *at = follow(map, option, &rest);
    return at ? at : where;
}

bool config_given(const struct config *c, const char *section, const char *option) {
    return node_child(node_child(c->root, section), option) != NULL;
}

taut_str path_absolute(struct arena *a, taut_str base, taut_str path) {
    if (path.len && path.ptr[0] == '/') return arena_str(a, path);
    while (path.len > 1 && path.ptr[0] == '.' && path.ptr[1] == '/') path.ptr += 2, path.len -= 2;
    if (taut_str_is(path, ".") || !path.len) return arena_str(a, base);
    while (base.len && base.ptr[base.len - 1] == '/') base.len--;
    return arena_fmt(a, "%.*s/%.*s", (int)base.len, base.ptr, (int)path.len, path.ptr);
}

bool name_is_valid(taut_str name) {
    if (!name.len || name.len > CONFIG_NAME_MAX || name.ptr[0] < 'a' || name.ptr[0] > 'z') return false;
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_')) return false;
    }
    return true;
}

taut_str config_url_of(struct config *c, taut_str listen) {
    return arena_fmt(&c->arena, "http://%.*s", (int)listen.len, listen.ptr);
}

taut_str config_own_url(struct config *c) {
    taut_str listen = c->server.listen;
    return arena_fmt(&c->arena, "http%s://%.*s", c->server.tls.cert.len ? "s" : "", (int)listen.len, listen.ptr);
}

/* ---- modules ---- */

/* One item: a name, or a map from one name to its options. False when it is neither. */
static bool read_module(struct config *c, struct node *item, struct config_module *m) {
    memset(m, 0, sizeof *m);
    m->where = item;
    if (item->kind == NODE_SCALAR && item->text.len) {
        m->module = m->name = item->text;
        return true;
    }
    struct node *options = item->kind == NODE_MAP ? item->first : NULL;
    if (!options) {
        config_error(c, item, "modules", "an item is the name of a module, or its name with a map of options");
        return false;
    }
    if (options->next) {
        config_error(c, item, "modules",
                     "one module an item, but here are \"%s\" and \"%s\"; indent the options further than the name",
                     options->key.ptr, options->next->key.ptr);
        return false;
    }
    m->module = m->name = options->key;
    if (options->kind == NODE_MAP) {
        m->options = options;
        item_take_own(c, m);
    } else if (options->kind == NODE_LIST || options->text.len) {
        config_error(c, options, arena_fmt(&c->arena, "modules.%s", m->module.ptr).ptr, "must be a map of options");
    }
    return true;
}

/* One item, behind those that are there. False when it is not added. */
static bool add_module(struct config *c, struct node *item) {
    struct config_module *m = &c->modules[c->nmodules];
    if (!read_module(c, item, m)) return false;
    if (!name_is_valid(m->module)) {
        config_error(c, item, "modules", "\"%s\" is not the name of a module", m->module.ptr);
        return false;
    }
    const struct config_module *before = c->modules;
    while (before < m && !taut_str_eq(before->name, m->name)) before++;
    if (before < m) {
        config_error(c, item, arena_fmt(&c->arena, "modules.%s", m->name.ptr).ptr,
                     "is listed twice, first in line %u; give one of them a name of its own with \"as:\"",
                     before->where->line);
        return false;
    }
    c->nmodules++;
    return true;
}

void config_list_modules(struct config *c, const struct node *list) {
    if (list->kind != NODE_LIST) {
        config_error(c, list, "modules", "must be a list of modules");
        return;
    }
    uint32_t n = 0;
    for (const struct node *i = list->first; i; i = i->next) n++;
    c->modules_whole = true;
    c->modules = arena_zalloc(&c->arena, (n + 1) * sizeof *c->modules);
    for (struct node *i = list->first; i; i = i->next) {
        if (add_module(c, i)) continue;
        c->modules_whole = false;
    }
}

static void read_modules(struct config *c) {
    const struct node *list = node_child(c->root, "modules");
    if (list) config_list_modules(c, list);
    else config_error(c, c->root, "modules", "is missing; without modules a server does nothing");
}

void config_add_module(struct config *c, const char *module) {
    struct config_module *list = arena_zalloc(&c->arena, (c->nmodules + 1) * sizeof *list);
    if (c->nmodules) memcpy(list, c->modules, c->nmodules * sizeof *list);
    list[c->nmodules].module = list[c->nmodules].name = arena_str(&c->arena, taut_str_z(module));
    c->modules = list;
    c->nmodules++;
}

/* ---- sections ---- */

static void check_sections(struct config *c) {
    static const char *const names[] = {"server", "admin", "modules"};
    for (const struct node *n = c->root->first; n; n = n->next) {
        bool known = false;
        for (size_t i = 0; i < COUNT_OF(names) && !known; i++) known = taut_str_is(n->key, names[i]);
        if (known) continue;
        const char *near = nearest(n->key, names, COUNT_OF(names));
        config_error_at(c, n->key_line, n->key_col, NULL, "unknown section \"%s\"%s%s%s", n->key.ptr,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

/* At the flag of the command line; NULL: at the node, as path. */
static void error_of(struct config *c, const char *flag, const struct node *at, const char *path, const char *why) {
    char *file = c->file;
    if (flag) c->file = (char *)(uintptr_t)flag;
    config_error(c, flag ? NULL : at, flag ? NULL : path, "%s", why);
    c->file = file;
}

static taut_str host_of(taut_str address) {
    const char *colon = strrchr(address.ptr, ':');
    taut_str host = taut_str_n(address.ptr, colon ? (size_t)(colon - address.ptr) : address.len);
    return taut_str_is(host, "localhost") ? TAUT_LIT("127.0.0.1") : host;
}

/* Does it mean all addresses of this machine (*, 0.0.0.0, 0, [::] …)? Then it is none that a client could open. */
static bool is_wildcard(taut_str listen) {
    taut_str host = host_of(listen);
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    bool in_brackets = host.len > 1 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (in_brackets) host = taut_str_n(host.ptr + 1, host.len - 2);
    if (taut_str_is(host, "*")) return true;
    if (host.len >= sizeof text) return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = 0;
    if (in_brackets) return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6);
    return inet_aton(text, &v4) && v4.s_addr == INADDR_ANY;
}

/* Is this segment of a path . or .., in any spelling? */
static bool is_dots(const char *at, size_t n) {
    size_t dots = 0;
    for (; n; dots++) {
        size_t step = *at == '.' ? 1 : n >= 3 && !strncasecmp(at, "%2e", 3) ? 3 : 0;
        if (!step) return false;
        at += step;
        n -= step;
    }
    return dots == 1 || dots == 2;
}

/* What the server cannot be reached by, or could not build addresses on. */
static bool is_base_url(taut_str url) {
    size_t path = strcspn(strstr(url.ptr, "://") + 3, "/?#") + (size_t)(strstr(url.ptr, "://") + 3 - url.ptr);
    if (memchr(url.ptr, '@', path) || strpbrk(url.ptr, "?#")) return false;
    for (const char *at = url.ptr + path; *at; at += strcspn(at, "/")) {
        size_t n = strcspn(++at, "/");
        if (is_dots(at, n)) return false;
    }
    return true;
}

/* 1 to 65535, or none. */
static bool has_right_port(taut_str url) {
    const char *host = strstr(url.ptr, "://") + 3, *end = host + strcspn(host, "/?#"), *port = end;
    while (port > host && port[-1] != ':' && port[-1] != ']') port--;
    if (port == host || port[-1] != ':') return true;
    size_t n = (size_t)(end - port);
    long number = n && n <= 5 && strspn(port, "0123456789") == n ? strtol(port, NULL, 10) : 0;
    return number >= 1 && number <= 65535;
}

static void check_public_url(struct config *c, const char *flag) {
    taut_str *url = &c->server.public_url;
    const struct node *section = node_child(c->root, "server");
    if (!url->len) {
        *url = config_own_url(c);
        if (is_wildcard(c->server.listen) && !node_child(section, "public_url"))
            config_error(c, node_child(section, "listen"), "server.public_url",
                         "must be given when listen is %s, which no client can connect to; write what they use, like "
                         "http://192.0.2.7:8065 or https://chat.example.org",
                         c->server.listen.ptr);
        return;
    }
    bool is_base = is_base_url(*url);
    if (!is_base || !has_right_port(*url)) {
        error_of(c, flag, node_child(section, "public_url"), "server.public_url",
                 is_base ? "its port is none: write a number from 1 to 65535, or leave it out"
                         : "may not have a user, a query or a fragment, nor . or .. in its path; write it like "
                           "https://chat.example.org/chat");
        *url = config_own_url(c);
        return;
    }
    if (c->server.tls.cert.len && url->len > 7 && memcmp(url->ptr, "http://", 7) == 0)
        config_warn(c, node_child(section, "public_url"), "server.public_url",
                    "is %s, but clients speak TLS (server.tls): write https://", url->ptr);
    while (url->len && url->ptr[url->len - 1] == '/') *url = arena_str(&c->arena, taut_str_n(url->ptr, url->len - 1));
}

static void check_listeners(struct config *c) {
    taut_str a = c->server.listen, b = c->admin.listen;
    const char *port = strrchr(a.ptr, ':'), *other = strrchr(b.ptr, ':');
    if (!port || !other || strcmp(port, other) != 0 || strtol(port + 1, NULL, 10) == 0) return;
    if (!taut_str_eq(host_of(a), host_of(b)) && !is_wildcard(a) && !is_wildcard(b)) return;
    const struct node *at = node_child(node_child(c->root, "admin"), "listen");
    if (!at) at = node_child(node_child(c->root, "server"), "listen");
    config_error(c, at, "admin.listen", "%s is taken by server.listen (%s); give one of them another port", b.ptr,
                 a.ptr);
}

void config_check(struct config *c) {
    check_listeners(c);
    c->asked.server = c->server;
    c->asked.admin = c->admin;
}

/* A value from the command line in place of the file's. Its errors name the flag, not the file. */
static void override(struct config *c, const char *flag, uint32_t type, const char *text, taut_str base,
                     taut_str *into) {
    struct taut_opt o = {.name = flag, .type = type, .choices = type == TAUT_OPT_URL ? PUBLIC_SCHEMES : NULL};
    if (!text) return;
    const char *why = *text ? option_parse(c, &o, taut_str_z(text), base, into) : "needs a value";
    if (why) error_of(c, flag, NULL, NULL, why);
}

/* folder: that of the file, which relative paths in it are below; NULL: the current one. */
static void apply_sections(struct config *c, const char *folder, const struct config_override *o) {
    char cwd[PATH_MAX];
    taut_str here = taut_str_z(getcwd(cwd, sizeof cwd) ? cwd : "/");
    c->folder = folder ? path_absolute(&c->arena, here, taut_str_z(folder)) : arena_str(&c->arena, here);
    config_apply(c, config_server_options, node_child(c->root, "server"), c->root, "server", c->folder, &c->server);
    config_apply(c, config_admin_options, node_child(c->root, "admin"), c->root, "admin", c->folder, &c->admin);
    if (o) {
        override(c, "--listen", TAUT_OPT_ADDR, o->listen, here, &c->server.listen);
        override(c, "--admin-listen", TAUT_OPT_ADDR, o->admin_listen, here, &c->admin.listen);
        override(c, "--data", TAUT_OPT_PATH, o->data, here, &c->server.data);
        if (o->listen && !is_wildcard(c->server.listen)) c->server.public_url = TAUT_LIT("");
        override(c, "--public-url", TAUT_OPT_URL, o->public_url, here, &c->server.public_url);
    }
    check_public_url(c, o && o->public_url ? "--public-url" : NULL);
}

static struct config *config_new(const char *name) {
    struct config *c = xcalloc(1, sizeof *c);
    c->file = xstrdup(name);
    c->errors.arena = c->warnings.arena = &c->arena;
    return c;
}

static struct config *read_text(const char *name, const char *folder, taut_str yaml, const struct config_override *o) {
    struct config *c = config_new(name);
    if (yaml.len > CONFIG_BYTES_MAX) {
        config_error(c, NULL, NULL, "is larger than 1 MiB");
        yaml.len = 0;
    } else {
        yaml_read(c, yaml);
    }
    bool readable = !c->errors.n;
    if (readable && !c->root) {
        config_error(c, NULL, NULL, "is empty; list at least the modules to run");
    } else if (c->root && c->root->kind != NODE_MAP) {
        config_error(c, c->root, NULL, "must be a map with the sections server, admin and modules");
        c->root = NULL;
    } else if (c->root) {
        check_sections(c);
        read_modules(c);
    }
    apply_sections(c, folder, o);
    return c;
}

struct config *config_read_text(const char *name, taut_str yaml, const struct config_override *o) {
    return read_text(name, NULL, yaml, o);
}

/* A pipe whose writer has not written yet is waited for, as long as that may take; one without a writer is empty. */
static bool goes_on(int fd, ssize_t got) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (got >= 0 || errno == EINTR) return got != 0;
    return errno == EAGAIN && (poll(&p, 1, -1) == 1 || errno == EINTR);
}

/* The whole file, or NULL with errno; EFBIG when it is over the limit, ENOTSUP when it is to be a file and is none. */
static char *slurp(const char *path, bool only_file, size_t *len) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    if (only_file && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = ENOTSUP;
        return NULL;
    }
    char *text = xmalloc(CONFIG_BYTES_MAX + 1);
    ssize_t got;
    *len = 0;
    do {
        got = read(fd, text + *len, CONFIG_BYTES_MAX + 1 - *len);
        if (got > 0) *len += (size_t)got;
    } while (goes_on(fd, got));
    int err = got < 0 ? errno : *len > CONFIG_BYTES_MAX ? EFBIG : 0;
    close(fd);
    if (err) free(text), text = NULL, errno = err;
    return text;
}

struct config *config_read_file(const char *path, const struct config_override *o) {
    size_t len;
    char *text = slurp(path, o && o->only_file, &len);
    if (text) {
        const char *slash = strrchr(path, '/');
        char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : NULL;
        struct config *c = read_text(path, folder, taut_str_n(text, len), o);
        free(folder);
        free(text);
        return c;
    }
    int err = errno;
    struct config *c = config_new(path);
    if (err == EFBIG) config_error(c, NULL, NULL, "is larger than 1 MiB");
    else if (err == ENOTSUP)
        config_error(c, NULL, NULL, "is no regular file; a server that runs reads its configuration from a file only");
    else config_error(c, NULL, NULL, "cannot be read: %s", strerror(err));
    apply_sections(c, NULL, o);
    return c;
}

void config_free(struct config *c) {
    if (!c) return;
    free(c->file);
    arena_free(&c->arena);
    free(c);
}
