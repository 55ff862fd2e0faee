/* What the files of a Maildir half have in common. Other programs' calls, as
 * disk.h has it, are for the caller to announce. */
#ifndef TESTS_SIM_HALF_MAILDIR_H
#define TESTS_SIM_HALF_MAILDIR_H

#include "tests/sim/half.h"

struct maildir_half {
    struct half head; /* first */
    struct maildir_account account;
    char *root;
    uint32_t n_names; /* of files that users made */
    char **soft;      /* base names of those that a power cut may take */
    size_t n_soft;
    size_t cap_soft;
    uv_loop_t loop; /* nothing is in it */
};

/* "cur", "new" and "tmp"; messages are in the first two. */
#define MAILDIR_HALF_MAIL  2u
#define MAILDIR_HALF_PARTS 3u
extern const char *const maildir_half_parts[MAILDIR_HALF_PARTS];

/* The directory of a folder; free() it. */
char *maildir_half_dir(const struct maildir_half *self, const char *folder);
bool maildir_half_has(const char *dir, const char *below);

/* Which message a file is, or CONTENT_NONE. */
uint32_t maildir_half_content(const char *path);

/* As in struct half_class. */
void maildir_half_look(struct half *half, struct look *look);

#endif
