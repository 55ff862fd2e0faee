#include "cmd/conf_quirks.h"

#include <string.h>

#include "base/mem.h"
#include "cmd/conf_value.h"
#include "imap/caps.h"

#define COMMAND_LENGTH_MIN 500
#define COMMAND_LENGTH_MAX 65536

int conf_quirks_provider(struct account *account, const char *value,
                         struct err *err)
{
    if (strcmp(value, "auto") == 0)
        return 0;
    if (quirks_find(value) == NULL) {
        struct buf keys;

        buf_init(&keys, 0);
        for (size_t i = 0; quirks_key(i) != NULL; i++)
            buf_printf(&keys, ", %s", quirks_key(i));
        err_set(err, ERR_USAGE, "\"%s\" is unknown: write auto, none%s", value,
                buf_text(&keys));
        buf_deinit(&keys);
        return ERR_USAGE;
    }
    account->provider = mem_copy(value);
    account->quirks.provider = account->provider;
    return 0;
}

int conf_quirks_without(struct account *account, const char *value,
                        struct err *err)
{
    size_t n;

    for (; *value != '\0'; value += n) {
        uint32_t bit;

        value += strspn(value, ", \t");
        n = strcspn(value, ", \t");
        bit = caps_bit((struct bytes){value, n});
        if (n > 0 && bit == 0) {
            return err_set(err, ERR_USAGE,
                           "\"%.*s\" is no extension that is used: write names "
                           "as probe shows them, like QRESYNC MOVE",
                           (int)n, value);
        }
        account->quirks.without |= bit;
    }
    return 0;
}

int conf_quirks_trust_size(struct account *account, const char *value,
                           struct err *err)
{
    if (strcmp(value, "auto") == 0)
        return 0;
    account->quirks.has_trust_size = true;
    return conf_value_bool(value, &account->quirks.trust_size, err);
}

int conf_quirks_command_length(struct account *account, const char *value,
                               struct err *err)
{
    uint64_t n = 0;
    int r = conf_value_number(value, COMMAND_LENGTH_MIN, COMMAND_LENGTH_MAX, &n,
                              err);

    account->quirks.command_bytes = (uint32_t)n;
    return r;
}

int conf_quirks_window(struct account *account, const char *value,
                       struct err *err)
{
    uint64_t n = 0;
    int r = 0;

    if (strcmp(value, "auto") == 0)
        return 0;
    if (strcmp(value, "off") != 0)
        r = conf_value_number(value, 1, UINT32_MAX, &n, err);
    account->quirks.has_window = true;
    account->quirks.window = (uint32_t)n;
    return r;
}

int conf_quirks_skip_folders(struct account *account, const char *value,
                             struct err *err)
{
    struct bytes wrong = quirks_check_skip(value);

    if (wrong.len > 0) {
        return err_set(err, ERR_USAGE,
                       "\"%.*s\" is no special use: write names of folders, "
                       "uses like \\All, or none",
                       (int)wrong.len, wrong.ptr);
    }
    if (strcmp(value, "auto") == 0)
        return 0;
    account->skip_folders = mem_copy(value);
    account->quirks.skip = account->skip_folders;
    return 0;
}
