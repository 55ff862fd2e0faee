#include "store/maildir_name.h"

#include <inttypes.h>
#include <string.h>

#include "base/flags.h"

#define HOST_BYTES_MAX 40u

static const struct {
    char letter;
    uint32_t bit;
    uint32_t flag;
} upper[] = {
    {'D', MAILDIR_NAME_DRAFT,   FLAG_DRAFT   },
    {'F', MAILDIR_NAME_FLAGGED, FLAG_FLAGGED },
    {'P', MAILDIR_NAME_PASSED,  0            },
    {'R', MAILDIR_NAME_REPLIED, FLAG_ANSWERED},
    {'S', MAILDIR_NAME_SEEN,    FLAG_SEEN    },
    {'T', MAILDIR_NAME_TRASHED, FLAG_DELETED },
};

#define N_UPPER (sizeof(upper) / sizeof(upper[0]))

/* The bit of a letter, or 0. */
static uint32_t bit_of(char letter)
{
    if (letter >= 'a' && letter <= 'z') {
        return 1u << (letter - 'a');
    }
    for (size_t i = 0; i < N_UPPER; i++) {
        if (upper[i].letter == letter) {
            return upper[i].bit;
        }
    }
    return 0;
}

void maildir_name_parse(struct bytes name, struct maildir_name *out)
{
    /* From the second byte on, so that the base is never empty. */
    const char *colon =
        name.len > 1 ? memchr(name.ptr + 1, ':', name.len - 1) : NULL;
    size_t n = 0;

    *out = (struct maildir_name){.base = name};
    if (colon == NULL) {
        return;
    }
    out->base.len = (size_t)(colon - name.ptr);
    out->rest = bytes_skip(name, out->base.len);
    if (out->rest.len < 3 || memcmp(colon, ":2,", 3) != 0) {
        return;
    }
    out->has_info = true;
    out->rest = bytes_skip(out->rest, 3);
    /* "A second comma in the info part may carry experimental data". */
    while (n < out->rest.len && out->rest.ptr[n] != ',' &&
           out->rest.ptr[n] != ':') {
        n++;
    }
    out->letters = (struct bytes){out->rest.ptr, n};
    out->rest = bytes_skip(out->rest, n);
}

uint32_t maildir_name_letters(const struct maildir_name *name, bool *plain)
{
    uint32_t letters = 0;
    char last = 0;

    *plain = name->has_info && name->rest.len == 0;
    for (size_t i = 0; i < name->letters.len; i++) {
        char letter = name->letters.ptr[i];
        uint32_t bit = bit_of(letter);

        if (bit == 0 || letter <= last) {
            *plain = false;
        }
        last = letter;
        letters |= bit;
    }
    return letters;
}

void maildir_name_print(struct buf *out, struct bytes base, uint32_t letters)
{
    buf_add(out, base);
    buf_add(out, B(":2,"));
    for (size_t i = 0; i < N_UPPER; i++) {
        if ((letters & upper[i].bit) != 0) {
            buf_add_char(out, upper[i].letter);
        }
    }
    for (unsigned i = 0; i < 26; i++) {
        if ((letters & (1u << i)) != 0) {
            buf_add_char(out, (char)('a' + i));
        }
    }
}

void maildir_name_change(struct buf *out, struct bytes name, uint32_t add,
                         uint32_t remove)
{
    struct maildir_name parts;
    bool has[256] = {false};

    maildir_name_parse(name, &parts);
    for (size_t i = 0; i < parts.letters.len; i++) {
        has[(unsigned char)parts.letters.ptr[i]] = true;
    }
    buf_add(out, parts.base);
    buf_add(out, B(":2,"));
    for (unsigned c = 1; c < 256; c++) {
        uint32_t bit = bit_of((char)c);

        if ((has[c] && (bit & remove) == 0) || (bit & add) != 0) {
            buf_add_char(out, (char)c);
        }
    }
    buf_add(out, parts.rest);
}

uint32_t maildir_name_from_flags(uint32_t system)
{
    uint32_t letters = 0;

    for (size_t i = 0; i < N_UPPER; i++) {
        if ((system & upper[i].flag) != 0) {
            letters |= upper[i].bit;
        }
    }
    return letters;
}

uint32_t maildir_name_to_flags(uint32_t letters)
{
    uint32_t system = 0;

    for (size_t i = 0; i < N_UPPER; i++) {
        if ((letters & upper[i].bit) != 0) {
            system |= upper[i].flag;
        }
    }
    return system;
}

