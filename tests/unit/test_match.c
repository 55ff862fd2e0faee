/* The identity ladder against made-up mailboxes. */
#include <string.h>

#include "sync/match.h"
#include "tests/tap.h"

/* A message in short: size, date, header, body. Header 0: none. */
struct mail {
    uint64_t size;
    int64_t date;
    char header;
    char body;
};

#define MAIL_MAX 16

struct mailbox {
    struct mail mail[MAIL_MAX];
    size_t n;
};

static void add_all(struct match *match, enum side side,
                    const struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->n; i++) {
        struct listed listed = {
            .uid = (uint32_t)i + 1,
            .has_meta = true,
            .size = mailbox->mail[i].size,
            .date = mailbox->mail[i].date,
        };

        match_add(match, side, &listed);
    }
}

static void answer(struct match *match, enum side side,
                   const struct mailbox *mailbox)
{
    struct uidset_walk walk = {.set = &match->want[side]};
    uint32_t uid;

    while (uidset_next(&walk, &uid)) {
        const struct mail *mail = &mailbox->mail[uid - 1];
        struct identity identity = {.size = mail->size, .date = mail->date};

        identity.has_header = mail->header != 0;
        identity.digest[0] = (uint8_t)mail->header;
        if (match->level == IDENTIFY_BODY) {
            /* What was read, whatever was listed. */
            identity.size = (uint64_t)mail->body;
            identity.digest[1] = (uint8_t)mail->body;
        }
        match_identified(match, side, uid, &identity);
    }
}

static void climb(struct match *match, const struct mailbox *left,
                  const struct mailbox *right)
{
    while (match_next(match)) {
        answer(match, LEFT, left);
        answer(match, RIGHT, right);
    }
}

static void run(struct match *match, enum fidelity fidelity,
                const struct mailbox *left, const struct mailbox *right)
{
    match_init(match, fidelity);
    add_all(match, LEFT, left);
    add_all(match, RIGHT, right);
    climb(match, left, right);
}

/* clang-format off */
static const struct {
    const char *name;
    struct mailbox left;
    struct mailbox right;
    size_t want;
    enum identify_level level; /* the dearest question asked */
} cases[] = {
    {"the same two, in another order",
     {{{10, 1, 'a', 'x'}, {20, 2, 'b', 'y'}}, 2},
     {{{20, 2, 'b', 'y'}, {10, 1, 'a', 'x'}}, 2}, 2, IDENTIFY_BODY},
    {"sizes apart: nothing is asked",
     {{{10, 1, 'a', 'x'}}, 1}, {{{11, 1, 'a', 'x'}}, 1}, 0, IDENTIFY_HEADER},
    {"a body that is said to be of no size",
     {{{10, 1, 'a', 0}, {10, 1, 'a', 'y'}}, 2},
     {{{10, 1, 'a', 'y'}, {10, 1, 'a', 0}}, 2}, 2, IDENTIFY_BODY},
    {"another header",
     {{{10, 1, 'a', 'x'}}, 1}, {{{10, 1, 'b', 'x'}}, 1}, 0, IDENTIFY_BODY},
    {"another date, the same bytes",
     {{{10, 1, 'a', 'x'}}, 1}, {{{10, 9, 'a', 'x'}}, 1}, 1, IDENTIFY_BODY},
    {"equal header, another body",
     {{{10, 1, 'a', 'x'}}, 1}, {{{10, 9, 'a', 'y'}}, 1}, 0, IDENTIFY_BODY},
    {"twins stay two",
     {{{10, 1, 'a', 'x'}, {10, 1, 'a', 'x'}}, 2},
     {{{10, 1, 'a', 'x'}, {10, 1, 'a', 'x'}}, 2}, 2, IDENTIFY_BODY},
    {"three here, two there: two pairs",
     {{{10, 1, 'a', 'x'}, {10, 1, 'a', 'x'}, {10, 1, 'a', 'x'}}, 3},
     {{{10, 1, 'a', 'x'}, {10, 1, 'a', 'x'}}, 2}, 2, IDENTIFY_BODY},
    {"no header at all: the bytes decide",
     {{{10, 1, 0, 'x'}, {10, 1, 0, 'y'}}, 2},
     {{{10, 1, 0, 'y'}, {10, 1, 0, 'z'}}, 2}, 1, IDENTIFY_BODY},
    {"equal Message-ID, different bodies are told apart",
     {{{10, 1, 'a', 'x'}, {10, 1, 'a', 'y'}}, 2},
     {{{10, 1, 'a', 'y'}, {10, 1, 'a', 'x'}}, 2}, 2, IDENTIFY_BODY},
    {"one side empty", {{{10, 1, 'a', 'x'}}, 1}, {{{0}}, 0}, 0, IDENTIFY_HEADER},
};

/* clang-format on */

static bool links_are_true(const struct match *match,
                           const struct mailbox *left,
                           const struct mailbox *right)
{
    bool used_left[MAIL_MAX + 1] = {false};
    bool used_right[MAIL_MAX + 1] = {false};

    for (size_t i = 0; i < match->n_links; i++) {
        uint32_t l = match->links[i].uid[LEFT];
        uint32_t r = match->links[i].uid[RIGHT];

        if (used_left[l] || used_right[r] ||
            left->mail[l - 1].body != right->mail[r - 1].body ||
            left->mail[l - 1].header != right->mail[r - 1].header)
            return false;
        used_left[l] = true;
        used_right[r] = true;
    }
    return true;
}

