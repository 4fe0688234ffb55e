/* SPDX-License-Identifier: Apache-2.0
 *
 * Package revisions in the mirrored refs. One pass over all commits (the branch's first, then what
 * other refs add) collects times and annotations; everything else is a lookup per ref.
 */
#include "repo/priv.h"

/* What is remembered of a commit. */
struct seen {
    struct repo_id tree;
    int64_t time; /* committer's */
    int64_t author_time;
    struct str author_name, author_email;
    struct annotation *notes;
    size_t n_notes;
};

/* One annotation in history order, chained per package and workspace. */
struct note {
    const struct annotation *text;
    int64_t time;
    struct note *next;
};

struct chain {
    struct note *first, *last;
};

struct discovery {
    struct repo *r;
    struct handle *h;
    struct refs *refs;
    struct arena *a;       /* of the caller: results */
    struct arena scratch;
    struct map commits;    /* id → struct seen */
    struct map chains;     /* FP \n workspace → struct chain */
    struct map newest;     /* FP → struct seen: newest on the branch */
    struct map by_name;    /* package \n workspace → index + 1 into found */
    struct repo_found *found;
    size_t n, cap;
    struct str *warnings;
    size_t n_warnings, cap_warnings;
};

static void warn(struct discovery *d, struct str text)
{
    if (d->n_warnings == d->cap_warnings) {
        d->cap_warnings = d->cap_warnings ? d->cap_warnings * 2 : 8;
        d->warnings = mem_resize(d->warnings, d->cap_warnings * sizeof(*d->warnings));
    }
    d->warnings[d->n_warnings++] = text;
}

/* --- history --- */

/* The line "<role> <name> <<email>> <time> <zone>" of a raw commit; missing parts stay empty. */
static int64_t parse_ident(struct str commit, const char *role, struct str *name,
                           struct str *email)
{
    struct str rest = commit, line;
    *name = *email = STR("");
    while (str_split(&rest, '\n', &line) && line.len) {
        if (!str_has_prefix(line, str_of(role))) {
            continue;
        }
        line = str_sub(line, strlen(role), line.len);
        ptrdiff_t from = str_find_byte(line, '<'), to = str_rfind_byte(line, '>');
        if (from < 0 || to < from) {
            return 0;
        }
        *name = str_trim(str_sub(line, 0, (size_t)from), " ");
        *email = str_sub(line, (size_t)from + 1, (size_t)to);
        struct str tail = str_trim(str_sub(line, (size_t)to + 1, line.len), " ");
        ptrdiff_t blank = str_find_byte(tail, ' ');
        int64_t time = 0;
        (void)str_to_int64(blank < 0 ? tail : str_sub(tail, 0, (size_t)blank), &time);
        return time;
    }
    return 0;
}

static struct str chain_key(struct arena *a, struct str fp, struct str workspace)
{
    return arena_printf(a, "%.*s\n%.*s", STR_ARG(fp), STR_ARG(workspace));
}

static void add_note(struct discovery *d, const struct annotation *text, int64_t time)
{
    struct str workspace = text->workspace.len ? text->workspace : text->revision;
    struct str key = chain_key(&d->scratch, text->package, workspace);
    struct chain *c = map_find(&d->chains, key);
    struct note *note = arena_new(&d->scratch, struct note);
    *note = (struct note){.text = text, .time = time};
    if (!c) {
        c = arena_new(&d->scratch, struct chain);
        map_set(&d->chains, key, c);
    }
    /* Newest first; equal times keep the order of the walk, which has children first. */
    struct note **at = &c->first;
    if (c->last && c->last->time >= time) {
        at = &c->last->next;
    } else {
        while (*at && (*at)->time >= time) {
            at = &(*at)->next;
        }
    }
    note->next = *at;
    *at = note;
    c->last = note->next ? c->last : note;
}

