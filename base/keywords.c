#include "base/keywords.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define RECENT_SLOTS     1024u /* a power of two */
#define RECENT_BYTES_MAX 1024u /* longer texts are not remembered */
#define NONE             UINT32_MAX

/* An open hash table of numbers; it keeps the hashes, so that it can grow
 * without knowing what the numbers stand for. */
struct slot {
    uint32_t hash;
    uint32_t number; /* 1 more than the number; 0: free */
};

struct table {
    struct slot *slots;
    uint32_t cap; /* a power of two, less than half full */
    uint32_t n;
};

struct name {
    char *text; /* as it was met first */
    size_t len;
};

struct set {
    char *text;
    size_t len;
    uint32_t *names; /* numbers of keywords, alphabetically */
    uint32_t n;
};

/* An earlier answer of keywords_intern(). */
struct recent {
    char *text; /* as it was asked; NULL: none */
    size_t len;
    uint32_t hash;
    uint32_t set;
};

struct keywords {
    struct name *names;
    size_t n_names;
    size_t cap_names;
    struct table names_table; /* by name in lower case */
    struct set *sets;
    size_t n_sets;
    size_t cap_sets;
    struct table sets_table; /* by numbers of names */
    size_t text_bytes;       /* of all sets */
    struct recent recent[RECENT_SLOTS];
};

/* A set while it is put together. */
struct draft {
    uint32_t names[KEYWORDS_IN_SET_MAX];
    uint32_t n;
};

static uint32_t finish(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash >> 32);
}

/* FNV-1a; @fold_bits 0x20 makes the case of letters not count. */
static uint32_t hash_text(struct bytes text, unsigned char fold_bits)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (size_t i = 0; i < text.len; i++) {
        hash =
            (hash ^ ((unsigned char)text.ptr[i] | fold_bits)) * 0x100000001B3u;
    }
    return finish(hash);
}

static uint32_t hash_numbers(const uint32_t *numbers, uint32_t n)
{
    uint64_t hash = n;

    for (uint32_t i = 0; i < n; i++)
        hash = (hash ^ numbers[i]) * 0x100000001B3u;
    return finish(hash);
}

/* The next number filed under @hash; NONE when there are no more. *@at starts
 * as @hash. */
static uint32_t table_next(const struct table *table, uint32_t hash,
                           uint32_t *at)
{
    while (table->cap > 0) {
        const struct slot *slot = &table->slots[(*at)++ & (table->cap - 1)];

        if (slot->number == 0)
            return NONE;
        if (slot->hash == hash)
            return slot->number - 1;
    }
    return NONE;
}

static void table_put(struct table *table, struct slot slot)
{
    uint32_t at = slot.hash;

    while (table->slots[at & (table->cap - 1)].number != 0)
        at++;
    table->slots[at & (table->cap - 1)] = slot;
}

static void table_add(struct table *table, uint32_t hash, size_t number)
{
    struct table old = *table;

    if (table->n * 2 >= table->cap) {
        table->cap = old.cap == 0 ? 64 : old.cap * 2;
        table->slots = mem_new(table->cap, sizeof(*table->slots));
        for (uint32_t i = 0; i < old.cap; i++) {
            if (old.slots[i].number != 0)
                table_put(table, old.slots[i]);
        }
        free(old.slots);
    }
    table_put(table, (struct slot){hash, (uint32_t)number + 1});
    table->n++;
}

/* May @name be stored? RFC 9051: flag-keyword is an atom, so that CTL, 8-bit
 * and atom-specials are out. */
static bool is_keyword(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];

        if (c <= ' ' || c >= 0x7F || strchr("(){%*\"\\]", c) != NULL)
            return false;
    }
    return name.len > 0;
}

static struct bytes name_text(const struct name *name)
{
    return (struct bytes){name->text, name->len};
}

/* The number of a valid keyword, made on the first use; NONE at the limit. */
static uint32_t name_intern(struct keywords *keywords, struct bytes name)
{
    uint32_t hash = hash_text(name, 0x20);
    uint32_t at = hash;
    uint32_t found;

    while ((found = table_next(&keywords->names_table, hash, &at)) != NONE) {
        if (bytes_equal_nocase(name_text(&keywords->names[found]), name))
            return found;
    }
    if (keywords->n_names == KEYWORDS_NAMES_MAX)
        return NONE;
    keywords->names = mem_grow(keywords->names, keywords->n_names,
                               &keywords->cap_names, sizeof(*keywords->names));
    keywords->names[keywords->n_names] =
        (struct name){mem_text(name), name.len};
    table_add(&keywords->names_table, hash, keywords->n_names);
    return (uint32_t)keywords->n_names++;
}

