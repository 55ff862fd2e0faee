#include "tests/sim/account.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "tests/sim/content.h"

struct account_fact {
    uint32_t content;
    char *folder;
    enum side side;
    bool base; /* it was there when both were in step */
    bool fresh;
    bool tool;    /* taken away by the tool, not by a user */
    bool only;    /* no act: from now on it is on this side only */
    bool lapsed;  /* no act: a power cut took it */
    bool cleared; /* and what was left of it was cleared away */
    enum fate fate;
    uint32_t run; /* account.run of that time */
};

/* All facts about one message. */
struct sum {
    uint32_t base;
    uint32_t fresh[SIDES];
    uint32_t deleted[SIDES];
    uint32_t taken[SIDES]; /* deleted or moved away, by the user */
    uint32_t lapsed;
    uint32_t cleared[SIDES]; /* of them */
    bool touched[SIDES];
    bool overtaken; /* taken away or flagged when a run may have been about to
                       copy it */
};

void account_init(struct account *account)
{
    memset(account, 0, sizeof(*account));
}

static void forget(struct account *account)
{
    for (size_t i = 0; i < account->n; i++)
        free(account->facts[i].folder);
    account->n = 0;
}

void account_deinit(struct account *account)
{
    forget(account);
    free(account->facts);
    free(account->loose);
}

void account_wrong(struct account *account, const char *format, ...)
{
    va_list args;

    if (account->wrong[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(account->wrong, sizeof(account->wrong), format, args);
    va_end(args);
}

static struct account_fact *add(struct account *account, uint32_t content,
                                const char *folder)
{
    struct account_fact *fact;

    account->facts = mem_grow(account->facts, account->n, &account->cap,
                              sizeof(*account->facts));
    fact = &account->facts[account->n++];
    memset(fact, 0, sizeof(*fact));
    fact->content = content;
    fact->folder = mem_copy(folder);
    return fact;
}

void account_begin(struct account *account, const struct look *look)
{
    forget(account);
    account->reset = false;
    account->renamed = false;
    account->aged = false;
    account->vacated = false;
    for (size_t i = 0; i < look->n_mail; i++)
        add(account, look->mail[i].content, look->folders[look->mail[i].folder])
            ->base = true;
}

/* Did a user do it? */
static bool is_act(const struct account_fact *fact)
{
    return !fact->base && !fact->tool && !fact->only && !fact->lapsed;
}

static struct sum sum_up(const struct account *account, uint32_t content)
{
    uint32_t added_run = UINT32_MAX; /* of the first that was added */
    struct sum sum = {0};

    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *fact = &account->facts[i];
        enum side side = fact->side;

        if (fact->content != content)
            continue;
        sum.base += fact->base;
        sum.lapsed += fact->lapsed;
        sum.cleared[side] += fact->cleared;
        if (!is_act(fact))
            continue;
        sum.touched[side] = true;
        sum.fresh[side] += fact->fresh;
        sum.deleted[side] += fact->fate == FATE_DELETED;
        sum.taken[side] +=
            fact->fate == FATE_DELETED || fact->fate == FATE_TAKEN;
        if (fact->fate == FATE_ADDED && fact->run < added_run)
            added_run = fact->run;
        sum.overtaken |=
            fact->fate != FATE_ADDED && fact->run + fact->run % 2 > added_run;
    }
    return sum;
}

/* Had a run, begun since, a reason to copy the message, or its flags, to where
 * @fact changes these? Where the record was lost, it may have one for what was
 * in step, too. */
static bool follows_closely(const struct account *account,
                            const struct account_fact *fact)
{
    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *before = &account->facts[i];

        if (before->content == fact->content &&
            (is_act(before) || (before->base && account->reset)) &&
            before->fate != FATE_DELETED &&
            before->run < fact->run + fact->run % 2)
            return true;
    }
    return false;
}

void account_fact(struct account *account, enum side side, enum fate fate,
                  uint32_t content, const char *folder, bool fresh)
{
    struct account_fact *fact = add(account, content, folder);

    fact->side = side;
    fact->fate = fate;
    fact->fresh = fresh;
    fact->run = account->run;
    if (fate == FATE_FLAGGED && follows_closely(account, fact)) {
        while (account->n_loose <= content) {
            account->loose =
                mem_resize(account->loose, account->n_loose + 1, sizeof(bool));
            account->loose[account->n_loose++] = false;
        }
        account->loose[content] = true;
    }
}

