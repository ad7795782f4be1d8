/* Fan-out of RTP packets: rewrite the header for each receiver, protect, send.
 *
 * One call takes a batch of records (see `struct record`), each a packet for a whole group of
 * receivers, for one receiver, or a stored packet to be sent again. For every receiver it builds
 * the header (RFC 3550, RFC 8285), moves VP8 picture numbers where the leg asks for it (RFC 7741),
 * protects the packet (SRTP, RFC 3711 and 7714) and hands everything to the system with sendmmsg,
 * runs of equal size as one message with UDP_SEGMENT. `twin.py` does the same in Python, byte for
 * byte; tests compare the two.
 *
 * A nonce is never used twice: a stream remembers which of its last 1,024 packet indices were
 * protected and refuses a second time; what is sent again is the stored ciphertext.
 *
 * No Python.h: loaded by ctypes, which releases the interpreter lock for the call. Crypto comes
 * from a libcrypto found at run time, so no headers of it are needed. One thread; all state hangs
 * on `struct fanout`. Functions return a count or identifier, or a negative errno.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    WINDOW = 1024,        /* packet indices remembered, as the SRTP session of the twin does */
    KEPT = 64,            /* ciphertexts kept of a stream that is resent under its own SSRC */
    KEPT_BYTES = 1500,    /* longer ones are not kept */
    HISTORY = 4096,       /* sent packets remembered for transport-wide feedback */
    SEGMENTS = 64,        /* UDP_MAX_SEGMENTS of older kernels */
    SEGMENT_BYTES = 65000,
    MESSAGES = 1024,      /* UIO_MAXIOV: more in one sendmmsg are refused */
    OVERHEAD = 96,        /* header, extension and tag of one packet, at most */
    OWN_BYTES = 20,       /* extension elements of one receiver */
    ADDRESS_BYTES = 28,   /* sockaddr_in6 */
    PROFILE_CM = 1,
    PROFILE_GCM = 7,
    RECORD_GROUP = 1,
    RECORD_PACKET = 2,
    RECORD_RESEND = 3,
    FLAG_MARKER = 1,
    FLAG_VP8 = 2
};

/* ---- crypto found at run time ------------------------------------------------------------- */

struct crypto {
    void *(*ctx_new)(void);
    void (*ctx_free)(void *);
    int (*ctx_ctrl)(void *, int, int, void *);
    const void *(*aes_128_gcm)(void);
    const void *(*aes_128_ctr)(void);
    int (*init)(void *, const void *, void *, const uint8_t *, const uint8_t *);
    int (*update)(void *, uint8_t *, int *, const uint8_t *, int);
    int (*final)(void *, uint8_t *, int *);
    int (*sha1_init)(void *);
    int (*sha1_update)(void *, const void *, size_t);
    int (*sha1_final)(uint8_t *, void *);
};

enum { CTRL_GET_TAG = 0x10, SHA1_STATE = 128, TAG_GCM = 16, TAG_HMAC = 10 };

static int find_crypto(struct crypto *crypto, const char *path)
{
    static const char *const names[] = {
        "EVP_CIPHER_CTX_new", "EVP_CIPHER_CTX_free", "EVP_CIPHER_CTX_ctrl", "EVP_aes_128_gcm",
        "EVP_aes_128_ctr", "EVP_EncryptInit_ex", "EVP_EncryptUpdate", "EVP_EncryptFinal_ex",
        "SHA1_Init", "SHA1_Update", "SHA1_Final"};
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void **slot = (void **)crypto;
    if (!library)
        return -ENOENT;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        slot[i] = dlsym(library, names[i]);
        if (!slot[i])
            return -ENOSYS;
    }
    return 0; /* the library stays loaded */
}

/* ---- state --------------------------------------------------------------------------------- */

struct kept {
    uint16_t size[KEPT], room[KEPT], seq[KEPT];
    uint8_t *data[KEPT];
};

struct stream {
    uint32_t ssrc;
    int started;
    uint64_t highest; /* rollover counter and sequence number, RFC 3711 §3.3.1 */
    uint64_t seen[WINDOW / 64];
    struct kept *kept;
};

struct sent {
    uint64_t at_us;
    uint32_t number; /* the running number plus one; 0: empty */
    uint32_t size;
};

struct session {
    int used, fd, profile; /* fd -1: no way out; -2: the caller sends */
    socklen_t address_size;
    union {
        struct sockaddr any;
        uint8_t bytes[ADDRESS_BYTES];
    } address;
    void *cipher;
    uint8_t salt[16];
    uint64_t inner[SHA1_STATE / 8], outer[SHA1_STATE / 8];
    struct stream **streams;
    int stream_count;
    uint32_t *retired; /* SSRCs that must not come again under this key */
    int retired_count;
    int cc_id;
    uint32_t cc_next;
    struct sent *history;
    int first, last; /* entries of the batch, -1: none */
};

