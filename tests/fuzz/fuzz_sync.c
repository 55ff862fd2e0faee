/*
 * Goal: a server whose answers are damaged, or lie, costs no mail. A world of
 * two model servers is brought into step; users change things; then runs whose
 * answers from the right are changed by the input; then the server is well
 * again, and what account.h promises must hold.
 *
 * Damage says less than the truth, or nothing: lines left out, repeated, cut,
 * in another order, NO for OK, connections that end anywhere, lines that mean
 * nothing. It must not take away a single message. A lie, any line in place of
 * another, may well: that a message is gone, say. But never one that was not on
 * record, and the runs end.
 *
 * The input: the world's number, then lines of a position, what to do there
 * (see enum below), and text.
 */
#include "base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/sched.h"
#include "tests/sim/world.h"

#define OPS_MAX   32u
#define EDITS     12u /* before and after both sides are in step */
#define RUNS      2u  /* with damage */
#define PEACE_MAX 3u  /* runs until both are in step again */

enum what {
    LEAVE_OUT = 'd',
    REPEAT = '2',
    LATER = 's', /* behind the next line */
    END = 'c',   /* in this line */
    REFUSE = 'n',
    SHORTEN = 't',
    ADD = 'i', /* the text, as a line before */
    LIE = 'r'  /* the text, in its place */
};

struct op {
    uint32_t line;
    enum what what;
    struct bytes text;
};

static struct fuzz {
    struct op ops[OPS_MAX];
    size_t n_ops;
    uint32_t line;        /* of the next that the server says */
    bool last_was_listed; /* the line before was of a listing */
    bool active;
    bool lied;
    bool damaged;
} fuzz;

static bool has(struct bytes line, const char *word)
{
    return bytes_has_nocase(line, bytes_of(word));
}

/* Does it say what is not there? Without it, that would be a lie. */
static bool tells_absence(struct bytes line)
{
    return has(line, "EXPUNGE") || has(line, "VANISHED") || has(line, "LIST") ||
           has(line, "LSUB");
}

static bool is_listed(struct bytes line)
{
    return has(line, " FETCH (") || has(line, "* STATUS") ||
           has(line, "* SEARCH") || has(line, "* ESEARCH");
}

/* Does a line say something that a client acts on? */
static bool says_something(struct bytes text)
{
    static const char *const words[] = {
        "EXPUNGE", "VANISHED", "LIST",   "LSUB",  "EXISTS", "FETCH", "SEARCH",
        "STATUS",  "UID",      "MODSEQ", "FLAGS", "{",      "a"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (has(text, words[i]))
            return true;
    }
    return false;
}

static const struct op *find_op(uint32_t line)
{
    for (size_t i = 0; i < fuzz.n_ops; i++) {
        if (fuzz.ops[i].line == line)
            return &fuzz.ops[i];
    }
    return NULL;
}

/* A line with its end, and the literal that it announces; not what is behind
 * that, which is a line of its own. */
static struct bytes take_line(struct bytes *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct bytes line = *rest;
    uint64_t size = 0;
    size_t brace;

    if (end != NULL)
        line.len = (size_t)(end - rest->ptr) + 1;
    for (brace = line.len; brace > 0 && line.ptr[brace - 1] != '{'; brace--)
        continue;
    if (brace > 0 && line.len > 3 && line.ptr[line.len - 3] == '}' &&
        bytes_to_u64((struct bytes){line.ptr + brace, line.len - 3 - brace},
                     rest->len - line.len, &size))
        line.len += (size_t)size;
    *rest = bytes_skip(*rest, line.len);
    return line;
}

static void add_line(struct buf *out, struct bytes text)
{
    (void)buf_add(out, text);
    (void)buf_add(out, B("\r\n"));
}

/* "a7 OK done" of a listing becomes NO: what ends with it is not complete. */
static void refuse(struct bytes line, struct buf *out)
{
    const char *ok = memmem(line.ptr, line.len, " OK ", 4);

    if (ok == NULL || line.ptr[0] == '*' || !fuzz.last_was_listed) {
        (void)buf_add(out, line);
        return;
    }
    (void)buf_add(out, (struct bytes){line.ptr, (size_t)(ok - line.ptr)});
    add_line(out, B(" NO not now"));
}

/* Does one thing to one line. Returns false where the connection ends. */
static bool damage(const struct op *op, struct bytes line, struct buf *out,
                   struct buf *later)
{
    bool whole = tells_absence(line) || memchr(line.ptr, '{', line.len) != NULL;
    size_t n = op->text.len > 0 ? (uint8_t)op->text.ptr[0] % line.len : 0;

    fuzz.damaged = true;
    switch (op->what) {
    case LEAVE_OUT:
        if (tells_absence(line))
            (void)buf_add(out, line);
        return true;
    case REPEAT:
        (void)buf_add(out, line);
        if (!tells_absence(line))
            (void)buf_add(out, line);
        return true;
    case LATER:
        (void)buf_add(whole ? out : later, line);
        return true;
    case END:
        (void)buf_add(out, (struct bytes){line.ptr, n});
        return false;
    case REFUSE:
        refuse(line, out);
        return true;
    case SHORTEN:
        (void)buf_add(out, line);
        if (!whole && line.len > 2) {
            buf_clear(later);
            out->end -= line.len;
            /* Not within a number, which would be another one. */
            while (n > 0 && line.ptr[n - 1] >= '0' && line.ptr[n - 1] <= '9')
                n--;
            add_line(out, (struct bytes){line.ptr, n});
        }
        return true;
    case ADD:
        if (!says_something(op->text))
            add_line(out, op->text);
        (void)buf_add(out, line);
        return true;
    case LIE:
        fuzz.lied = true;
        add_line(out, op->text);
        return true;
    }
    (void)buf_add(out, line);
    return true;
}

