/*
 * Goal: any name of a file in a Maildir is taken apart without loss, and flags
 * are changed in it without touching what we do not understand. A name that we
 * make is one that we read.
 *
 * The input: four bytes of letters, a byte that says what to remove, the name.
 */
#include "base/buf.h"
#include "store/maildir_name.h"
#include "tests/fuzz/fuzz.h"

static void check_parts(struct bytes text, const struct maildir_name *name)
{
    struct buf all;

    buf_init(&all, 0);
    (void)buf_add(&all, name->base);
    if (name->has_info)
        (void)buf_add(&all, B(":2,"));
    (void)buf_add(&all, name->letters);
    (void)buf_add(&all, name->rest);
    must(bytes_equal(buf_peek(&all), text));
    must(text.len == 0 || name->base.len > 0);
    must(name->has_info || name->letters.len == 0);
    buf_deinit(&all);
}

static void check_print(struct bytes text, const struct maildir_name *name)
{
    struct maildir_name back;
    struct buf out;
    bool plain = false;
    uint32_t letters = maildir_name_letters(name, &plain);

    buf_init(&out, 0);
    maildir_name_print(&out, name->base, letters);
    must(plain == bytes_equal(buf_peek(&out), text));
    maildir_name_parse(buf_peek(&out), &back);
    must(bytes_equal(back.base, name->base) && back.rest.len == 0);
    must(maildir_name_letters(&back, &plain) == letters && plain);
    buf_deinit(&out);
}

static void check_change(struct bytes text, uint32_t add, uint32_t remove)
{
    struct maildir_name old;
    struct maildir_name now;
    struct buf out;
    bool plain;

    buf_init(&out, 0);
    maildir_name_parse(text, &old);
    maildir_name_change(&out, text, add, remove & ~add);
    maildir_name_parse(buf_peek(&out), &now);
    must(bytes_equal(old.base, now.base) && bytes_equal(old.rest, now.rest));
    must(maildir_name_letters(&now, &plain) ==
         ((maildir_name_letters(&old, &plain) | add) & ~(remove & ~add)));
    buf_deinit(&out);
}

static void check_sizes(struct bytes base)
{
    struct maildir_name_sizes sizes;
    struct maildir_name_sizes back;
    struct buf out;

    buf_init(&out, 0);
    maildir_name_parse_sizes(base, &sizes);
    (void)buf_add(&out, B("1.M2P3.host"));
    maildir_name_print_sizes(&out, &sizes);
    maildir_name_parse_sizes(buf_peek(&out), &back);
    must(back.has_file == sizes.has_file && back.has_crlf == sizes.has_crlf &&
         back.verbatim == sizes.verbatim);
    must(!sizes.has_file || back.file == sizes.file);
    must(!sizes.has_crlf || back.crlf == sizes.crlf);
    buf_deinit(&out);
}

/* Whatever the host calls itself. */
static void check_unique(struct bytes host, uint32_t number)
{
    struct maildir_name_unique unique = {.seconds = number,
                                         .microseconds = number % 1000000,
                                         .pid = number,
                                         .counter = number,
                                         .random = UINT64_MAX - number,
                                         .host = host};
    struct maildir_name name;
    struct buf out;

    buf_init(&out, 0);
    maildir_name_print_unique(&out, &unique);
    maildir_name_parse(buf_peek(&out), &name);
    must(bytes_equal(name.base, buf_peek(&out)));
    must(memchr(name.base.ptr, '/', name.base.len) == NULL);
    must(memchr(name.base.ptr, '\0', name.base.len) == NULL);
    must(memchr(name.base.ptr, '\n', name.base.len) == NULL);
    must(name.base.ptr[0] != '.');
    must(name.base.len < MAILDIR_NAME_BYTES_MAX - 100);
    buf_deinit(&out);
}

void fuzz_one(struct bytes input)
{
    uint32_t letters = (uint32_t)fuzz_number(&input, 4);
    uint32_t remove = fuzz_byte(&input) * 0x01010101u;
    struct bytes text = fuzz_copy(input);
    struct maildir_name name;

    must(maildir_name_to_flags(maildir_name_from_flags(letters % 32)) ==
         letters % 32);
    if (text.len > 0) {
        maildir_name_parse(text, &name);
        check_parts(text, &name);
        check_print(text, &name);
        check_change(text, letters, remove);
        check_sizes(name.base);
    }
    check_unique(text, letters);
    fuzz_free(text);
}
