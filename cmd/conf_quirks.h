/* The keys of an account that say what kind of server it is on: what its row in
 * imap/quirks.h says, and they may say otherwise. Each returns 0 or ERR_USAGE,
 * as in conf_value.h. Part of conf. */
#ifndef CMD_CONF_QUIRKS_H
#define CMD_CONF_QUIRKS_H

#include "cmd/conf.h"

int conf_quirks_provider(struct account *account, const char *value,
                         struct err *err);
int conf_quirks_without(struct account *account, const char *value,
                        struct err *err);
int conf_quirks_trust_size(struct account *account, const char *value,
                           struct err *err);
int conf_quirks_command_length(struct account *account, const char *value,
                               struct err *err);
int conf_quirks_window(struct account *account, const char *value,
                       struct err *err);
int conf_quirks_skip_folders(struct account *account, const char *value,
                             struct err *err);

#endif
