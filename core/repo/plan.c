/* SPDX-License-Identifier: Apache-2.0
 *
 * See plan.h. Commits are written by hand: libgit2's signatures refuse the empty e-mail that Porch
 * allows, and the messages must come out byte for byte.
 */
#include "repo/plan.h"


void plan_init(struct plan *p, struct repo *r, struct handle *h, const struct refs *refs,
               struct arena *a)
{
    const struct repo_id *head = refs_find(refs, r->branch_ref);
    *p = (struct plan){.repo = r, .handle = h, .refs = refs, .arena = a};
    p->head = head ? *head : (struct repo_id){{0}};
}

void plan_done(struct plan *p)
{
    push_objects_done(&p->objects);
}

/* --- refs as they will be --- */

static struct push_cmd *find_cmd(const struct plan *p, struct str ref)
{
    for (size_t i = 0; i < p->n_cmds; i++) {
        if (str_eq(p->cmds[i].ref, ref)) {
            return &p->cmds[i];
        }
    }
    return NULL;
}

static struct repo_id get_ref(const struct plan *p, struct str ref)
{
    const struct push_cmd *cmd = find_cmd(p, ref);
    const struct repo_id *id = cmd ? &cmd->to : refs_find(p->refs, ref);
    return id ? *id : (struct repo_id){{0}};
}

static void set_ref(struct plan *p, struct str ref, const struct repo_id *id, size_t op)
{
    struct push_cmd *cmd = find_cmd(p, ref);
    if (cmd) {
        cmd->to = *id;
        cmd->op = cmd->op == op ? op : PUSH_SHARED;
        return;
    }
    if (p->n_cmds == p->cap_cmds) {
        struct push_cmd *old = p->cmds;
        p->cap_cmds = p->cap_cmds ? p->cap_cmds * 2 : 8;
        p->cmds = arena_array(p->arena, struct push_cmd, p->cap_cmds);
        if (p->n_cmds) {
            memcpy(p->cmds, old, p->n_cmds * sizeof(*old));
        }
    }
    p->cmds[p->n_cmds++] = (struct push_cmd){
        .ref = arena_str(p->arena, ref), .from = get_ref(p, ref), .to = *id, .op = op};
}

static void delete_ref(struct plan *p, struct str ref, size_t op)
{
    struct repo_id none = {{0}}, now = get_ref(p, ref);
    if (!repo_id_is_zero(&now)) {
        set_ref(p, ref, &none, op);
    }
}

static void move_head(struct plan *p, const struct repo_id *commit)
{
    set_ref(p, p->repo->branch_ref, commit, PUSH_SHARED);
    p->head = *commit;
}

void plan_settle(struct plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_cmds; i++) {
        if (!repo_id_eq(&p->cmds[i].from, &p->cmds[i].to)) {
            p->cmds[n++] = p->cmds[i];
        }
    }
    p->n_cmds = n;
}

static struct str marker_ref(const struct plan *p, struct str fp, const struct repo_op *op)
{
    return op->revision > 0
               ? arena_printf(p->arena, "refs/heads/deletionProposed/%.*s/v%lld", STR_ARG(fp),
                              (long long)op->revision)
               : arena_printf(p->arena, "refs/heads/deletionProposed/%.*s/%.*s", STR_ARG(fp),
                              STR_ARG(op->workspace));
}

static struct str tag_ref(const struct plan *p, struct str fp, const struct repo_op *op)
{
    return op->revision > 0 ? arena_printf(p->arena, "refs/tags/%.*s/v%lld", STR_ARG(fp),
                                           (long long)op->revision)
                            : arena_printf(p->arena, "refs/tags/%.*s/%.*s", STR_ARG(fp),
                                           STR_ARG(op->workspace));
}

static struct str draft_ref(const struct plan *p, const char *kind, struct str fp,
                            const struct repo_op *op)
{
    return arena_printf(p->arena, "refs/heads/%s/%.*s/%.*s", kind, STR_ARG(fp),
                        STR_ARG(op->workspace));
}

