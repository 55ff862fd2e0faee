/*
 * What is to hold of the messages of a world: for each of them, what was there
 * when both sides were in step last, what their users did since, and so what
 * may be there now. Messages are counted, as multisets: two with the same text
 * are two.
 *
 * While only one side's user touched a message, its fate is certain: in the end
 * both sides have it where that side has it. Where both did, where the state or a
 * UIDVALIDITY was lost, or where a message was taken away again that a run may
 * have been about to copy, bounds hold: nothing that nobody deleted is
 * lost, nothing is in a folder more often than it was put there. What is said of
 * a folder is said of all together where folders were given other names: mail for
 * the old name may be under the new one.
 */
#ifndef TESTS_SIM_ACCOUNT_H
#define TESTS_SIM_ACCOUNT_H

#include "tests/sim/half.h"

enum fate {
    FATE_ADDED,   /* by the user: new, or copied, or moved here */
    FATE_TAKEN,   /* moved from here */
    FATE_DELETED, /* by the user */
    FATE_FLAGGED
};

enum evil {
    EVIL_LOST,
    EVIL_DOUBLED,
    EVIL_UNJUSTIFIED,
    EVIL_RESURRECTED,
    EVILS
};

struct account {
    struct account_fact *facts;
    size_t n;
    size_t cap;
    uint32_t run; /* counts beginnings and ends of runs: odd while one is
                        under way */
    bool *loose;  /* by message: its flags may differ for good: one was taken
                        away before that side was ever seen to keep it */
    size_t n_loose;
    bool reset;   /* a state or UIDVALIDITY was lost since */
    bool aged;    /* the record is an older one: what it says is gone may have
                        been deleted, and have come back, before all this */
    bool vacated; /* a folder's name is free again since: made anew it is
                        another folder, as if UIDVALIDITY had changed */
    bool renamed; /* a user gave a folder another name since */
    char wrong[400]; /* the first that does not hold; "" */
    uint32_t evils[EVILS];
};

void account_init(struct account *account);
void account_deinit(struct account *account);

/* Both sides are in step: from now on this counts. */
void account_begin(struct account *account, const struct look *look);

/* The user of @side did something. @fresh: another message, not one of those
 * that were there. */
void account_fact(struct account *account, enum side side, enum fate fate,
                  uint32_t content, const char *folder, bool fresh);

/* The other side went back to what it was before it had this message: one like
 * it that its user brings is taken for the same. */
void account_only(struct account *account, enum side side, uint32_t content,
                  const char *folder);

/* The user of @side gives a folder another name. What a run is about to put into
 * a Maildir's goes with it: a move that nobody sees. */
void account_renamed(struct account *account, enum side side,
                     const char *folder);

/* The tool takes a message away from @side. */
void account_removal(struct account *account, enum side side, uint32_t content,
                     const char *folder);

/* Did the user of @side take one message away from there twice, or two that are
 * equal, while one run was under way? */
bool account_taken_twice(const struct account *account, enum side side);

/* A power cut took a message away from @side, through no doing of the tool: it
 * may be back from the other side, where that had it already, or gone for good.
 * @cleared: its user did, who found it torn: if it was on record, it was deleted.
 * Else nobody has a reason to take one away from the other side. */
void account_lapsed(struct account *account, enum side side, uint32_t content,
                    const char *folder, bool cleared);

/*
 * Through no doing of the tool @side went back to an older copy. @gone: messages
 * of it that may have been lost so. Those that are nowhere any more count as
 * deleted by their user.
 */
void account_excuse(struct account *account, enum side side,
                    const struct look *gone, const struct look *left,
                    const struct look *right);

/* At any moment: is nothing lost? Sets wrong, where it was not set. */
void account_check_loss(struct account *account, const struct look *left,
                        const struct look *right);

/* Are both sides equal: folders, messages, flags, dates? Says in @why, of 200
 * bytes, what is not. */
bool account_in_step(const struct account *account, const struct look *left,
                     const struct look *right, char *why);

/* Both sides are in step: is there what is to be there? */
void account_check(struct account *account, const struct look *left);

/* Something else went wrong. */
void account_wrong(struct account *account, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