static int see_commit(struct discovery *d, const struct repo_id *id, bool on_branch,
                      struct err *err)
{
    AUTO_OBJECT *o = NULL;
    if (object_get(d->h, id, GIT_OBJECT_COMMIT, &o, err)) {
        return -1;
    }
    struct str bytes = {git_odb_object_data(o), git_odb_object_size(o)};
    struct seen *s = arena_new(&d->scratch, struct seen);
    struct str name, email;
    s->time = parse_ident(bytes, "committer ", &name, &email);
    s->author_time = parse_ident(bytes, "author ", &name, &email);
    s->author_name = arena_str(&d->scratch, name);
    s->author_email = arena_str(&d->scratch, email);
    if (!str_has_prefix(bytes, STR("tree ")) || !repo_id_parse(str_sub(bytes, 5, 45), &s->tree)) {
        return err_set(err, ERR_INTERNAL, "broken commit");
    }
    s->n_notes = annotation_parse(&d->scratch, commit_message(o), &s->notes);
    map_set(&d->commits, id_key(id), s);
    for (size_t i = 0; i < s->n_notes; i++) {
        add_note(d, &s->notes[i], s->time);
        if (on_branch && !map_has(&d->newest, s->notes[i].package)) {
            map_set(&d->newest, s->notes[i].package, s);
        }
    }
    return 0;
}

static int walk(struct discovery *d, git_revwalk *w, bool on_branch, struct err *err)
{
    git_oid oid;
    int rc;
    while ((rc = git_revwalk_next(&oid, w)) == 0) {
        struct repo_id id = id_of(&oid);
        if (see_commit(d, &id, on_branch, err)) {
            return -1;
        }
    }
    return rc == GIT_ITEROVER ? 0 : git_fail(err, ERR_INTERNAL, "cannot walk the history");
}

static int walk_history(struct discovery *d, struct err *err)
{
    const struct repo_id *head = refs_find(d->refs, d->r->branch_ref);
    git_revwalk *w = NULL;
    if (git_revwalk_new(&w, d->h->git)) {
        return git_fail(err, ERR_INTERNAL, "cannot walk the history");
    }
    int rc = 0;
    git_revwalk_sorting(w, GIT_SORT_TIME);
    if (head && !git_revwalk_push(w, oid_of(head))) {
        rc = walk(d, w, true, err);
    }
    git_revwalk_reset(w);
    size_t pushed = 0;
    for (size_t i = 0; !rc && i < d->refs->n; i++) {
        const struct repo_id *id = &d->refs->v[i].id;
        if (!map_has(&d->commits, id_key(id))) {
            pushed += !git_revwalk_push(w, oid_of(id)); /* not a commit: no revision */
        }
    }
    if (!rc && pushed) {
        if (head) {
            git_revwalk_hide(w, oid_of(head));
        }
        rc = walk(d, w, false, err);
    }
    git_revwalk_free(w);
    git_error_clear();
    return rc;
}

/* The oldest init, edit, clone or upgrade task before the first init or clone. */
static struct str find_task(struct discovery *d, struct str fp, struct str workspace,
                            int64_t until)
{
    struct str key = chain_key(&d->scratch, fp, workspace);
    const struct chain *c = map_find(&d->chains, key);
    struct str task = STR("");
    for (const struct note *n = c ? c->first : NULL; n; n = n->next) {
        struct str type = n->text->task_type;
        bool ends = str_eqz(type, "init") || str_eqz(type, "clone");
        if (n->time <= until && (ends || str_eqz(type, "edit") || str_eqz(type, "upgrade"))) {
            task = n->text->task;
            if (ends) {
                break;
            }
        }
    }
    return task;
}

/* --- one revision --- */

static int rank(const struct repo_found *f)
{
    static const int RANKS[] = {[REPO_REF_BRANCH] = 4,
                                [REPO_REF_TAG] = 2,
                                [REPO_REF_PROPOSED] = 1,
                                [REPO_REF_DRAFT] = 0};
    ptrdiff_t slash = str_rfind_byte(f->ref, '/');
    bool porch = f->kind == REPO_REF_TAG && slash >= 0 && f->ref.ptr[slash + 1] == 'v';
    return RANKS[f->kind] + porch;
}