void account_only(struct account *account, enum side side, uint32_t content,
                  const char *folder)
{
    struct account_fact *fact = add(account, content, folder);

    fact->side = side;
    fact->fate = FATE_ADDED;
    fact->only = true;
}

void account_lapsed(struct account *account, enum side side, uint32_t content,
                    const char *folder, bool cleared)
{
    struct account_fact *fact = add(account, content, folder);

    fact->side = side;
    fact->lapsed = true;
    fact->cleared = cleared;
}

void account_renamed(struct account *account, enum side side,
                     const char *folder)
{
    account->renamed = true;
    if (account->run % 2 == 1)
        account_fact(account, side, FATE_TAKEN, CONTENT_NONE, folder, false);
}

/* Did the folder get another name within a run? */
static bool went_along(const struct account *account, enum side side,
                       const char *folder)
{
    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *fact = &account->facts[i];

        if (fact->content == CONTENT_NONE && fact->side == side &&
            strcmp(fact->folder, folder) == 0)
            return true;
    }
    return false;
}

/* What a run puts into a folder as that gets another name goes along, and nobody
 * saw its user move it. Did he, out of the folder that it is in on @side, or that
 * it was in before the user there moved it, too? */
static bool may_have_moved(const struct account *account, enum side side,
                           uint32_t content, const char *folder)
{
    bool may = went_along(account, other(side), folder);

    for (size_t i = 0; i < account->n && !may; i++) {
        const struct account_fact *fact = &account->facts[i];

        may = fact->content == content && fact->side == side &&
              fact->fate == FATE_TAKEN &&
              went_along(account, other(side), fact->folder);
    }
    return may;
}

/* Each removal on one side has its reason in what the other side's user took
 * away. Not one by one: moves that meet may come to more, in other folders. */
void account_removal(struct account *account, enum side side, uint32_t content,
                     const char *folder)
{
    struct sum sum = sum_up(account, content);
    struct account_fact *fact;

    if (sum.taken[other(side)] + sum.cleared[other(side)] == 0 &&
        !account->aged && !may_have_moved(account, side, content, folder)) {
        account->evils[EVIL_UNJUSTIFIED]++;
        account_wrong(account,
                      "unjustified: message %u is taken away from %s on the %s,"
                      " which nobody did on the other side",
                      content, folder, side == LEFT ? "left" : "right");
    }
    fact = add(account, content, folder);
    fact->side = side;
    fact->tool = true;
}

static bool is_taken_in_run(const struct account_fact *fact, enum side side)
{
    return is_act(fact) && fact->side == side && fact->run % 2 == 1 &&
           fact->content != CONTENT_NONE &&
           (fact->fate == FATE_TAKEN || fact->fate == FATE_DELETED);
}

bool account_taken_twice(const struct account *account, enum side side)
{
    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *one = &account->facts[i];

        for (size_t k = 0; k < i && is_taken_in_run(one, side); k++) {
            const struct account_fact *two = &account->facts[k];

            if (is_taken_in_run(two, side) && one->content == two->content &&
                one->run == two->run)
                return true;
        }
    }
    return false;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Is it new there, to one who has only seen what is on the other side, too? */
static bool is_new(const struct account_fact *fact, uint32_t content)
{
    return fact->content == content && (is_act(fact) || fact->only) &&
           fact->fate == FATE_ADDED;
}

/* How often both sides' users put it into the same folder, new or moved: of what
 * is equal and new there on both sides nobody can say that it is two. */
static uint32_t met(const struct account *account, uint32_t content)
{
    uint32_t n = 0;

    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *fact = &account->facts[i];
        uint32_t added[SIDES] = {0};

        if (!is_new(fact, content) || fact->side != LEFT)
            continue;
        /* Once for the last of its folder on the left. */
        for (size_t k = 0; k < account->n; k++) {
            const struct account_fact *also = &account->facts[k];

            if (!is_new(also, content) ||
                (!account->renamed && strcmp(also->folder, fact->folder) != 0))
                continue;
            added[also->side]++;
            if (also->side == LEFT && k > i)
                added[LEFT] = UINT32_MAX / 2;
        }
        if (added[LEFT] < UINT32_MAX / 2)
            n += lesser(added[LEFT], added[RIGHT]);
    }
    return n;
}

/* How many of it nobody can have deleted. */
static uint32_t least(const struct account *account, const struct sum *sum,
                      uint32_t content)
{
    uint32_t fresh = sum->fresh[LEFT] + sum->fresh[RIGHT];
    uint32_t gone = sum->deleted[LEFT] + sum->deleted[RIGHT] + sum->lapsed;
    uint32_t all = sum->base + fresh;

    if (all > 0)
        all -= lesser(all - 1, met(account, content));
    return all > gone ? all - gone : 0;
}

