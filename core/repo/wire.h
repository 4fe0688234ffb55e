/* SPDX-License-Identifier: Apache-2.0
 *
 * One conversation with a git server about one service: read its advertisement, write a request,
 * read the answer. Over http a read after writes sends what was written as one POST; over ssh and
 * git:// bytes flow as they are. Every call ends by the deadline given at open.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "repo/priv.h"

enum wire_service { WIRE_UPLOAD_PACK, WIRE_RECEIVE_PACK };

struct wire;

struct wire_ops {
    int (*read)(struct wire *w, void *bytes, size_t cap, size_t *out_n, struct err *err);
    int (*write)(struct wire *w, const void *bytes, size_t n, struct err *err);
    void (*close)(struct wire *w);
};

struct wire {
    const struct wire_ops *ops;
    enum wire_service service;
    int64_t deadline_ns;
    bool stateless; /* http: each request stands alone */
};

/* Not for URL_FILE. Refused credentials: ERR_UNAUTHORIZED. */
int wire_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
              struct wire **out, struct err *err);
/* *out_n 0 = the server is done. */
int wire_read(struct wire *w, void *bytes, size_t cap, size_t *out_n, struct err *err);
int wire_write(struct wire *w, const void *bytes, size_t n, struct err *err);
void wire_close(struct wire *w);
void wire_close_at(struct wire **w);
#define AUTO_WIRE __attribute__((cleanup(wire_close_at))) struct wire

const char *wire_service_name(enum wire_service s);
int wire_http_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
                   struct wire **out, struct err *err);
int wire_git_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
                  struct wire **out, struct err *err);
int wire_ssh_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
                  struct wire **out, struct err *err);

/* --- pkt-lines --- */

enum pkt_type { PKT_DATA, PKT_FLUSH, PKT_END };

/* A reader of pkt-lines over a conversation; keeps what it read when `keep` is set. */
struct pkt_reader {
    struct wire *wire;
    struct buf held;
    size_t at;
};

/* Reads one packet; *out is borrowed until the next call (or, in keeping mode, while the reader
 * lives: nothing is dropped). PKT_END only between packets. */
int pkt_read(struct pkt_reader *p, bool keep, enum pkt_type *out_type, struct str *out,
             struct err *err);
void pkt_write(struct buf *out, struct str line);
void pkt_flush(struct buf *out);

/* --- advertisement --- */

struct advert {
    struct refs *refs;   /* heads and tags */
    struct repo_id head; /* of HEAD, zero when not told */
    struct str capabilities;
    struct arena arena;
    struct buf raw; /* as it came, for libgit2 */
};

int advert_read(struct wire *w, struct advert *out, struct err *err);
void advert_done(struct advert *a);
#define AUTO_ADVERT __attribute__((cleanup(advert_done))) struct advert
bool advert_can(const struct advert *a, const char *capability);