/* The alphabetical order of two keywords by number. */
static int compare(const struct keywords *keywords, uint32_t a, uint32_t b)
{
    if (a == b)
        return 0;
    return strcasecmp(keywords->names[a].text, keywords->names[b].text);
}

/* Put @name in its place; returns false where the set is full. */
static bool draft_add(const struct keywords *keywords, struct draft *draft,
                      uint32_t name)
{
    uint32_t low = 0;
    uint32_t high = draft->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(keywords, draft->names[middle], name);

        if (order == 0)
            return true;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (draft->n == KEYWORDS_IN_SET_MAX)
        return false;
    memmove(&draft->names[low + 1], &draft->names[low],
            (draft->n - low) * sizeof(draft->names[0]));
    draft->names[low] = name;
    draft->n++;
    return true;
}

/* Take the text up to the next blank, and the blank. */
static struct bytes take_word(struct bytes *text)
{
    const char *blank = memchr(text->ptr, ' ', text->len);
    size_t len = blank == NULL ? text->len : (size_t)(blank - text->ptr);
    struct bytes word = {text->ptr, len};

    *text = bytes_skip(*text, len + 1);
    return word;
}

/* Read @text into @draft; returns false where a limit is passed. */
static bool draft_parse(struct keywords *keywords, struct draft *draft,
                        struct bytes text)
{
    while (text.len > 0) {
        struct bytes word = take_word(&text);
        uint32_t name;

        if (!is_keyword(word))
            continue;
        if (word.len > KEYWORD_BYTES_MAX)
            return false;
        name = name_intern(keywords, word);
        if (name == NONE || !draft_add(keywords, draft, name))
            return false;
    }
    return true;
}

/* The bytes of the text of @draft, with a blank or NUL behind each. */
static size_t draft_bytes(const struct keywords *keywords,
                          const struct draft *draft)
{
    size_t n = 0;

    for (uint32_t i = 0; i < draft->n; i++)
        n += keywords->names[draft->names[i]].len + 1;
    return n;
}

static struct set set_new(const struct keywords *keywords,
                          const struct draft *draft)
{
    struct set set = {
        .text = mem_new(draft_bytes(keywords, draft), 1),
        .names = mem_new(draft->n, sizeof(*draft->names)),
        .n = draft->n,
    };

    for (uint32_t i = 0; i < draft->n; i++) {
        const struct name *name = &keywords->names[draft->names[i]];

        if (i > 0)
            set.text[set.len++] = ' ';
        memcpy(set.text + set.len, name->text, name->len);
        set.len += name->len;
        set.names[i] = draft->names[i];
    }
    return set;
}

/* The number of the set of @draft, made on the first use. */
static uint32_t set_intern(struct keywords *keywords, const struct draft *draft)
{
    uint32_t hash = hash_numbers(draft->names, draft->n);
    uint32_t at = hash;
    uint32_t found;

    while ((found = table_next(&keywords->sets_table, hash, &at)) != NONE) {
        const struct set *set = &keywords->sets[found];

        if (set->n == draft->n &&
            memcmp(set->names, draft->names, set->n * sizeof(*set->names)) == 0)
            return found;
    }
    if (keywords->n_sets == KEYWORDS_SETS_MAX ||
        draft_bytes(keywords, draft) >
            KEYWORDS_TEXT_BYTES_MAX - keywords->text_bytes)
        return KEYWORDS_REFUSED;
    keywords->text_bytes += draft_bytes(keywords, draft);
    keywords->sets = mem_grow(keywords->sets, keywords->n_sets,
                              &keywords->cap_sets, sizeof(*keywords->sets));
    keywords->sets[keywords->n_sets] = set_new(keywords, draft);
    table_add(&keywords->sets_table, hash, keywords->n_sets);
    return (uint32_t)keywords->n_sets++;
}

struct keywords *keywords_new(void)
{
    struct keywords *keywords = MEM_NEW(struct keywords);
    struct draft empty = {.n = 0};

    set_intern(keywords, &empty);
    return keywords;
}

void keywords_free(struct keywords *keywords)
{
    if (keywords == NULL)
        return;
    for (size_t i = 0; i < keywords->n_names; i++)
        free(keywords->names[i].text);
    for (size_t i = 0; i < keywords->n_sets; i++) {
        free(keywords->sets[i].text);
        free(keywords->sets[i].names);
    }
    for (size_t i = 0; i < RECENT_SLOTS; i++)
        free(keywords->recent[i].text);
    free(keywords->names);
    free(keywords->sets);
    free(keywords->names_table.slots);
    free(keywords->sets_table.slots);
    free(keywords);
}

