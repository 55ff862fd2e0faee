/*
 * What the files of a run share. A run is passes: compare the folders that may
 * have changed, decide, execute, record; what was touched is compared again,
 * until there is nothing left to do. The last, empty comparison gives the
 * change tokens that let the next run leave a folder closed.
 *
 *     run.c          the life of a run: open, list, passes, end
 *     run_folders.c  what is on record, and what the two lists say of it
 *     run_seats.c    which listed folder is which on record
 *     run_prove.c    is what seems renamed the same folder?
 *     run_names.c    whose name counts, and who makes way for it
 *     run_join.c     the rest of both lists: new folders, special use
 *     run_renames.c  twins get the names that their folders have now
 *     run_compare.c  deltas and identity, folder by folder
 *     run_decide.c   plans, guards, what a dry run says
 *     inquiry.c      who some messages are, asked folder by folder
 *     run_moves.c    messages that went into another folder: found
 *     run_merged.c   copies that a server merged into equal messages
 *     run_crossed.c  messages that each side put into another folder
 *     run_within.c   messages that were copied within a side: found
 *     run_place.c    both carried out on the other side
 *     run_copy.c     messages from one side to the other
 *     transfer.c     one batch of them
 *     run_change.c   folders made and removed, flags
 *     run_spare.c    files that were edited, and are not to be deleted
 *     run_trash.c    what was sent to a Trash: notes of it
 *     run_trashed.c  is it there?
 *     run_delete.c   deletions
 *     run_subscribe.c  subscriptions
 *     run_check.c    both sides of every pair, held against each other
 *     run_refused.c  messages that a side will not take
 *     run_settle.c   rows and tokens for the next run
 */
#ifndef SYNC_RUN_INTERNAL_H
#define SYNC_RUN_INTERNAL_H

#include "sync/delta.h"
#include "sync/filter.h"
#include "sync/match.h"
#include "sync/plan.h"
#include "sync/run.h"

/* A run that is not settled after so many passes leaves the rest to the next
 * one: somebody else is busy in there, or the connection never lasts. */
#define RUN_PASSES_MAX 4u

/* Refusals in a row, for want of room, after which a side counts as full. */
#define RUN_FULL_MAX 3u

/* How often the answer to one message is lost before it is given up. */
#define RUN_DOUBTS_MAX 4u

/* One folder's comparison; lives for one pass. */
struct compare {
    struct delta_request request[SIDES];
    struct delta delta[SIDES];
    struct known_state known_state;
    struct known known;
    struct match match;
    struct identify_request identify[SIDES];

    struct {
        uint32_t system;
        struct uidset sets; /* of keywords, by number */
    } listed[SIDES];        /* the flags of all messages that were listed */
    struct plan_shown shown[SIDES];
    unsigned pending;               /* requests under way */
    bool restart;                   /* another UIDVALIDITY: begin anew */
    struct plan_edge oldest[SIDES]; /* of what was listed with its date */
    bool full[SIDES]; /* the changes did not add up: ask for everything */
    struct plan plan;
};

/* One folder in a run. */
struct folder_work {
    struct run *run;
    struct state_folder row; /* the names are ours, and what it is called */
    bool in_state;
    /* What was listed for it, borrowed from run->list; NULL: nothing. */
    const struct folder_entry *entry[SIDES];
    bool present[SIDES]; /* there now */
    bool was_renamed;    /* in this run, by whomever */
    bool makes_way;      /* it is gone on one side, and another one gets its
                            name on the other, where it is put aside */
    bool ours[SIDES]; /* its name there, that is not on record, is our deed */
    bool by_name;     /* what has its name is what it is: no rename */
    bool proved;      /* what was listed for it under other names is it */
    bool disproved;   /* it is not */
    char *unanswered; /* why nobody could look whether it is; or NULL */
    /* Whose name it would have there, were it made; or NULL. Borrowed. */
    const struct folder_work *holder[SIDES];
    enum side winner; /* whose name the other side follows; SIDES: none */
    bool failed;      /* left alone for the rest of the run */
    bool unseen;      /* and nobody knows what is in it now */

    /* this pass */
    bool ask[SIDES];
    struct compare *compare; /* or NULL: nothing to do */
    unsigned active;         /* transfers or other requests under way */
    bool flags_failed[SIDES];
    size_t copies_left; /* of plan.copies, not yet in a transfer */
    bool made[SIDES];   /* by us */
    bool waits;         /* to be made, or removed, in a later pass or run */
    bool in_circle;     /* it would wait for itself, by way of others */
    size_t n_circling;  /* pairs that are to be moved into such folders */