struct leg {
    int used, session, group, place; /* place in the group's list */
    struct stream *stream;
    uint8_t payload_type, own_size, has_cc, rewrites, own[OWN_BYTES];
    uint16_t seq_shift, picture_shift;
    uint8_t tl0_shift, key_shift;
    uint32_t timestamp_shift;
};

struct group {
    int used, count, room;
    int *legs;
};

struct entry {
    uint32_t offset, size;
    int session, next;
};

struct counters {
    uint64_t sent, bytes, calls, messages, segmented;
    uint64_t no_route, no_keys, refused, failed, blocked;
};

struct relayed {
    int32_t session;
    uint32_t offset, size;
};

typedef int (*sender)(int fd, int messages);

struct fanout {
    struct crypto crypto;
    struct counters counters;
    struct session *sessions;
    struct leg *legs;
    struct group *groups;
    int session_count, leg_count, group_count;
    uint8_t *arena;
    size_t arena_size, arena_used;
    struct entry *entries;
    int entry_count, entry_room;
    int *touched;
    int touched_count;
    struct iovec *vectors;
    struct mmsghdr *messages;
    uint8_t (*controls)[CMSG_SPACE(sizeof(uint16_t))];
    uint8_t (*addresses)[ADDRESS_BYTES]; /* a session may go while its messages wait */
    int *fds;
    int message_count, message_room, message_next;
    struct relayed *relayed;
    int relayed_count;
    int uses_gso;
    uint64_t now_us;
    sender before_send; /* tests only: how many of the messages the system takes, or -errno */
};

struct record {
    uint8_t kind, flags;
    uint16_t seq;
    uint32_t timestamp;
    int32_t target; /* group, session or leg */
    uint16_t elements_size, payload_size;
    uint8_t picture_at, tl0_at, key_at, reserved_at; /* offsets in the payload; 0: absent */
};

static void *grown(void *old, int *room, int wanted, size_t size)
{
    int now = *room ? *room : 16;
    void *found;
    while (now < wanted)
        now *= 2;
    found = realloc(old, (size_t)now * size);
    if (found)
        *room = now;
    return found;
}

struct fanout *fanout_new(const char *libcrypto, int uses_gso, int *status)
{
    struct fanout *f = calloc(1, sizeof *f);
    *status = -ENOMEM;
    if (!f)
        return NULL;
    *status = find_crypto(&f->crypto, libcrypto);
    if (*status) {
        free(f);
        return NULL;
    }
    f->uses_gso = uses_gso;
    return f;
}

struct counters *fanout_counters(struct fanout *f) { return &f->counters; }

void fanout_before_send(struct fanout *f, sender hook) { f->before_send = hook; }

/* ---- sessions ------------------------------------------------------------------------------ */

int fanout_open_session(struct fanout *f)
{
    struct session *found;
    for (int i = 0; i < f->session_count; i++)
        if (!f->sessions[i].used) {
            found = &f->sessions[i];
            goto fresh;
        }
    found = realloc(f->sessions, (size_t)(f->session_count + 1) * sizeof *found);
    if (!found)
        return -ENOMEM;
    f->sessions = found;
    int *touched = realloc(f->touched, (size_t)(f->session_count + 1) * sizeof(int));
    if (!touched)
        return -ENOMEM;
    f->touched = touched;
    found = &f->sessions[f->session_count++];
fresh:
    memset(found, 0, sizeof *found);
    found->used = 1;
    found->fd = found->first = found->last = -1;
    return (int)(found - f->sessions);
}

static struct session *session_of(struct fanout *f, int id)
{
    return id >= 0 && id < f->session_count && f->sessions[id].used ? &f->sessions[id] : NULL;
}

static void hash_pads(struct fanout *f, struct session *s, const uint8_t *key, int size)
{
    uint8_t pad[64];
    for (int side = 0; side < 2; side++) {
        memset(pad, side ? 0x5c : 0x36, sizeof pad);
        for (int i = 0; i < size; i++)
            pad[i] ^= key[i];
        void *state = side ? s->outer : s->inner;
        f->crypto.sha1_init(state);
        f->crypto.sha1_update(state, pad, sizeof pad);
    }
}

/* Session keys as RFC 3711 §4.3 derives them: cipher key 16, salt 12 or 14, hash key 20 bytes. */
int fanout_set_keys(struct fanout *f, int id, int profile, const uint8_t *key,
                    const uint8_t *salt, const uint8_t *hash_key)
{
    struct session *s = session_of(f, id);
    if (!s || s->cipher || (profile != PROFILE_CM && profile != PROFILE_GCM))
        return -EINVAL;
    s->cipher = f->crypto.ctx_new();
    if (!s->cipher)
        return -ENOMEM;
    const void *kind =
        profile == PROFILE_GCM ? f->crypto.aes_128_gcm() : f->crypto.aes_128_ctr();
    uint8_t iv[16] = {0};
    if (f->crypto.init(s->cipher, kind, NULL, key, iv) != 1)
        return -EIO;
    memcpy(s->salt, salt, profile == PROFILE_GCM ? 12 : 14);
    if (profile == PROFILE_CM)
        hash_pads(f, s, hash_key, 20);
    s->profile = profile;
    return 0;
}