static bool has_folder(const struct look *look, const char *name)
{
    for (size_t i = 0; i < look->n_folders; i++) {
        if (strcmp(look->folders[i], name) == 0)
            return true;
    }
    return false;
}

/* How many there are on both sides together, what is in the same folder of both
 * being the same. */
static uint32_t count_both(const struct look *left, const struct look *right,
                           uint32_t content)
{
    uint32_t n = 0;

    for (size_t i = 0; i < left->n_folders; i++) {
        uint32_t n_left = look_count(left, content, left->folders[i]);
        uint32_t n_right = look_count(right, content, left->folders[i]);

        n += n_left > n_right ? n_left : n_right;
    }
    for (size_t i = 0; i < right->n_folders; i++) {
        if (!has_folder(left, right->folders[i]))
            n += look_count(right, content, right->folders[i]);
    }
    return n;
}

void account_check_loss(struct account *account, const struct look *left,
                        const struct look *right)
{
    for (uint32_t content = 0; content < contents_count(); content++) {
        struct sum sum = sum_up(account, content);
        uint32_t n = count_both(left, right, content);

        if (n >= least(account, &sum, content))
            continue;
        account->evils[EVIL_LOST]++;
        account_wrong(account,
                      "lost: message %u is there %u times on the left, %u on "
                      "the right, should be %u at least",
                      content, look_count(left, content, NULL),
                      look_count(right, content, NULL),
                      least(account, &sum, content));
    }
    if (left->torn || right->torn)
        account_wrong(account, "there is a message that nobody wrote");
}

void account_excuse(struct account *account, enum side side,
                    const struct look *gone, const struct look *left,
                    const struct look *right)
{
    for (size_t i = 0; i < gone->n_mail; i++) {
        uint32_t content = gone->mail[i].content;
        struct sum sum = sum_up(account, content);

        if (count_both(left, right, content) < least(account, &sum, content))
            account_fact(account, side, FATE_DELETED, content,
                         gone->folders[gone->mail[i].folder], false);
    }
}

/* --- in step ----------------------------------------------------------------- */

static bool is_loose(const struct account *account, uint32_t content)
{
    return content < account->n_loose && account->loose[content];
}

static int compare_mail(const struct account *account, const struct look *a,
                        const struct look_mail *x, const struct look *b,
                        const struct look_mail *y)
{
    int r = strcmp(a->folders[x->folder], b->folders[y->folder]);

    if (r == 0)
        r = x->content < y->content ? -1 : x->content > y->content;
    if (r == 0 && is_loose(account, x->content))
        return 0;
    if (r == 0)
        r = x->flags < y->flags ? -1 : x->flags > y->flags;
    if (r == 0)
        r = x->keywords < y->keywords ? -1 : x->keywords > y->keywords;
    if (r == 0)
        r = x->date < y->date ? -1 : x->date > y->date;
    return r;
}

static void sort(const struct account *account, const struct look *look)
{
    for (size_t i = 1; i < look->n_mail; i++) {
        struct look_mail mail = look->mail[i];
        size_t k = i;

        for (; k > 0 &&
               compare_mail(account, look, &look->mail[k - 1], look, &mail) > 0;
             k--)
            look->mail[k] = look->mail[k - 1];
        look->mail[k] = mail;
    }
}

static bool has_folders_of(const struct look *look, const struct look *of,
                           const char *which, char *why)
{
    for (size_t i = 0; i < of->n_folders; i++) {
        if (!has_folder(look, of->folders[i])) {
            (void)snprintf(why, 200, "%s is not on the %s", of->folders[i],
                           which);
            return false;
        }
    }
    return true;
}

bool account_in_step(const struct account *account, const struct look *left,
                     const struct look *right, char *why)
{
    size_t i = 0;

    if (!has_folders_of(left, right, "left", why) ||
        !has_folders_of(right, left, "right", why))
        return false;
    sort(account, left);
    sort(account, right);
    while (i < left->n_mail && i < right->n_mail &&
           compare_mail(account, left, &left->mail[i], right,
                        &right->mail[i]) == 0)
        i++;
    if (i == left->n_mail && i == right->n_mail)
        return true;
    (void)snprintf(why, 200, "left has");
    for (int k = 0; k < 2; k++) {
        const struct look *look = k == 0 ? left : right;
        const struct look_mail *mail = &look->mail[i];
        size_t n = strlen(why);

        if (i < look->n_mail)
            (void)snprintf(why + n, 200 - n,
                           "%s %u in %s flags %x.%x date %lld",
                           k == 0 ? "" : ", right", mail->content,
                           look->folders[mail->folder], mail->flags,
                           mail->keywords, (long long)mail->date);
    }
    return false;
}

