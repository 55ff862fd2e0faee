/*
 * Goal: any dovecot-keywords file is read, and what was read is written back as
 * the same; letters and names of keywords belong to each other. Sets of
 * keywords keep to the rules of sets, the three-way merge among them.
 *
 * The input: three lines of keywords, then the file.
 */
#include "base/keywords.h"
#include "store/maildir_keywords.h"
#include "store/maildir_name.h"
#include "tests/fuzz/fuzz.h"

static void check_file(struct bytes text)
{
    struct maildir_keywords keywords = {0};
    struct maildir_keywords again = {0};
    struct buf out;
    struct buf names;
    uint32_t letters = 0;

    buf_init(&out, 0);
    buf_init(&names, 0);
    maildir_keywords_parse(&keywords, text);
    maildir_keywords_print(&keywords, &out);
    maildir_keywords_parse(&again, buf_peek(&out));
    for (unsigned i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        must((keywords.name[i] == NULL) == (again.name[i] == NULL));
        must(keywords.name[i] == NULL ||
             strcmp(keywords.name[i], again.name[i]) == 0);
        letters |= keywords.name[i] != NULL ? 1u << i : 0;
    }
    maildir_keywords_names(&keywords, letters, &names);
    must((maildir_keywords_letters(&keywords, buf_peek(&names), NULL) &
          MAILDIR_NAME_KEYWORDS & ~letters) == 0);
    must(maildir_keywords_free(&keywords, 0) +
             (unsigned)__builtin_popcount(letters) ==
         MAILDIR_KEYWORDS_MAX);
    maildir_keywords_deinit(&keywords);
    maildir_keywords_deinit(&again);
    buf_deinit(&out);
    buf_deinit(&names);
}

static void check_sets(struct bytes first, struct bytes second,
                       struct bytes third)
{
    struct keywords *keywords = keywords_new();
    uint32_t a = keywords_intern(keywords, first);
    uint32_t b = keywords_intern(keywords, second);
    uint32_t base = keywords_intern(keywords, third);
    uint32_t both = keywords_union(keywords, a, b);

    must(keywords_intern(keywords, keywords_text(keywords, a)) == a);
    must(keywords_union(keywords, b, a) == both);
    must(keywords_union(keywords, a, a) == a);
    must(keywords_minus(keywords, a, a) == 0);
    must(keywords_common(keywords, a, both) == a);
    must(keywords_minus(keywords, a, b) ==
         keywords_minus(keywords, a, keywords_common(keywords, a, b)));
    must(keywords_merge(keywords, base, a, base) == a);
    must(keywords_merge(keywords, base, base, b) == b);
    must(keywords_merge(keywords, base, a, a) == a);
    must(keywords_merge(keywords, base, a, b) ==
         keywords_merge(keywords, base, b, a));
    keywords_free(keywords);
}

/* Few and short ones, so that no limit is passed. */
static struct bytes some(struct bytes line)
{
    return (struct bytes){line.ptr, line.len < 200 ? line.len : 200};
}

void fuzz_one(struct bytes input)
{
    struct bytes first = some(fuzz_until(&input, '\n'));
    struct bytes second = some(fuzz_until(&input, '\n'));
    struct bytes third = some(fuzz_until(&input, '\n'));
    struct bytes text = fuzz_copy(input);

    check_sets(first, second, third);
    check_file(text);
    fuzz_free(text);
}
