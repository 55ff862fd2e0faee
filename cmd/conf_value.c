#include "cmd/conf_value.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cmd/env.h"
#include "cmd/suggest.h"

#define PATH_BYTES_MAX 4096u
#define NAME_BYTES_MAX 100u
#define NUMBER_MAX     (UINT64_MAX / 2)
#define HOUR           3600ull /* seconds */

struct unit {
    char letter;
    uint64_t factor;
};

int conf_value_choice(const char *text, const char *const *names, size_t n,
                      size_t *out, struct err *err)
{
    const char *near;
    struct buf list;
    int r;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    near = suggest_of(text, names, n);
    if (near != NULL) {
        return err_set(err, ERR_USAGE, "\"%s\" is not known: did you mean %s?",
                       text, near);
    }
    buf_init(&list, 0);
    for (size_t i = 0; i < n; i++) {
        const char *gap = i == 0 ? "" : i + 1 == n ? " or " : ", ";

        buf_printf(&list, "%s%s", gap, names[i]);
    }
    r = err_set(err, ERR_USAGE, "\"%s\" is not known: write %s", text,
                buf_text(&list));
    buf_deinit(&list);
    return r;
}

int conf_value_bool(const char *text, bool *out, struct err *err)
{
    static const char *const names[] = {"no", "yes"};
    size_t i = 0;
    int r = conf_value_choice(text, names, 2, &i, err);

    if (r == 0) {
        *out = i == 1;
    }
    return r;
}

int conf_value_number(const char *text, uint64_t min, uint64_t max,
                      uint64_t *out, struct err *err)
{
    uint64_t n = 0;

    if (!bytes_to_u64(bytes_of(text), max, &n) || n < min) {
        return err_set(err, ERR_USAGE,
                       "\"%s\" will not do: write a number from %llu to %llu",
                       text, (unsigned long long)min, (unsigned long long)max);
    }
    *out = n;
    return 0;
}

/* The same letter, in either case? @letter is a capital. */
static bool is_letter(char c, char letter)
{
    return c == letter || c == letter + ('a' - 'A');
}

/* A number and one letter of @units. */
static bool read_amount(const char *text, const struct unit *units, size_t n,
                        uint64_t *out)
{
    size_t len = strlen(text);
    uint64_t amount = 0;

    if (len == 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_letter(text[len - 1], units[i].letter) &&
            bytes_to_u64((struct bytes){text, len - 1},
                         NUMBER_MAX / units[i].factor, &amount)) {
            *out = amount * units[i].factor;
            return amount > 0;
        }
    }
    return false;
}

int conf_value_size(const char *text, uint64_t *out, struct err *err)
{
    static const struct unit units[] = {
        {'K', 1ull << 10},
        {'M', 1ull << 20},
        {'G', 1ull << 30},
        {'T', 1ull << 40}
    };
    uint64_t bytes = 0;

    if (bytes_to_u64(bytes_of(text), NUMBER_MAX, &bytes) && bytes > 0) {
        *out = bytes;
        return 0;
    }
    if (read_amount(text, units, sizeof(units) / sizeof(units[0]), out)) {
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "\"%s\" is no size: write one like 50M, 1G or 100K; for no "
                   "limit, remove the line",
                   text);
}

int conf_value_duration(const char *text, uint64_t *out, struct err *err)
{
    static const struct unit units[] = {
        {'H', HOUR           },
        {'D', HOUR * 24      },
        {'W', HOUR * 24 * 7  },
        {'Y', HOUR * 24 * 365}
    };

    if (read_amount(text, units, sizeof(units) / sizeof(units[0]), out)) {
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "\"%s\" is no time span: write one like 90d, 12h or 2w; for "
                   "no limit, remove the line",
                   text);
}

int conf_value_max_delete(const char *text, struct max_delete *out,
                          struct err *err)
{
    size_t len = strlen(text);
    uint64_t n = 0;

    if (strcmp(text, "off") == 0) {
        *out = (struct max_delete){MAX_DELETE_OFF, 0};
        return 0;
    }
    if (bytes_to_u64(bytes_of(text), UINT32_MAX, &n)) {
        *out = (struct max_delete){MAX_DELETE_COUNT, (uint32_t)n};
        return 0;
    }
    if (len > 1 && text[len - 1] == '%' &&
        bytes_to_u64((struct bytes){text, len - 1}, 100, &n)) {
        *out = (struct max_delete){MAX_DELETE_PERCENT, (uint32_t)n};
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "\"%s\" will not do: write a percentage (50%%), a number of "
                   "messages (200), or off",
                   text);
}