    /* the whole run */
    struct uidset skip[SIDES];     /* given up, or held back */
    struct uidset bare[SIDES];     /* refused, it may be for their keywords */
    struct uidset added[SIDES];    /* by us */
    struct uidset vanished[SIDES]; /* their copies over there are no more */
    /* Sent from this side, and the answer was lost: once, twice, ... */
    struct uidset unsure[SIDES][RUN_DOUBTS_MAX];
    uint32_t left_out; /* messages not sent, and not told yet */
    bool has_token[SIDES];
    struct folder_token token[SIDES]; /* of the latest delta */
    bool dirty[SIDES];                /* changed by us since then */
    bool unconsumed[SIDES]; /* something of this side was not carried out */
    bool want_full[SIDES];
    bool unproved[SIDES];    /* it was sent flags that it never showed: did it
                             take them? */
    bool windowed[SIDES];    /* it may hold more than it shows */
    bool partial[SIDES];     /* its latest listing was not whole */
    bool looked;             /* compared in this run: its row has news */
    size_t unnumbered;       /* messages added without learning their UIDs */
    struct plan_base *bases; /* of those that were placed here so */
    size_t n_bases;
    size_t bases_cap;
    size_t expect_links; /* the same, of the pass before: to be found now */
};

struct transfer;
struct renaming;

/* A message that went into another folder on the other side, or was copied
 * there, and is to follow on this one. Moved within one folder, it only got
 * another UID, and has nowhere to go. */
struct placement {
    enum side side; /* where it is to be done */
    bool move;      /* false: a copy */
    struct folder_work *from;
    struct folder_work *to;
    struct state_pair pair; /* of the message to be placed, in from */
    struct listed item;     /* as it appeared in to on the other side */
    /* The pair that is off the record with it, and its folder; or NULL. */
    struct folder_work *ended_in;
    struct state_pair ended;
    uint64_t intent; /* 0: none yet */
    bool placed;
    uint32_t to_uid;
};

/* Messages of one folder that were sent to the Trash together. */
struct trash_note {
    uint32_t folder;
    enum side side;
    uint32_t uidvalidity;
    uint32_t trash; /* 0: they are known to be there */
    uint32_t trash_uidvalidity;
    uint32_t trash_uidnext; /* before: the copies are not below */
    struct uidset uids;
};

enum run_step {
    STEP_OPEN,
    STEP_LIST,
    STEP_SEATS,
    STEP_RENAME,
    STEP_COMPARE,
    STEP_PLAN,
    STEP_FIND_STAYING,
    STEP_FIND_MERGED,
    STEP_FIND_CROSSED,
    STEP_FIND_COPIES,
    STEP_CREATE,
    STEP_COPY_WITHIN,
    STEP_MOVE,
    STEP_COPY_RIGHT,
    STEP_COPY_LEFT,
    STEP_KEEP,
    STEP_SPARE,
    STEP_FIND_TRASHED,
    STEP_CHANGE,
    STEP_REMOVE_FOLDERS,
    STEP_SUBSCRIBE,
    STEP_END_PASS,
    STEP_CHECK, /* after STEP_CREATE, in a dry run */
    STEP_END
};

struct run {
    struct run_options options;
    struct keywords *keywords;
    struct filter *filter;
    struct run_result result;
    struct run_progress progress;
    enum run_step step;
    unsigned pass;      /* those that are counted: see run_count_pass() */
    bool in_doubt;      /* in this pass: see run_doubt() */
    enum side doubtful; /* by which side */
    uint64_t achieved;  /* by the passes before */
    uint64_t paired;    /* messages found to be the same */
    unsigned pending;   /* requests of this step under way */
    bool stepping;      /* in run_step_done(): do not nest */
    bool closing;
    int64_t now;

    struct open_request open[SIDES];
    struct list_request list[SIDES];
    struct close_request close[SIDES];

    struct folder_work **folders; /* by name */
    size_t n_folders;
    size_t folders_cap;

    struct renaming *renaming[SIDES]; /* run_renames.c */
    bool deletes_open;  /* what is gone may be gone by an earlier run's hand */
    bool deletes_noted; /* on record: deletions are under way */

