#include "store/record_name.h"

#include <string.h>

#include "store/record_key.h"
#include "store/record_varint.h"

/* The first byte of a row. */
enum {
    FORM_PARTS = 1,   /* else it is a whole name */
    FORM_PADDED = 2,  /* the microseconds have six digits */
    FORM_COUNTER = 4, /* there is a Q */
    FORM_RANDOM = 8,  /* there is an R */
    FORM_FILE = 16,   /* there is an S= */
    FORM_CRLF = 32,   /* there is a W= */
    FORM_VERBATIM = 64,
    FORM_ALL = 127
};

#define MICRO_DIGITS 6
#define MICRO_MAX    999999u
#define RANDOM_BYTES 8
#define DIGITS_MAX   20

static const char hex[] = "0123456789abcdef";

/* --- from text ------------------------------------------------------------- */

/* Take @word off the front of @text, if it begins with that. */
static bool take_word(struct bytes *text, struct bytes word)
{
    if (text->len < word.len || memcmp(text->ptr, word.ptr, word.len) != 0)
        return false;
    *text = bytes_skip(*text, word.len);
    return true;
}

/* Take a number without needless zeros. */
static bool take_number(struct bytes *text, uint64_t max, uint64_t *out)
{
    struct bytes digits = *text;

    if (!bytes_take_u64(text, max, out))
        return false;
    return digits.ptr[0] != '0' || digits.len - text->len == 1;
}

/* Six digits, or fewer without needless zeros. */
static bool take_micro(struct bytes *text, struct record_name *out)
{
    struct bytes digits = {text->ptr, MICRO_DIGITS};

    if (text->len < MICRO_DIGITS ||
        !bytes_to_u64(digits, MICRO_MAX, &out->micro))
        return take_number(text, MICRO_MAX, &out->micro);
    *text = bytes_skip(*text, MICRO_DIGITS);
    out->form |= FORM_PADDED;
    return true;
}

static bool take_random(struct bytes *text, uint64_t *out)
{
    uint64_t number = 0;

    if (text->len < (size_t)2 * RANDOM_BYTES)
        return false;
    for (size_t i = 0; i < (size_t)2 * RANDOM_BYTES; i++) {
        const char *digit = memchr(hex, text->ptr[i], sizeof(hex) - 1);

        if (digit == NULL)
            return false;
        number = number << 4 | (uint64_t)(digit - hex);
    }
    *text = bytes_skip(*text, (size_t)2 * RANDOM_BYTES);
    *out = number;
    return true;
}

/* If @text begins with @word, a number has to follow. */
static bool take_field(struct bytes *text, struct bytes word, unsigned bit,
                       struct record_name *out, uint64_t *number)
{
    if (!take_word(text, word))
        return true;
    out->form |= bit;
    return take_number(text, INT64_MAX, number);
}

/* Up to the fields of sizes, or to the end. */
static struct bytes take_host(struct bytes *text)
{
    const char *comma =
        text->len > 0 ? memchr(text->ptr, ',', text->len) : NULL;
    struct bytes host = *text;

    if (comma != NULL)
        host.len = (size_t)(comma - text->ptr);
    *text = bytes_skip(*text, host.len);
    return host;
}

static bool take_parts(struct bytes text, struct record_name *out,
                       struct bytes *host)
{
    out->form = FORM_PARTS;
    if (!take_number(&text, UINT32_MAX, &out->seconds) ||
        !take_word(&text, B(".M")) || !take_micro(&text, out) ||
        !take_word(&text, B("P")) ||
        !take_number(&text, INT64_MAX, &out->pid) ||
        !take_field(&text, B("Q"), FORM_COUNTER, out, &out->counter))
        return false;
    if (take_word(&text, B("R"))) {
        out->form |= FORM_RANDOM;
        if (!take_random(&text, &out->random))
            return false;
    }
    if (!take_word(&text, B(".")))
        return false;
    *host = take_host(&text);
    if (!take_field(&text, B(",S="), FORM_FILE, out, &out->file) ||
        !take_field(&text, B(",W="), FORM_CRLF, out, &out->crlf))
        return false;
    if (take_word(&text, B(",B=1")))
        out->form |= FORM_VERBATIM;
    return text.len == 0;
}

bool record_name_parse(struct bytes name, struct record_name *out,
                       struct bytes *host)
{
    *out = (struct record_name){0};
    if (take_parts(name, out, host))
        return true;
    *out = (struct record_name){.whole = true, .text = name};
    return false;
}

/* --- to text ---------------------------------------------------------------- */

/* At least @least digits. This is done for each name that is looked up: printf
 * would be most of it. */
