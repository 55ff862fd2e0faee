/*
 * Keywords of a Maildir folder, as Dovecot keeps them: lower-case letters in
 * the file names, and "dovecot-keywords" says what they mean: "0 $Junk" for
 * "a" up to 25 for "z". The keyword $Forwarded is the letter P besides.
 */
#ifndef STORE_MAILDIR_KEYWORDS_H
#define STORE_MAILDIR_KEYWORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/flags.h"
#include "base/keywords.h"

#define MAILDIR_KEYWORDS_FILE "dovecot-keywords"
#define MAILDIR_KEYWORDS_MAX  26u

/* A zeroed struct knows no keyword. */
struct maildir_keywords {
    char *name[MAILDIR_KEYWORDS_MAX]; /* by letter; NULL: free */
};

void maildir_keywords_deinit(struct maildir_keywords *keywords);

/* Read the file's text; as in Dovecot, lines that make no sense are passed
 * over. What was known before is forgotten. */
void maildir_keywords_parse(struct maildir_keywords *keywords,
                            struct bytes text);

/* Append the file's text. */
void maildir_keywords_print(const struct maildir_keywords *keywords,
                            struct buf *out);

/* Read the file in the directory @folder; none is no keywords. Returns 0 or
 * ERR_DISK. */
int maildir_keywords_load(struct maildir_keywords *keywords, int folder,
                          struct err *err);

/**
 * The letters (bits, maildir_name.h) of blank-separated @names.
 *
 * @missing  may be NULL; set to how many of them have no letter
 */
uint32_t maildir_keywords_letters(const struct maildir_keywords *keywords,
                                  struct bytes names, unsigned *missing);

/* Append the blank-separated names of @letters; letters without a name are
 * left out. */
void maildir_keywords_names(const struct maildir_keywords *keywords,
                            uint32_t letters, struct buf *out);

/* How many letters are free: without a name, and not among @avoid. */
unsigned maildir_keywords_free(const struct maildir_keywords *keywords,
                               uint32_t avoid);

/**
 * Give letters to those of @names that have none, and write the file durably,
 * under Dovecot's lock where Dovecot uses the folder. What finds no free
 * letter stays without one.
 *
 * @keywords  read anew under the lock
 * @folder    descriptor of it; its tmp is there
 * @avoid     letters that files carry although they have no name
 *
 * May wait for the lock for some seconds. Returns 0, ERR_BUSY (another program
 * keeps the lock) or ERR_DISK.
 */
int maildir_keywords_allocate(struct maildir_keywords *keywords, int folder,
                              struct bytes names, uint32_t avoid,
                              struct err *err);

#define MAILDIR_KEYWORDS_SETS 64u

/* Sets of letters that were met, and the keyword sets they mean: folders have
 * few. Zeroed at first; of one struct maildir_keywords that does not change. */
struct maildir_keywords_sets {
    struct {
        uint32_t letters; /* 0: free */
        uint32_t set;
    } slot[MAILDIR_KEYWORDS_SETS];
};

/* What a folder can store: the keywords with a letter, and new ones while there
 * are letters but for @avoid, that files carry without a name: given to a
 * keyword, those files would have it. */
struct flags_storable maildir_keywords_storable(
    const struct maildir_keywords *keywords, struct keywords *names,
    uint32_t avoid);

/* The set in @names of the keywords that @letters mean; UINT32_MAX where there
 * are too many sets. */
uint32_t maildir_keywords_set(const struct maildir_keywords *keywords,
                              struct maildir_keywords_sets *sets,
                              struct keywords *names, uint32_t letters);

#endif
