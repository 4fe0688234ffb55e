/* SPDX-License-Identifier: Apache-2.0
 *
 * The receive-pack conversation: commands, pack, report. "atomic" is asked for whenever the server
 * has it. The objects are put into the mirror first, so that the mirror never has a ref whose
 * objects live in the store alone, whatever happens to the connection.
 */
#include "repo/push.h"


#define LOOSE_MAX 200     /* more objects than this are stored as one pack */
#define REPORT_MAX (4u << 20)
#define REMOTE_TEXT 300   /* bytes of a hook's words that are passed on */

/* A pack without objects: git wants one whenever a ref is set. */
static const unsigned char EMPTY_PACK[] = {
    'P',  'A',  'C',  'K',  0,    0,    0,    2,    0,    0,    0,    0,    0x02, 0x9d, 0x08, 0x82,
    0x3b, 0xd8, 0xa8, 0xea, 0xb5, 0x10, 0xad, 0x6a, 0xc7, 0x5c, 0x82, 0x3c, 0xfd, 0x3e, 0xd3, 0x1e};

bool push_objects_add(struct push_objects *o, const struct repo_id *id)
{
    if (map_has(&o->seen, id_key(id))) {
        return false;
    }
    map_set(&o->seen, id_key(id), o);
    if (o->n == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 64;
        o->v = mem_resize(o->v, o->cap * sizeof(*o->v));
    }
    o->v[o->n++] = *oid_of(id);
    return true;
}

void push_objects_done(struct push_objects *o)
{
    map_done(&o->seen);
    mem_free(o->v);
    *o = (struct push_objects){0};
}

int push_open(struct repo *r, int64_t deadline_ns, struct push_conn *out, struct err *err)
{
    *out = (struct push_conn){0};
    if (r->url.kind == URL_FILE) {
        out->atomic = true;
        if (local_open(r, &out->local, err)) {
            return -1;
        }
        return local_refs(out->local, &out->refs, err);
    }
    if (wire_open(r, WIRE_RECEIVE_PACK, deadline_ns, &out->wire, err) ||
        advert_read(out->wire, &out->advert, err)) {
        return -1;
    }
    out->refs = out->advert.refs;
    out->atomic = advert_can(&out->advert, "atomic");
    return 0;
}

void push_close(struct push_conn *c)
{
    if (c->local) {
        refs_unref(c->refs);
    }
    git_repository_free(c->local);
    wire_close(c->wire);
    advert_done(&c->advert);
    *c = (struct push_conn){0};
}

/* --- objects --- */

static int make_pack(struct handle *h, const struct push_objects *objects, git_buf *out,
                     struct err *err)
{
    git_packbuilder *pb = NULL;
    git_repository *bare = NULL;
    /* A packbuilder looks up every ref of its repository for tags to put in front; through one
     * that has no refs it packs the same objects without that. */
    int rc = git_repository_wrap_odb(&bare, h->odb);
    rc = rc ? rc : git_packbuilder_new(&pb, bare);
    if (!rc) {
        git_packbuilder_set_threads(pb, 1);
    }
    for (size_t i = 0; !rc && i < objects->n; i++) {
        rc = git_packbuilder_insert(pb, &objects->v[i], NULL);
    }
    rc = rc ? rc : git_packbuilder_write_buf(out, pb);
    if (rc) {
        git_fail(err, ERR_INTERNAL, "cannot make a pack");
    }
    git_packbuilder_free(pb);
    git_repository_free(bare);
    return rc ? -1 : 0;
}

static int store_single(git_odb *to, git_odb *from, const struct push_objects *objects)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < objects->n; i++) {
        git_odb_object *o = NULL;
        git_oid id;
        rc = git_odb_read(&o, from, &objects->v[i]);
        rc = rc ? rc
                : git_odb_write(&id, to, git_odb_object_data(o), git_odb_object_size(o),
                                git_odb_object_type(o));
        git_odb_object_free(o);
    }
    return rc;
}

static int store_pack(git_odb *to, struct str pack)
{
    git_odb_writepack *w = NULL;
    git_indexer_progress progress = {0};
    int rc = git_odb_write_pack(&w, to, NULL, NULL);
    rc = rc ? rc : w->append(w, pack.ptr, pack.len, &progress);
    rc = rc ? rc : w->commit(w, &progress);
    if (w) {
        w->free(w);
    }
    return rc;
}

int push_store(git_odb *to, git_odb *from, const struct push_objects *objects, struct str pack,
               struct err *err)
{
    int rc = objects->n <= LOOSE_MAX ? store_single(to, from, objects) : store_pack(to, pack);
    return rc ? git_fail(err, ERR_UNAVAILABLE, "cannot store git objects") : 0;
}

/* --- the conversation --- */

static void add_commands(struct buf *out, const struct push_conn *c, const struct push_cmd *cmds,
                         size_t n)
{
    static const char *const WANTED[] = {"report-status", "side-band-64k", "atomic"};
    AUTO_BUF line = BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        char from[GIT_OID_HEXSZ + 1], to[GIT_OID_HEXSZ + 1];
        git_oid_tostr(from, sizeof(from), oid_of(&cmds[i].from));
        git_oid_tostr(to, sizeof(to), oid_of(&cmds[i].to));
        buf_clear(&line);
        buf_printf(&line, "%s %s %.*s", from, to, STR_ARG(cmds[i].ref));
        if (i == 0) {
            buf_addc(&line, 0);
            for (size_t k = 0; k < sizeof(WANTED) / sizeof(*WANTED); k++) {
                if (advert_can(&c->advert, WANTED[k])) {
                    buf_printf(&line, " %s", WANTED[k]);
                }
            }
            buf_addz(&line, " agent=lanai/" LANAI_VERSION);
        }
        pkt_write(out, buf_str(&line));
    }
    pkt_flush(out);
}

