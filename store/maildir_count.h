/* How much mail is in a Maildir's folders, for people. May block. */
#ifndef STORE_MAILDIR_COUNT_H
#define STORE_MAILDIR_COUNT_H

#include <stddef.h>

#include "base/endpoint.h"
#include "store/maildir_endpoint.h"

/* Count the messages of each folder and their octets with CRLF line ends, by
 * the fields in their names, else by the sizes of the files. A folder that
 * cannot be read stays without. */
void maildir_count(int root, enum maildir_layout layout,
                   struct folder_entry *folders, size_t n);

#endif
