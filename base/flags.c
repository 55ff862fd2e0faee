#include "base/flags.h"

static const struct {
    uint32_t bit;
    struct bytes name;
} system_flags[] = {
    {FLAG_SEEN,     {"\\Seen", 5}    },
    {FLAG_ANSWERED, {"\\Answered", 9}},
    {FLAG_FLAGGED,  {"\\Flagged", 8} },
    {FLAG_DELETED,  {"\\Deleted", 8} },
    {FLAG_DRAFT,    {"\\Draft", 6}   },
};

/* @set, or @instead where a limit was passed. */
static uint32_t or_else(uint32_t set, uint32_t instead)
{
    return set == KEYWORDS_REFUSED ? instead : set;
}

bool flags_equal(struct flags a, struct flags b)
{
    return a.system == b.system && a.keywords == b.keywords;
}

struct flags flags_merge(struct keywords *keywords, struct flags base,
                         struct flags left, struct flags right)
{
    uint32_t either = left.system | right.system;
    uint32_t both = left.system & right.system;

    /* New against the base: one side is enough. Gone: so too. */
    return (struct flags){
        .system = both | (either & ~base.system),
        .keywords = or_else(keywords_merge(keywords, base.keywords,
                                           left.keywords, right.keywords),
                            left.keywords),
    };
}

struct flags flags_unite(struct keywords *keywords, struct flags left,
                         struct flags right)
{
    uint32_t both = left.system & right.system;
    uint32_t either = left.system | right.system;

    return (struct flags){
        .system = both | (either & ~(uint32_t)FLAG_DELETED),
        .keywords =
            or_else(keywords_union(keywords, left.keywords, right.keywords),
                    left.keywords),
    };
}

void flags_print(const struct keywords *keywords, struct flags flags,
                 struct buf *out)
{
    struct bytes names = keywords_text(keywords, flags.keywords);
    bool first = true;

    for (size_t i = 0; i < sizeof(system_flags) / sizeof(system_flags[0]);
         i++) {
        if ((flags.system & system_flags[i].bit) == 0)
            continue;
        if (!first)
            buf_add_char(out, ' ');
        buf_add(out, system_flags[i].name);
        first = false;
    }
    if (!first && names.len > 0)
        buf_add_char(out, ' ');
    buf_add(out, names);
}

struct flags_change flags_diff(struct keywords *keywords, struct flags from,
                               struct flags to)
{
    uint32_t add = keywords_minus(keywords, to.keywords, from.keywords);
    uint32_t remove = keywords_minus(keywords, from.keywords, to.keywords);

    return (struct flags_change){
        .add = {to.system & ~from.system, or_else(add,    0)},
        .remove = {from.system & ~to.system, or_else(remove, 0)},
    };
}

struct flags flags_apply(struct keywords *keywords, struct flags flags,
                         struct flags_change change)
{
    uint32_t kept = or_else(
        keywords_minus(keywords, flags.keywords, change.remove.keywords),
        flags.keywords);
    uint32_t names =
        or_else(keywords_union(keywords, kept, change.add.keywords), kept);

    return (struct flags){
        .system = (flags.system & ~change.remove.system) | change.add.system,
        .keywords = names,
    };
}

struct flags flags_limit(struct keywords *keywords, struct flags flags,
                         const struct flags_storable *storable)
{
    uint32_t names = flags.keywords;

    if (!storable->any_keyword) {
        names =
            or_else(keywords_common(keywords, names, storable->keywords), 0);
    }
    return (struct flags){flags.system & storable->system, names};
}