/* --- commits --- */

/* Name or address without the bytes that would end the field. */
static void add_ident_part(struct buf *out, struct str s)
{
    s = str_trim(s, " \t\r\n.,:;<>\"\\'");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= ' ' && c != '<' && c != '>' && c != 0x7f) {
            buf_addc(out, s.ptr[i]);
        }
    }
}

static void add_ident(struct buf *out, const char *role, struct str name, struct str email,
                      int64_t time)
{
    AUTO_BUF plain = BUF_INIT;
    add_ident_part(&plain, name.len ? name : email);
    if (!plain.len) {
        buf_addz(&plain, REPO_PORCH_NAME);
        email = STR(REPO_PORCH_EMAIL);
    }
    buf_printf(out, "%s %s <", role, plain.ptr);
    add_ident_part(out, email);
    buf_printf(out, "> %lld +0000\n", (long long)(time > 0 ? time : 0));
}

struct commit {
    const struct repo_id *tree;
    const struct repo_id *parents[2]; /* NULL and zero ids are left out */
    struct str author_name, author_email;
    int64_t time;
    struct str message;
};

static int add_commit(struct plan *p, const struct commit *c, struct repo_id *out, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    char hex[GIT_OID_HEXSZ + 1];
    git_oid_tostr(hex, sizeof(hex), oid_of(c->tree));
    buf_printf(&text, "tree %s\n", hex);
    for (size_t i = 0; i < 2; i++) {
        if (c->parents[i] && !repo_id_is_zero(c->parents[i])) {
            git_oid_tostr(hex, sizeof(hex), oid_of(c->parents[i]));
            buf_printf(&text, "parent %s\n", hex);
        }
    }
    add_ident(&text, "author", c->author_name, c->author_email, c->time);
    add_ident(&text, "committer", STR(REPO_PORCH_NAME), STR(REPO_PORCH_EMAIL), c->time);
    buf_addc(&text, '\n');
    buf_add_str(&text, c->message);
    if (object_add(p->handle, GIT_OBJECT_COMMIT, buf_str(&text), out, err)) {
        return -1;
    }
    push_objects_add(&p->objects, out);
    return 0;
}

static struct str object_bytes(git_odb_object *o)
{
    return o ? (struct str){git_odb_object_data(o), git_odb_object_size(o)} : STR("");
}

/* Collects what `tree` has and `old` (zero = nothing) has not, at the same paths. */
static int add_tree(struct plan *p, const struct repo_id *tree, const struct repo_id *old,
                    struct err *err)
{
    AUTO_OBJECT *o = NULL;
    AUTO_OBJECT *before = NULL;
    if (repo_id_eq(tree, old) || !push_objects_add(&p->objects, tree)) {
        return 0;
    }
    if (object_get(p->handle, tree, GIT_OBJECT_TREE, &o, err) ||
        (!repo_id_is_zero(old) && object_get(p->handle, old, GIT_OBJECT_TREE, &before, err))) {
        return -1;
    }
    struct str rest = object_bytes(o), old_rest = object_bytes(before);
    struct tree_entry e, x = {0};
    bool has = tree_next(&old_rest, &x);
    while (tree_next(&rest, &e)) {
        while (has && tree_name_cmp(x.name, x.mode == TREE_MODE, e.name, e.mode == TREE_MODE) < 0) {
            has = tree_next(&old_rest, &x);
        }
        struct repo_id same = {{0}};
        if (has && str_eq(x.name, e.name) && (x.mode == TREE_MODE) == (e.mode == TREE_MODE)) {
            same = x.id;
        }
        if (e.mode == TREE_MODE) {
            if (add_tree(p, &e.id, &same, err)) {
                return -1;
            }
        } else if (e.mode != GIT_FILEMODE_COMMIT && !repo_id_eq(&e.id, &same)) {
            push_objects_add(&p->objects, &e.id);
        }
    }
    return 0;
}

