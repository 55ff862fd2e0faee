/* The state on disk behind the functions of known.h. */
#include "sync/known.h"

static int on_pair(void *owner, enum side side, uint32_t uid,
                   struct state_pair *out, struct err *err)
{
    struct known_state *on = owner;

    return state_pair_get(on->state, on->folder, side, uid, out, err);
}

static int on_apart(void *owner, enum side side, uint32_t uid,
                    struct state_apart *out, struct err *err)
{
    struct known_state *on = owner;

    return state_apart_get(on->state, on->folder, side, uid, out, err);
}

static int on_each_pair(void *owner, enum side side,
                        int (*each)(void *, const struct state_pair *),
                        void *each_owner, struct err *err)
{
    struct known_state *on = owner;

    return state_pair_each(on->state, on->folder, side, each, each_owner, err);
}

static int on_each_apart(void *owner,
                         int (*each)(void *, const struct state_apart *),
                         void *each_owner, struct err *err)
{
    struct known_state *on = owner;

    return state_apart_each(on->state, on->folder, each, each_owner, err);
}

struct known known_of_state(struct known_state *on)
{
    return (struct known){
        .owner = on,
        .pair = on_pair,
        .apart = on_apart,
        .each_pair = on_each_pair,
        .each_apart = on_each_apart,
    };
}
