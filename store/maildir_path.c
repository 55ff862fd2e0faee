#include "store/maildir_path.h"

#include <string.h>

#include "base/sabotage.h"
#include "base/utf8.h"

#define LEVEL_BYTES_MAX 255u

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/* Do two hexadecimal digits follow the byte at @at? */
static bool hex_follows(struct bytes text, size_t at)
{
    return text.len - at > 2 && hex_value(text.ptr[at + 1]) >= 0 &&
           hex_value(text.ptr[at + 2]) >= 0;
}

/* C0, DEL, and both bytes of a C1 control (U+0080 to U+009F in UTF-8). */
static bool is_control(struct bytes text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at];

    if (c < 0x20 || c == 0x7f) {
        return true;
    }
    if (c == 0xc2) {
        return at + 1 < text.len && (unsigned char)text.ptr[at + 1] < 0xa0;
    }
    return c >= 0x80 && c < 0xa0 && at > 0 &&
           (unsigned char)text.ptr[at - 1] == 0xc2;
}

static bool is_reserved(struct bytes level)
{
    return bytes_equal(level, B("cur")) || bytes_equal(level, B("new")) ||
           bytes_equal(level, B("tmp"));
}

static bool must_escape(enum maildir_layout layout, struct bytes level,
                        size_t at)
{
    switch (level.ptr[at]) {
    case '.':
        return (at == 0 && !SABOTAGED(path_escapes)) ||
               layout == MAILDIR_PLUSPLUS;
    case '%':
        return hex_follows(level, at);
    default:
        return is_control(level, at) || (at == 0 && is_reserved(level));
    }
}

static void encode_level(enum maildir_layout layout, struct bytes level,
                         bool force_first, struct buf *out)
{
    for (size_t i = 0; i < level.len; i++) {
        if ((i == 0 && force_first) || must_escape(layout, level, i)) {
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)level.ptr[i]);
        } else {
            buf_add_char(out, level.ptr[i]);
        }
    }
}

/* Split the first level off @name. */
static struct bytes take_level(struct bytes *name)
{
    const char *slash =
        name->len > 0 ? memchr(name->ptr, '/', name->len) : NULL;
    struct bytes level = *name;

    if (slash != NULL) {
        level.len = (size_t)(slash - name->ptr);
        *name = bytes_skip(*name, level.len + 1);
    } else {
        *name = bytes_skip(*name, name->len);
    }
    return level;
}

static int check_name(struct bytes name, struct err *err)
{
    size_t levels = 0;
    struct bytes rest = name;

    if (!utf8_valid(name) ||
        (name.len > 0 && memchr(name.ptr, 0, name.len) != NULL)) {
        return err_set(err, ERR_REFUSED, "the folder name is not UTF-8");
    }
    if (bytes_equal_nocase(name, B("INBOX")) &&
        !bytes_equal(name, B("INBOX"))) {
        return err_set(err, ERR_REFUSED,
                       "the folder name is another spelling of INBOX");
    }
    if (name.len == 0 || name.ptr[name.len - 1] == '/') {
        return err_set(err, ERR_REFUSED, "the folder name has an empty level");
    }
    while (rest.len > 0) {
        if (take_level(&rest).len == 0) {
            return err_set(err, ERR_REFUSED,
                           "the folder name has an empty level");
        }
        levels++;
    }
    if (levels > MAILDIR_PATH_LEVELS_MAX) {
        return err_set(err, ERR_REFUSED,
                       "the folder name has more than %u levels",
                       MAILDIR_PATH_LEVELS_MAX);
    }
    return 0;
}

static int check_length(size_t bytes, struct err *err)
{
    if (bytes > LEVEL_BYTES_MAX) {
        return err_set(err, ERR_REFUSED,
                       "the folder name is too long for a directory: "
                       "%zu bytes, %u at most",
                       bytes, LEVEL_BYTES_MAX);
    }
    return 0;
}

/* "A/B" stays "A/B". */
static int encode_nested(struct bytes name, struct buf *out, struct err *err)
{
    bool first = true;
    int r = 0;

    while (r == 0 && name.len > 0) {
        struct bytes level = take_level(&name);
        size_t start;

        if (!first) {
            buf_add_char(out, '/');
        }
        first = false;
        start = buf_len(out);
        encode_level(MAILDIR_NESTED, level, false, out);
        r = check_length(buf_len(out) - start, err);
    }
    return r;
}

/* "A/B" becomes ".A.B". */
static int encode_plusplus(struct bytes name, struct buf *out, struct err *err)
{
    size_t start = buf_len(out);
    /* ".mailtwin" is taken by the marker. */
    bool is_marker = bytes_equal(name, bytes_skip(B(MAILDIR_PATH_MARKER), 1));

    if (bytes_equal(name, B("INBOX"))) {
        buf_add_char(out, '.');
        return 0;
    }
    while (name.len > 0) {
        struct bytes level = take_level(&name);

        buf_add_char(out, '.');
        encode_level(MAILDIR_PLUSPLUS, level, is_marker, out);
    }
    return check_length(buf_len(out) - start, err);
}

int maildir_path_encode(enum maildir_layout layout, struct bytes name,
                        struct buf *out, struct err *err)
{
    int r = check_name(name, err);

    if (r < 0) {
        return r;
    }
    return layout == MAILDIR_PLUSPLUS ? encode_plusplus(name, out, err)
                                      : encode_nested(name, out, err);
}

/* Undo the escapes of one level. */
static void decode_level(struct bytes level, struct buf *out)
{
    size_t i = 0;

    while (i < level.len) {
        if (level.ptr[i] == '%' && hex_follows(level, i)) {
            buf_add_char(out, (char)(hex_value(level.ptr[i + 1]) * 16 +
                                     hex_value(level.ptr[i + 2])));
            i += 3;
        } else {
            buf_add_char(out, level.ptr[i]);
            i++;
        }
    }
}

static void decode_plusplus(struct bytes path, struct buf *out)
{
    bool first = true;

    if (bytes_equal(path, B("."))) {
        buf_add(out, B("INBOX"));
        return;
    }
    while (path.len > 0) {
        struct bytes level;
        const char *dot;

        path = bytes_skip(path, 1); /* where it is no ".", encoding tells */
        dot = path.len > 0 ? memchr(path.ptr, '.', path.len) : NULL;
        level = path;
        if (dot != NULL) {
            level.len = (size_t)(dot - path.ptr);
        }
        if (!first) {
            buf_add_char(out, '/');
        }
        first = false;
        decode_level(level, out);
        path = bytes_skip(path, level.len);
    }
}

static void decode_nested(struct bytes path, struct buf *out)
{
    bool first = true;

    while (path.len > 0) {
        if (!first) {
            buf_add_char(out, '/');
        }
        first = false;
        decode_level(take_level(&path), out);
    }
}

bool maildir_path_decode(enum maildir_layout layout, struct bytes path,
                         struct buf *out)
{
    struct buf again;
    size_t start = buf_len(out);
    bool exact;

    if (layout == MAILDIR_PLUSPLUS) {
        decode_plusplus(path, out);
    } else {
        decode_nested(path, out);
    }
    buf_init(&again, 0);
    exact = maildir_path_encode(layout, bytes_skip(buf_peek(out), start),
                                &again, NULL) == 0 &&
            bytes_equal(buf_peek(&again), path);
    buf_deinit(&again);
    return exact;
}