static void remember(struct recent *recent, struct bytes text, uint32_t hash,
                     uint32_t set)
{
    recent->text = mem_resize(recent->text, text.len, 1);
    memcpy(recent->text, text.ptr, text.len);
    recent->len = text.len;
    recent->hash = hash;
    recent->set = set;
}

static uint32_t parse(struct keywords *keywords, struct bytes names)
{
    struct draft draft = {.n = 0};

    if (!draft_parse(keywords, &draft, names))
        return KEYWORDS_REFUSED;
    return set_intern(keywords, &draft);
}

uint32_t keywords_intern(struct keywords *keywords, struct bytes names)
{
    uint32_t hash = hash_text(names, 0);
    struct recent *recent = &keywords->recent[hash & (RECENT_SLOTS - 1)];
    uint32_t set;

    if (names.len == 0)
        return 0;
    if (recent->text != NULL && recent->hash == hash &&
        bytes_equal((struct bytes){recent->text, recent->len}, names))
        return recent->set;
    set = parse(keywords, names);
    if (set != KEYWORDS_REFUSED && names.len <= RECENT_BYTES_MAX)
        remember(recent, names, hash, set);
    return set;
}

/* @set, or the empty set where there is no such number. */
static uint32_t known(const struct keywords *keywords, uint32_t set)
{
    return set < keywords->n_sets ? set : 0;
}

struct bytes keywords_text(const struct keywords *keywords, uint32_t set)
{
    const struct set *found = &keywords->sets[known(keywords, set)];

    return (struct bytes){found->text, found->len};
}

uint32_t keywords_count(const struct keywords *keywords)
{
    return (uint32_t)keywords->n_sets;
}

/* The alphabetically first name at the heads of @rest, or NONE. Which of them
 * begin with it is told in @where, by bit, and it is taken from those. */
static uint32_t take_first(const struct keywords *keywords, struct set rest[3],
                           unsigned *where)
{
    uint32_t first = NONE;

    for (size_t i = 0; i < 3; i++) {
        if (rest[i].n > 0 &&
            (first == NONE || compare(keywords, first, *rest[i].names) > 0))
            first = *rest[i].names;
    }
    *where = 0;
    for (size_t i = 0; i < 3; i++) {
        if (rest[i].n > 0 && *rest[i].names == first) {
            *where |= 1u << i;
            rest[i].names++;
            rest[i].n--;
        }
    }
    return first;
}

/* The set of the names of @a (1), @b (2) and @c (4) for which the bit of the
 * sum of those they are in is set in @truth. */
static uint32_t combine(struct keywords *keywords, uint32_t a, uint32_t b,
                        uint32_t c, unsigned truth)
{
    struct set rest[3] = {
        keywords->sets[a],
        keywords->sets[b],
        keywords->sets[c],
    };
    struct draft draft = {.n = 0};
    unsigned where;
    uint32_t name;

    while ((name = take_first(keywords, rest, &where)) != NONE) {
        if ((truth >> where & 1) == 0)
            continue;
        if (draft.n == KEYWORDS_IN_SET_MAX)
            return KEYWORDS_REFUSED;
        draft.names[draft.n++] = name;
    }
    return set_intern(keywords, &draft);
}

uint32_t keywords_union(struct keywords *keywords, uint32_t a, uint32_t b)
{
    a = known(keywords, a);
    b = known(keywords, b);
    if (a == b || b == 0)
        return a;
    if (a == 0)
        return b;
    return combine(keywords, a, b, 0, 1u << 1 | 1u << 2 | 1u << 3);
}

uint32_t keywords_minus(struct keywords *keywords, uint32_t a, uint32_t b)
{
    a = known(keywords, a);
    b = known(keywords, b);
    if (a == b || a == 0)
        return 0;
    if (b == 0)
        return a;
    return combine(keywords, a, b, 0, 1u << 1);
}

uint32_t keywords_common(struct keywords *keywords, uint32_t a, uint32_t b)
{
    a = known(keywords, a);
    b = known(keywords, b);
    if (a == b)
        return a;
    if (a == 0 || b == 0)
        return 0;
    return combine(keywords, a, b, 0, 1u << 3);
}

uint32_t keywords_merge(struct keywords *keywords, uint32_t base, uint32_t left,
                        uint32_t right)
{
    base = known(keywords, base);
    left = known(keywords, left);
    right = known(keywords, right);
    if (left == right || right == base)
        return left;
    if (left == base)
        return right;
    /* Without base: in either; with base: in both. */
    return combine(keywords, base, left, right,
                   1u << 2 | 1u << 4 | 1u << 6 | 1u << 7);
}