int fanout_set_route(struct fanout *f, int id, int fd, const void *address, int size)
{
    struct session *s = session_of(f, id);
    if (!s || size < 0 || size > ADDRESS_BYTES)
        return -EINVAL;
    s->fd = fd;
    s->address_size = (socklen_t)size;
    if (size)
        memcpy(s->address.bytes, address, (size_t)size);
    else
        memset(&s->address, 0, sizeof s->address);
    return 0;
}

int fanout_set_cc(struct fanout *f, int id, int extension_id)
{
    struct session *s = session_of(f, id);
    if (!s || extension_id < 0 || extension_id > 14)
        return -EINVAL;
    s->cc_id = extension_id;
    if (extension_id && !s->history)
        s->history = calloc(HISTORY, sizeof *s->history);
    return extension_id && !s->history ? -ENOMEM : 0;
}

/* Sizes and times of packets with running numbers from `first`; size 0 where nothing is known. */
int fanout_history(struct fanout *f, int id, uint32_t first, int count, uint32_t *sizes,
                   uint64_t *at_us)
{
    struct session *s = session_of(f, id);
    if (!s || !s->history)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        /* the newest number with these 16 bits */
        uint32_t back = (uint16_t)(s->cc_next - 1 - (first + (uint32_t)i));
        uint32_t number = s->cc_next - 1 - back;
        const struct sent *sent = &s->history[number % HISTORY];
        int known = back < s->cc_next && sent->number == number + 1;
        sizes[i] = known ? sent->size : 0;
        at_us[i] = known ? sent->at_us : 0;
    }
    return 0;
}

static void free_stream(struct stream *stream)
{
    for (int i = 0; stream->kept && i < KEPT; i++)
        free(stream->kept->data[i]);
    free(stream->kept);
    free(stream);
}

static void drop_leg(struct fanout *f, struct leg *leg);

int fanout_close_session(struct fanout *f, int id)
{
    struct session *s = session_of(f, id);
    if (!s)
        return -EINVAL;
    for (int i = 0; i < f->leg_count; i++)
        if (f->legs[i].used && f->legs[i].session == id)
            drop_leg(f, &f->legs[i]);
    for (int i = 0; i < s->stream_count; i++)
        free_stream(s->streams[i]);
    if (s->cipher)
        f->crypto.ctx_free(s->cipher);
    free(s->streams);
    free(s->retired);
    free(s->history);
    memset(s, 0, sizeof *s);
    s->first = s->last = -1;
    return 0;
}

static struct stream *stream_of(struct session *s, uint32_t ssrc)
{
    for (int i = 0; i < s->stream_count; i++)
        if (s->streams[i]->ssrc == ssrc)
            return s->streams[i];
    for (int i = 0; i < s->retired_count; i++)
        if (s->retired[i] == ssrc)
            return NULL;
    struct stream **list = realloc(s->streams, (size_t)(s->stream_count + 1) * sizeof *list);
    if (!list)
        return NULL;
    s->streams = list;
    struct stream *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->ssrc = ssrc;
    s->streams[s->stream_count++] = made;
    return made;
}

static void retire(struct session *s, uint32_t ssrc)
{
    for (int i = 0; i < s->stream_count; i++)
        if (s->streams[i]->ssrc == ssrc) {
            uint32_t *list =
                realloc(s->retired, (size_t)(s->retired_count + 1) * sizeof *list);
            if (!list)
                return; /* the stream stays, so its indices stay known */
            s->retired = list;
            s->retired[s->retired_count++] = ssrc;
            free_stream(s->streams[i]);
            s->streams[i] = s->streams[--s->stream_count];
            return;
        }
}

/* Forget a stream for good; its SSRC is refused from now on. */
int fanout_retire(struct fanout *f, int id, uint32_t ssrc)
{
    struct session *s = session_of(f, id);
    if (!s)
        return -EINVAL;
    for (int i = 0; i < f->leg_count; i++)
        if (f->legs[i].used && f->legs[i].session == id && f->legs[i].stream->ssrc == ssrc)
            drop_leg(f, &f->legs[i]);
    retire(s, ssrc);
    return 0;
}

/* ---- groups and legs ----------------------------------------------------------------------- */

int fanout_open_group(struct fanout *f)
{
    int id = 0;
    while (id < f->group_count && f->groups[id].used)
        id++;
    if (id == f->group_count) {
        struct group *list = realloc(f->groups, (size_t)(id + 1) * sizeof *list);
        if (!list)
            return -ENOMEM;
        f->groups = list;
        f->group_count++;
        memset(&f->groups[id], 0, sizeof *list);
    }
    f->groups[id].used = 1;
    return id;
}

