/* SPDX-License-Identifier: Apache-2.0
 *
 * See merge_rules.h.
 */
#include "krm/merge_rules.h"

static const char BLANKS[] = " \t\r";

void krm_rules_done(struct krm_rules *r)
{
    map_done(&r->by_path);
}

enum krm_rule krm_rules_at(const struct krm_rules *r, struct str path)
{
    return r->by_path.n_live ? (enum krm_rule)(uintptr_t)map_find(&r->by_path, path) : RULE_NONE;
}

static enum krm_rule rule_of(struct str word)
{
    return str_eqz(word, "ours")     ? RULE_OURS
           : str_eqz(word, "theirs") ? RULE_THEIRS
           : str_eqz(word, "merge")  ? RULE_MERGE
                                     : RULE_NONE;
}

/* "place: word" or "word". */
static int read_line(struct str line, struct str *place, enum krm_rule *rule, struct err *err)
{
    ptrdiff_t colon = str_rfind_byte(line, ':');
    *place = colon < 0 ? STR("") : str_trim(str_sub(line, 0, (size_t)colon), BLANKS);
    *rule = rule_of(str_trim(str_sub(line, (size_t)(colon + 1), line.len), BLANKS));
    if (*rule == RULE_NONE) {
        return err_set(err, ERR_INVALID,
                       "annotation " KRM_RULES_ANNOTATION
                       ": '%.*s' does not end with ours, theirs or merge",
                       STR_ARG(line));
    }
    return 0;
}

static bool fits(struct str pattern, struct str value)
{
    return str_eqz(pattern, "*") || str_eq(pattern, value);
}

/* Cuts "Kind/name" off the place; false when it names another resource. */
static bool takes_resource(struct str *place, const struct node *resource)
{
    struct str kind, name = *place;
    if (!str_split(&name, '/', &kind) || !name.ptr) {
        return false;
    }
    struct str path = name;
    (void)str_split(&path, ' ', &name);
    *place = path.ptr ? str_trim(path, BLANKS) : STR("");
    return fits(kind, node_text(node_getz(resource, "kind"))) &&
           fits(name, node_text_at(resource, "metadata.name"));
}

static int read_lines(struct krm_rules *r, struct str text, const struct node *resource,
                      bool package, struct err *err)
{
    struct str line, place;
    enum krm_rule rule;
    while (str_split(&text, '\n', &line)) {
        line = str_trim(line, BLANKS);
        if (line.len == 0) {
            continue;
        }
        if (read_line(line, &place, &rule, err) < 0) {
            return -1;
        }
        if (!package || takes_resource(&place, resource)) {
            (void)map_set(&r->by_path, place, (void *)(uintptr_t)rule);
        }
    }
    return 0;
}

int krm_rules_read(struct krm_rules *r, const struct node *resource, struct str package,
                   struct err *err)
{
    const struct node *annotations = node_at(resource, "metadata.annotations");
    struct str own = node_text(node_getz(annotations, KRM_RULES_ANNOTATION));
    return read_lines(r, package, resource, true, err) < 0 ||
                   read_lines(r, own, resource, false, err) < 0
               ? -1
               : 0;
}
