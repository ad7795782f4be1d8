/* Intake of media: read many datagrams at once, decrypt, read the RTP header.
 *
 * One call drains a socket with recvmmsg. A datagram from an address that belongs to a session is
 * weighed (token bucket), decrypted by the session's libsrtp and, if it is RTP, has its header read
 * (RFC 3550 §5.1, RFC 8285); what is left of it is one `struct record`. Checks and DTLS are handed
 * over untouched; everything else is counted and forgotten. `UdpPort` and `Connection` do the same
 * in Python when this was not built; tests compare the two.
 *
 * Nothing here knows a key: authentication, replay protection and rollover counters are libsrtp's,
 * called through pointers, so both ways in share one state. No Python.h; loaded by ctypes. One
 * thread; all state hangs on `struct intake`. Functions return a count or identifier, or a
 * negative errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    BATCH = 64,           /* datagrams read by one call */
    SLOT_BYTES = 2048,    /* longer datagrams are cut and fail authentication */
    LONGEST = 1500,       /* what the Python way accepts, too */
    ADDRESS_BYTES = 28,   /* sockaddr_in6 */
    BUCKETS = 4096,       /* of the table of addresses */
    SLOTS = 65536,        /* sessions at once */
    KIND_OTHER = 0,       /* not decrypted: a check, DTLS, or from an address not known yet */
    KIND_RTP = 1,
    KIND_RTCP = 2,
    KIND_MALFORMED = 3,   /* authentic, and contradicts itself */
    NOTHING = -1,
    UNSEEN = -2
};

typedef int (*decrypt)(void *srtp, void *packet, int *size);

struct session {
    int used, generation;
    void *srtp; /* NULL before DTLS is done */
    double level, filled_s;
    int level_id, cc_id;
    uint64_t unauthentic;
};

struct path {
    struct path *next;
    int fd, session;
    uint32_t size;
    uint8_t address[ADDRESS_BYTES];
};

struct counters {
    uint64_t received, calls, unknown, strange, flooded;
};

struct intake {
    struct counters counters;
    decrypt rtp, rtcp;
    double rate_per_s, burst;
    struct session *sessions;
    int session_count;
    struct path *paths[BUCKETS];
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
};

struct record {
    int32_t session;
    uint32_t ssrc, timestamp;
    int32_t profile, cc; /* -1: none */
    int16_t level;       /* -1: none */
    uint16_t slot, size, seq;
    uint16_t extension_start, extension_end, payload_start, payload_end;
    uint8_t kind, payload_type, marker, address_size;
};

struct intake *intake_new(decrypt rtp, decrypt rtcp, double rate_per_s, double burst)
{
    struct intake *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->rtp = rtp;
    in->rtcp = rtcp;
    in->rate_per_s = rate_per_s;
    in->burst = burst;
    return in;
}

void intake_free(struct intake *in)
{
    for (int i = 0; i < BUCKETS; i++)
        for (struct path *path = in->paths[i], *next; path; path = next) {
            next = path->next;
            free(path);
        }
    free(in->sessions);
    free(in);
}

struct counters *intake_counters(struct intake *in) { return &in->counters; }

/* ---- sessions and paths -------------------------------------------------------------------- */

/* Identifiers are not used again soon: records may outlive the session they name. */
static struct session *session_of(struct intake *in, int id)
{
    int slot = id % SLOTS;
    if (id < 0 || slot >= in->session_count)
        return NULL;
    struct session *s = &in->sessions[slot];
    return s->used && s->generation == id / SLOTS ? s : NULL;
}

int intake_open(struct intake *in)
{
    int slot = 0;
    while (slot < in->session_count && in->sessions[slot].used)
        slot++;
    if (slot == SLOTS)
        return -ENOSPC;
    if (slot == in->session_count) {
        struct session *list = realloc(in->sessions, (size_t)(slot + 1) * sizeof *list);
        if (!list)
            return -ENOMEM;
        in->sessions = list;
        in->session_count++;
        memset(&list[slot], 0, sizeof *list);
    }
    struct session *s = &in->sessions[slot];
    int generation = (s->generation + 1) & 0x7FFF;
    memset(s, 0, sizeof *s);
    s->used = 1;
    s->generation = generation;
    s->level = in->burst;
    return generation * SLOTS + slot;
}

void intake_close(struct intake *in, int id)
{
    struct session *s = session_of(in, id);
    if (!s)
        return;
    for (int i = 0; i < BUCKETS; i++)
        for (struct path **at = &in->paths[i]; *at;) {
            struct path *path = *at;
            if (path->session == id) {
                *at = path->next;
                free(path);
            } else
                at = &path->next;
        }
    s->used = 0;
    s->srtp = NULL;
}