static struct group *group_of(struct fanout *f, int id)
{
    return id >= 0 && id < f->group_count && f->groups[id].used ? &f->groups[id] : NULL;
}

static void leave_group(struct fanout *f, struct leg *leg)
{
    struct group *group = group_of(f, leg->group);
    if (group) {
        int moved = group->legs[--group->count];
        group->legs[leg->place] = moved;
        f->legs[moved].place = leg->place;
    }
    leg->group = -1;
}

int fanout_close_group(struct fanout *f, int id)
{
    struct group *group = group_of(f, id);
    if (!group)
        return -EINVAL;
    while (group->count)
        leave_group(f, &f->legs[group->legs[0]]);
    free(group->legs);
    memset(group, 0, sizeof *group);
    return 0;
}

int fanout_open_leg(struct fanout *f, int session, uint32_t ssrc, int payload_type,
                    const uint8_t *own, int own_size, int has_cc, int keeps)
{
    struct session *s = session_of(f, session);
    if (!s || own_size < 0 || own_size > OWN_BYTES)
        return -EINVAL;
    int id = 0;
    while (id < f->leg_count && f->legs[id].used)
        id++;
    if (id == f->leg_count) {
        struct leg *list = realloc(f->legs, (size_t)(id + 1) * sizeof *list);
        if (!list)
            return -ENOMEM;
        f->legs = list;
        f->leg_count++;
    }
    struct stream *stream = stream_of(s, ssrc);
    struct leg *leg = &f->legs[id];
    memset(leg, 0, sizeof *leg);
    if (!stream)
        return -EEXIST;
    if (keeps && !stream->kept && !(stream->kept = calloc(1, sizeof *stream->kept)))
        return -ENOMEM;
    leg->used = 1;
    leg->session = session;
    leg->group = -1;
    leg->stream = stream;
    leg->payload_type = (uint8_t)payload_type;
    leg->has_cc = (uint8_t)has_cc;
    leg->own_size = (uint8_t)own_size;
    if (own_size)
        memcpy(leg->own, own, (size_t)own_size);
    return id;
}

static struct leg *leg_of(struct fanout *f, int id)
{
    return id >= 0 && id < f->leg_count && f->legs[id].used ? &f->legs[id] : NULL;
}

static void drop_leg(struct fanout *f, struct leg *leg)
{
    leave_group(f, leg);
    leg->used = 0;
}

/* Put a leg into a group, -1 for none, with the distances of its run. */
int fanout_move_leg(struct fanout *f, int id, int group_id, uint32_t seq_shift,
                    uint32_t timestamp_shift, int rewrites, int picture, int tl0, int key)
{
    struct leg *leg = leg_of(f, id);
    struct group *group = group_of(f, group_id);
    if (!leg || (group_id >= 0 && !group))
        return -EINVAL;
    if (leg->group != group_id) {
        leave_group(f, leg);
        if (group) {
            if (group->count == group->room) {
                int *list = grown(group->legs, &group->room, group->count + 1, sizeof *list);
                if (!list)
                    return -ENOMEM;
                group->legs = list;
            }
            leg->place = group->count;
            group->legs[group->count++] = id;
            leg->group = group_id;
        }
    }
    leg->seq_shift = (uint16_t)seq_shift;
    leg->timestamp_shift = timestamp_shift;
    leg->rewrites = (uint8_t)rewrites;
    leg->picture_shift = (uint16_t)picture;
    leg->tl0_shift = (uint8_t)tl0;
    leg->key_shift = (uint8_t)key;
    return 0;
}

/* ---- SRTP ---------------------------------------------------------------------------------- */