static int head_tree(struct plan *p, struct repo_id *out, struct err *err)
{
    *out = (struct repo_id){{0}};
    return repo_id_is_zero(&p->head) ? 0 : commit_tree(p->handle, &p->head, out, err);
}

int plan_branch(struct plan *p, int64_t time, struct err *err)
{
    if (!repo_id_is_zero(&p->head)) {
        return 0;
    }
    if (!p->repo->remote.create_branch) {
        return err_set(err, ERR_NOT_FOUND, "branch \"%.*s\" doesn't exist: reference not found",
                       STR_ARG(p->repo->remote.branch));
    }
    struct repo_id blob, tree, commit, none = {{0}};
    AUTO_BUF entry = BUF_INIT;
    if (object_add(p->handle, GIT_OBJECT_BLOB, STR("Created by porch"), &blob, err)) {
        return -1;
    }
    tree_emit(&entry, GIT_FILEMODE_BLOB, STR("README.md"), &blob);
    struct commit c = {.tree = &tree,
                       .time = time,
                       .message = STR("Initial commit: Creating main branch")};
    if (object_add(p->handle, GIT_OBJECT_TREE, buf_str(&entry), &tree, err) ||
        add_commit(p, &c, &commit, err) || add_tree(p, &tree, &none, err)) {
        return -1;
    }
    move_head(p, &commit);
    return 0;
}

/* --- ops --- */

/* The tag stands already: done before when its commit says so, else somebody else's. */
static int publish_again(struct plan *p, struct repo_op *op, struct str fp, struct str tag,
                         const struct repo_id *at, struct err *err)
{
    struct annotation *notes = NULL;
    struct repo_id commit;
    if (commit_peel(p->handle, at, &commit)) {
        AUTO_OBJECT *o = NULL;
        if (object_get(p->handle, &commit, GIT_OBJECT_COMMIT, &o, err)) {
            return -1;
        }
        size_t n = annotation_parse(p->arena, commit_message(o), &notes);
        for (size_t i = 0; i < n; i++) {
            if (annotation_is(&notes[i], fp, op->workspace)) {
                op->commit = commit;
                /* Half published by a server without atomic pushes: the branch follows now. */
                if (!repo_id_is_zero(&p->head) &&
                    git_graph_descendant_of(p->handle->git, oid_of(&commit),
                                            oid_of(&p->head)) == 1) {
                    move_head(p, &commit);
                }
                return 0;
            }
        }
    }
    return err_set(err, ERR_CONFLICT, "tag \"%.*s\" already exists",
                   STR_ARG(str_sub(tag, strlen("refs/tags/"), tag.len)));
}

static int check_package(struct plan *p, const struct repo_op *op, struct err *err)
{
    struct tree_entry kptfile;
    int found = tree_find(p->handle, &op->tree, STR("Kptfile"), &kptfile, err);
    if (found == 0 || (found == 1 && (kptfile.mode & 0170000) != 0100000)) {
        return err_set(err, ERR_INVALID, "package %.*s has no Kptfile", STR_ARG(op->package));
    }
    return found == 1 ? 0 : -1;
}

static int publish_commits(struct plan *p, const struct repo_op *op, struct str fp,
                           const struct repo_id *tree, struct repo_id *out, struct err *err)
{
    AUTO_BUF draft_text = BUF_INIT;
    AUTO_BUF merge_text = BUF_INIT;
    buf_printf(&draft_text, "%.*s\n\n\n",
               STR_ARG(op->subject.len ? op->subject : STR("Intermediate commit")));
    annotation_emit(&draft_text, fp, op->workspace, 0, op->task);
    buf_printf(&merge_text, "Approving package revision %.*s/%lld\n\n", STR_ARG(fp),
               (long long)op->revision);
    annotation_emit(&merge_text, fp, op->workspace, op->revision, STR_NULL);
    struct repo_id draft;
    struct commit c = {
        .tree = tree,
        .parents = {&p->head},
        .author_name = op->author_name,
        .author_email = op->author_email,
        .time = op->time,
        .message = buf_str(&draft_text),
    };
    if (add_commit(p, &c, &draft, err)) {
        return -1;
    }
    c.parents[1] = &draft;
    c.message = buf_str(&merge_text);
    return add_commit(p, &c, out, err);
}