int intake_set_srtp(struct intake *in, int id, void *srtp)
{
    struct session *s = session_of(in, id);
    if (!s)
        return -EINVAL;
    s->srtp = srtp;
    return 0;
}

/* Which header extension elements to read of every packet: audio level, running number; 0: none. */
int intake_set_elements(struct intake *in, int id, int level_id, int cc_id)
{
    struct session *s = session_of(in, id);
    if (!s)
        return -EINVAL;
    s->level_id = level_id;
    s->cc_id = cc_id;
    return 0;
}

/* Packets that were not authentic so far. */
int64_t intake_unauthentic(struct intake *in, int id)
{
    struct session *s = session_of(in, id);
    return s ? (int64_t)s->unauthentic : 0;
}

static struct path **place_of(struct intake *in, int fd, const void *address, uint32_t size)
{
    const uint8_t *bytes = address;
    uint32_t hash = 2166136261u ^ (uint32_t)fd;
    for (uint32_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    struct path **at = &in->paths[(hash ^ hash >> 16) % BUCKETS];
    while (*at && ((*at)->fd != fd || (*at)->size != size || memcmp((*at)->address, bytes, size)))
        at = &(*at)->next;
    return at;
}

/* What comes from that address on that socket belongs to the session. */
int intake_add_path(struct intake *in, int fd, const void *address, int size, int id)
{
    if (!session_of(in, id) || size < 0 || size > ADDRESS_BYTES)
        return -EINVAL;
    struct path **at = place_of(in, fd, address, (uint32_t)size);
    if (!*at) {
        struct path *made = calloc(1, sizeof *made);
        if (!made)
            return -ENOMEM;
        made->fd = fd;
        made->size = (uint32_t)size;
        memcpy(made->address, address, (size_t)size);
        *at = made;
    }
    (*at)->session = id;
    return 0;
}

void intake_drop_path(struct intake *in, int fd, const void *address, int size)
{
    if (size < 0 || size > ADDRESS_BYTES)
        return;
    struct path **at = place_of(in, fd, address, (uint32_t)size), *path = *at;
    if (path) {
        *at = path->next;
        free(path);
    }
}

/* ---- one packet ---------------------------------------------------------------------------- */

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

/* The first element with an id counts, even if it is too short to mean anything. */
static void note_element(const struct session *s, struct record *r, int id, const uint8_t *value,
                         int length)
{
    if (id && id == s->level_id && r->level == UNSEEN)
        r->level = length ? value[0] : NOTHING;
    if (id && id == s->cc_id && r->cc == UNSEEN)
        r->cc = length >= 2 ? (int32_t)get16(value) : NOTHING;
}

/* Walk through the elements of RFC 8285 §4.2 or §4.3. 0 if one runs past the block. */
static int read_elements(const struct session *s, struct record *r, const uint8_t *at,
                         const uint8_t *end)
{
    int is_short = r->profile == 0xBEDE;
    if (!is_short && (r->profile & 0xFFF0) != 0x1000)
        return 1;
    while (at < end) {
        if (!*at) { /* padding */
            at++;
            continue;
        }
        int id = is_short ? *at >> 4 : *at, length;
        if (is_short) {
            if (id == 15) /* reserved: nothing behind it is to be read */
                return 1;
            length = (*at++ & 15) + 1;
        } else {
            if (++at == end)
                return 0;
            length = *at++;
        }
        if (at + length > end)
            return 0;
        note_element(s, r, id, at, length);
        at += length;
    }
    return 1;
}

/* Read the header of a decrypted packet. 0 if it contradicts itself. */
static int read_header(const struct session *s, struct record *r, const uint8_t *data)
{
    uint32_t size = r->size, start = 12 + 4 * (data[0] & 15u);
    if (size < 12 || data[0] >> 6 != 2 || start > size)
        return 0;
    r->payload_type = data[1] & 0x7F;
    r->marker = data[1] >> 7;
    r->seq = (uint16_t)get16(data + 2);
    r->timestamp = get32(data + 4);
    r->ssrc = get32(data + 8);
    r->extension_start = r->extension_end = (uint16_t)start;
    if (data[0] & 0x10) {
        if (start + 4 > size)
            return 0;
        r->profile = (int32_t)get16(data + start);
        uint32_t end = start + 4 + 4 * get16(data + start + 2);
        if (end > size)
            return 0;
        r->extension_start = (uint16_t)(start + 4);
        r->extension_end = (uint16_t)end;
        start = end;
    }
    uint32_t stop = size;
    if (data[0] & 0x20) {
        uint32_t padding = data[size - 1];
        if (!padding || padding > size - start)
            return 0;
        stop = size - padding;
    }
    r->payload_start = (uint16_t)start;
    r->payload_end = (uint16_t)stop;
    r->level = r->cc = UNSEEN;
    int is_sound = read_elements(s, r, data + r->extension_start, data + r->extension_end);
    r->level = r->level < 0 ? NOTHING : r->level;
    r->cc = r->cc < 0 ? NOTHING : r->cc;
    return is_sound;
}

/* Spend one token of the session's allowance (`media.core.rate.TokenBucket`). */
int intake_take(struct intake *in, int id, double now_s)
{
    struct session *s = session_of(in, id);
    if (!s)
        return 0;
    double elapsed_s = now_s > s->filled_s ? now_s - s->filled_s : 0.0;
    s->filled_s = now_s;
    s->level += elapsed_s * in->rate_per_s;
    if (s->level > in->burst)
        s->level = in->burst;
    if (s->level < 1.0)
        return 0;
    s->level -= 1.0;
    return 1;
}

/* Decrypt in place and describe. The kind of record, or NOTHING. */
static int open_packet(struct intake *in, int id, uint8_t *data, int size, double now_s,
                       struct record *r)
{
    struct session *s = session_of(in, id);
    if (!s || !s->srtp || size < 8)
        return NOTHING;
    if (!intake_take(in, id, now_s)) {
        in->counters.flooded++;
        return NOTHING;
    }
    int is_rtcp = data[1] >= 192 && data[1] <= 223;
    if (size > LONGEST || (is_rtcp ? in->rtcp : in->rtp)(s->srtp, data, &size)) {
        s->unauthentic++;
        return NOTHING;
    }
    r->size = (uint16_t)size;
    if (is_rtcp)
        return KIND_RTCP;
    return read_header(s, r, data) ? KIND_RTP : KIND_MALFORMED;
}

/* ---- many packets -------------------------------------------------------------------------- */

/* Read what has come, at most BATCH datagrams, into slots of `arena`, with their addresses.
 * `records` gets one entry for each that concerns the caller; their number, and in `read` how
 * many datagrams there were. -errno when reading failed and nothing was read. */
int intake_receive(struct intake *in, int fd, uint8_t *arena, uint8_t *addresses, double now_s,
                   struct record *records, int *read)
{
    int found = 0, had_check = 0;
    for (int i = 0; i < BATCH; i++) {
        in->vectors[i] = (struct iovec){arena + (size_t)i * SLOT_BYTES, SLOT_BYTES};
        struct msghdr *head = &in->messages[i].msg_hdr;
        memset(head, 0, sizeof *head);
        head->msg_name = addresses + (size_t)i * ADDRESS_BYTES;
        head->msg_namelen = ADDRESS_BYTES;
        head->msg_iov = &in->vectors[i];
        head->msg_iovlen = 1;
    }
    int count = recvmmsg(fd, in->messages, BATCH, MSG_DONTWAIT, NULL);
    *read = count > 0 ? count : 0;
    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    in->counters.calls++;
    in->counters.received += (uint64_t)count;
    for (int i = 0; i < count; i++) {
        uint8_t *data = arena + (size_t)i * SLOT_BYTES;
        const struct msghdr *head = &in->messages[i].msg_hdr;
        struct record *r = &records[found];
        int kind = NOTHING, size = (int)in->messages[i].msg_len, first = size ? data[0] : 255;
        memset(r, 0, sizeof *r);
        r->session = r->profile = r->cc = -1;
        r->level = -1;
        r->slot = (uint16_t)i;
        r->size = (uint16_t)size;
        r->address_size = (uint8_t)head->msg_namelen;
        if (first >= 128 && first <= 191) {
            struct path *path = *place_of(in, fd, head->msg_name, head->msg_namelen);
            if (path) {
                r->session = path->session;
                kind = open_packet(in, path->session, data, size, now_s, r);
            } else if (had_check) /* which may make its address known */
                kind = KIND_OTHER;
            else
                in->counters.unknown++;
        } else if (first <= 3 || (first >= 20 && first <= 63)) {
            had_check |= first <= 3;
            kind = KIND_OTHER;
        } else
            in->counters.strange++;
        r->kind = (uint8_t)kind;
        found += kind != NOTHING;
    }
    return found;
}