/* The index of a packet that has not been protected yet, or -1. */
static int64_t place(struct stream *stream, uint16_t seq)
{
    if (!stream->started) {
        stream->started = 1;
        stream->highest = seq;
    } else {
        int64_t ahead = (int16_t)(uint16_t)(seq - (uint16_t)stream->highest);
        int64_t index = (int64_t)stream->highest + ahead;
        if (index < 0 || ahead <= -WINDOW)
            return -1;
        if (ahead <= 0) {
            uint64_t bit = 1ULL << (index & 63);
            uint64_t *word = &stream->seen[index / 64 % (WINDOW / 64)];
            if (*word & bit)
                return -1;
            *word |= bit;
            return index;
        }
        for (int64_t i = ahead < WINDOW ? ahead : WINDOW; i > 0; i--) {
            uint64_t old = (uint64_t)(index - i + 1);
            stream->seen[old / 64 % (WINDOW / 64)] &= ~(1ULL << (old & 63));
        }
        stream->highest = (uint64_t)index;
    }
    uint64_t index = stream->highest;
    stream->seen[index / 64 % (WINDOW / 64)] |= 1ULL << (index & 63);
    return (int64_t)index;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Protect in place; the size with its tag, or 0. */
static size_t protect_gcm(struct fanout *f, struct session *s, uint8_t *packet, size_t header,
                          size_t size, uint32_t ssrc, uint64_t index)
{
    uint8_t iv[12] = {0};
    int out = 0;
    put32(iv + 2, ssrc);
    put32(iv + 6, (uint32_t)(index >> 16));
    put16(iv + 10, (uint32_t)index);
    for (int i = 0; i < 12; i++)
        iv[i] ^= s->salt[i];
    const struct crypto *c = &f->crypto;
    uint8_t *payload = packet + header;
    if (c->init(s->cipher, NULL, NULL, NULL, iv) != 1 ||
        c->update(s->cipher, NULL, &out, packet, (int)header) != 1 ||
        c->update(s->cipher, payload, &out, payload, (int)(size - header)) != 1 ||
        c->final(s->cipher, packet + size, &out) != 1 ||
        c->ctx_ctrl(s->cipher, CTRL_GET_TAG, TAG_GCM, packet + size) != 1)
        return 0;
    return size + TAG_GCM;
}

static size_t protect_cm(struct fanout *f, struct session *s, uint8_t *packet, size_t header,
                         size_t size, uint32_t ssrc, uint64_t index)
{
    uint8_t iv[16] = {0}, sum[20];
    uint64_t state[SHA1_STATE / 8];
    int out = 0;
    put32(iv + 4, ssrc);
    put32(iv + 8, (uint32_t)(index >> 16));
    put16(iv + 12, (uint32_t)index);
    for (int i = 0; i < 14; i++)
        iv[i] ^= s->salt[i];
    const struct crypto *c = &f->crypto;
    uint8_t *payload = packet + header;
    if (c->init(s->cipher, NULL, NULL, NULL, iv) != 1 ||
        c->update(s->cipher, payload, &out, payload, (int)(size - header)) != 1)
        return 0;
    put32(packet + size, (uint32_t)(index >> 16)); /* overwritten by the tag below */
    memcpy(state, s->inner, sizeof state);
    c->sha1_update(state, packet, size + 4);
    c->sha1_final(sum, state);
    memcpy(state, s->outer, sizeof state);
    c->sha1_update(state, sum, sizeof sum);
    c->sha1_final(sum, state);
    memcpy(packet + size, sum, TAG_HMAC);
    return size + TAG_HMAC;
}

static void keep(struct kept *kept, uint16_t seq, const uint8_t *packet, size_t size)
{
    int slot = seq % KEPT;
    kept->size[slot] = 0;
    kept->seq[slot] = seq;
    if (size > KEPT_BYTES)
        return;
    if (size > kept->room[slot]) {
        uint8_t *data = realloc(kept->data[slot], size);
        if (!data)
            return;
        kept->data[slot] = data;
        kept->room[slot] = (uint16_t)size;
    }
    memcpy(kept->data[slot], packet, size);
    kept->size[slot] = (uint16_t)size;
}

/* ---- building ------------------------------------------------------------------------------ */

static void append(struct fanout *f, int session, size_t size)
{
    struct session *s = &f->sessions[session];
    struct entry *entry = &f->entries[f->entry_count];
    entry->offset = (uint32_t)f->arena_used;
    entry->size = (uint32_t)size;
    entry->session = session;
    entry->next = -1;
    if (s->last < 0) {
        s->first = f->entry_count;
        f->touched[f->touched_count++] = session;
    } else
        f->entries[s->last].next = f->entry_count;
    s->last = f->entry_count++;
    f->arena_used += (size + 15) & ~(size_t)15;
}

/* Whether packets of the session can go anywhere now. */
static int is_ready(struct fanout *f, struct session *s)
{
    if (s && s->cipher && s->fd != -1)
        return 1;
    if (!s || !s->cipher)
        f->counters.no_keys++;
    else
        f->counters.no_route++;
    return 0;
}

static void note_sent(struct fanout *f, struct session *s, size_t size)
{
    struct sent *sent = &s->history[s->cc_next % HISTORY];
    sent->number = ++s->cc_next;
    sent->size = (uint32_t)size;
    sent->at_us = f->now_us;
}

/* Protect the packet at the end of the arena and queue it. */
static void finish(struct fanout *f, int session, struct stream *stream, size_t header,
                   size_t size, uint8_t *cc_at)
{
    struct session *s = &f->sessions[session];
    uint8_t *packet = f->arena + f->arena_used;
    uint16_t seq = (uint16_t)(packet[2] << 8 | packet[3]);
    int64_t index = place(stream, seq);
    if (index < 0) {
        f->counters.refused++;
        return;
    }
    if (cc_at)
        put16(cc_at, s->cc_next);
    size = s->profile == PROFILE_GCM
               ? protect_gcm(f, s, packet, header, size, stream->ssrc, (uint64_t)index)
               : protect_cm(f, s, packet, header, size, stream->ssrc, (uint64_t)index);
    if (!size) {
        f->counters.failed++;
        return;
    }
    if (cc_at)
        note_sent(f, s, size);
    if (stream->kept)
        keep(stream->kept, seq, packet, size);
    append(f, session, size);
}

static void move_pictures(const struct leg *leg, const struct record *r, uint8_t *payload)
{
    if (r->reserved_at)
        payload[r->reserved_at] &= 0xF0;
    if (r->picture_at) {
        uint32_t id = (uint32_t)payload[r->picture_at] << 8 | payload[r->picture_at + 1];
        put16(payload + r->picture_at, ((id + leg->picture_shift) & 0x7FFF) | 0x8000);
    }
    if (r->tl0_at)
        payload[r->tl0_at] = (uint8_t)(payload[r->tl0_at] + leg->tl0_shift);
    if (r->key_at) {
        uint8_t packed = payload[r->key_at];
        payload[r->key_at] =
            (uint8_t)((packed & 0xE0) | ((packed + leg->key_shift) & 0x1F));
    }
}

static void build(struct fanout *f, const struct leg *leg, const struct record *r,
                  const uint8_t *elements, const uint8_t *payload)
{
    struct session *s = session_of(f, leg->session);
    if (!is_ready(f, s))
        return;
    uint8_t *packet = f->arena + f->arena_used, *at = packet + 12, *cc_at = NULL;
    int has_cc = leg->has_cc && s->cc_id;
    size_t own = (size_t)r->elements_size + leg->own_size + (has_cc ? 3 : 0);
    packet[0] = own ? 0x90 : 0x80;
    packet[1] = (uint8_t)(leg->payload_type | (r->flags & FLAG_MARKER ? 0x80 : 0));
    put16(packet + 2, (uint32_t)r->seq + leg->seq_shift);
    put32(packet + 4, r->timestamp + leg->timestamp_shift);
    put32(packet + 8, leg->stream->ssrc);
    if (own) {
        put16(at, 0xBEDE);
        put16(at + 2, (uint32_t)(own + 3) / 4);
        at += 4;
        memcpy(at, elements, r->elements_size);
        at += r->elements_size;
        memcpy(at, leg->own, leg->own_size);
        at += leg->own_size;
        if (has_cc) {
            *at = (uint8_t)(s->cc_id << 4 | 1);
            cc_at = at + 1;
            at += 3;
        }
        while ((at - packet) % 4)
            *at++ = 0;
    }
    memcpy(at, payload, r->payload_size);
    if (leg->rewrites && r->flags & FLAG_VP8)
        move_pictures(leg, r, at);
    size_t header = (size_t)(at - packet);
    finish(f, leg->session, leg->stream, header, header + r->payload_size, cc_at);
}

/* Where a packet's payload begins, and where it carries the running number; 0 if malformed. */
static size_t scan(uint8_t *packet, size_t size, int cc_id, uint8_t **cc_at)
{
    size_t header = 12 + 4 * (size_t)(packet[0] & 15);
    *cc_at = NULL;
    if (!(packet[0] & 0x10))
        return header <= size ? header : 0;
    if (header + 4 > size)
        return 0;
    uint8_t *at = packet + header + 4;
    int is_one_byte = packet[header] == 0xBE && packet[header + 1] == 0xDE;
    header += 4 + 4 * (size_t)(packet[header + 2] << 8 | packet[header + 3]);
    if (header > size)
        return 0;
    while (is_one_byte && cc_id && at < packet + header) {
        if (!*at) {
            at++;
            continue;
        }
        int id = *at >> 4, length = (*at & 15) + 1;
        if (id == 15 || at + 1 + length > packet + header)
            break;
        if (id == cc_id && length == 2)
            *cc_at = at + 1;
        at += 1 + length;
    }
    return header;
}

static void copy(struct fanout *f, const struct record *r, const uint8_t *data)
{
    struct session *s = session_of(f, r->target);
    uint8_t *packet = f->arena + f->arena_used, *cc_at;
    if (!is_ready(f, s) || r->payload_size < 12)
        return;
    memcpy(packet, data, r->payload_size);
    size_t header = scan(packet, r->payload_size, s->cc_id, &cc_at);
    struct stream *stream = header ? stream_of(s, get32(packet + 8)) : NULL;
    if (!stream) {
        f->counters.refused++;
        return;
    }
    finish(f, r->target, stream, header, r->payload_size, cc_at);
}

static void send_again(struct fanout *f, const struct record *r)
{
    struct leg *leg = leg_of(f, r->target);
    if (!leg || !leg->stream->kept || !is_ready(f, session_of(f, leg->session)))
        return;
    const struct kept *kept = leg->stream->kept;
    int slot = r->seq % KEPT;
    if (!kept->size[slot] || kept->seq[slot] != r->seq) {
        f->counters.refused++;
        return;
    }
    memcpy(f->arena + f->arena_used, kept->data[slot], kept->size[slot]);
    append(f, leg->session, kept->size[slot]);
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Make room for everything a batch can become. 0 or -errno. */
static int reserve(struct fanout *f, const uint8_t *batch, size_t size)
{
    size_t bytes = 0, at = 0;
    int packets = 0;
    while (at + sizeof(struct record) <= size) {
        struct record r;
        memcpy(&r, batch + at, sizeof r);
        at += sizeof r + r.elements_size + r.payload_size;
        struct group *group = r.kind == RECORD_GROUP ? group_of(f, r.target) : NULL;
        int count = r.kind == RECORD_GROUP ? (group ? group->count : 0) : 1;
        size_t each = r.kind == RECORD_RESEND ? KEPT_BYTES : r.payload_size;
        packets += count;
        bytes += (size_t)count * (each + r.elements_size + OVERHEAD);
    }
    if (at != size)
        return -EINVAL;
    if (bytes > f->arena_size) {
        uint8_t *arena = realloc(f->arena, bytes * 3 / 2);
        if (!arena)
            return -ENOMEM;
        f->arena = arena;
        f->arena_size = bytes * 3 / 2;
    }
    if (packets > f->entry_room) {
        int room = packets * 3 / 2;
        size_t n = (size_t)room;
        void *entries = realloc(f->entries, n * sizeof *f->entries);
        f->entries = entries ? entries : f->entries;
        void *vectors = realloc(f->vectors, n * sizeof *f->vectors);
        f->vectors = vectors ? vectors : f->vectors;
        void *messages = realloc(f->messages, n * sizeof *f->messages);
        f->messages = messages ? messages : f->messages;
        void *controls = realloc(f->controls, n * sizeof *f->controls);
        f->controls = controls ? controls : f->controls;
        void *addresses = realloc(f->addresses, n * sizeof *f->addresses);
        f->addresses = addresses ? addresses : f->addresses;
        void *fds = realloc(f->fds, n * sizeof *f->fds);
        f->fds = fds ? fds : f->fds;
        void *relayed = realloc(f->relayed, n * sizeof *f->relayed);
        f->relayed = relayed ? relayed : f->relayed;
        if (!entries || !vectors || !messages || !controls || !addresses || !fds || !relayed)
            return -ENOMEM;
        f->entry_room = room;
    }
    return 0;
}

static void set_segment(struct fanout *f, int number, size_t size)
{
    struct msghdr *head = &f->messages[number].msg_hdr;
    head->msg_control = f->controls[number];
    head->msg_controllen = sizeof f->controls[number];
    struct cmsghdr *control = CMSG_FIRSTHDR(head);
    uint16_t value = (uint16_t)size;
    memset(f->controls[number], 0, sizeof f->controls[number]);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof value);
    memcpy(CMSG_DATA(control), &value, sizeof value);
}

static int segmentable(const struct fanout *f, const struct session *s)
{
    return f->uses_gso && (s->address.any.sa_family == AF_INET || s->address.any.sa_family == AF_INET6);
}

/* Messages of one session: each a run of packets of equal size, the last may be shorter. */
static void make_messages(struct fanout *f, struct session *s, int *vector)
{
    for (int i = s->first; i >= 0;) {
        struct entry *entry = &f->entries[i];
        int number = f->message_count++, run = 0;
        size_t segment = entry->size, total = 0;
        struct msghdr *head = &f->messages[number].msg_hdr;
        memset(head, 0, sizeof *head);
        memcpy(f->addresses[number], s->address.bytes, ADDRESS_BYTES);
        head->msg_name = s->address_size ? f->addresses[number] : NULL;
        head->msg_namelen = s->address_size;
        head->msg_iov = &f->vectors[*vector];
        do {
            f->vectors[*vector].iov_base = f->arena + entry->offset;
            f->vectors[(*vector)++].iov_len = entry->size;
            total += entry->size;
            run++;
            i = entry->next;
            if (entry->size < segment || i < 0 || !segmentable(f, s))
                break;
            entry = &f->entries[i];
        } while (entry->size <= segment && run < SEGMENTS && total + entry->size < SEGMENT_BYTES);
        head->msg_iovlen = (size_t)run;
        f->fds[number] = s->fd;
        if (run > 1)
            set_segment(f, number, segment);
    }
}

static void relay(struct fanout *f, struct session *s)
{
    for (int i = s->first; i >= 0; i = f->entries[i].next) {
        struct relayed *one = &f->relayed[f->relayed_count++];
        one->session = (int32_t)(s - f->sessions);
        one->offset = f->entries[i].offset;
        one->size = f->entries[i].size;
    }
}

/* Send one segmented message packet by packet: the device or the kernel cannot segment. */
static int send_singly(struct fanout *f, int number)
{
    struct msghdr head = f->messages[number].msg_hdr;
    size_t count = head.msg_iovlen;
    head.msg_control = NULL;
    head.msg_controllen = 0;
    for (size_t i = 0; i < count; i++) {
        head.msg_iov = f->messages[number].msg_hdr.msg_iov + i;
        head.msg_iovlen = 1;
        ssize_t sent = sendmsg(f->fds[number], &head, MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
            f->messages[number].msg_hdr.msg_iov += i;
            f->messages[number].msg_hdr.msg_iovlen -= i;
            return 0;
        }
        f->counters.sent += sent >= 0;
        f->counters.failed += sent < 0;
    }
    return 1;
}

static int hand_over(struct fanout *f, int fd, int count)
{
    if (f->before_send) {
        int taken = f->before_send(fd, count);
        if (taken <= 0) {
            errno = -taken;
            return -1;
        }
        count = taken < count ? taken : count;
    }
    f->counters.calls++;
    return sendmmsg(fd, f->messages + f->message_next, (unsigned)count, MSG_DONTWAIT);
}

static void note_messages(struct fanout *f, int count)
{
    for (int i = 0; i < count; i++) {
        const struct msghdr *head = &f->messages[f->message_next + i].msg_hdr;
        f->counters.sent += head->msg_iovlen;
        f->counters.messages++;
        f->counters.segmented += head->msg_iovlen > 1;
        f->counters.bytes += f->messages[f->message_next + i].msg_len;
    }
    f->message_next += count;
}

/* Send what waits. 0: everything is gone; 1: the system takes no more now, call again. */
int fanout_resume(struct fanout *f)
{
    while (f->message_next < f->message_count) {
        int fd = f->fds[f->message_next], count = 1;
        while (count < MESSAGES && f->message_next + count < f->message_count &&
               f->fds[f->message_next + count] == fd)
            count++;
        int taken = hand_over(f, fd, count);
        if (taken > 0) {
            note_messages(f, taken);
            continue;
        }
        size_t packets = f->messages[f->message_next].msg_hdr.msg_iovlen;
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == ENOBUFS) {
            f->counters.blocked++;
            return 1;
        }
        if (packets > 1 && (errno == EIO || errno == EINVAL || errno == EMSGSIZE)) {
            f->uses_gso = f->uses_gso && errno == EMSGSIZE;
            if (!send_singly(f, f->message_next)) {
                f->counters.blocked++;
                return 1;
            }
        } else
            f->counters.failed += packets; /* that receiver cannot be reached */
        f->message_next++;
    }
    return 0;
}

