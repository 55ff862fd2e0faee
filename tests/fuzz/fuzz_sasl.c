/*
 * Goal: a login takes any challenges. An answer is base64, the password stands
 * in none but PLAIN's, and no error repeats it.
 *
 * The input: a byte for the mechanism, then challenges as lines, not in base64
 * where the line begins with "=".
 */
#include "base/buf.h"
#include "imap/sasl.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fixed_nonce.h"

#define STEPS_MAX 6u

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void to_base64(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i += 3) {
        uint32_t group = 0;

        for (size_t k = 0; k < 3; k++)
            group =
                group << 8 | (i + k < text.len ? (uint8_t)text.ptr[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            (void)buf_add_char(out, i + k <= text.len
                                        ? digits[group >> (18 - 6 * k) & 63]
                                        : '=');
    }
}

/* Rounds of hashing that take no time at all. */
static bool is_quick(struct bytes text)
{
    const char *at = text.len > 3 ? memmem(text.ptr, text.len, "i=", 2) : NULL;
    uint64_t rounds = 0;

    for (; at != NULL;
         at = memmem(at, (size_t)(text.ptr + text.len - at), "i=", 2)) {
        rounds = 0;
        for (at += 2; at < text.ptr + text.len && *at >= '0' && *at <= '9';
             at++)
            rounds = rounds * 10 + (uint64_t)(*at - '0');
        if (rounds > 5000 && rounds <= SASL_ITERATIONS_MAX)
            return false;
    }
    return true;
}

/* @may_tell  the server said the password itself */
static void check_answer(struct buf *answer, bool may_tell)
{
    struct bytes text = buf_peek(answer);

    must(text.len % 4 == 0);
    for (size_t i = 0; i < text.len; i++)
        must(text.ptr[i] == '=' || strchr(digits, text.ptr[i]) != NULL);
    must(may_tell || strstr(buf_text(answer), "c2VzYW1l") == NULL);
}

static void talk(struct sasl *sasl, struct bytes input)
{
    struct buf challenge;
    struct buf answer;
    struct err err = {{0}};
    bool may_tell = memmem(input.ptr, input.len, "sesame", 6) != NULL;
    bool good = true;

    buf_init(&challenge, 0);
    buf_init(&answer, 0);
    for (unsigned step = 0; step < STEPS_MAX && input.len > 0 && good; step++) {
        struct bytes line = fuzz_until(&input, '\n');

        if (!is_quick(line))
            break;
        buf_clear(&challenge);
        buf_clear(&answer);
        if (line.len > 0 && line.ptr[0] == '=')
            (void)buf_add(&challenge, bytes_skip(line, 1));
        else
            to_base64(&challenge, line);
        good = sasl_step(sasl, buf_peek(&challenge), &answer, &err) == 0;
        if (good)
            check_answer(&answer, may_tell);
        must(may_tell || strstr(err.text, "sesame") == NULL);
        (void)sasl_is_telling(sasl);
    }
    buf_deinit(&challenge);
    buf_deinit(&answer);
}

void fuzz_one(struct bytes input)
{
    struct sasl_options options = {
        .mechanism = (enum sasl_mechanism)(fuzz_byte(&input) % SASL_MECHANISMS),
        .user = "bob",
        .password = "sesame",
        .token = "sesame",
    };
    struct sasl *sasl = NULL;

    if (sasl_is_bound(options.mechanism))
        return;
    if (sasl_new(&options, &sasl, NULL) == 0)
        talk(sasl, input);
    sasl_free(sasl);
}