static int plan_publish(struct plan *p, struct repo_op *op, size_t index, struct err *err)
{
    struct str fp = full_path(p->arena, p->repo, op->package);
    if (op->revision < 1) {
        return err_set(err, ERR_INVALID,
                       "Version cannot be empty for the next package revision");
    }
    struct str tag = tag_ref(p, fp, op);
    struct repo_id now = get_ref(p, tag), base, tree, merge;
    if (!op->package.len || !ref_name_ok(tag)) {
        return err_set(err, ERR_INVALID, "invalid package path \"%.*s\"", STR_ARG(fp));
    }
    if (!repo_id_is_zero(&now)) {
        return publish_again(p, op, fp, tag, &now, err);
    }
    if (check_package(p, op, err) || head_tree(p, &base, err) ||
        tree_put(p->handle, &base, fp, &op->tree, &tree, err)) {
        return -1;
    }
    if (publish_commits(p, op, fp, &tree, &merge, err) || add_tree(p, &tree, &base, err)) {
        return -1;
    }
    move_head(p, &merge);
    set_ref(p, tag, &merge, index);
    delete_ref(p, draft_ref(p, "drafts", fp, op), index);
    delete_ref(p, draft_ref(p, "proposed", fp, op), index);
    op->commit = merge;
    return 0;
}

/* The commit of the revision that an op speaks of; *out_ref where it stands. */
static bool revision_commit(struct plan *p, const struct repo_op *op, struct str fp,
                            struct repo_id *out, struct str *out_ref)
{
    *out_ref = tag_ref(p, fp, op);
    struct repo_id at = get_ref(p, *out_ref);
    if (repo_id_is_zero(&at) && op->revision <= 0 &&
        str_eq(op->workspace, branch_workspace(p->arena, p->repo->remote.branch))) {
        *out_ref = p->repo->branch_ref;
        at = p->head;
    }
    return !repo_id_is_zero(&at) && commit_peel(p->handle, &at, out);
}

static int check_expected(const struct repo_op *op, struct str ref, const struct repo_id *commit,
                          struct err *err)
{
    if (repo_id_is_zero(&op->expect) || repo_id_eq(&op->expect, commit)) {
        return 0;
    }
    return err_set(err, ERR_CONFLICT, "remote ref %.*s moved", STR_ARG(ref));
}

static int plan_mark(struct plan *p, struct repo_op *op, size_t index, struct err *err)
{
    struct str fp = full_path(p->arena, p->repo, op->package), ref;
    struct str marker = marker_ref(p, fp, op);
    struct repo_id commit;
    if (!ref_name_ok(marker)) {
        return err_set(err, ERR_INVALID, "invalid package path \"%.*s\"", STR_ARG(fp));
    }
    if (!revision_commit(p, op, fp, &commit, &ref)) {
        return err_set(err, ERR_NOT_FOUND, "remote has no %.*s", STR_ARG(ref));
    }
    if (check_expected(op, ref, &commit, err)) {
        return -1;
    }
    struct repo_id now = get_ref(p, marker);
    if (repo_id_is_zero(&now)) { /* one that stands means the same, wherever it points */
        set_ref(p, marker, &commit, index);
    }
    return 0;
}

/* True when a tag of this revision number exists under another name than ours. */
static bool foreign_tag(struct plan *p, const struct repo_op *op, struct str fp, struct str *out)
{
    *out = arena_printf(p->arena, "refs/tags/%.*s/%lld", STR_ARG(fp), (long long)op->revision);
    struct repo_id id = get_ref(p, *out);
    return op->revision > 0 && !repo_id_is_zero(&id);
}

