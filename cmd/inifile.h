/*
 * The text of an INI file as sections and entries, each with its line. Knows
 * nothing of what they mean.
 *
 * Lines are "[kind name]", "key = value", empty, or comments, which begin with
 * "#" or ";". Behind a value or a section a comment begins with a "#" that has
 * white space before it and is not between two double quotes. A byte order
 * mark and CRLF line ends are fine.
 *
 * libinih is not used here: its packaged build cuts lines at 200 bytes and
 * names at 50 without a word, and does not tell line numbers.
 */
#ifndef CMD_INIFILE_H
#define CMD_INIFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"

#define INIFILE_BYTES_MAX      (1u << 20)
#define INIFILE_LINE_BYTES_MAX 8192u
#define INIFILE_ENTRIES_MAX    64u /* in one section */

struct inifile_entry {
    char *key;
    char *value;
    unsigned line;  /* from 1 */
    bool commented; /* a comment was cut off behind the value */
};

struct inifile_section {
    char *kind;
    char *name; /* "" where there is none */
    unsigned line;
    struct inifile_entry *entries;
    size_t n_entries;
    size_t cap;
};

struct inifile {
    struct inifile_section *sections;
    size_t n_sections;
    size_t cap;
};

/**
 * Read @text.
 *
 * @file  its name, for errors
 *
 * Returns 0 with *@out to be freed by inifile_free(), or ERR_USAGE with
 * "file:line: what: what to write instead".
 */
int inifile_parse(const char *file, struct bytes text, struct inifile **out,
                  struct err *err);
void inifile_free(struct inifile *ini);

#endif