/* Twins with different dates are paired date by date. */
static void test_twins_by_date(void)
{
    const struct mailbox left = {
        {{10, 5, 'a', 'x'}, {10, 7, 'a', 'x'}},
        2
    };
    const struct mailbox right = {
        {{10, 7, 'a', 'x'}, {10, 5, 'a', 'x'}},
        2
    };
    struct match match;
    bool good = true;

    run(&match, FIDELITY_EXACT, &left, &right);
    for (size_t i = 0; i < match.n_links; i++)
        good = good && left.mail[match.links[i].uid[LEFT] - 1].date ==
                           right.mail[match.links[i].uid[RIGHT] - 1].date;
    ok(match.n_links == 2 && good, "twins are paired by their dates");
    match_deinit(&match);
}

static void test_lying_sizes(void)
{
    const struct mailbox left = {
        {{10, 1, 'a', 'x'}, {20, 2, 'b', 'y'}, {30, 3, 'b', 'z'}},
        3
    };
    const struct mailbox right = {
        {{99, 1, 'a', 'x'}, {98, 9, 'b', 'z'}, {97, 4, 'c', 'x'}},
        3
    };
    struct match match;

    run(&match, FIDELITY_EXACT, &left, &right);
    ok(match.n_links == 0, "sizes count where they are true");
    match_deinit(&match);
    match_init(&match, FIDELITY_EXACT);
    add_all(&match, LEFT, &left);
    add_all(&match, RIGHT, &right);
    match_doubt_sizes(&match);
    climb(&match, &left, &right);
    ok(match.n_links == 1 && match.links[0].uid[LEFT] == 1 &&
           match.links[0].uid[RIGHT] == 1,
       "where they may lie, the date and every byte tell");
    match_deinit(&match);
    run(&match, FIDELITY_CONTENT, &left, &right);
    ok(match.n_links == 2 && links_are_true(&match, &left, &right),
       "where they lie, the header tells, and else every byte");
    match_deinit(&match);
}

/* The model answers with one digest for the header at every level. */
static void test_envelopes(void)
{
    const struct mailbox left = {
        {{10, 1, 'a', 'x'},
         {10, 2, 'b', 'x'},
         {10, 3, 'b', 'x'},
         {10, 5, 0, 'x'},
         {10, 6, 0, 'x'}},
        5
    };
    const struct mailbox right = {
        {{7, 8, 'a', 'q'},
         {7, 3, 'b', 'r'},
         {7, 9, 'b', 's'},
         {7, 9, 'b', 's'},
         {7, 6, 0, 't'},
         {7, 7, 0, 't'}},
        6
    };
    struct match match;
    bool by_date = false;
    bool headless = false;

    run(&match, FIDELITY_ENVELOPE, &left, &right);
    for (size_t i = 0; i < match.n_links; i++) {
        uint32_t l = match.links[i].uid[LEFT];
        uint32_t r = match.links[i].uid[RIGHT];

        by_date |= l == 3 && r == 2;
        headless |= l == 5 && r == 5;
    }
    ok(match.n_links == 4 && match.level == IDENTIFY_ENVELOPE,
       "messages made anew are told by their envelopes, one to one");
    ok(by_date, "the same date first");
    ok(headless, "and by the date alone where there is no envelope");
    match_deinit(&match);
}

/* Some messages are gone by the time they are asked about. */
static void test_unanswered(void)
{
    const struct mailbox box = {
        {{10, 1, 'a', 'x'}, {10, 2, 'b', 'y'}},
        2
    };
    const struct identity stranger = {.size = 10};
    struct match match;
    unsigned asked = 0;

    match_init(&match, FIDELITY_EXACT);
    add_all(&match, LEFT, &box);
    add_all(&match, RIGHT, &box);
    while (match_next(&match)) {
        answer(&match, LEFT, &box);
        match_identified(&match, RIGHT, 77, &stranger);
        asked++;
    }
    ok(match.n_links == 0 && asked == 1,
       "no answer, no pair; and an answer nobody asked for is none");
    match_identified(&match, LEFT, 1, &stranger);
    ok(match.n_links == 0, "nor is one that comes too late");
    match_deinit(&match);
}

/* A message without a header here, there, or on both sides: the body tells. */
static void test_no_header(void)
{
    static const char headers[][SIDES] = {
        {0,   'a'},
        {'a', 0  },
        {0,   0  }
    };

    for (int i = 0; i < 3; i++) {
        const struct mailbox left = {{{10, 1, headers[i][LEFT], 'x'}}, 1};
        const struct mailbox right = {{{10, 1, headers[i][RIGHT], 'x'}}, 1};
        struct match match;

        run(&match, FIDELITY_EXACT, &left, &right);
        ok(match.n_links == (i == 2 ? 1 : 0), "no header on %s",
           i == 2 ? "both sides" : "one side");
        match_deinit(&match);
    }
}

static void test_doubt_nothing(void)
{
    const struct mailbox box = {{{10, 1, 'a', 'x'}}, 1};
    struct match match;

    match_init(&match, FIDELITY_EXACT);
    add_all(&match, LEFT, &box);
    match_doubt_sizes(&match);
    ok(!match_next(&match) && match.n_links == 0,
       "an empty side has nobody to be doubted");
    match_deinit(&match);
}

int main(void)
{
    test_unanswered();
    test_no_header();
    test_doubt_nothing();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct match match;

        run(&match, FIDELITY_EXACT, &cases[i].left, &cases[i].right);
        ok(match.n_links == cases[i].want, "%s: %zu pairs", cases[i].name,
           cases[i].want);
        ok(match.level <= cases[i].level, "%s: asks no more than needed",
           cases[i].name);
        ok(links_are_true(&match, &cases[i].left, &cases[i].right),
           "%s: one to one, and the same", cases[i].name);
        match_deinit(&match);
    }
    test_twins_by_date();
    test_lying_sizes();
    test_envelopes();
    return done_testing();
}