static int plan_delete_tag(struct plan *p, struct repo_op *op, size_t index, struct err *err)
{
    struct str fp = full_path(p->arena, p->repo, op->package), other;
    struct str tag = tag_ref(p, fp, op);
    struct repo_id now = get_ref(p, tag), commit;
    if (repo_id_is_zero(&now) && foreign_tag(p, op, fp, &other)) {
        return err_set(err, ERR_INVALID,
                       "cannot delete package tagged with a tag that is not specific to the "
                       "package: %.*s",
                       STR_ARG(other));
    }
    if (!repo_id_is_zero(&now)) {
        if (!commit_peel(p->handle, &now, &commit)) {
            commit = now;
        }
        if (check_expected(op, tag, &commit, err)) {
            return -1;
        }
        delete_ref(p, tag, index);
    }
    delete_ref(p, marker_ref(p, fp, op), index);
    return 0;
}

static int plan_delete_package(struct plan *p, struct repo_op *op, size_t index, struct err *err)
{
    struct str fp = full_path(p->arena, p->repo, op->package);
    struct repo_id base, tree, commit;
    struct tree_entry e;
    if (!op->package.len || check_expected(op, p->repo->branch_ref, &p->head, err)) {
        return op->package.len ? -1 : err_set(err, ERR_INVALID, "invalid package path \"\"");
    }
    if (head_tree(p, &base, err)) {
        return -1;
    }
    int found = repo_id_is_zero(&base) ? 0 : tree_find_path(p->handle, &base, fp, &e, err);
    if (found < 0) {
        return -1;
    }
    if (found && e.mode == TREE_MODE) {
        if (tree_put(p->handle, &base, fp, NULL, &tree, err)) {
            return -1;
        }
        if (repo_id_is_zero(&tree) && object_add(p->handle, GIT_OBJECT_TREE, STR(""), &tree, err)) {
            return -1;
        }
        struct commit c = {
            .tree = &tree,
            .parents = {&p->head},
            .author_name = op->author_name,
            .author_email = op->author_email,
            .time = op->time,
            .message = arena_printf(p->arena, "Delete %.*s", STR_ARG(fp)),
        };
        if (add_commit(p, &c, &commit, err) || add_tree(p, &tree, &base, err)) {
            return -1;
        }
        move_head(p, &commit);
    }
    op->commit = p->head;
    delete_ref(p, marker_ref(p, fp, op), index);
    return 0;
}

static int plan_delete_draft(struct plan *p, struct repo_op *op, size_t index, struct err *err)
{
    static const char *const KINDS[] = {"drafts", "proposed"};
    struct str fp = full_path(p->arena, p->repo, op->package);
    for (size_t i = 0; i < 2; i++) {
        struct str ref = draft_ref(p, KINDS[i], fp, op);
        struct repo_id now = get_ref(p, ref);
        if (!repo_id_is_zero(&now) && check_expected(op, ref, &now, err)) {
            return -1;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        delete_ref(p, draft_ref(p, KINDS[i], fp, op), index);
    }
    return 0;
}

int plan_op(struct plan *p, struct repo_op *op, size_t index, struct err *err)
{
    switch (op->type) {
    case REPO_OP_PUBLISH:
        return plan_publish(p, op, index, err);
    case REPO_OP_MARK_DELETION:
        return plan_mark(p, op, index, err);
    case REPO_OP_UNMARK_DELETION:
        delete_ref(p, marker_ref(p, full_path(p->arena, p->repo, op->package), op), index);
        return 0;
    case REPO_OP_DELETE_TAG:
        return plan_delete_tag(p, op, index, err);
    case REPO_OP_DELETE_PACKAGE:
        return plan_delete_package(p, op, index, err);
    case REPO_OP_DELETE_DRAFT:
        return plan_delete_draft(p, op, index, err);
    }
    return err_set(err, ERR_INTERNAL, "unknown repository operation");
}
