#include "imap/framer.h"

#include <string.h>

#include "imap/session.h"
#include "imap/shown.h"
#include "imap/token.h"

void framer_init(struct framer *framer)
{
    *framer = (struct framer){0};
    buf_init(&framer->in, 0);
}

void framer_deinit(struct framer *framer)
{
    buf_deinit(&framer->in);
}

char *framer_room(struct framer *framer, size_t size)
{
    return buf_reserve(&framer->in, size);
}

void framer_fed(struct framer *framer, size_t n)
{
    buf_commit(&framer->in, n);
}

struct bytes framer_text(const struct framer *framer)
{
    return buf_peek(&framer->in);
}

size_t framer_rest(const struct framer *framer)
{
    return buf_len(&framer->in) - framer->taken;
}

struct bytes framer_take_rest(struct framer *framer)
{
    struct bytes rest = bytes_skip(buf_peek(&framer->in), framer->taken);

    buf_cut(&framer->in, rest.len);
    return rest;
}

static struct token token_over(struct bytes text)
{
    return (struct token){text.ptr, text.ptr + text.len, NULL, NULL};
}

/* Does @text begin "* WORD" with one of @words? */
static bool is_untagged(struct bytes text, const char *const *words)
{
    struct token token = token_over(text);
    struct bytes word;

    if (!token_keyword(&token, B("*")))
        return false;
    token_blanks(&token);
    if (!token_word(&token, &word))
        return false;
    for (; *words != NULL; words++) {
        if (bytes_equal_nocase(word, bytes_of(*words)))
            return true;
    }
    return false;
}

/*
 * May lines of the response @text end in a literal? Tagged and status
 * responses and "+" end in text for people, which may look like one: "* OK
 * see {5}". RFC 9051 sections 7.1 and 7.6.
 */
static bool may_hold_literals(struct bytes text)
{
    static const char *const texts[] = {"OK",  "NO",      "BAD",
                                        "BYE", "PREAUTH", NULL};

    return bytes_starts_nocase(text, B("*")) && !is_untagged(text, texts);
}

/* Kinds that may be long: one line tells of all messages. */
static bool is_set(struct bytes text)
{
    static const char *const sets[] = {"VANISHED", "SEARCH", "ESEARCH", NULL};

    return is_untagged(text, sets);
}

/* Does @text begin "* 12 FETCH", or UIDFETCH (RFC 9586)? */
static bool is_fetch(struct bytes text)
{
    struct token token = token_over(text);
    uint64_t number;

    if (!token_keyword(&token, B("*")))
        return false;
    token_blanks(&token);
    if (!token_number(&token, UINT32_MAX, &number))
        return false;
    token_blanks(&token);
    return token_keyword(&token, B("FETCH")) ||
           token_keyword(&token, B("UIDFETCH"));
}

/*
 * Does @text, all before a literal, end in "BODY[...]" or "BODY[...]<0>"? The
 * reader of the items will find out if that stands in the wrong place.
 */
static bool ends_in_body(struct bytes text)
{
    const struct bytes name = B("BODY[");
    size_t n = text.len;

    while (n > 0 && text.ptr[n - 1] == ' ')
        n--;
    if (n > 0 && text.ptr[n - 1] == '>') {
        while (n > 0 && text.ptr[n - 1] != '<')
            n--;
        n -= n > 0 ? 1 : 0;
    }
    if (n == 0 || text.ptr[n - 1] != ']')
        return false;
    while (n > 0 && text.ptr[n - 1] != '[')
        n--;
    if (n <= name.len ||
        !bytes_starts_nocase(bytes_skip(text, n - name.len), name))
        return false;
    n -= name.len;
    return text.ptr[n - 1] == ' ' || text.ptr[n - 1] == '(';
}

enum literal { LITERAL_NONE, LITERAL_GOOD, LITERAL_BAD };

static bool is_one_of(char c, struct bytes set)
{
    return memchr(set.ptr, c, set.len) != NULL;
}

/*
 * Does @line, which ends in "}", end in "{123}"? @start is where that begins,
 * the "~" of a literal8 included. What has the place and the look of a
 * literal, but no size that can be read, is bad: nothing behind it can be
 * understood.
 */
static enum literal find_literal(struct bytes line, size_t *start,
                                 uint64_t *size)
{
    struct token token;
    size_t n = line.len - 1;

    while (n > 0 && is_one_of(line.ptr[n - 1], B("0123456789+-")))
        n--;
    if (n == 0 || line.ptr[--n] != '{')
        return LITERAL_NONE;
    if (n > 0 && line.ptr[n - 1] == '~')
        n--;
    if (n == 0 || !is_one_of(line.ptr[n - 1], B(" ([]>")))
        return LITERAL_NONE;
    *start = n;
    token = token_over(bytes_skip(line, n));
    return token_literal_header(&token, size) && token.at == token.end
               ? LITERAL_GOOD
               : LITERAL_BAD;
}

