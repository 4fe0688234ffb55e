/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines of `exec:` functions into words, by the quoting rules of a POSIX shell. Nothing is
 * expanded and no shell ever sees the line.
 */
#include "eval/process.h"

struct splitter {
    const char *at, *end;
    char *word; /* where the next byte of the word goes */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A quoted part; s->at is behind the opening quote. False when the quote is not closed. */
static bool take_quoted(struct splitter *s, char quote)
{
    for (; s->at < s->end && *s->at != quote; s->at++) {
        if (*s->at == '\\' && quote == '"' && s->at + 1 < s->end &&
            (s->at[1] == '"' || s->at[1] == '\\')) {
            s->at++;
        }
        *s->word++ = *s->at;
    }
    return s->at++ < s->end;
}

/* A word that begins at s->at; false when a quote or a backslash has no end. */
static bool take_word(struct splitter *s)
{
    while (s->at < s->end && !is_blank(*s->at)) {
        char c = *s->at++;
        if (c == '\'' || c == '"') {
            if (!take_quoted(s, c)) {
                return false;
            }
        } else if (c != '\\') {
            *s->word++ = c;
        } else if (s->at == s->end) {
            return false;
        } else {
            *s->word++ = *s->at++;
        }
    }
    *s->word++ = 0;
    return true;
}

const char *const *eval_words(struct arena *a, struct str line, size_t *out_n, struct err *err)
{
    char *bytes = arena_alloc(a, line.len + 1);
    const char **words = arena_array(a, const char *, line.len / 2 + 2);
    struct splitter s = {line.ptr, line.ptr + line.len, bytes};
    *out_n = 0;
    while (words) {
        while (s.at < s.end && is_blank(*s.at)) {
            s.at++;
        }
        if (s.at == s.end) {
            return words;
        }
        if (*s.at == '#') {
            const char *eol = memchr(s.at, '\n', (size_t)(s.end - s.at));
            s.at = eol ? eol : s.end;
            continue;
        }
        words[(*out_n)++] = s.word;
        if (!take_word(&s)) {
            err_set(err, ERR_INVALID, "a quote is not closed");
            return NULL;
        }
    }
    err_set(err, ERR_TOO_LARGE, "the command line is too long");
    return NULL;
}
