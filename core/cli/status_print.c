/* status_print.c - the answer of taut status, for people. Whatever the running server left out, because it is another
 * version, is left out here. */
#include <jansson.h>

#include "cli/internal.h"

static const char *text(const json_t *o, const char *key) {
    const char *z = json_string_value(json_object_get(o, key));
    return z ? z : "";
}
static long long integer(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}
static double number(const json_t *o, const char *key) {
    return json_number_value(json_object_get(o, key));
}

/* "3.2 MiB", in a buffer of the caller's. */
static const char *size(char out[32], double bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < COUNT_OF(units)) bytes /= 1024, unit++;
    snprintf(out, 32, unit && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

/* "2 h 14 min". */
static const char *duration(char out[48], long long s) {
    if (s < 60) snprintf(out, 48, "%lld s", s);
    else if (s < 3600) snprintf(out, 48, "%lld min %lld s", s / 60, s % 60);
    else if (s < 86400) snprintf(out, 48, "%lld h %lld min", s / 3600, s % 3600 / 60);
    else snprintf(out, 48, "%lld d %lld h", s / 86400, s % 86400 / 3600);
    return out;
}

static void print_head(FILE *out, const json_t *o) {
    char up[48];
    bool ready = json_is_true(json_object_get(o, "ready"));
    fprintf(out, "Taut %s (module ABI %s), process %lld, up %s\n", text(o, "version"), text(o, "abi"),
            integer(o, "pid"), duration(up, integer(o, "uptime_s")));
    fprintf(out, "%s at %s, admin %s\n", ready ? "ready" : "NOT READY", text(o, "public_url"), text(o, "admin"));
    fprintf(out, "data in %s\n", text(o, "data"));
    const json_t *reasons = json_object_get(o, "reasons"), *r;
    size_t i;
    json_array_foreach(reasons, i, r)
        fprintf(out, "  %s: %s: %s (%s)\n", text(r, "module"), text(r, "level"), text(r, "text"), text(r, "code"));
}

static void print_calls(FILE *out, const json_t *o) {
    const json_t *c = json_object_get(o, "calls"), *s = json_object_get(o, "store");
    char took[48];
    fprintf(out, "\ncalls     %lld under way: %lld reading, %lld committing, %lld held by modules",
            integer(c, "under_way"), integer(c, "reading"), integer(c, "committing"), integer(c, "held"));
    if (integer(c, "overdue")) fprintf(out, " (%lld behind their deadline)", integer(c, "overdue"));
    if (integer(c, "oldest_ms") >= 1000)
        fprintf(out, "; the oldest, %s, for %s", text(c, "oldest"), duration(took, integer(c, "oldest_ms") / 1000));
    fprintf(out, "\nstore     %s; %lld batches and %lld reads under way; a commit takes %.1f ms (p99 %.1f ms)\n",
            json_is_true(json_object_get(s, "takes_writes")) ? "takes writes" : "TAKES NO WRITES",
            integer(s, "commits_under_way"), integer(s, "reads_under_way"), number(s, "commit_p50_ms"),
            number(s, "commit_p99_ms"));
}

static void print_memory(FILE *out, const json_t *o) {
    const json_t *c = json_object_get(o, "cache"), *l = json_object_get(o, "logs");
    char bytes[32], limit[32], tail[32];
    fprintf(out, "cache     %lld rows, %s of %s; %.1f %% of the reads were at hand\n", integer(c, "rows"),
            size(bytes, number(c, "bytes")), size(limit, number(c, "limit_bytes")), 100 * number(c, "hit_rate"));
    fprintf(out, "logs      %lld in use, %lld events in memory (%s)\n", integer(l, "used"), integer(l, "tail_events"),
            size(tail, number(l, "tail_bytes")));
    fprintf(out, "hub       99 of 100 turns take less than %.2f ms\n", number(o, "hub_turn_p99_us") / 1000);
}

static void print_table(FILE *out, const json_t *o, const char *key) {
    const json_t *rows = json_object_get(o, key);
    if (!json_array_size(rows)) return;
    fprintf(out, "\n%s\n", key);
    render_table(out, rows, 2);
}

bool status_print(FILE *out, taut_str json) {
    json_t *o = json_loadb(json.ptr, json.len, 0, NULL);
    bool ok = json_is_object(o);
    if (ok) {
        print_head(out, o);
        print_calls(out, o);
        print_memory(out, o);
        print_table(out, o, "gateways");
        print_table(out, o, "modules");
        print_table(out, o, "services");
        print_table(out, o, "readers");
        print_table(out, o, "errors");
        if (integer(o, "crash_reports"))
            fprintf(out, "\n%lld crash report%s in the data directory, the newest: %s\n", integer(o, "crash_reports"),
                    integer(o, "crash_reports") == 1 ? "" : "s", text(o, "newest_crash_report"));
    }
    json_decref(o);
    return ok;
}
