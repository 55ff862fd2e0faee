/*
 * Goal: whatever a server sends, and however the network cuts it, a session
 * tells the same events; they keep to what session.h says of them, an end is
 * the end, and no secret is logged.
 *
 * The input: a byte of options, then what the server sends, as flights with
 * "%%\n" between. After each flight TLS stands where it was asked for, and the
 * owner sends a command once it is logged in.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/random.h"
#include "tests/unit/fixed_nonce.h"
#include "tests/unit/transcript.h"

#define FLIGHTS_MAX 16u

struct owner {
    struct play play;
    uint64_t body_left; /* of the body under way */
    bool in_body;
    bool ready;
    bool starttls; /* asked for, and not answered yet */
    uint32_t sent; /* the highest tag */
};

static const char *const commands[] = {
    "SELECT INBOX", "UID SEARCH RETURN (ALL) ALL",
    "UID FETCH 1:* (UID BODY.PEEK[])", "LIST \"\" \"*\""};

static void check_set(const struct uidset *set)
{
    for (size_t i = 0; set != NULL && i < set->n; i++) {
        must(set->ranges[i].first >= 1);
        must(set->ranges[i].first <= set->ranges[i].last);
        must(i == 0 ||
             (uint64_t)set->ranges[i - 1].last + 1 < set->ranges[i].first);
    }
}

static void check_body(struct owner *owner, const struct session_event *event)
{
    switch (event->kind) {
    case SESSION_BODY:
        must(!owner->in_body);
        must(event->body_size <= SESSION_BODY_BYTES_MAX);
        owner->in_body = true;
        owner->body_left = event->body_size;
        break;
    case SESSION_BODY_DATA:
        must(owner->in_body && event->data.len <= owner->body_left);
        owner->body_left -= event->data.len;
        break;
    case SESSION_BODY_END:
        must(owner->in_body && owner->body_left == 0);
        owner->in_body = false;
        break;
    default:
        must(!owner->in_body);
        break;
    }
}

static void check_event(struct owner *owner, const struct session_event *event)
{
    check_body(owner, event);
    switch (event->kind) {
    case SESSION_READY:
        must(!owner->ready);
        owner->ready = true;
        break;
    case SESSION_STARTTLS:
        must(!owner->ready);
        owner->starttls = true;
        break;
    case SESSION_TAGGED:
        must(event->reply.tag >= 1 && event->reply.tag <= owner->sent);
        check_set(event->reply.set);
        check_set(event->reply.set2);
        break;
    case SESSION_CODE:
        check_set(event->reply.set);
        check_set(event->reply.set2);
        break;
    case SESSION_SEARCH:
    case SESSION_VANISHED:
        check_set(event->vanished.set);
        break;
    case SESSION_FETCH:
        must((event->fetch.has & FETCH_UID) == 0 || event->fetch.uid != 0);
        must((event->fetch.flags.system & ~(uint32_t)FLAGS_SYSTEM) == 0);
        break;
    default:
        break;
    }
    must(owner->ready || event->kind == SESSION_STARTTLS ||
         event->kind == SESSION_CODE || event->kind == SESSION_BYE);
}

static void take_events(struct owner *owner)
{
    struct play *play = &owner->play;
    struct session_event event;
    struct err err;
    int r;
    int again;

    if (play->over)
        return;
    while ((r = session_next(play->session, &event, &err)) == 0) {
        check_event(owner, &event);
        render(play, &event);
    }
    if (r < 0) {
        again = session_next(play->session, &event, NULL);
        must(again == r);
        (void)buf_printf(&play->events, "fail %s: %s\n", failure_name(r),
                         err.text);
        play->over = true;
    }
}

/* Pieces of 1 to @step octets; all at once for 0. */
static void feed_pieces(struct owner *owner, struct bytes text, uint32_t step,
                        struct random *random)
{
    struct bytes piece;

    while (text.len > 0 && !owner->play.over) {
        piece = text;
        if (step > 0) {
            piece.len = 1 + random_below(random, step);
            if (piece.len > text.len)
                piece.len = text.len;
        }
        piece = fuzz_copy(piece);
        session_feed(owner->play.session, piece);
        fuzz_free(piece);
        text = bytes_skip(text, piece.len);
        take_events(owner);
    }
}

/* What the owner does between two flights. */
static void take_turn(struct owner *owner, unsigned flight)
{
    struct session *session = owner->play.session;

    if (owner->play.over)
        return;
    if (owner->starttls)
        session_tls_started(session);
    owner->starttls = false;
    if (owner->ready)
        owner->sent = session_send(session, "%s", commands[flight % 4]);
    (void)buf_add(&owner->play.body, session_output(session));
    session_sent(session, session_output(session).len);
    take_events(owner);
}

static void set_options(struct session_options *options, uint8_t bits)
{
    options->user = "bob";
    options->password = "sesame";
    options->tls = bits % 4 == 0 || bits % 4 == 3;
    options->starttls = bits % 4 == 1;
    options->plaintext = bits % 4 == 2;
    options->auth = (enum session_auth)(bits / 4 % 11);
    if (options->auth >= SESSION_AUTH_XOAUTH2)
        options->token = "sesame";
    options->log_name = "fuzz";
    options->version = "1";
}

static void play_input(struct owner *owner, struct bytes input, uint32_t step)
{
    struct log log = {LOG_WIRE, to_wire, &owner->play.wire};
    struct random random = {fuzz_hash(input)};
    struct session_options options = {0};

    memset(owner, 0, sizeof(*owner));
    set_options(&options, fuzz_byte(&input));
    owner->play.keywords = keywords_new();
    options.keywords = owner->play.keywords;
    options.log = &log;
    owner->play.session = session_new(&options);
    take_events(owner);
    for (unsigned flight = 0; flight < FLIGHTS_MAX && input.len > 0; flight++) {
        const char *end = memmem(input.ptr, input.len, "%%\n", 3);
        size_t n = end != NULL ? (size_t)(end - input.ptr) : input.len;

        feed_pieces(owner, (struct bytes){input.ptr, n}, step, &random);
        take_turn(owner, flight);
        input = bytes_skip(input, n + 3);
    }
    session_free(owner->play.session);
    keywords_free(owner->play.keywords);
}

static bool has_secret(struct bytes text)
{
    return memmem(text.ptr, text.len, "sesame", 6) != NULL;
}

/* The server may say it, too, in one flight or over the end of one. */
static bool says_secret(struct bytes input)
{
    struct buf said;
    bool says;

    buf_init(&said, 0);
    while (input.len > 0) {
        const char *end = memmem(input.ptr, input.len, "%%\n", 3);
        size_t n = end != NULL ? (size_t)(end - input.ptr) : input.len;

        buf_add(&said, (struct bytes){input.ptr, n});
        input = bytes_skip(input, n + 3);
    }
    says = has_secret(buf_peek(&said));
    buf_deinit(&said);
    return says;
}

void fuzz_one(struct bytes input)
{
    static const uint32_t steps[] = {0, 1, 7, 200};
    struct owner whole;
    struct owner cut;

    play_input(&whole, input, 0);
    must(!has_secret(buf_peek(&whole.play.wire)) || says_secret(input));
    for (size_t i = 1; i < sizeof(steps) / sizeof(steps[0]); i++) {
        play_input(&cut, input, steps[i]);
        must(bytes_equal(buf_peek(&whole.play.events),
                         buf_peek(&cut.play.events)));
        must(bytes_equal(buf_peek(&whole.play.body), buf_peek(&cut.play.body)));
        play_free(&cut.play);
    }
    play_free(&whole.play);
}
