/* SPDX-License-Identifier: Apache-2.0
 *
 * One object in the shape that was asked for: itself, a Table row, or its metadata (kube-wire §10).
 * Rows carry their cells ready-made; only ages are computed while answering.
 */
#include "kube/priv.h"

#include "engine/cells.h"

void kube_table_columns(struct buf *out, const struct api_kind *k)
{
    buf_addz(out, "\"columnDefinitions\":[");
    for (size_t i = 0; i < k->n_columns; i++) {
        const struct api_column *c = &k->columns[i];
        buf_addz(out, i ? ",{\"name\":" : "{\"name\":");
        buf_add_json_string(out, str_of(c->name));
        buf_addz(out, ",\"type\":");
        buf_add_json_string(out, str_of(c->type));
        buf_addz(out, ",\"format\":");
        buf_add_json_string(out, str_of(c->format));
        buf_addz(out, ",\"description\":");
        buf_add_json_string(out, str_of(c->description));
        buf_printf(out, ",\"priority\":%d}", c->priority);
    }
    buf_addc(out, ']');
}

static struct str age_of(struct arena *a, struct str time)
{
    int64_t ns;
    if (!time.len || !clock_parse_rfc3339(time, &ns)) {
        return STR("<unknown>");
    }
    return clock_human_age(a, (clock_real_ns() - ns) / NS_PER_S);
}

static bool is_age_cell(const struct api_column *c)
{
    return strncmp(c->source, "age:", 4) == 0;
}

static bool has_age_cells(const struct api_kind *k)
{
    for (size_t i = 0; i < k->n_columns; i++) {
        if (is_age_cell(&k->columns[i])) {
            return true;
        }
    }
    return false;
}

/* Stored cells with times turned into ages, and the age of the object behind them. */
static int add_cells(struct buf *out, const struct api_kind *k, struct str cells, struct str meta,
                     struct arena *a, struct err *err)
{
    bool age = cells_has_age(k);
    if (!age && !has_age_cells(k)) {
        buf_add_str(out, cells);
        return 0;
    }
    if (has_age_cells(k)) {
        struct node *list = json_parse(a, cells, NULL, err);
        if (!list) {
            return -1;
        }
        for (size_t i = 0; i < list->n && i < k->n_columns; i++) {
            if (is_age_cell(&k->columns[i])) {
                list->items[i] = node_str(a, age_of(a, node_text(list->items[i])));
            }
        }
        cells = json_emit_str(a, list);
    }
    if (!age) {
        buf_add_str(out, cells);
        return 0;
    }
    struct node *m = json_parse(a, meta, NULL, err);
    if (!m) {
        return -1;
    }
    buf_add_str(out, str_sub(cells, 0, cells.len - 1));
    buf_addz(out, cells.len > 2 ? "," : "");
    buf_add_json_string(out, age_of(a, node_text_at(m, "creationTimestamp")));
    buf_addc(out, ']');
    return 0;
}

static void add_partial(struct buf *out, const struct kube_shaper *s, struct str meta)
{
    buf_printf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/%s\","
                    "\"metadata\":%.*s}",
               s->accept.meta_version, STR_ARG(meta));
}

/* What the shapes are made of. */
struct parts {
    struct str json, meta, cells;
};

/* Rows of a kind in its own form bring everything with them. */
static bool row_is_whole(const struct api_kind *k)
{
    return !kube_is_resources(k) && kube_stored_form(k) == k;
}

static int parts_of_json(const struct api_kind *k, struct str json, struct arena *a, bool cells,
                         struct parts *out, struct err *err)
{
    struct node *object = json_parse(a, json, NULL, err);
    if (!object) {
        return -1;
    }
    out->json = json;
    struct node *meta = node_getz(object, "metadata");
    out->meta = meta ? json_emit_str(a, meta) : STR("{}");
    if (cells) {
        AUTO_BUF b = BUF_INIT;
        cells_add(&b, k, object);
        out->cells = arena_str(a, buf_str(&b));
    }
    return 0;
}

static int parts_of_row(const struct kube_shaper *s, const struct store_object *row,
                        struct arena *a, struct parts *out, struct err *err)
{
    if (row_is_whole(s->kind)) {
        *out = (struct parts){row->json, row->meta, row->cells};
        return 0;
    }
    struct str json;
    if (kube_row_json(s->kube, s->kind, row, a, &json, err) < 0) {
        return -1;
    }
    if (s->accept.shape == KUBE_OBJECT) {
        out->json = json;
        return 0;
    }
    return parts_of_json(s->kind, json, a, s->accept.shape == KUBE_TABLE, out, err);
}

static int add_item(const struct kube_shaper *s, const struct parts *p, struct arena *a,
                    struct buf *out, struct err *err)
{
    switch (s->accept.shape) {
    case KUBE_OBJECT:
        buf_add_str(out, p->json);
        return 0;
    case KUBE_PARTIAL:
        add_partial(out, s, p->meta);
        return 0;
    case KUBE_TABLE:
        break;
    }
    buf_addz(out, "{\"cells\":");
    if (add_cells(out, s->kind, p->cells, p->meta, a, err) < 0) {
        return -1;
    }
    buf_addz(out, ",\"object\":");
    if (s->include == 'O') {
        buf_add_str(out, p->json);
    } else if (s->include == 'N') {
        buf_addz(out, "null");
    } else {
        add_partial(out, s, p->meta);
    }
    buf_addc(out, '}');
    return 0;
}

int kube_shape_item(const struct kube_shaper *s, const struct store_object *row, struct arena *a,
                    struct buf *out, struct err *err)
{
    struct parts p = {0};
    return parts_of_row(s, row, a, &p, err) < 0 ? -1 : add_item(s, &p, a, out, err);
}

/* A Table around one row; its version is that of the object. */
static int add_single(const struct kube_shaper *s, const struct parts *p, struct arena *a,
                      struct buf *out, struct err *err)
{
    if (s->accept.shape != KUBE_TABLE) {
        return add_item(s, p, a, out, err);
    }
    struct node *meta = json_parse(a, p->meta, NULL, err);
    if (!meta) {
        return -1;
    }
    buf_printf(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%s\",\"metadata\":{",
               s->accept.meta_version);
    struct str rv = node_text_at(meta, "resourceVersion");
    if (rv.len) {
        buf_addz(out, "\"resourceVersion\":");
        buf_add_json_string(out, rv);
    }
    buf_addz(out, "},");
    if (s->no_columns) {
        buf_addz(out, "\"columnDefinitions\":null");
    } else {
        kube_table_columns(out, s->kind);
    }
    buf_addz(out, ",\"rows\":[");
    if (add_item(s, p, a, out, err) < 0) {
        return -1;
    }
    buf_addz(out, "]}");
    return 0;
}

int kube_shape_single(const struct kube_shaper *s, const struct store_object *row, struct arena *a,
                      struct buf *out, struct err *err)
{
    struct parts p = {0};
    return parts_of_row(s, row, a, &p, err) < 0 ? -1 : add_single(s, &p, a, out, err);
}

int kube_shape_json(const struct kube_shaper *s, struct str json, struct arena *a, struct buf *out,
                    struct err *err)
{
    struct parts p = {.json = json};
    if (s->accept.shape != KUBE_OBJECT &&
        parts_of_json(s->kind, json, a, s->accept.shape == KUBE_TABLE, &p, err) < 0) {
        return -1;
    }
    return add_single(s, &p, a, out, err);
}