static int add_home(struct buf *out, struct err *err)
{
    const char *home = env_get("HOME");
    struct passwd entry;
    struct passwd *found = NULL;
    char space[4096];

    if (home == NULL || home[0] != '/') {
        if (getpwuid_r(getuid(), &entry, space, sizeof(space), &found) != 0 ||
            found == NULL) {
            return err_set(err, ERR_USAGE,
                           "~ has no meaning here, as HOME is not set: write "
                           "the whole path");
        }
        home = found->pw_dir;
    }
    buf_add(out, bytes_of(home));
    return 0;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* "$NAME" or "${NAME}" at the front of *@text, which is moved behind it. */
static int add_variable(struct buf *out, const char **text, struct err *err)
{
    const char *start = *text + 1;
    bool braced = *start == '{';
    const char *end;
    const char *value;
    char *name;
    int r = 0;

    start += braced ? 1 : 0;
    end = start;
    while (is_name_char(*end)) {
        end++;
    }
    if (end == start || (braced && *end != '}')) {
        return err_set(err, ERR_USAGE,
                       "\"%s\" names no variable: write $NAME or ${NAME}",
                       *text);
    }
    name = mem_text((struct bytes){start, (size_t)(end - start)});
    value = env_get(name);
    if (value == NULL) {
        r = err_set(err, ERR_USAGE,
                    "$%s is not set: set it, or write the whole path", name);
    } else {
        buf_add(out, bytes_of(value));
        *text = end + (braced ? 1 : 0);
    }
    free(name);
    return r;
}

static int expand(const char *text, struct buf *out, struct err *err)
{
    int r = 0;

    if (text[0] == '~' && (text[1] == '/' || text[1] == '\0')) {
        r = add_home(out, err);
        text++;
    }
    while (r == 0 && *text != '\0') {
        if (*text == '$') {
            r = add_variable(out, &text, err);
        } else {
            buf_add_char(out, *text++);
        }
    }
    return r;
}

int conf_value_path(const char *text, char **out, struct err *err)
{
    struct buf path;
    struct bytes all;
    int r;

    buf_init(&path, 0);
    r = expand(text, &path, err);
    all = buf_peek(&path);
    while (all.len > 1 && all.ptr[all.len - 1] == '/') {
        all.len--;
    }
    if (r == 0 && (all.len == 0 || all.ptr[0] != '/')) {
        r = err_set(err, ERR_USAGE,
                    "\"%s\" depends on the current directory: write a path "
                    "that begins with / or ~/",
                    text);
    } else if (r == 0 && all.len > PATH_BYTES_MAX) {
        r = err_set(err, ERR_USAGE, "this path is longer than %u bytes",
                    PATH_BYTES_MAX);
    } else if (r == 0) {
        *out = mem_text(all);
    }
    buf_deinit(&path);
    return r;
}

int conf_value_name(const char *text, struct err *err)
{
    size_t len = strlen(text);

    if (len == 0) {
        return err_set(err, ERR_USAGE, "the name is missing");
    }
    if (len > NAME_BYTES_MAX) {
        return err_set(err, ERR_USAGE, "the name is longer than %u bytes",
                       NAME_BYTES_MAX);
    }
    /* A state directory, and a word on the command line. Control characters
     * were refused when the line was read. */
    if (text[0] == '.' || text[0] == '-' || strchr(text, '/') != NULL) {
        return err_set(err, ERR_USAGE,
                       "\"%s\" cannot be a name: write one without / that does "
                       "not begin with . or -",
                       text);
    }
    return 0;
}

int conf_value_fingerprint(const char *text, struct err *err)
{
    size_t digits = 0;
    const char *c = text;

    if (strncmp(text, "sha256:", 7) == 0) {
        for (c = text + 7; isxdigit((unsigned char)*c) || *c == ':'; c++) {
            digits += *c != ':';
        }
    }
    if (digits != 64 || *c != '\0') {
        return err_set(err, ERR_USAGE,
                       "\"%s\" is no fingerprint: write sha256: and 64 "
                       "hexadecimal digits, as \"openssl x509 -noout "
                       "-fingerprint -sha256\" prints them",
                       text);
    }
    return 0;
}
