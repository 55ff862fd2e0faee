/*
 * Goal: a message of any bytes, in pieces of any size, has one identity and one
 * size; its form with LF comes back as it was, or is said not to exist.
 *
 * The input: the message.
 */
#include "base/buf.h"
#include "base/identity.h"
#include "store/maildir_eol.h"
#include "tests/fuzz/fuzz.h"
#include "tests/random.h"

static struct bytes take_piece(struct bytes *rest, uint32_t step,
                               struct random *random)
{
    struct bytes piece = *rest;

    if (step > 0) {
        piece.len = 1 + random_below(random, step);
        if (piece.len > rest->len)
            piece.len = rest->len;
    }
    *rest = bytes_skip(*rest, piece.len);
    return fuzz_copy(piece);
}

static struct identity identify(enum identity_set set, struct bytes text,
                                uint32_t step)
{
    struct random random = {fuzz_hash(text)};
    struct identity_reader *reader = identity_reader_new(set);
    struct identity identity = {0};

    while (text.len > 0) {
        struct bytes piece = take_piece(&text, step, &random);

        identity_reader_add(reader, piece);
        fuzz_free(piece);
    }
    identity_reader_final(reader, &identity);
    identity_reader_free(reader);
    return identity;
}

static void check_identity(enum identity_set set, struct bytes text,
                           struct bytes crlf)
{
    struct identity whole = identify(set, text, 0);
    struct identity pieces = identify(set, text, 7);
    struct identity other = identify(set, crlf, 30);

    must(memcmp(&whole, &pieces, sizeof(whole)) == 0);
    must(memcmp(&whole, &other, sizeof(whole)) == 0);
}

static void to_crlf(struct bytes text, uint32_t step, struct buf *out)
{
    struct random random = {fuzz_hash(text)};
    uint64_t bare = 0;
    size_t size = text.len;
    char last = 0;
    char counted = 0;

    while (text.len > 0) {
        struct bytes piece = take_piece(&text, step, &random);

        bare += maildir_eol_count_bare(piece, &counted);
        maildir_eol_to_crlf(piece, &last, out);
        fuzz_free(piece);
    }
    must(buf_len(out) == size + bare);
}

static bool to_lf(struct bytes text, uint32_t step, struct buf *out)
{
    struct random random = {fuzz_hash(text)};
    bool held = false;
    bool good = true;

    while (text.len > 0) {
        struct bytes piece = take_piece(&text, step, &random);

        good = good && maildir_eol_to_lf(piece, &held, out);
        fuzz_free(piece);
    }
    return good && !held;
}

static void check_line_ends(struct bytes text)
{
    struct buf lf;
    struct buf pieces;
    struct buf back;
    bool good;

    buf_init(&lf, 0);
    buf_init(&pieces, 0);
    buf_init(&back, 0);
    good = to_lf(text, 0, &lf);
    must(to_lf(text, 5, &pieces) == good);
    if (good) {
        must(bytes_equal(buf_peek(&lf), buf_peek(&pieces)));
        to_crlf(buf_peek(&lf), 5, &back);
        must(bytes_equal(buf_peek(&back), text));
    }
    buf_deinit(&lf);
    buf_deinit(&pieces);
    buf_deinit(&back);
}

void fuzz_one(struct bytes input)
{
    struct buf crlf;
    struct buf pieces;

    buf_init(&crlf, 0);
    buf_init(&pieces, 0);
    to_crlf(input, 0, &crlf);
    to_crlf(input, 3, &pieces);
    must(bytes_equal(buf_peek(&crlf), buf_peek(&pieces)));
    check_identity(IDENTITY_BY_FIELDS, input, buf_peek(&crlf));
    check_identity(IDENTITY_BY_ENVELOPE, input, buf_peek(&crlf));
    check_line_ends(input);
    check_line_ends(buf_peek(&crlf));
    buf_deinit(&crlf);
    buf_deinit(&pieces);
}