    /* run_trash.c */
    struct trash_note *trash_notes;
    size_t n_trash_notes;
    size_t trash_notes_cap;
    bool trash_news; /* since they were put on record */

    /* run_place.c */
    struct placement *placements;
    size_t n_placements;
    size_t placements_cap;
    bool no_copies[SIDES]; /* this side refused one: send octets instead */

    /* run_copy.c */
    enum side copy_to;
    struct transfer **ready; /* prepared, their intents on disk */
    size_t n_ready;
    size_t ready_cap;
    struct transfer *retries;     /* to be sent again */
    struct folder_work **copying; /* those that have copies left */
    size_t n_copying;
    unsigned transfers;   /* under way */
    bool alone;           /* the one that is is not to have company */
    unsigned full[SIDES]; /* refusals in a row for want of room */
};

/* run.c */

/* Something began, or came to its end; when nothing of the step is left under
 * way, the next step begins. */
void run_begin(struct run *run);
void run_end(struct run *run);

/* A request of this run ended with @result < 0. Fatal ones end the run; of
 * others it returns false, and the caller lets the folder or message fail. */
bool run_is_over(struct run *run, enum side side, int result,
                 const struct err *err);

/* End the run early. The first reason stays. */
void run_fail(struct run *run, enum side side, int result,
              const struct err *err);

/* A folder cannot be synchronised: say so, leave it alone. */
void run_folder_failed(struct folder_work *work, enum side side,
                       const struct err *err);

/* A message cannot be copied or changed: say so and leave it alone. */
void run_message_failed(struct folder_work *work, enum side source,
                        uint32_t uid, const char *reason);

/* Only say so. */
void run_tell_failed(struct folder_work *work, enum side source, uint32_t uid,
                     const char *reason);

void run_report(struct run *run, const struct report_event *event);

/* Commit what is queued. Returns false where that ends the run. */
bool run_commit(struct run *run);

/* Is there another step to wait for, or is the run ending? */
static inline bool run_is_closing(const struct run *run)
{
    return run->closing;
}

/* Is there a plan for it in this pass? */
static inline bool run_takes_part(const struct folder_work *work)
{
    return !work->failed && work->compare != NULL;
}

/* Is any message of it on record? */
static inline bool run_knows_anything(const struct folder_work *work)
{
    const struct state_folder *row = &work->row;

    return row->pairs > 0 || row->apart[LEFT] > 0 || row->apart[RIGHT] > 0;
}

/* How well messages keep what they are on the way between the sides: the lower
 * one of both. */
static inline enum fidelity run_fidelity(const struct run *run)
{
    enum fidelity left = run->options.endpoint[LEFT]->fidelity;
    enum fidelity right = run->options.endpoint[RIGHT]->fidelity;

    return left > right ? left : right;
}

/* The header's digest, as far as both sides keep it. */
static inline enum identify_level run_header_level(const struct run *run)
{
    return run_fidelity(run) == FIDELITY_ENVELOPE ? IDENTIFY_ENVELOPE
                                                  : IDENTIFY_HEADER;
}

struct folder_ref run_folder_ref(const struct folder_work *work,
                                 enum side side);

/* What a folder is called for people, borrowed. */
static inline const char *run_folder_name(const struct folder_work *work)
{
    return work->row.name[LEFT];
}

/* Does it have this special use there? */
enum special_use run_folder_use(const struct folder_work *work, enum side side);

/* run_folders.c: fill run->folders with what is on record. Returns 0 or the
 * state's error. */
int run_folders(struct run *run, struct err *err);
/* A new one, called @left and @right (copied). */
struct folder_work *run_folder_new(struct run *run, const char *left,
                                   const char *right);
void run_folder_free(struct folder_work *work);
/* Sort run->folders by name. */
void run_folders_sort(struct run *run);
/* It starts over, as a folder that was never seen: what is on record of its
 * messages is void. */
void run_folder_forget(struct folder_work *work);
/* A UID of @side that is to go on record was told with this UIDVALIDITY, or
 * without one (0). In a folder that was not listed yet it goes on record, too:
 * should another folder have that name when it is, this UID is not its. */
void run_note_uidvalidity(struct folder_work *work, enum side side,
                          uint32_t uidvalidity);
/* The same for the UIDs of what was listed in this run; true if the row is to be
 * put on record for it. */
