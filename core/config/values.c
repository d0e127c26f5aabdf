/* values.c - the values of options, whatever their type: empty, compared, copied, and as the text that one would write
 * in the file, on one line. A secret is never turned into text. */
#include <stdio.h>

#include "config/internal.h"

static const struct taut_array *as_array(const void *field) {
    return field;
}

void *option_pair_field(const struct taut_opt *item, struct taut_opt_pair *pair) {
    if (option_is_text(item)) return &pair->text;
    return item->type == TAUT_OPT_FLOAT ? (void *)&pair->real : (void *)&pair->number;
}

static const void *pair_value(const struct taut_opt *item, const struct taut_opt_pair *pair) {
    return option_pair_field(item, (struct taut_opt_pair *)(uintptr_t)pair);
}

void option_clear(const struct taut_opt *o, void *field) {
    static const taut_str empty = {"", 0};
    memset(field, 0, option_field_size(o));
    if (option_is_text(o)) memcpy(field, &empty, sizeof empty);
}

/* ---- equal? ---- */

static bool structs_equal(struct taut_array opts, const char *a, const char *b) {
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        if (!option_equal(&o, a + o.offset, b + o.offset)) return false;
    }
    return true;
}

static bool arrays_equal(const struct taut_opt *o, const struct taut_array *a, const struct taut_array *b) {
    struct taut_opt item = option_item(o);
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++) {
        const void *x = TAUT_AT(*a, char, i), *y = TAUT_AT(*b, char, i);
        if (o->type == TAUT_OPT_MAP) {
            const struct taut_opt_pair *p = x, *q = y;
            if (!taut_str_eq(p->key, q->key)) return false;
            x = pair_value(&item, p), y = pair_value(&item, q);
        }
        if (!option_equal(&item, x, y)) return false;
    }
    return true;
}

bool option_equal(const struct taut_opt *o, const void *a, const void *b) {
    if (o->type == TAUT_OPT_STRUCT) return structs_equal(o->options, a, b);
    if (o->type == TAUT_OPT_LIST || o->type == TAUT_OPT_MAP) return arrays_equal(o, as_array(a), as_array(b));
    if (option_is_text(o)) return taut_str_eq(*(const taut_str *)a, *(const taut_str *)b);
    return memcmp(a, b, option_field_size(o)) == 0;
}

/* ---- copies ---- */

static void copy_array(struct arena *a, const struct taut_opt *o, struct taut_array *to,
                       const struct taut_array *from) {
    struct taut_opt item = option_item(o);
    size_t size = from->elem_size;
    char *items = arena_zalloc(a, (from->len + 1) * size);
    for (uint32_t i = 0; i < from->len; i++) {
        const char *source = TAUT_AT(*from, char, i);
        memcpy(items + i * size, source, size);
        if (o->type == TAUT_OPT_LIST) {
            option_copy(a, &item, items + i * size, source);
            continue;
        }
        struct taut_opt_pair *pair = (struct taut_opt_pair *)(void *)(items + i * size);
        pair->key = arena_str(a, pair->key);
        if (option_is_text(&item)) pair->text = arena_str(a, pair->text);
    }
    *to = (struct taut_array){items, from->len, from->elem_size};
}

void option_copy(struct arena *a, const struct taut_opt *o, void *to, const void *from) {
    if (o->type == TAUT_OPT_STRUCT) {
        for (uint32_t i = 0; i < o->options.len; i++) {
            struct taut_opt inner = option_at(o->options, i);
            option_copy(a, &inner, (char *)to + inner.offset, (const char *)from + inner.offset);
        }
    } else if (o->type == TAUT_OPT_LIST || o->type == TAUT_OPT_MAP) {
        copy_array(a, o, to, as_array(from));
    } else if (option_is_text(o)) {
        *(taut_str *)to = arena_str(a, *(const taut_str *)from);
    } else {
        memcpy(to, from, option_field_size(o));
    }
}

/* ---- as text ---- */

static void write_struct(FILE *out, struct taut_array opts, const char *fields) {
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        fprintf(out, "%s%s: ", i ? ", " : "{", o.name);
        option_write(out, &o, fields + o.offset);
    }
    fputc('}', out);
}

static void write_flags(FILE *out, const struct taut_opt *o, int64_t bits) {
    const char *at = o->choices, *between = "[";
    for (uint32_t i = 0; at && i < TAUT_OPT_CHOICES_MAX; i++) {
        size_t n = strcspn(at, "|");
        if (bits & (int64_t)1 << i) fprintf(out, "%s%.*s", between, (int)n, at), between = ", ";
        at = at[n] ? at + n + 1 : NULL;
    }
    fputs(*between == '[' ? "[]" : "]", out);
}

static void write_list(FILE *out, const struct taut_opt *o, const struct taut_array *list) {
    struct taut_opt item = option_item(o);
    fputc('[', out);
    for (uint32_t i = 0; i < list->len; i++) {
        if (i) fputs(", ", out);
        option_write(out, &item, TAUT_AT(*list, char, i));
    }
    fputc(']', out);
}

static void write_map(FILE *out, const struct taut_opt *o, const struct taut_array *map) {
    struct taut_opt item = option_item(o);
    fputc('{', out);
    for (uint32_t i = 0; i < map->len; i++) {
        const struct taut_opt_pair *pair = TAUT_AT(*map, struct taut_opt_pair, i);
        if (i) fputs(", ", out);
        yaml_write(out, pair->key);
        fputs(": ", out);
        option_write(out, &item, pair_value(&item, pair));
    }
    fputc('}', out);
}

/* What would be read as a reference is doubled (expand.c). */
static void write_text(FILE *out, taut_str text) {
    char *doubled = xmalloc(text.len * 3 / 2 + 2);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '$' && i + 1 < text.len && text.ptr[i + 1] == '{') doubled[n++] = '$';
        doubled[n++] = text.ptr[i];
    }
    yaml_write(out, taut_str_n(doubled, n));
    free(doubled);
}

void option_write(FILE *out, const struct taut_opt *o, const void *field) {
    struct arena scratch = {0};
    double real;
    int64_t number;
    if (o->type == TAUT_OPT_SECRET) {
        fputs(((const taut_str *)field)->len ? SECRET_TEXT : "\"\"", out);
    } else if (o->type == TAUT_OPT_STRUCT) {
        write_struct(out, o->options, field);
    } else if (o->type == TAUT_OPT_LIST) {
        write_list(out, o, as_array(field));
    } else if (o->type == TAUT_OPT_MAP) {
        write_map(out, o, as_array(field));
    } else if (option_is_text(o)) {
        write_text(out, *(const taut_str *)field);
    } else if (o->type == TAUT_OPT_FLOAT) {
        memcpy(&real, field, sizeof real);
        fputs(option_real_text(&scratch, real).ptr, out);
    } else {
        memcpy(&number, field, sizeof number);
        if (o->type == TAUT_OPT_FLAGS) write_flags(out, o, number);
        else fputs(option_number_text(&scratch, o, number).ptr, out);
    }
    arena_free(&scratch);
}

taut_str option_text(struct arena *a, const struct taut_opt *o, const void *field) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) panic("out of memory");
    option_write(out, o, field);
    fclose(out);
    taut_str copy = arena_str(a, taut_str_n(text, len));
    free(text);
    return copy;
}