struct report {
    struct buf lines;  /* pkt-lines of the report */
    struct buf words;  /* what the server told the user */
};

static int read_report(struct wire *w, bool side_band, struct report *out, struct err *err)
{
    struct pkt_reader p = {.wire = w};
    enum pkt_type type = PKT_DATA;
    struct str line;
    int rc;
    buf_init(&p.held, REPORT_MAX);
    buf_init(&out->lines, REPORT_MAX);
    buf_init(&out->words, REMOTE_TEXT);
    while ((rc = pkt_read(&p, false, &type, &line, err)) == 0 && type == PKT_DATA) {
        if (!side_band) {
            pkt_write(&out->lines, line);
        } else if (line.len && line.ptr[0] == 1) {
            buf_add(&out->lines, line.ptr + 1, line.len - 1);
        } else if (line.len && line.ptr[0] == 2) {
            buf_add(&out->words, line.ptr + 1, line.len - 1);
        } else if (line.len) {
            rc = err_set(err, ERR_UNAVAILABLE, "remote error: %.*s",
                         STR_ARG(str_trim(str_sub(line, 1, line.len), "\n")));
            break;
        }
    }
    buf_done(&p.held);
    return rc;
}

static struct push_cmd *find_cmd(struct push_cmd *cmds, size_t n, struct str ref)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(cmds[i].ref, ref)) {
            return &cmds[i];
        }
    }
    return NULL;
}

/* "unpack ok", "ok <ref>", "ng <ref> <reason>" */
static void apply_line(struct str line, struct push_cmd *cmds, size_t n, struct str words,
                       struct arena *a)
{
    struct str rest = str_trim(line, "\n"), verb, ref;
    if (!str_split(&rest, ' ', &verb) || !rest.ptr) {
        return;
    }
    if (str_eqz(verb, "unpack") && !str_eqz(rest, "ok")) {
        for (size_t i = 0; i < n; i++) {
            cmds[i].reject = arena_printf(a, "unpack failed: %.*s", STR_ARG(rest));
        }
    } else if (str_eqz(verb, "ok") || str_eqz(verb, "ng")) {
        str_split(&rest, ' ', &ref);
        struct push_cmd *c = find_cmd(cmds, n, ref);
        if (c && str_eqz(verb, "ok")) {
            c->reject = STR_NULL;
        } else if (c) {
            c->reject = arena_printf(a, "%.*s%s%.*s",
                                     STR_ARG(rest.len ? rest : STR("rejected")),
                                     words.len ? ": " : "", STR_ARG(words));
        }
    }
}

static const struct str NO_ANSWER = {"no answer from the server", 25};

static void apply_report(const struct report *report, struct push_cmd *cmds, size_t n,
                         struct arena *a)
{
    struct str rest = buf_str(&report->lines);
    struct str words = str_trim(buf_str(&report->words), " \n\r");
    for (size_t i = 0; i < n; i++) {
        cmds[i].reject = NO_ANSWER;
    }
    while (rest.len >= 4) {
        struct str size = str_sub(rest, 0, 4);
        int64_t len = 0;
        for (size_t i = 0; i < 4; i++) {
            const char *digit = strchr("0123456789abcdef", size.ptr[i]);
            len = digit && *digit ? len * 16 + (digit - "0123456789abcdef") : -70000;
        }
        if (len < 4 || (size_t)len > rest.len) {
            return;
        }
        apply_line(str_sub(rest, 4, (size_t)len), cmds, n, words, a);
        rest = str_sub(rest, (size_t)len, rest.len);
    }
}

/* A report that does not speak of every ref was cut off. */
static int check_report(const struct push_cmd *cmds, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (cmds[i].reject.ptr == NO_ANSWER.ptr) {
            return err_set(err, ERR_UNAVAILABLE,
                           "broken pipe: the git server's answer to the push is cut");
        }
    }
    return 0;
}

static int converse(struct push_conn *c, struct str pack, struct push_cmd *cmds, size_t n,
                    struct arena *a, struct err *err)
{
    AUTO_BUF head = BUF_INIT;
    struct report report = {0};
    bool sets = false;
    for (size_t i = 0; i < n; i++) {
        sets = sets || !repo_id_is_zero(&cmds[i].to);
    }
    add_commands(&head, c, cmds, n);
    if (wire_write(c->wire, head.ptr, head.len, err) ||
        (sets && wire_write(c->wire, pack.ptr, pack.len, err))) {
        return -1;
    }
    int rc = read_report(c->wire, advert_can(&c->advert, "side-band-64k"), &report, err);
    if (!rc) {
        apply_report(&report, cmds, n, a);
        rc = check_report(cmds, n, err);
    }
    buf_done(&report.lines);
    buf_done(&report.words);
    return rc;
}

int push_send(struct push_conn *c, struct handle *h, struct push_objects *objects,
              struct push_cmd *cmds, size_t n, struct arena *a, struct err *err)
{
    git_buf built = {0};
    struct str pack = {(const char *)EMPTY_PACK, sizeof(EMPTY_PACK)};
    bool needs_pack = c->wire || objects->n > LOOSE_MAX;
    int rc = 0;
    if (objects->n && needs_pack) {
        rc = make_pack(h, objects, &built, err);
        pack = (struct str){built.ptr, built.size};
    }
    if (!rc && objects->n) {
        rc = push_store(h->odb, h->odb, objects, pack, err);
    }
    if (!rc) {
        rc = c->wire ? converse(c, pack, cmds, n, a, err)
                     : push_local(c->local, h, objects, pack, cmds, n, a, err);
    }
    git_buf_dispose(&built);
    return rc;
}