/* --- what is to be there ------------------------------------------------------ */

static void excess(struct account *account, const struct sum *sum,
                   uint32_t content, const char *folder, uint32_t n,
                   uint32_t most)
{
    bool back = sum->deleted[LEFT] + sum->deleted[RIGHT] > 0;

    account->evils[back ? EVIL_RESURRECTED : EVIL_DOUBLED]++;
    account_wrong(account, "%s: message %u is in %s %u times, should be %u",
                  back ? "resurrected" : "doubled", content, folder, n, most);
}

/* May a run have copied it into a folder as that got another name, and then, as
 * it was not there, once more into the one that has the name now? */
static bool may_have_gone_along(const struct account *account,
                                const struct account_fact *fact)
{
    if (fact->base)
        return account->reset && (went_along(account, LEFT, fact->folder) ||
                                  went_along(account, RIGHT, fact->folder));
    return fact->fate == FATE_ADDED &&
           went_along(account, other(fact->side), fact->folder);
}

/* How often something was done to it in a folder. */
struct counts {
    uint32_t in;     /* put there */
    uint32_t out;    /* taken from there */
    uint32_t lapsed; /* taken by a power cut; not in out */
};

/* @folder  NULL: in any. */
static struct counts count_facts(const struct account *account,
                                 uint32_t content, const char *folder)
{
    struct counts counts = {0};

    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *fact = &account->facts[i];

        if (fact->content != content ||
            (folder != NULL && strcmp(fact->folder, folder) != 0))
            continue;
        counts.lapsed += fact->lapsed;
        counts.in += fact->base || (is_act(fact) && fact->fate == FATE_ADDED);
        counts.out += is_act(fact) &&
                      (fact->fate == FATE_TAKEN || fact->fate == FATE_DELETED);
    }
    return counts;
}

/* How often at most it is there beyond that. */
static uint32_t gone_along(const struct account *account, uint32_t content)
{
    uint32_t n = 0;

    for (size_t i = 0; i < account->n; i++) {
        const struct account_fact *fact = &account->facts[i];

        n += fact->content == content && (fact->base || is_act(fact)) &&
             may_have_gone_along(account, fact);
    }
    return n;
}

static void check_count(struct account *account, const struct sum *sum,
                        bool certain, uint32_t content, const char *folder,
                        uint32_t n)
{
    uint32_t more = folder == NULL ? gone_along(account, content) : 0;
    struct counts counts = count_facts(account, content, folder);
    uint32_t in = counts.in;
    uint32_t out = certain ? counts.out : 0;

    if (folder == NULL)
        folder = "all folders";
    if (n + out > in + more) {
        excess(account, sum, content, folder, n, in - out);
    } else if (certain && n + out + counts.lapsed < in) {
        account->evils[EVIL_LOST]++;
        account_wrong(account,
                      "lost: message %u is in %s %u times, should be %u",
                      content, folder, n, in - out);
    }
}

/* Was a folder that was about to be deleted, and got mail just then, kept under
 * a name of its own, as its users had made another one of its name meanwhile?
 * Nobody can say whether the two are meant to be one (docs/who-wins.md). */
static bool has_kept(const struct look *look)
{
    for (size_t i = 0; i < look->n_folders; i++) {
        if (strstr(look->folders[i], FOLDER_KEPT) != NULL)
            return true;
    }
    return false;
}

void account_check(struct account *account, const struct look *left)
{
    bool renamed = account->renamed || has_kept(left);

    for (uint32_t content = 0; content < contents_count(); content++) {
        struct sum sum = sum_up(account, content);
        bool certain = !account->reset && !sum.overtaken &&
                       !(sum.touched[LEFT] && sum.touched[RIGHT]);

        if (renamed)
            check_count(account, &sum, certain, content, NULL,
                        look_count(left, content, NULL));
        for (size_t i = 0; i < left->n_folders && !renamed; i++)
            check_count(account, &sum, certain, content, left->folders[i],
                        look_count(left, content, left->folders[i]));
        if (look_count(left, content, NULL) < least(account, &sum, content)) {
            account->evils[EVIL_LOST]++;
            account_wrong(account, "lost: message %u is there %u times",
                          content, look_count(left, content, NULL));
        }
    }
}
