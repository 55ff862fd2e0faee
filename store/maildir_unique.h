/* Names for new message files, no two alike. */
#ifndef STORE_MAILDIR_UNIQUE_H
#define STORE_MAILDIR_UNIQUE_H

#include <stdbool.h>
#include <stdint.h>

#define MAILDIR_UNIQUE_HOST_BYTES 256u

/* For one thread at a time. */
struct maildir_unique {
    uint64_t counter;
    char host[MAILDIR_UNIQUE_HOST_BYTES];
};

void maildir_unique_init(struct maildir_unique *unique);

/* The next name; free() it. */
char *maildir_unique_name(struct maildir_unique *unique);

/* Is it a name that a process of this machine made which is no more? */
bool maildir_unique_is_orphan(const char *name);

#endif
