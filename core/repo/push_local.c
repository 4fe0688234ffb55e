/* SPDX-License-Identifier: Apache-2.0
 *
 * A push into a repository on this machine: objects first, then all refs in one transaction. Every
 * ref is locked before the first one is looked at, so the expected values hold until all are
 * written. Hooks of the repository are not run: there is no git process that would run them.
 */
#include "repo/push.h"

static void transaction_free_at(git_transaction **t)
{
    git_transaction_free(*t);
}

static bool is_checked_out(git_repository *remote, struct str ref)
{
    git_reference *head = NULL;
    if (git_repository_is_bare(remote) || git_reference_lookup(&head, remote, "HEAD")) {
        return false;
    }
    const char *target = git_reference_symbolic_target(head);
    bool same = target && str_eqz(ref, target);
    git_reference_free(head);
    return same;
}

/* Locks one ref and compares its value. */
static void lock_ref(git_transaction *t, git_repository *remote, struct push_cmd *cmd,
                     struct arena *a)
{
    git_oid now = {{0}};
    if (is_checked_out(remote, cmd->ref)) {
        cmd->reject = STR("branch is currently checked out");
        return;
    }
    if (git_transaction_lock_ref(t, cmd->ref.ptr)) {
        const git_error *e = git_error_last();
        cmd->reject = arena_printf(a, "failed to lock: %s", e ? e->message : "unknown error");
        return;
    }
    int rc = git_reference_name_to_id(&now, remote, cmd->ref.ptr);
    if (rc && rc != GIT_ENOTFOUND) {
        cmd->reject = STR("failed to update ref: it cannot be read");
    } else if (!git_oid_equal(&now, oid_of(&cmd->from))) {
        cmd->reject = STR("failed to update ref: it moved");
    }
}

static int set_ref(git_transaction *t, const struct push_cmd *cmd)
{
    if (repo_id_is_zero(&cmd->to)) {
        return repo_id_is_zero(&cmd->from) ? 0 : git_transaction_remove(t, cmd->ref.ptr);
    }
    return git_transaction_set_target(t, cmd->ref.ptr, oid_of(&cmd->to), NULL, "push");
}

int push_local(git_repository *remote, struct handle *h, const struct push_objects *objects,
               struct str pack, struct push_cmd *cmds, size_t n, struct arena *a, struct err *err)
{
    git_odb *odb = NULL;
    if (git_repository_odb(&odb, remote)) {
        return git_fail(err, ERR_UNAVAILABLE, "cannot open the repository");
    }
    int rc = objects->n ? push_store(odb, h->odb, objects, pack, err) : 0;
    git_odb_free(odb);
    if (rc) {
        return -1;
    }
    AUTO(transaction_free_at) git_transaction *t = NULL;
    if (git_transaction_new(&t, remote)) {
        return git_fail(err, ERR_UNAVAILABLE, "cannot change refs of the repository");
    }
    bool refused = false;
    for (size_t i = 0; i < n; i++) {
        lock_ref(t, remote, &cmds[i], a);
        refused = refused || cmds[i].reject.len;
    }
    for (size_t i = 0; refused && i < n; i++) {
        cmds[i].reject = cmds[i].reject.len ? cmds[i].reject : STR("atomic push failure");
    }
    git_error_clear();
    if (refused) {
        return 0;
    }
    for (size_t i = 0; !rc && i < n; i++) {
        rc = set_ref(t, &cmds[i]);
    }
    return rc || git_transaction_commit(t)
               ? git_fail(err, ERR_UNAVAILABLE, "failed to update ref")
               : 0;
}