static bool says(void *owner, struct buf *lines)
{
    struct bytes rest = buf_peek(lines);
    struct buf later;
    struct buf out;
    bool more = true;

    (void)owner;
    if (!fuzz.active)
        return true;
    buf_init(&out, 0);
    buf_init(&later, 0);
    while (rest.len > 0 && more) {
        struct bytes line = take_line(&rest);
        const struct op *op = find_op(fuzz.line++);

        if (op != NULL) {
            more = damage(op, line, &out, &later);
        } else {
            (void)buf_add(&out, line);
            (void)buf_add(&out, buf_peek(&later));
            buf_clear(&later);
        }
        fuzz.last_was_listed = is_listed(line);
    }
    if (more)
        (void)buf_add(&out, buf_peek(&later));
    buf_clear(lines);
    (void)buf_add(lines, buf_peek(&out));
    buf_deinit(&out);
    buf_deinit(&later);
    return more;
}

/* --- the world ------------------------------------------------------------------ */

static void check_loss(struct world *world)
{
    struct look left;
    struct look right;

    half_look(world->half[LEFT], &left);
    half_look(world->half[RIGHT], &right);
    if (!fuzz.lied)
        account_check_loss(&world->account, &left, &right);
    look_free(&left);
    look_free(&right);
}

static bool make_peace(struct world *world, char *why)
{
    for (uint32_t i = 0; i < PEACE_MAX; i++) {
        int r = world_run(world, 0);

        check_loss(world);
        if (world->account.wrong[0] != '\0')
            return false;
        if (r == 0 && world_in_step(world, why))
            return true;
    }
    return false;
}

static bool has_content(const struct look *look, uint32_t content)
{
    for (size_t i = 0; i < look->n_mail; i++) {
        if (look->mail[i].content == content)
            return true;
    }
    return false;
}

/* What the left has, and the record @base does not, is still there. */
static bool keeps_new(struct world *world, const struct look *base,
                      const struct look *before)
{
    struct look now;
    bool good = true;

    half_look(world->half[LEFT], &now);
    for (size_t i = 0; i < before->n_mail; i++) {
        uint32_t content = before->mail[i].content;

        if (!has_content(base, content) && !has_content(&now, content))
            good = false;
    }
    look_free(&now);
    return good;
}

static void edit(struct world *world)
{
    for (unsigned i = 0; i < EDITS; i++)
        world_edit(world);
}

/* Returns what is wrong, "" where nothing is. */
static const char *live(struct world *world, const struct look *base)
{
    static char why[400];
    struct look before;
    struct look after;
    bool kept;

    why[0] = '\0';
    edit(world);
    half_look(world->half[LEFT], &before);
    fuzz.line = 0;
    for (unsigned i = 0; i < RUNS && world->account.wrong[0] == '\0'; i++) {
        fuzz.active = true;
        (void)world_run(world, 0);
        fuzz.active = false;
        check_loss(world);
    }
    kept = keeps_new(world, base, &before);
    look_free(&before);
    if (!kept)
        return "what was not on record is gone";
    if (world->account.wrong[0] != '\0')
        return world->account.wrong;
    if (fuzz.lied)
        return "";
    if (!make_peace(world, why))
        return world->account.wrong[0] != '\0' ? world->account.wrong
                                               : "not in step again";
    half_look(world->half[LEFT], &after);
    account_check(&world->account, &after);
    look_free(&after);
    return world->account.wrong;
}

/* One world with the damage, or without. */
static const char *play(uint8_t seed, bool damaged)
{
    static char wrong[400];
    const struct world_kind kind = {.maildir = false};
    struct world_counts counts = {0};
    struct world world;
    struct look base;
    char why[200] = "";

    wrong[0] = '\0';
    world_init(&world, &kind, seed, getenv("TELL") != NULL, &counts);
    fuzz.active = fuzz.lied = fuzz.damaged = false;
    if (damaged)
        half_server(world.half[RIGHT])->watch.says = says;
    edit(&world);
    if (make_peace(&world, why)) {
        half_look(world.half[LEFT], &base);
        account_begin(&world.account, &base);
        (void)snprintf(wrong, sizeof(wrong), "%s", live(&world, &base));
        look_free(&base);
    }
    world_deinit(&world);
    return wrong;
}

void fuzz_one(struct bytes input)
{
    uint8_t seed = fuzz_byte(&input);
    const char *wrong;

    fuzz.n_ops = 0;
    while (input.len > 0 && fuzz.n_ops < OPS_MAX) {
        struct bytes line = fuzz_until(&input, '\n');
        struct op *op = &fuzz.ops[fuzz.n_ops++];

        op->line = fuzz_byte(&line);
        op->what = (enum what)fuzz_byte(&line);
        op->text = line;
    }
    wrong = play(seed, true);
    if (wrong[0] == '\0')
        return;
    fprintf(stderr, "world %u: %s\n", seed, wrong);
    /* A world that is wrong without any damage is test_simulation's. */
    must(play(seed, false)[0] != '\0');
}