/* Adds a revision; of two that have one name the better ref stays. */
static void add_found(struct discovery *d, const struct repo_found *f)
{
    struct str key = chain_key(&d->scratch, f->package, f->workspace);
    size_t at = (size_t)(uintptr_t)map_find(&d->by_name, key);
    if (at) {
        struct repo_found *other = &d->found[at - 1];
        const struct repo_found *loser = rank(f) > rank(other) ? other : f;
        warn(d, arena_printf(d->a, "ref %.*s hidden: workspace %.*s of package %.*s exists twice",
                             STR_ARG(loser->ref), STR_ARG(f->workspace), STR_ARG(f->package)));
        if (loser == other) {
            *other = *f;
        }
        return;
    }
    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 64;
        d->found = mem_resize(d->found, d->cap * sizeof(*d->found));
    }
    d->found[d->n++] = *f;
    map_set(&d->by_name, key, (void *)(uintptr_t)d->n);
}

/* FP without the directory; false outside of it. "" = the directory itself. */
static bool in_directory(const struct repo *r, struct str fp, struct str *out)
{
    struct str dir = r->remote.directory;
    if (!dir.len) {
        *out = fp;
        return true;
    }
    if (!str_has_prefix(fp, dir) || (fp.len > dir.len && fp.ptr[dir.len] != '/')) {
        return false;
    }
    *out = fp.len > dir.len ? str_sub(fp, dir.len + 1, fp.len) : STR("");
    return true;
}

/* The package tree and its Kptfile: 1 found, 0 no package there. */
static int find_package(struct discovery *d, const struct repo_id *root, struct str fp,
                        struct repo_found *out, struct err *err)
{
    struct tree_entry dir, kptfile;
    int found = tree_find_path(d->h, root, fp, &dir, err);
    if (found != 1 || dir.mode != TREE_MODE) {
        return found < 0 ? -1 : 0;
    }
    found = tree_find(d->h, &dir.id, STR("Kptfile"), &kptfile, err);
    if (found != 1 || (kptfile.mode & 0170000) != 0100000) {
        return found < 0 ? -1 : 0;
    }
    out->tree = dir.id;
    out->kptfile = kptfile.id;
    return 1;
}

static bool has_marker(struct discovery *d, struct str fp, struct str name)
{
    struct str ref = arena_printf(&d->scratch, "refs/heads/deletionProposed/%.*s/%.*s",
                                  STR_ARG(fp), STR_ARG(name));
    return refs_find(d->refs, ref) != NULL;
}

/* "v3" and "3" are 3, everything else is -1. */
static int64_t revision_number(struct str version)
{
    int64_t n;
    struct str digits = str_has_prefix(version, STR("v")) ? str_sub(version, 1, version.len)
                                                          : version;
    return str_to_int64(digits, &n) && n >= 0 ? n : -1;
}

static struct str tag_workspace(struct discovery *d, const struct seen *s, struct str fp,
                                struct str version, int64_t revision)
{
    if (revision < 0) {
        return version;
    }
    for (size_t i = 0; i < s->n_notes; i++) {
        if (str_eq(s->notes[i].package, fp) && s->notes[i].workspace.len) {
            return s->notes[i].workspace;
        }
    }
    return arena_printf(&d->scratch, "v%lld", (long long)revision);
}

static void set_author(struct discovery *d, const struct seen *s, struct repo_found *f)
{
    f->author_name = arena_str(d->a, s->author_name);
    f->author_email = arena_str(d->a, s->author_email);
    f->author_time = s->author_time;
}

