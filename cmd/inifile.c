#include "cmd/inifile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

struct reader {
    const char *file;
    unsigned line;
    struct inifile *ini;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where the comment behind a value begins, or the end of @text. */
static size_t find_comment(struct bytes text)
{
    size_t i = 0;

    while (i < text.len) {
        if (text.ptr[i] == '"') {
            const char *rest = text.ptr + i + 1;
            const char *close = memchr(rest, '"', text.len - i - 1);

            /* A quote that is never closed is a character like others. */
            i = close != NULL ? (size_t)(close - text.ptr) : i;
        } else if (text.ptr[i] == '#' && i > 0 && is_blank(text.ptr[i - 1])) {
            return i;
        }
        i++;
    }
    return text.len;
}

static int read_section(struct reader *reader, struct bytes line,
                        struct err *err)
{
    struct inifile *ini = reader->ini;
    struct inifile_section *section;
    struct bytes inside;
    size_t kind_len = 0;

    line = bytes_trim((struct bytes){line.ptr, find_comment(line)});
    if (line.ptr[line.len - 1] != ']') {
        return err_set(err, ERR_USAGE,
                       "%s:%u: this section has no end: write \"]\" behind "
                       "its name",
                       reader->file, reader->line);
    }
    inside = bytes_trim((struct bytes){line.ptr + 1, line.len - 2});
    while (kind_len < inside.len && !is_blank(inside.ptr[kind_len])) {
        kind_len++;
    }
    ini->sections = mem_grow(ini->sections, ini->n_sections, &ini->cap,
                             sizeof(*ini->sections));
    section = &ini->sections[ini->n_sections++];
    *section = (struct inifile_section){
        .kind = mem_text((struct bytes){inside.ptr, kind_len}),
        .name = mem_text(bytes_trim(bytes_skip(inside, kind_len))),
        .line = reader->line,
    };
    return 0;
}

static int check_entry(const struct reader *reader,
                       const struct inifile_section *section, const char *key,
                       struct err *err)
{
    if (section->n_entries >= INIFILE_ENTRIES_MAX) {
        return err_set(err, ERR_USAGE, "%s:%u: too many keys in one section",
                       reader->file, reader->line);
    }
    for (size_t i = 0; i < section->n_entries; i++) {
        if (strcmp(section->entries[i].key, key) == 0) {
            return err_set(err, ERR_USAGE,
                           "%s:%u: %s: it is there already in line %u: remove "
                           "one of them",
                           reader->file, reader->line, key,
                           section->entries[i].line);
        }
    }
    return 0;
}

static int add_entry(struct reader *reader, struct inifile_entry entry,
                     struct err *err)
{
    struct inifile *ini = reader->ini;
    struct inifile_section *section;
    int r;

    if (ini->n_sections == 0) {
        return err_set(err, ERR_USAGE,
                       "%s:%u: %s: it stands before the first section: write "
                       "[account NAME] or [pair NAME] above it",
                       reader->file, reader->line, entry.key);
    }
    if (entry.value[0] == '\0') {
        return err_set(err, ERR_USAGE,
                       "%s:%u: %s: it has no value: write one, or remove the "
                       "line",
                       reader->file, reader->line, entry.key);
    }
    section = &ini->sections[ini->n_sections - 1];
    r = check_entry(reader, section, entry.key, err);
    if (r != 0) {
        return r;
    }
    section->entries = mem_grow(section->entries, section->n_entries,
                                &section->cap, sizeof(*section->entries));
    section->entries[section->n_entries++] = entry;
    return 0;
}

static int read_entry(struct reader *reader, struct bytes line, struct err *err)
{
    const char *equals = memchr(line.ptr, '=', line.len);
    struct inifile_entry entry;
    struct bytes key;
    struct bytes value;
    size_t comment;
    int r;

    if (equals == NULL || equals == line.ptr) {
        return err_set(err, ERR_USAGE,
                       "%s:%u: this is neither a section nor a key: write "
                       "[account NAME], [pair NAME] or \"key = value\"",
                       reader->file, reader->line);
    }
    key = (struct bytes){line.ptr, (size_t)(equals - line.ptr)};
    /* The "=" stays for now: a "#" right behind it has no white space before
     * it and begins no comment, one after "= " does. */
    value = bytes_skip(line, key.len);
    comment = find_comment(value);
    entry = (struct inifile_entry){
        .key = mem_text(bytes_trim(key)),
        .value = mem_text(
            bytes_trim(bytes_skip((struct bytes){value.ptr, comment}, 1))),
        .line = reader->line,
        .commented = comment < value.len,
    };
    r = add_entry(reader, entry, err);
    if (r != 0) {
        free(entry.key);
        free(entry.value);
    }
    return r;
}

static int check_line(const struct reader *reader, struct bytes line,
                      struct err *err)
{
    if (line.len > INIFILE_LINE_BYTES_MAX) {
        return err_set(err, ERR_USAGE,
                       "%s:%u: a line of more than %u bytes: is this the "
                       "right file?",
                       reader->file, reader->line, INIFILE_LINE_BYTES_MAX);
    }
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];

        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return err_set(err, ERR_USAGE,
                           "%s:%u: a control character (0x%02x): write plain "
                           "UTF-8 text",
                           reader->file, reader->line, c);
        }
    }
    if (!utf8_valid(line)) {
        return err_set(err, ERR_USAGE,
                       "%s:%u: not valid UTF-8: save the file as UTF-8",
                       reader->file, reader->line);
    }
    return 0;
}

static int read_line(struct reader *reader, struct bytes line, struct err *err)
{
    int r;

    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    r = check_line(reader, line, err);
    if (r != 0) {
        return r;
    }
    line = bytes_trim(line);
    if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';') {
        return 0;
    }
    return line.ptr[0] == '[' ? read_section(reader, line, err)
                              : read_entry(reader, line, err);
}

int inifile_parse(const char *file, struct bytes text, struct inifile **out,
                  struct err *err)
{
    struct reader reader = {.file = file, .ini = MEM_NEW(struct inifile)};
    int r = 0;

    if (bytes_starts_nocase(text, B("\xef\xbb\xbf"))) {
        text = bytes_skip(text, 3);
    }
    while (r == 0 && text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;

        reader.line++;
        r = read_line(&reader, (struct bytes){text.ptr, len}, err);
        text = bytes_skip(text, len + 1);
    }
    if (r != 0) {
        inifile_free(reader.ini);
        reader.ini = NULL;
    }
    *out = reader.ini;
    return r;
}

static void free_section(struct inifile_section *section)
{
    for (size_t i = 0; i < section->n_entries; i++) {
        struct inifile_entry *entry = &section->entries[i];

        free(entry->key);
        /* It may be a password. */
        explicit_bzero(entry->value, strlen(entry->value));
        free(entry->value);
    }
    free(section->entries);
    free(section->kind);
    free(section->name);
}

void inifile_free(struct inifile *ini)
{
    if (ini == NULL) {
        return;
    }
    for (size_t i = 0; i < ini->n_sections; i++) {
        free_section(&ini->sections[i]);
    }
    free(ini->sections);
    free(ini);
}
