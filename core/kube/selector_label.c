/* SPDX-License-Identifier: Apache-2.0
 *
 * See selector_label.h. A hand-written scanner and one function per grammar rule. Clients print
 * the error texts, so they say what Kubernetes says at the same place.
 */
#include "kube/selector_label.h"

#include "api/kinds.h"
#include "base/buf.h"
#include "data/node.h"
#include "krm/name.h"

enum token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_IN,
    TOKEN_NOT_IN,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_NOT,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_GREATER,
    TOKEN_LESS
};

struct parser {
    struct arena *a;
    struct str text;
    size_t at; /* behind the token below */
    enum token token;
    struct str literal;
    struct err *err;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_special(char c)
{
    return strchr("=!(),><", c) && c != '\0';
}

static enum token special_token(struct str s)
{
    switch (s.ptr[0]) {
    case '(':
        return TOKEN_OPEN;
    case ')':
        return TOKEN_CLOSE;
    case ',':
        return TOKEN_COMMA;
    case '>':
        return TOKEN_GREATER;
    case '<':
        return TOKEN_LESS;
    case '!':
        return s.len == 2 ? TOKEN_NOT_EQUAL : TOKEN_NOT;
    default:
        return TOKEN_EQUAL;
    }
}

/* Moves to the next token. */
static void next(struct parser *p)
{
    size_t at = p->at;
    while (at < p->text.len && is_blank(p->text.ptr[at])) {
        at++;
    }
    size_t from = at;
    if (at == p->text.len) {
        p->token = TOKEN_END;
        p->literal = STR("");
    } else if (is_special(p->text.ptr[at])) {
        char c = p->text.ptr[at++];
        bool doubled = (c == '=' || c == '!') && at < p->text.len && p->text.ptr[at] == '=';
        at += doubled;
        p->literal = str_sub(p->text, from, at);
        p->token = special_token(p->literal);
    } else {
        while (at < p->text.len && !is_blank(p->text.ptr[at]) && !is_special(p->text.ptr[at])) {
            at++;
        }
        p->literal = str_sub(p->text, from, at);
        p->token = str_eq(p->literal, STR("in"))      ? TOKEN_IN
                   : str_eq(p->literal, STR("notin")) ? TOKEN_NOT_IN
                                                      : TOKEN_WORD;
    }
    p->at = at;
}

/* `in` and `notin` are plain words where a key or a value stands. */
static bool at_word(const struct parser *p)
{
    return p->token == TOKEN_WORD || p->token == TOKEN_IN || p->token == TOKEN_NOT_IN;
}

static int unexpected(struct parser *p, const char *expected)
{
    return err_set(p->err, ERR_BAD_REQUEST, "found '%.*s', expected: %s", STR_ARG(p->literal),
                   expected);
}

/* --- checks of one requirement --- */

/* Adds `<field>: Invalid value: "<value>": <text>` to the list of faults. */
static void add_fault(struct buf *b, const char *field, struct str value, struct str text)
{
    buf_addz(b, b->len ? ", " : "");
    buf_addz(b, field);
    buf_addz(b, ": Invalid value: ");
    buf_add_json_string(b, value);
    buf_addz(b, ": ");
    buf_add_str(b, text);
}

static int check_key(struct parser *p, struct str key)
{
    struct krm_name_faults f = krm_name_check_qualified(key);
    if (f.n == 0) {
        return 0;
    }
    AUTO_BUF text = BUF_INIT;
    add_fault(&text, "<nil>", key, krm_name_faults_text(p->a, &f, "; "));
    return err_set(p->err, ERR_BAD_REQUEST, "%s", text.ptr);
}

static int check_values(struct parser *p, struct kube_label_term *t)
{
    AUTO_BUF faults = BUF_INIT;
    size_t n = 0;
    bool number = t->op == KUBE_LABEL_GREATER || t->op == KUBE_LABEL_LESS;
    if (number && !str_to_int64(t->values[0], &t->number)) {
        add_fault(&faults, "values[0]", t->values[0],
                  STR("for 'Gt', 'Lt' operators, the value must be an integer"));
        n++;
    }
    for (size_t i = 0; i < t->n_values; i++) {
        struct krm_name_faults f = krm_name_check_label_value(t->values[i]);
        if (f.n > 0) {
            struct str field = arena_printf(p->a, "values[%zu][%.*s]", i, STR_ARG(t->key));
            add_fault(&faults, field.ptr ? field.ptr : "values", t->values[i],
                      krm_name_faults_text(p->a, &f, "; "));
            n++;
        }
    }
    if (n == 0) {
        return 0;
    }
    return err_set(p->err, ERR_BAD_REQUEST, n > 1 ? "[%s]" : "%s", faults.ptr);
}

/* --- grammar --- */

/* Values are a sorted set. */
static int add_value(struct parser *p, struct kube_label_term *t, struct str value)
{
    size_t at = 0;
    while (at < t->n_values && str_cmp(t->values[at], value) < 0) {
        at++;
    }
    if (at < t->n_values && str_eq(t->values[at], value)) {
        return 0;
    }
    if ((t->n_values & (t->n_values - 1)) == 0) { /* full at every power of two */
        struct str *grown = arena_array(p->a, struct str, t->n_values ? t->n_values * 2 : 1);
        if (!grown) {
            return err_set(p->err, ERR_TOO_LARGE, "label selector is too long");
        }
        if (t->n_values > 0) {
            memcpy(grown, t->values, t->n_values * sizeof(*grown));
        }
        t->values = grown;
    }
    memmove(t->values + at + 1, t->values + at, (t->n_values - at) * sizeof(*t->values));
    t->values[at] = value;
    t->n_values++;
    return 0;
}

/* `a, b)`: a missing value between commas is the empty value. */
static int parse_list(struct parser *p, struct kube_label_term *t)
{
    for (;;) {
        if (at_word(p)) {
            if (add_value(p, t, p->literal) < 0) {
                return -1;
            }
            next(p);
            if (p->token == TOKEN_CLOSE) {
                return 0;
            }
            if (p->token != TOKEN_COMMA) {
                return unexpected(p, "',' or ')'");
            }
        } else if (p->token == TOKEN_COMMA) {
            if (t->n_values == 0 && add_value(p, t, STR("")) < 0) {
                return -1;
            }
            next(p);
            if (p->token == TOKEN_CLOSE) {
                return add_value(p, t, STR(""));
            }
            if (p->token == TOKEN_COMMA) {
                next(p);
                if (add_value(p, t, STR("")) < 0) {
                    return -1;
                }
            }
        } else {
            return unexpected(p, "',', or identifier");
        }
    }
}

static int parse_values(struct parser *p, struct kube_label_term *t)
{
    if (p->token != TOKEN_OPEN) {
        return err_set(p->err, ERR_BAD_REQUEST, "found '%.*s' expected: '('", STR_ARG(p->literal));
    }
    next(p);
    if (p->token == TOKEN_CLOSE) {
        next(p);
        return add_value(p, t, STR(""));
    }
    if (!at_word(p) && p->token != TOKEN_COMMA) {
        return unexpected(p, "',', ')' or identifier");
    }
    if (parse_list(p, t) < 0) {
        return -1;
    }
    if (p->token != TOKEN_CLOSE) {
        return unexpected(p, "')'");
    }
    next(p);
    return 0;
}

static int parse_value(struct parser *p, struct kube_label_term *t)
{
    if (p->token == TOKEN_END || p->token == TOKEN_COMMA) {
        return add_value(p, t, STR(""));
    }
    if (!at_word(p)) {
        return unexpected(p, "identifier");
    }
    if (add_value(p, t, p->literal) < 0) {
        return -1;
    }
    next(p);
    return 0;
}

static int parse_operator(struct parser *p, struct kube_label_term *t)
{
    bool list = p->token == TOKEN_IN || p->token == TOKEN_NOT_IN;
    switch (p->token) {
    case TOKEN_IN:
    case TOKEN_EQUAL:
        t->op = KUBE_LABEL_IN;
        break;
    case TOKEN_NOT_IN:
    case TOKEN_NOT_EQUAL:
        t->op = KUBE_LABEL_NOT_IN;
        break;
    case TOKEN_GREATER:
        t->op = KUBE_LABEL_GREATER;
        break;
    case TOKEN_LESS:
        t->op = KUBE_LABEL_LESS;
        break;
    default:
        return unexpected(p, "in, notin, =, ==, !=, gt, lt");
    }
    next(p);
    return list ? parse_values(p, t) : parse_value(p, t);
}

static int parse_requirement(struct parser *p, struct kube_label_term *t)
{
    bool negated = p->token == TOKEN_NOT;
    if (negated) {
        next(p);
    }
    if (!at_word(p)) {
        return unexpected(p, "identifier");
    }
    t->key = p->literal;
    if (check_key(p, t->key) < 0) {
        return -1;
    }
    next(p);
    if (negated || p->token == TOKEN_END || p->token == TOKEN_COMMA) {
        t->op = negated ? KUBE_LABEL_MISSING : KUBE_LABEL_EXISTS;
        return 0;
    }
    return parse_operator(p, t) < 0 ? -1 : check_values(p, t);
}

static int wrap(struct err *err)
{
    AUTO_ERR inner = ERR_INIT;
    if (!err || err->kind != ERR_BAD_REQUEST) {
        return -1;
    }
    err_move(&inner, err);
    return api_err(err, ERR_BAD_REQUEST, "selector-label", inner.message);
}

static int parse_terms(struct parser *p, struct kube_label_term *terms, size_t *n)
{
    next(p);
    while (p->token != TOKEN_END) {
        if (!at_word(p) && p->token != TOKEN_NOT) {
            return unexpected(p, "!, identifier, or 'end of string'");
        }
        if (parse_requirement(p, &terms[(*n)++]) < 0) {
            return wrap(p->err);
        }
        if (p->token == TOKEN_END) {
            return 0;
        }
        if (p->token != TOKEN_COMMA) {
            return unexpected(p, "',' or 'end of string'");
        }
        next(p);
        if (!at_word(p) && p->token != TOKEN_NOT) {
            return unexpected(p, "identifier after ','");
        }
    }
    return 0;
}

int kube_label_parse(struct arena *a, struct str text, struct kube_label_term **out, size_t *out_n,
                     struct err *err)
{
    struct parser p = {.a = a, .text = arena_str(a, text), .err = err};
    size_t max = 1, n = 0;
    for (size_t i = 0; i < text.len; i++) {
        max += text.ptr[i] == ',';
    }
    struct kube_label_term *terms = arena_array(a, struct kube_label_term, max);
    if (!terms || (text.len > 0 && !p.text.ptr)) {
        return err_set(err, ERR_TOO_LARGE, "label selector is too long");
    }
    if (parse_terms(&p, terms, &n) < 0) {
        return -1;
    }
    *out = terms;
    *out_n = n;
    return 0;
}

/* --- matching --- */

static bool has_value(const struct kube_label_term *t, struct str value)
{
    for (size_t i = 0; i < t->n_values; i++) {
        if (str_eq(t->values[i], value)) {
            return true;
        }
    }
    return false;
}

bool kube_label_match(const struct kube_label_term *t, const struct node *labels, struct str unset)
{
    const struct node *label = node_get(labels, t->key);
    struct str value = label ? node_text(label) : unset;
    bool known = label || unset.ptr;
    int64_t number;
    switch (t->op) {
    case KUBE_LABEL_EXISTS:
        return label != NULL;
    case KUBE_LABEL_MISSING:
        return label == NULL;
    case KUBE_LABEL_IN:
        return known && has_value(t, value);
    case KUBE_LABEL_NOT_IN:
        return !known || !has_value(t, value);
    case KUBE_LABEL_GREATER:
        return label && str_to_int64(value, &number) && number > t->number;
    case KUBE_LABEL_LESS:
        return label && str_to_int64(value, &number) && number < t->number;
    }
    return false;
}
