/*
 * Goal: a folder's name from a server never leads out of the Maildir root, and
 * every name that one side takes comes back as the same name: modified UTF-7,
 * the server's spelling with its prefix and delimiter, the directories of both
 * layouts.
 *
 * The input: the delimiter, the prefix up to a line end, the name.
 */
#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "imap/imap_names.h"
#include "imap/mutf7.h"
#include "store/maildir_path.h"
#include "tests/fuzz/fuzz.h"

static bool has(struct bytes text, char c)
{
    return text.len > 0 && memchr(text.ptr, c, text.len) != NULL;
}

static void check_mutf7(struct bytes text)
{
    struct buf there;
    struct buf back;

    buf_init(&there, 0);
    buf_init(&back, 0);
    if (mutf7_encode(text, &there)) {
        must(utf8_valid(text));
        must(mutf7_decode(buf_peek(&there), &back));
        must(bytes_equal(buf_peek(&back), text));
    } else {
        must(buf_len(&there) == 0 && !utf8_valid(text));
    }
    buf_clear(&there);
    buf_clear(&back);
    if (mutf7_decode(text, &there)) {
        must(utf8_valid(buf_peek(&there)));
        must(mutf7_encode(buf_peek(&there), &back));
        must(bytes_equal(buf_peek(&back), text));
    } else {
        must(buf_len(&there) == 0);
    }
    buf_deinit(&there);
    buf_deinit(&back);
}

/* No level of @path may lead elsewhere, or be taken for something else. */
static void check_inside(enum maildir_layout layout, struct bytes path)
{
    struct bytes rest = path;
    struct bytes level;

    must(path.len > 0 && path.ptr[0] != '/' && !has(path, '\0'));
    must(path.ptr[path.len - 1] != '/');
    if (layout == MAILDIR_PLUSPLUS) {
        must(path.ptr[0] == '.' && !has(path, '/'));
        must(path.len == 1 || path.ptr[1] != '.');
        must(!bytes_equal(path, bytes_of(MAILDIR_PATH_MARKER)));
    }
    while (layout == MAILDIR_NESTED && rest.len > 0) {
        level = fuzz_until(&rest, '/');
        must(level.len > 0 && level.len <= 255 && level.ptr[0] != '.');
        must(!bytes_equal(level, B("cur")) && !bytes_equal(level, B("new")) &&
             !bytes_equal(level, B("tmp")));
    }
    for (size_t i = 0; i < path.len; i++)
        must((uint8_t)path.ptr[i] >= ' ' && path.ptr[i] != 0x7f);
}

static void check_layout(enum maildir_layout layout, struct bytes text)
{
    struct buf there;
    struct buf back;

    buf_init(&there, 0);
    buf_init(&back, 0);
    if (maildir_path_encode(layout, text, &there, NULL) == 0) {
        check_inside(layout, buf_peek(&there));
        must(maildir_path_decode(layout, buf_peek(&there), &back));
        must(bytes_equal(buf_peek(&back), text));
    }
    buf_clear(&there);
    buf_clear(&back);
    if (maildir_path_decode(layout, text, &there)) {
        must(maildir_path_encode(layout, buf_peek(&there), &back, NULL) == 0);
        must(bytes_equal(buf_peek(&back), text));
    }
    buf_deinit(&there);
    buf_deinit(&back);
}

/* Ours to the server's and back. */
static void check_made(const struct imap_names *names, struct bytes ours)
{
    struct buf wire;
    struct buf back;
    char *name = strndup(ours.ptr, ours.len);

    buf_init(&wire, 0);
    buf_init(&back, 0);
    if (!has(ours, '\0') && imap_names_wire(names, name, &wire, NULL) == 0) {
        struct bytes text = buf_peek(&wire);

        for (size_t i = 0; i < text.len; i++)
            must((uint8_t)text.ptr[i] >= ' ' && (uint8_t)text.ptr[i] < 0x7f);
        must(imap_names_decode(names, text, names->delimiter, &back) == NULL);
        must(bytes_equal(buf_peek(&back), ours));
    }
    free(name);
    buf_deinit(&wire);
    buf_deinit(&back);
}

static void check_listed(const struct imap_names *names, struct bytes wire)
{
    struct buf ours;
    struct bytes rest;

    buf_init(&ours, 0);
    if (imap_names_decode(names, wire, names->delimiter, &ours) == NULL) {
        must(utf8_valid(buf_peek(&ours)));
        rest = buf_peek(&ours);
        must(rest.len > 0 && rest.ptr[rest.len - 1] != '/');
        while (rest.len > 0) {
            struct bytes level = fuzz_until(&rest, '/');

            must(level.len > 0 && !bytes_equal(level, B(".")) &&
                 !bytes_equal(level, B("..")));
        }
        check_made(names, buf_peek(&ours));
        check_layout(MAILDIR_NESTED, buf_peek(&ours));
        check_layout(MAILDIR_PLUSPLUS, buf_peek(&ours));
    }
    buf_deinit(&ours);
}

/* What people are shown says nothing to their terminal. */
static void check_shown(struct bytes text)
{
    struct buf out;
    struct bytes shown;

    buf_init(&out, 0);
    log_clean(&out, text);
    shown = buf_peek(&out);
    must(utf8_valid(shown));
    for (size_t i = 0; i < shown.len; i++)
        must((uint8_t)shown.ptr[i] >= ' ' && shown.ptr[i] != 0x7f);
    buf_deinit(&out);
}

void fuzz_one(struct bytes input)
{
    struct imap_names names = {0};
    char delimiter = (char)fuzz_byte(&input);
    struct bytes prefix = fuzz_until(&input, '\n');
    struct bytes text = fuzz_copy(input);

    imap_names_space(&names, delimiter == '0' ? '\0' : delimiter, prefix);
    check_mutf7(text);
    check_layout(MAILDIR_NESTED, text);
    check_layout(MAILDIR_PLUSPLUS, text);
    if (text.len > 0)
        check_made(&names, text);
    check_listed(&names, text);
    check_shown(text);
    imap_names_deinit(&names);
    fuzz_free(text);
}
