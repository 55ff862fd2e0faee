/* Folder names: a sorted table, and the two ways between the forms. */
#include "imap/imap_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "imap/mutf7.h"

static void name_free(struct imap_name *name)
{
    free(name->name);
    free(name->wire);
    free(name);
}

void imap_names_deinit(struct imap_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        name_free(names->sorted[i]);
    free(names->sorted);
    free(names->prefix);
    memset(names, 0, sizeof(*names));
}

void imap_names_space(struct imap_names *names, char delimiter,
                      struct bytes prefix)
{
    names->delimiter = delimiter;
    free(names->prefix);
    names->prefix = prefix.len > 0 ? mem_text(prefix) : NULL;
}

static bool has_control(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

/* Can @wire stand between quotes in a command? The prefix and the delimiter are
 * the server's, too. */
static bool is_printable(struct bytes wire)
{
    for (size_t i = 0; i < wire.len; i++) {
        if ((unsigned char)wire.ptr[i] > 0x7f)
            return false;
    }
    return !has_control(wire);
}

/* One level. What passes is a valid name of a directory anywhere. */
static const char *decode_level(struct bytes wire, struct buf *out)
{
    size_t before = buf_len(out);
    struct bytes level;

    if (!mutf7_decode(wire, out))
        return "the name is not valid modified UTF-7";
    level = bytes_skip(buf_peek(out), before);
    if (level.len == 0)
        return "the name has an empty level";
    if (bytes_equal(level, B(".")) || bytes_equal(level, B("..")))
        return "the name has a level \".\" or \"..\"";
    if (memchr(level.ptr, '/', level.len) != NULL)
        return "the name has a level with \"/\" in it";
    if (has_control(level))
        return "the name holds control characters";
    return NULL;
}

static const char *decode_levels(struct bytes wire, char delimiter,
                                 struct buf *out)
{
    const char *problem = NULL;
    const char *end;
    struct bytes level;

    while (problem == NULL) {
        level = wire;
        end = delimiter != 0 ? memchr(wire.ptr, delimiter, wire.len) : NULL;
        if (end != NULL)
            level.len = (size_t)(end - wire.ptr);
        problem = decode_level(level, out);
        if (end == NULL || problem != NULL)
            break;
        buf_add_char(out, '/');
        wire = bytes_skip(wire, level.len + 1);
    }
    return problem;
}

/* INBOX is the same in any case, as a whole and as the first level. RFC 9051
 * section 5.1. */
static struct bytes first_level(struct bytes wire, char delimiter)
{
    const char *end = NULL;

    if (delimiter != 0 && wire.len > 0)
        end = memchr(wire.ptr, delimiter, wire.len);
    if (end != NULL)
        wire.len = (size_t)(end - wire.ptr);
    return wire;
}

const char *imap_names_decode(const struct imap_names *names, struct bytes wire,
                              char delimiter, struct buf *out)
{
    struct bytes prefix = bytes_of(names->prefix);
    struct bytes first;
    bool inbox;

    if (wire.len == 0 || wire.len > IMAP_NAME_BYTES_MAX)
        return "the name is empty or too long";
    if (!is_printable(wire))
        return "the name is not valid modified UTF-7";
    if (bytes_equal_nocase(wire, B("INBOX"))) {
        buf_add(out, B("INBOX"));
        return NULL;
    }
    if (prefix.len > 0 && wire.len > prefix.len &&
        memcmp(wire.ptr, prefix.ptr, prefix.len) == 0) {
        wire = bytes_skip(wire, prefix.len);
        if (bytes_equal_nocase(wire, B("INBOX")))
            return "the name would be taken for INBOX";
    }
    first = first_level(wire, delimiter);
    inbox = first.len < wire.len && bytes_equal_nocase(first, B("INBOX"));
    if (!inbox)
        return decode_levels(wire, delimiter, out);
    buf_add(out, B("INBOX/"));
    return decode_levels(bytes_skip(wire, first.len + 1), delimiter, out);
}

/* Where @name is, or where it would be put. */
static size_t place(const struct imap_names *names, const char *name,
                    bool *found)
{
    size_t low = 0;
    size_t high = names->n;
    size_t middle;
    int order;

    while (low < high) {
        middle = low + (high - low) / 2;
        order = strcmp(names->sorted[middle]->name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = false;
    return low;
}

struct imap_name *imap_names_find(const struct imap_names *names,
                                  const char *name)
{
    bool found;
    size_t at = place(names, name, &found);

    return found ? names->sorted[at] : NULL;
}

static void insert(struct imap_names *names, size_t at, struct imap_name *entry)
{
    names->sorted = mem_grow(names->sorted, names->n, &names->cap,
                             sizeof(struct imap_name *));
    memmove(names->sorted + at + 1, names->sorted + at,
            (names->n - at) * sizeof(struct imap_name *));
    names->sorted[at] = entry;
    names->n++;
}

static struct imap_name *take(struct imap_names *names, size_t at)
{
    struct imap_name *entry = names->sorted[at];

    names->n--;
    memmove(names->sorted + at, names->sorted + at + 1,
            (names->n - at) * sizeof(struct imap_name *));
    return entry;
}

struct imap_name *imap_names_put(struct imap_names *names, const char *name,
                                 struct bytes wire)
{
    bool found;
    size_t at = place(names, name, &found);
    struct imap_name *entry;

    if (found)
        return names->sorted[at];
    entry = MEM_NEW(struct imap_name);
    entry->name = mem_copy(name);
    entry->wire = mem_text(wire);
    entry->selectable = true;
    insert(names, at, entry);
    return entry;
}

void imap_names_remove(struct imap_names *names, const char *name)
{
    bool found;
    size_t at = place(names, name, &found);

    if (found)
        name_free(take(names, at));
}

static bool is_taken(const struct imap_names *names, const char *name,
                     uint32_t listing)
{
    const struct imap_name *known = imap_names_find(names, name);

    return known != NULL && known->selectable && known->listing == listing;
}

char *imap_names_to_keep(const struct imap_names *names, const char *before,
                         uint32_t listing)
{
    char *name = mem_copy(before);

    for (unsigned n = 1; is_taken(names, name, listing); n++) {
        free(name);
        name = folder_kept_name(before, n);
    }
    return name;
}

bool imap_names_within(const char *name, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(name, folder, len) == 0 &&
           (name[len] == '\0' || name[len] == '/');
}

/* The beginning of a text becomes another one. */
static void replace_start(char **text, size_t old, struct bytes with)
{
    char *changed = mem_printf("%.*s%s", (int)with.len, with.ptr, *text + old);

    free(*text);
    *text = changed;
}

/* What had the new name before is not there any more, or the server would have
 * refused. */
static void rename_at(struct imap_names *names, size_t at, const char *from,
                      struct bytes old_wire, const char *to, struct bytes wire)
{
    struct imap_name *entry = take(names, at);
    bool found;

    if (strncmp(entry->wire, old_wire.ptr, old_wire.len) != 0) {
        name_free(entry); /* the next listing tells what it is now */
        return;
    }
    replace_start(&entry->name, strlen(from), bytes_of(to));
    replace_start(&entry->wire, old_wire.len, wire);
    imap_names_remove(names, entry->name);
    insert(names, place(names, entry->name, &found), entry);
}

void imap_names_rename(struct imap_names *names, const char *from,
                       struct bytes old_wire, const char *to, struct bytes wire)
{
    char *below = mem_printf("%s/", from);
    bool found;
    size_t at = place(names, from, &found);

    if (found)
        rename_at(names, at, from, old_wire, to, wire);
    /* All below it stand together, but not beside it: "a", "a-b", "a/b". */
    for (;;) {
        at = place(names, below, &found);
        if (at == names->n || !imap_names_within(names->sorted[at]->name, from))
            break;
        rename_at(names, at, from, old_wire, to, wire);
    }
    free(below);
}

static int encode_levels(const struct imap_names *names, const char *name,
                         struct buf *out, struct err *err)
{
    const char *at = name;
    struct bytes level;

    for (;;) {
        level = (struct bytes){at, strcspn(at, "/")};
        if (names->delimiter != 0 &&
            memchr(at, names->delimiter, level.len) != NULL) {
            return err_set(err, ERR_REFUSED,
                           "the name holds the server's separator \"%c\"",
                           names->delimiter);
        }
        if (level.len == 0 || !mutf7_encode(level, out)) {
            return err_set(err, ERR_REFUSED,
                           "the server cannot have a folder of this name");
        }
        if (at[level.len] == '\0')
            return 0;
        if (names->delimiter == 0) {
            return err_set(err, ERR_REFUSED,
                           "the server has no folders in folders");
        }
        buf_add_char(out, names->delimiter);
        at += level.len + 1;
    }
}

/* Would the server's name for @name be read as that again? "Inbox/a" would not:
 * it is INBOX/a there. */
static bool comes_back(const struct imap_names *names, const char *name,
                       struct bytes wire)
{
    struct buf back;
    bool same;

    buf_init(&back, 0);
    same = imap_names_decode(names, wire, names->delimiter, &back) == NULL &&
           bytes_equal(buf_peek(&back), bytes_of(name));
    buf_deinit(&back);
    return same;
}

int imap_names_wire(const struct imap_names *names, const char *name,
                    struct buf *out, struct err *err)
{
    const struct imap_name *known = imap_names_find(names, name);
    size_t start;
    int r;

    if (known != NULL || strcmp(name, "INBOX") == 0) {
        buf_add(out, bytes_of(known != NULL ? known->wire : name));
        return 0;
    }
    start = buf_len(out);
    buf_add(out, bytes_of(names->prefix));
    r = encode_levels(names, name, out, err);
    if (r == 0 && !comes_back(names, name, bytes_skip(buf_peek(out), start)))
        r = err_set(err, ERR_REFUSED,
                    "the server would take it for another folder, or none");
    return r;
}