/* Give up what waits. */
void fanout_discard(struct fanout *f)
{
    for (; f->message_next < f->message_count; f->message_next++)
        f->counters.failed += f->messages[f->message_next].msg_hdr.msg_iovlen;
}

/* Build, protect and send a batch. 0: all gone; 1: resume later; -EBUSY: one still waits. */
int fanout_flush(struct fanout *f, const uint8_t *batch, size_t size)
{
    struct timespec now;
    if (f->message_next < f->message_count)
        return -EBUSY;
    f->arena_used = 0;
    f->entry_count = f->touched_count = f->relayed_count = 0;
    f->message_count = f->message_next = 0;
    int status = reserve(f, batch, size);
    if (status)
        return status;
    clock_gettime(CLOCK_MONOTONIC, &now);
    f->now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    for (size_t at = 0; at < size;) {
        struct record r;
        memcpy(&r, batch + at, sizeof r);
        const uint8_t *elements = batch + at + sizeof r, *payload = elements + r.elements_size;
        at += sizeof r + r.elements_size + r.payload_size;
        if (r.kind == RECORD_GROUP) {
            struct group *group = group_of(f, r.target);
            for (int i = 0; group && i < group->count; i++)
                build(f, &f->legs[group->legs[i]], &r, elements, payload);
        } else if (r.kind == RECORD_PACKET)
            copy(f, &r, payload);
        else if (r.kind == RECORD_RESEND)
            send_again(f, &r);
    }
    for (int i = 0, vector = 0; i < f->touched_count; i++) {
        struct session *s = &f->sessions[f->touched[i]];
        if (s->fd >= 0)
            make_messages(f, s, &vector);
        else
            relay(f, s);
        s->first = s->last = -1;
    }
    return fanout_resume(f);
}

/* What the caller has to send itself, valid until the next flush. */
int fanout_relayed(struct fanout *f, struct relayed **list, uint8_t **arena)
{
    *list = f->relayed;
    *arena = f->arena;
    return f->relayed_count;
}

void fanout_free(struct fanout *f)
{
    for (int i = 0; i < f->session_count; i++)
        fanout_close_session(f, i);
    for (int i = 0; i < f->group_count; i++)
        free(f->groups[i].legs);
    free(f->sessions);
    free(f->legs);
    free(f->groups);
    free(f->arena);
    free(f->entries);
    free(f->touched);
    free(f->vectors);
    free(f->messages);
    free(f->controls);
    free(f->addresses);
    free(f->fds);
    free(f->relayed);
    free(f);
}
