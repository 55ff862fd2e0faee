/*
 * Goal: whatever a server sends as its compressed stream, however the network
 * cuts it and whatever room there is, it expands to the same, and to no more
 * than there is room for; a stream that is broken stays so.
 *
 * The input: what comes behind the OK to COMPRESS.
 */
#include "imap/deflate.h"
#include "tests/fuzz/fuzz.h"
#include "tests/random.h"

#define PLAIN_MAX  ((size_t)256 << 10) /* of a bomb */
#define ROOM_BYTES ((size_t)16 << 10)

struct outcome {
    uint64_t sum; /* of all that came */
    size_t len;
    int result; /* 0: it waits for more */
};

static void add(struct outcome *outcome, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        outcome->sum = outcome->sum * 1099511628211u + (uint8_t)text.ptr[i] + 1;
    outcome->len += text.len;
}

/* Pieces of 1 to @step octets, rooms of 1 to @room; 0: as large as can be. What
 * a bomb holds behind PLAIN_MAX is not looked at. */
static struct outcome expand(struct bytes input, uint32_t step, uint32_t room,
                             struct random *random)
{
    struct outcome outcome = {0};
    struct deflate *deflate = deflate_new();
    struct bytes lent = {0};
    struct err err;

    while (outcome.result == 0 && outcome.len < PLAIN_MAX) {
        size_t size = room == 0 ? ROOM_BYTES : 1 + random_below(random, room);
        char *out;
        size_t n;

        if (size > PLAIN_MAX - outcome.len)
            size = PLAIN_MAX - outcome.len;
        out = malloc(size); /* so that ASan sees what is written behind */
        outcome.result = deflate_read(deflate, out, size, &n, &err);
        must(n <= size);
        add(&outcome, (struct bytes){out, n});
        free(out);
        if (n > 0 || outcome.result != 0)
            continue;
        fuzz_free(lent);
        lent = (struct bytes){0};
        if (input.len == 0)
            break;
        lent = input;
        if (step > 0 && lent.len > step)
            lent.len = 1 + random_below(random, step);
        input = bytes_skip(input, lent.len);
        lent = fuzz_copy(lent);
        deflate_feed(deflate, lent);
    }
    must(outcome.result == 0 || outcome.result == 1 ||
         outcome.result == ERR_CONNECT);
    must(deflate_is_garbled(deflate) == (outcome.result == ERR_CONNECT));
    deflate_free(deflate);
    fuzz_free(lent);
    return outcome;
}

void fuzz_one(struct bytes input)
{
    static const uint32_t cuts[][2] = {
        {1,   0   },
        {0,   40  },
        {7,   300 },
        {200, 5000}
    };
    struct random random = {fuzz_hash(input)};
    struct outcome whole = expand(input, 0, 0, &random);

    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct outcome cut = expand(input, cuts[i][0], cuts[i][1], &random);

        /* Whether the end of a bomb would be garbage was not looked at. */
        if (whole.len == PLAIN_MAX || cut.len == PLAIN_MAX)
            continue;
        must(cut.result == whole.result);
        /* Before it finds out, zlib may have told more or less of garbage. */
        must(whole.result < 0 ||
             (cut.len == whole.len && cut.sum == whole.sum));
    }
}