/* A ref "<FP>/<version or workspace>" that should hold a package. */
static int see_ref(struct discovery *d, const struct ref *ref, enum repo_ref_kind kind,
                   struct str name, struct err *err)
{
    struct repo_found f = {.kind = kind};
    ptrdiff_t slash = str_rfind_byte(name, '/');
    struct str short_name = str_sub(ref->name, kind == REPO_REF_TAG ? 10 : 11, ref->name.len);
    struct str fp = slash < 0 ? STR("") : str_sub(name, 0, (size_t)slash);
    struct str version = str_sub(name, (size_t)(slash + 1), name.len);
    struct repo_id commit;
    if (slash < 1 || !in_directory(d->r, fp, &f.package)) {
        if (slash < 1 && kind != REPO_REF_TAG) {
            warn(d, arena_printf(d->a, "branch %.*s skipped: no package in its name",
                                 STR_ARG(short_name)));
        }
        return 0;
    }
    if (!commit_peel(d->h, &ref->id, &commit)) {
        return 0;
    }
    const struct seen *s = map_find(&d->commits, id_key(&commit));
    int found = s ? find_package(d, &s->tree, fp, &f, err) : 0;
    if (found != 1) {
        if (found == 0 && kind != REPO_REF_TAG) {
            warn(d, arena_printf(d->a, "branch %.*s skipped: no Kptfile in %.*s",
                                 STR_ARG(short_name), STR_ARG(fp)));
        }
        return found;
    }
    if (!f.package.len) {
        warn(d, arena_printf(d->a, "ref %.*s skipped: a package at the root of the repository "
                                   "directory has no name",
                             STR_ARG(short_name)));
        return 0;
    }
    f.revision = kind == REPO_REF_TAG ? revision_number(version) : 0;
    f.workspace = kind == REPO_REF_TAG ? tag_workspace(d, s, fp, version, f.revision) : version;
    struct str marker = f.revision > 0
                            ? arena_printf(&d->scratch, "v%lld", (long long)f.revision)
                            : f.workspace;
    f.deletion_proposed = kind == REPO_REF_TAG && has_marker(d, fp, marker);
    f.commit = commit;
    f.task = arena_str(d->a, find_task(d, fp, f.workspace, s->time));
    f.ref = arena_str(d->a, short_name);
    f.package = arena_str(d->a, f.package);
    f.workspace = arena_str(d->a, f.workspace);
    set_author(d, s, &f);
    add_found(d, &f);
    return 0;
}

static int see_refs(struct discovery *d, struct err *err)
{
    static const struct {
        const char *prefix;
        enum repo_ref_kind kind;
    } KINDS[] = {
        {"refs/heads/drafts/", REPO_REF_DRAFT},
        {"refs/heads/proposed/", REPO_REF_PROPOSED},
        {"refs/tags/", REPO_REF_TAG},
    };
    for (size_t i = 0; i < d->refs->n; i++) {
        const struct ref *ref = &d->refs->v[i];
        for (size_t k = 0; k < sizeof(KINDS) / sizeof(*KINDS); k++) {
            struct str prefix = str_of(KINDS[k].prefix);
            if (str_has_prefix(ref->name, prefix) && !str_eq(ref->name, d->r->branch_ref) &&
                see_ref(d, ref, KINDS[k].kind, str_sub(ref->name, prefix.len, ref->name.len),
                        err)) {
                return -1;
            }
        }
    }
    return 0;
}

/* --- the branch --- */

static void add_placeholder(struct discovery *d, const struct repo_id *head, struct str fp,
                            const struct repo_id *tree, const struct repo_id *kptfile)
{
    struct str workspace = branch_workspace(d->a, d->r->remote.branch), package;
    if (!in_directory(d->r, fp, &package) || !package.len) {
        warn(d, STR("a package at the root of the repository directory is skipped: it has no "
                    "name"));
        return;
    }
    struct repo_found f = {
        .kind = REPO_REF_BRANCH,
        .ref = arena_str(d->a, d->r->remote.branch),
        .package = arena_str(d->a, package),
        .workspace = workspace,
        .revision = -1,
        .deletion_proposed = has_marker(d, fp, workspace) ||
                             has_marker(d, fp, d->r->remote.branch),
        .commit = *head,
        .tree = *tree,
        .kptfile = *kptfile,
    };
    const struct seen *s = map_find(&d->newest, fp);
    if (s) {
        set_author(d, s, &f);
    } else { /* nobody published it through a server: it is there since the head, for all we say */
        f.author_time = ((const struct seen *)map_find(&d->commits, id_key(head)))->author_time;
    }
    add_found(d, &f);
}