/* The response is given out up to @end; the next begins there. */
static void finish(struct framer *framer, size_t end)
{
    framer->taken = end;
    framer->line = 0;
    framer->scan = 0;
    framer->inlined = 0;
    framer->literals = 0;
}

/* A body follows the line that ends at @end. */
static int begin_body(struct framer *framer, struct framer_piece *piece,
                      size_t end, uint64_t size, struct err *err)
{
    if (size > SESSION_BODY_BYTES_MAX) {
        return err_set(err, ERR_LIMIT, "a message of %llu bytes: %s",
                       (unsigned long long)size, shown_line(piece->text).text);
    }
    piece->kind = FRAMER_HEAD;
    piece->body_size = size;
    framer->in_body = true;
    framer->body_left = size;
    finish(framer, end);
    return 0;
}

/* A literal that stays in place follows the line that ends at @end. */
static int skip_literal(struct framer *framer, struct bytes text, size_t end,
                        uint64_t size, struct err *err)
{
    if (size > SESSION_INLINE_LITERAL_MAX ||
        ++framer->literals > SESSION_LITERALS_MAX) {
        return err_set(err, ERR_LIMIT,
                       "too long or too many literals in a response: %s",
                       shown_line(text).text);
    }
    framer->inlined += (size_t)size;
    framer->line = end + (size_t)size;
    framer->scan = framer->line;
    return 1;
}

/* Returns 0 with @piece; 1 where the response goes on behind the line. */
static int end_line(struct framer *framer, struct framer_piece *piece,
                    struct bytes in, size_t end, struct err *err)
{
    struct bytes line;
    enum literal literal = LITERAL_NONE;
    uint64_t size = 0;
    size_t start = 0;

    piece->kind = FRAMER_TEXT;
    piece->text = (struct bytes){in.ptr, end - 1};
    if (piece->text.len > framer->line && in.ptr[end - 2] == '\r')
        piece->text.len--;
    line = bytes_skip(piece->text, framer->line);
    if (line.len > 0 && line.ptr[line.len - 1] == '}' &&
        (framer->continued || may_hold_literals(piece->text)))
        literal = find_literal(line, &start, &size);
    if (literal == LITERAL_BAD) {
        return err_set(err, ERR_PROTOCOL, "literal without a valid size: %s",
                       shown_line(piece->text).text);
    }
    if (literal == LITERAL_NONE) {
        framer->continued = false;
        finish(framer, end);
        return 0;
    }
    if ((framer->continued || is_fetch(piece->text)) &&
        ends_in_body((struct bytes){in.ptr, framer->line + start}))
        return begin_body(framer, piece, end, size, err);
    return skip_literal(framer, piece->text, end, size, err);
}

static int check_length(const struct framer *framer, struct bytes in,
                        struct err *err)
{
    size_t text = framer->scan - framer->inlined;

    if (text <= SESSION_LINE_BYTES_MAX ||
        (text <= SESSION_SET_BYTES_MAX && is_set(in)))
        return 0;
    return err_set(err, ERR_LIMIT, "endless response: %s", shown_line(in).text);
}

static int next_text(struct framer *framer, struct framer_piece *piece,
                     struct err *err)
{
    struct bytes in = buf_peek(&framer->in);

    while (framer->scan < in.len) {
        const char *place =
            memchr(in.ptr + framer->scan, '\n', in.len - framer->scan);
        size_t end;
        int r;

        framer->scan = place != NULL ? (size_t)(place - in.ptr) + 1 : in.len;
        end = framer->scan;
        r = check_length(framer, in, err);
        if (r < 0)
            return r;
        if (place == NULL)
            break;
        r = end_line(framer, piece, in, end, err);
        if (r <= 0)
            return r;
    }
    return 1;
}

static int next_data(struct framer *framer, struct framer_piece *piece)
{
    struct bytes in = buf_peek(&framer->in);

    if (framer->body_left == 0) {
        framer->in_body = false;
        framer->continued = true;
        *piece = (struct framer_piece){.kind = FRAMER_DATA_END};
        return 0;
    }
    if (in.len == 0)
        return 1;
    if (in.len > framer->body_left)
        in.len = (size_t)framer->body_left;
    framer->body_left -= in.len;
    framer->taken = in.len;
    *piece = (struct framer_piece){.kind = FRAMER_DATA, .text = in};
    return 0;
}

/* Seen in the field: NULs in front of a line. */
static void drop_nuls(struct framer *framer)
{
    struct bytes in = buf_peek(&framer->in);
    size_t n = 0;

    while (n < in.len && in.ptr[n] == '\0')
        n++;
    buf_ack(&framer->in, n);
}

int framer_next(struct framer *framer, struct framer_piece *piece,
                struct err *err)
{
    buf_ack(&framer->in, framer->taken);
    framer->taken = 0;
    if (framer->in_body)
        return next_data(framer, piece);
    if (framer->scan == 0 && !framer->continued)
        drop_nuls(framer);
    return next_text(framer, piece, err);
}