/* One field without its comma. */
static void parse_field(struct bytes field, struct maildir_name_sizes *out)
{
    struct bytes value = bytes_skip(field, 2);

    if (field.len < 3 || field.ptr[1] != '=') {
        return;
    }
    switch (field.ptr[0]) {
    case 'S':
        out->has_file = bytes_to_u64(value, INT64_MAX, &out->file);
        break;
    case 'W':
        out->has_crlf = bytes_to_u64(value, INT64_MAX, &out->crlf);
        break;
    case 'B':
        out->verbatim = bytes_equal(value, B("1"));
        break;
    default:
        break;
    }
}

void maildir_name_parse_sizes(struct bytes base, struct maildir_name_sizes *out)
{
    const char *comma;

    *out = (struct maildir_name_sizes){0};
    while (base.len > 0 && (comma = memchr(base.ptr, ',', base.len)) != NULL) {
        struct bytes field;
        const char *next;

        base = bytes_skip(base, (size_t)(comma - base.ptr) + 1);
        next = base.len > 0 ? memchr(base.ptr, ',', base.len) : NULL;
        field = base;
        if (next != NULL) {
            field.len = (size_t)(next - base.ptr);
        }
        parse_field(field, out);
    }
}

void maildir_name_print_sizes(struct buf *out,
                              const struct maildir_name_sizes *sizes)
{
    if (sizes->has_file) {
        buf_printf(out, ",S=%" PRIu64, sizes->file);
    }
    if (sizes->has_crlf) {
        buf_printf(out, ",W=%" PRIu64, sizes->crlf);
    }
    if (sizes->verbatim) {
        buf_add(out, B(",B=1"));
    }
}

/* May it stand in a file name without being taken for something else? */
static bool harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

static void print_host(struct buf *out, struct bytes host)
{
    size_t limit = buf_len(out) + HOST_BYTES_MAX;

    for (size_t i = 0; i < host.len && buf_len(out) + 4 <= limit; i++) {
        char c = host.ptr[i];

        if (harmless(c)) {
            buf_add_char(out, c);
        } else {
            buf_printf(out, "\\%03o", (unsigned)(unsigned char)c);
        }
    }
}

void maildir_name_print_unique(struct buf *out,
                               const struct maildir_name_unique *unique)
{
    buf_printf(out,
               "%" PRId64 ".M%06" PRIu32 "P%" PRIu64 "Q%" PRIu64 "R%016" PRIx64
               ".",
               unique->seconds, unique->microseconds, unique->pid,
               unique->counter, unique->random);
    print_host(out, unique->host);
}

/* Take @mark and the digits behind it. Returns the digits; none: it is not
 * there. */
static struct bytes take_part(struct bytes *rest, struct bytes mark,
                              const char *digits)
{
    struct bytes part;
    size_t n = 0;

    if (rest->len < mark.len || memcmp(rest->ptr, mark.ptr, mark.len) != 0) {
        return (struct bytes){rest->ptr, 0};
    }
    part = bytes_skip(*rest, mark.len);
    while (n < part.len && part.ptr[n] != 0 &&
           strchr(digits, part.ptr[n]) != NULL) {
        n++;
    }
    *rest = bytes_skip(part, n);
    part.len = n;
    return part;
}

bool maildir_name_is_by(struct bytes base, struct bytes host, uint64_t *pid)
{
    static const char decimal[] = "0123456789";
    struct bytes rest = base;
    struct buf written;
    bool is_by;

    if (take_part(&rest, B(""), decimal).len == 0 ||
        take_part(&rest, B(".M"), decimal).len != 6 ||
        !bytes_to_u64(take_part(&rest, B("P"), decimal), UINT64_MAX, pid) ||
        take_part(&rest, B("Q"), decimal).len == 0 ||
        take_part(&rest, B("R"), "0123456789abcdef").len != 16) {
        return false;
    }
    buf_init(&written, 0);
    buf_add_char(&written, '.');
    print_host(&written, host);
    is_by =
        rest.len >= buf_len(&written) &&
        memcmp(rest.ptr, buf_peek(&written).ptr, buf_len(&written)) == 0 &&
        (rest.len == buf_len(&written) || rest.ptr[buf_len(&written)] == ',');
    buf_deinit(&written);
    return is_by;
}