static int see_tree(struct discovery *d, const struct repo_id *head, struct str fp,
                    const struct repo_id *tree, int depth, struct err *err)
{
    AUTO_OBJECT *o = NULL;
    if (depth > 64) { /* no repository is that deep; cycles cannot be */
        return 0;
    }
    if (object_get(d->h, tree, GIT_OBJECT_TREE, &o, err)) {
        return -1;
    }
    struct str bytes = {git_odb_object_data(o), git_odb_object_size(o)};
    struct tree_entry e;
    for (struct str rest = bytes; tree_next(&rest, &e);) {
        if (str_eqz(e.name, "Kptfile") && (e.mode & 0170000) == 0100000) {
            add_placeholder(d, head, fp, tree, &e.id);
            return 0; /* packages inside belong to this one */
        }
    }
    for (struct str rest = bytes; tree_next(&rest, &e);) {
        if (e.mode != TREE_MODE) {
            continue;
        }
        struct str path = fp.len ? arena_printf(&d->scratch, "%.*s/%.*s", STR_ARG(fp),
                                                STR_ARG(e.name))
                                 : arena_str(&d->scratch, e.name);
        if (see_tree(d, head, path, &e.id, depth + 1, err)) {
            return -1;
        }
    }
    return 0;
}

static int see_branch(struct discovery *d, struct err *err)
{
    const struct repo_id *head = refs_find(d->refs, d->r->branch_ref);
    const struct seen *s = head ? map_find(&d->commits, id_key(head)) : NULL;
    struct tree_entry dir;
    if (!s) {
        return 0;
    }
    int found = tree_find_path(d->h, &s->tree, d->r->remote.directory, &dir, err);
    if (found != 1 || dir.mode != TREE_MODE) {
        return found < 0 ? -1 : 0;
    }
    return see_tree(d, head, d->r->remote.directory, &dir.id, 0, err);
}

int repo_discover(struct repo *r, struct arena *a, struct repo_found **out, size_t *out_n,
                  struct str **out_warnings, size_t *out_n_warnings, struct err *err)
{
    struct discovery d = {.r = r, .a = a};
    AUTO_HANDLE *h = NULL;
    AUTO_REFS *refs = mirror_refs(r->mirror, NULL);
    int rc = handle_take(r->mirror->pool, r->mirror, &h, err);
    d.h = h;
    d.refs = refs;
    if (!rc && (walk_history(&d, err) || see_refs(&d, err) || see_branch(&d, err))) {
        /* What the refs reach must be there: the next fetch makes a new mirror. */
        mirror_damaged(r->mirror);
        rc = err_wrap(err, "the mirror is damaged");
    }
    if (!rc) {
        *out = arena_array(a, struct repo_found, d.n + 1);
        *out_warnings = arena_array(a, struct str, d.n_warnings + 1);
        memcpy(*out, d.found ? d.found : *out, d.n * sizeof(**out));
        memcpy(*out_warnings, d.warnings ? d.warnings : *out_warnings,
               d.n_warnings * sizeof(**out_warnings));
        *out_n = d.n;
        *out_n_warnings = d.n_warnings;
    }
    map_done(&d.commits);
    map_done(&d.chains);
    map_done(&d.newest);
    map_done(&d.by_name);
    arena_done(&d.scratch);
    mem_free(d.found);
    mem_free(d.warnings);
    return rc;
}