bool run_note_listed(struct folder_work *work);
/* Neither the record nor this run tells any more of which folder on @side it is:
 * what was known, its object too, was another one's. */
void run_forget_token(struct folder_work *work, enum side side);
/* What goes off the record now is only found again where all of @side is listed:
 * should this run be cut short before that, the next one lists it. Queued only,
 * for the same commit. */
void run_list_anew(struct folder_work *work, enum side side);
/* Which sides of a folder have to be opened to know what changed: into ask[].
 */
void run_ask(struct folder_work *work);

/* run_seats.c: which entry of the lists is which folder on record, into
 * entry[]; proves by a sample of messages what seems renamed. */
void run_seats(struct run *run);
/* The same without a question: what cannot be what it seems, or with
 * @only_proved what was not proved, is sought by its name. */
void run_seat_all(struct run *run, bool only_proved);
/* Was something listed for it on @side, under another name than on record? */
bool run_is_renamed(const struct folder_work *work, enum side side);
bool run_seems_renamed(const struct folder_work *work); /* on any */
/* What a folder called @name on the other side is called on @side, by the
 * folders above it whose names differ: fresh memory. */
char *run_map_name(const struct run *run, enum side side, const char *name);

/* run_prove.c: is a folder that seems renamed, and is listed on both sides, what
 * it seems to be? Into proved, disproved or unanswered. */
void run_prove(struct folder_work *work);
/* When all are answered: what shows nothing itself, as it is empty, was taken
 * along by the one above it; what could not be looked at waits. */
void run_prove_rest(struct run *run);

/* run_names.c: take over the new names of what is proved, and decide which
 * side's the twin gets, into winner, and what makes way for it. */
void run_take_names(struct run *run);

/* run_join.c: the entries that are of no folder on record become folders.
 * Returns 0, ERR_GUARD where a side lost all folders, or the state's error. */
int run_join(struct run *run, struct err *err);
/* Does the list of @side have anything called so? */
bool run_is_listed(const struct run *run, enum side side, const char *name);
/* All have their names: two folders of one name, each on one side only, are each
 * other's twin, by whatever renames they came to it. */
void run_join_halves(struct run *run);
/* Which folders have a name on one side that is another's: into holder[]. */
void run_note_holders(struct run *run);

/* run_renames.c: rename twins that have not the name of their folder. */
void run_renames(struct run *run);
void run_renames_deinit(struct run *run);

/* run_compare.c */
void run_compare(struct run *run);
void run_compare_free(struct folder_work *work);

/* run_decide.c: plans for all compared folders. Returns 0 or the state's
 * error. */
int run_plan(struct run *run, struct err *err);
/* The guards. */
void run_decide(struct run *run);
/* Take what was marked as done in another way out of all plans of @side; see
 * plan_close_gaps(). */
void run_close_gaps(struct run *run, enum side side);
/* What @work's plan is made from; borrowed while its comparison lives. */
struct plan_input run_plan_input(const struct folder_work *work);
/* Put what needs no sending on record; queued only. */
void run_record_plans(struct run *run);
/* A dry run's account of the plans. */
void run_tell_plans(struct run *run);

/* run_check.c: hold both sides of every pair against each other. */
void run_check(struct run *run);

/* run_moves.c: find messages that left one folder and appeared in another,
 * take them out of the plans into run->placements. */
void run_find_moves(struct run *run);
/* Behind it: what is left of the copies, and is not to be one. */
void run_find_staying(struct run *run);

/* run_merged.c: what became of this run's copies that are gone already. */
void run_find_merged(struct run *run);

/* run_crossed.c: find messages that both sides moved, each to another folder.
 */
void run_find_crossed(struct run *run);

/* run_within.c: the same for new messages that are copies of others. */
void run_find_copies(struct run *run);

/* run_place.c: a new placement; to be filled at once. */
struct placement *run_placement_add(struct run *run);

/* It needs no request: only the other side's UID is another now. */
static inline bool run_placement_is_idle(const struct placement *placement)
{
    return placement->move && placement->from == placement->to;
}

/* Is anything to be put into @work on @side? */
bool run_is_placed_in(const struct folder_work *work, enum side side);
/* Report that it was done, or in a plan would be. */
void run_tell_placement(const struct placement *placement);
/* Carry out the copies of run->placements, and then the moves. */
void run_copy_within(struct run *run);
void run_move(struct run *run);