static void print_number(struct buf *out, uint64_t number, size_t least)
{
    char digits[DIGITS_MAX];
    size_t n = 0;

    do {
        digits[DIGITS_MAX - ++n] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || n < least);
    buf_add(out, (struct bytes){digits + DIGITS_MAX - n, n});
}

static void print_random(struct buf *out, uint64_t number)
{
    for (unsigned shift = 64; shift > 0; shift -= 4)
        buf_add_char(out, hex[number >> (shift - 4) & 15]);
}

void record_name_print(struct buf *out, const struct record_name *name,
                       struct bytes host)
{
    if (name->whole) {
        buf_add(out, name->text);
        return;
    }
    print_number(out, name->seconds, 1);
    buf_add(out, B(".M"));
    print_number(out, name->micro,
                 (name->form & FORM_PADDED) != 0 ? MICRO_DIGITS : 1);
    buf_add_char(out, 'P');
    print_number(out, name->pid, 1);
    if ((name->form & FORM_COUNTER) != 0) {
        buf_add_char(out, 'Q');
        print_number(out, name->counter, 1);
    }
    if ((name->form & FORM_RANDOM) != 0) {
        buf_add_char(out, 'R');
        print_random(out, name->random);
    }
    buf_add_char(out, '.');
    buf_add(out, host);
    if ((name->form & FORM_FILE) != 0) {
        buf_add(out, B(",S="));
        print_number(out, name->file, 1);
    }
    if ((name->form & FORM_CRLF) != 0) {
        buf_add(out, B(",W="));
        print_number(out, name->crlf, 1);
    }
    if ((name->form & FORM_VERBATIM) != 0)
        buf_add(out, B(",B=1"));
}

/* --- rows -------------------------------------------------------------------- */

static void put_bytes(struct buf *out, uint64_t number, size_t n)
{
    record_key_store(buf_reserve(out, n), number, n);
    buf_commit(out, n);
}

static bool take_bytes(struct bytes *rest, size_t n, uint64_t *out)
{
    if (rest->len < n)
        return false;
    *out = record_key_load(rest->ptr, n);
    *rest = bytes_skip(*rest, n);
    return true;
}

/* A few more octets than the file has, mostly: one for each line. Where W= is
 * the smaller one, the difference is a large number and comes out as well. */
void record_name_encode(struct buf *out, const struct record_name *name)
{
    if (name->whole) {
        buf_add_char(out, 0);
        buf_add(out, name->text);
        return;
    }
    buf_add_char(out, (char)name->form);
    record_varint_put(out, name->host);
    put_bytes(out, name->seconds, 4);
    record_varint_put(out, name->micro);
    record_varint_put(out, name->pid);
    if ((name->form & FORM_COUNTER) != 0)
        record_varint_put(out, name->counter);
    if ((name->form & FORM_RANDOM) != 0)
        put_bytes(out, name->random, RANDOM_BYTES);
    if ((name->form & FORM_FILE) != 0)
        record_varint_put(out, name->file);
    if ((name->form & FORM_CRLF) != 0)
        record_varint_put(out, name->crlf - name->file);
}

static bool take_optional(struct bytes *rest, const struct record_name *name,
                          unsigned bit, uint64_t *out)
{
    return (name->form & bit) == 0 || record_varint_take(rest, UINT64_MAX, out);
}

bool record_name_decode(struct bytes value, struct record_name *out)
{
    uint64_t host;
    uint64_t above = 0;

    *out = (struct record_name){0};
    if (value.len == 0)
        return false;
    out->form = (unsigned char)value.ptr[0];
    value = bytes_skip(value, 1);
    if (out->form == 0) {
        out->whole = true;
        out->text = value;
        return true;
    }
    if ((out->form & FORM_PARTS) == 0 || out->form > FORM_ALL ||
        !record_varint_take(&value, UINT32_MAX, &host) || host == 0 ||
        !take_bytes(&value, 4, &out->seconds) ||
        !record_varint_take(&value, MICRO_MAX, &out->micro) ||
        !record_varint_take(&value, INT64_MAX, &out->pid) ||
        !take_optional(&value, out, FORM_COUNTER, &out->counter) ||
        ((out->form & FORM_RANDOM) != 0 &&
         !take_bytes(&value, RANDOM_BYTES, &out->random)) ||
        !take_optional(&value, out, FORM_FILE, &out->file) ||
        !take_optional(&value, out, FORM_CRLF, &above))
        return false;
    out->host = (uint32_t)host;
    out->crlf = out->file + above;
    return value.len == 0;
}