/* run_copy.c: a message is not sent for want of room over there; told later, as
 * one of many. */
void run_leave_out(struct folder_work *work, enum side from, uint32_t uid);
/* All copies to @to; uses run_begin() and run_end(). */
void run_copy(struct run *run, enum side to);
void run_copy_deinit(struct run *run);

/* run_change.c */
/* Is it to be made on @side: new on the other one, or gone from @side while
 * the other one has new mail in it? */
bool run_must_create(const struct folder_work *work, enum side side);
void run_create_folders(struct run *run);
void run_push_flags(struct folder_work *work);
/* @flags are sent to a message of @side: where it never showed them before, it
 * is looked at again in the next pass. */
void run_prove_flags(struct folder_work *work, enum side side,
                     struct flags flags);
void run_remove_folders(struct run *run);

/* run_subscribe.c: subscriptions, in the first pass; a dry run tells them. */
void run_subscribe(struct run *run);

/* run_refused.c: messages that were refused for good in an earlier run. Try
 * those again whose limit has changed; tell of the others, once, at the end.
 * Return 0 or the state's error. */
int run_retry_refused(struct run *run, struct err *err);
int run_tell_refused(struct run *run, struct err *err);

/* run_keep.c: hold the deletions of what may be a message that could not be
 * copied. */
void run_keep_moved(struct run *run);

/* run_spare.c: take files out of the plans that were edited since their pair
 * went on record. */
void run_spare_edits(struct run *run);

/* run_trash.c: the notes of what was sent to a Trash. Read them; returns 0 or
 * the state's error. Queue them, where they have news. */
int run_trash_recall(struct run *run, struct err *err);
void run_trash_write(struct run *run);
/* Those that are not to be deleted any more go; queued. */
void run_trash_settle(struct run *run);
void run_trash_deinit(struct run *run);
/* May anything still be on its way into the Trash of @side? */
bool run_trash_is_open(const struct run *run, enum side side);
/* The Trash of @side, or NULL. */
struct folder_work *run_find_trash(const struct run *run, enum side side);
/* All that the plan deletes on @side is about to be sent to @trash, but for what
 * is there. */
void run_trash_announce(struct folder_work *work, enum side side,
                        const struct folder_work *trash);
/* They are in the Trash, and still here; or here no more. */
void run_trash_arrived(struct folder_work *work, enum side side,
                       const struct uidset *uids);
void run_trash_gone(struct folder_work *work, enum side side,
                    const struct uidset *uids);
/* Of all that the plan deletes on @side: what is known to be in the Trash. */
void run_trash_there(const struct folder_work *work, enum side side,
                     struct uidset *out);
/* Is @note of what was sent from @work to @trash as it is now, and may be there?
 */
bool run_trash_may_hold(const struct folder_work *trash,
                        const struct trash_note *note,
                        const struct folder_work *work, enum side side);
/* Something of it may be in @trash, where nobody can look now. */
bool run_trash_is_blind(const struct folder_work *work, enum side side,
                        const struct folder_work *trash);

/* run_trashed.c: what was noted, and is to be deleted still: is its copy in the
 * Trash? */
void run_find_trashed(struct run *run);

/* run_delete.c: flags, too, so that each folder is visited once. */
void run_delete(struct run *run);
/* Is anything to be deleted on @side? */
bool run_has_deletes(const struct run *run, enum side side);
/* Was an earlier run cut short while it deleted? Into deletes_open. Returns 0 or
 * the state's error. */
int run_deletes_recall(struct run *run, struct err *err);
/* All deletions of this run are on record. */
void run_deletes_settle(struct run *run);
/* @pair's message is about to leave @work on @side, for @to where that is not
 * NULL. */
void run_tell_removal(const struct folder_work *work, enum side side,
                      const struct state_pair *pair,
                      const struct folder_work *to);

/* run_settle.c: an answer from @side about this folder was lost with its
 * connection. Done, or not? The next pass looks, on both sides. */
void run_doubt(struct folder_work *work, enum side side);
/* Count the pass, unless it was broken off and yet got on: as long as there is
 * progress, lost connections may not end a run. */
void run_count_pass(struct run *run);
/* What has to be compared again, into ask[]. Returns how many
 * folders. */
size_t run_next_pass(struct run *run);
/* Queue the rows of all folders and the end of old intents. */
void run_settle(struct run *run);

#endif
