/* The table. Its facts are those of docs/providers.md. */
#include "imap/quirks.h"

#include <string.h>

#include "imap/caps.h"
#include "imap/reply.h"

static const struct quirks_use exchange_uses[] = {
    {"Sent Items",    USE_SENT   },
    {"Deleted Items", USE_TRASH  },
    {"Junk Email",    USE_JUNK   },
    {"Drafts",        USE_DRAFTS },
    {"Archive",       USE_ARCHIVE},
    {NULL,            USE_NONE   }
};

static const struct quirks_use icloud_uses[] = {
    {"Sent Messages",    USE_SENT   },
    {"Deleted Messages", USE_TRASH  },
    {"Junk",             USE_JUNK   },
    {"Drafts",           USE_DRAFTS },
    {"Archive",          USE_ARCHIVE},
    {NULL,               USE_NONE   }
};

/* clang-format off */
static const struct quirks table[] = {
    {
        /* One heap of messages; folders are labels on them. */
        .key = "gmail", .name = "Gmail",
        .capability = "X-GM-EXT-1", .greeting = "Gimap ready",
        .host = "gmail.com",
        .connections = 15, .command_bytes = 16000,
        .fidelity = FIDELITY_CONTENT, .merges = true,
        .skip = "\\All, \\Important, \\Flagged",
    }, {
        .key = "exchange", .name = "Microsoft Exchange",
        .capability = "CLIENTACCESSRULES", .greeting = "Microsoft Exchange",
        .host = "office365.com",
        .connections = 20, .fidelity = FIDELITY_ENVELOPE,
        .skip = "Calendar, Contacts, Conversation History, Journal, Notes, "
                "Outbox, RSS Feeds, Sync Issues, Tasks",
        .uses = exchange_uses,
    }, {
        /* Its QRESYNC says that messages vanished which did not. */
        .key = "icloud", .name = "iCloud",
        .capability = "XAPPLEPUSHSERVICE", .host = "mail.me.com",
        .without = CAP_QRESYNC, .asks_again = true, .uses = icloud_uses,
    }, {
        .key = "yahoo", .name = "Yahoo",
        .capability = "XYMHIGHESTMODSEQ", .host = "mail.yahoo.com",
        .command_bytes = 1000, .connections = 5, .window = 10000,
    }, {
        .key = "proton", .name = "Proton Bridge", .greeting = "gluon",
        .fidelity = FIDELITY_ENVELOPE, .merges = true,
        .skip = "\\All, \\Flagged, All Mail, Starred",
    }, {
        .key = "fastmail", .name = "Fastmail", .host = "fastmail.com",
    }, {
        .key = "coremail", .name = "Coremail (163, 126, yeah.net)",
        .greeting = "Coremail", .host = "163.com",
    }, {
        .key = "qq", .name = "QQ", .greeting = "QQMail", .host = "qq.com",
        .command_bytes = 1000,
    }, {
        .key = "yandex", .name = "Yandex", .greeting = "Yandex",
        .command_bytes = 4000,
    }, {
        .key = "zoho", .name = "Zoho", .greeting = "Zoho Mail",
        .command_bytes = 4000,
    }, {
        .key = "hmailserver", .name = "hMailServer", .greeting = "hMailServer",
        .command_bytes = 1000, .fidelity = FIDELITY_CONTENT,
    }, {
        /* A gateway to Exchange. */
        .key = "davmail", .name = "DavMail", .greeting = "DavMail",
        .fidelity = FIDELITY_CONTENT,
    }, {
        .key = "uw", .name = "UW or Panda IMAP", .greeting = "2007f.",
        .command_bytes = 1000,
    }, {
        /* STATUS with MAILBOXID brings whatever lies in its memory. */
        .key = "cyrus", .name = "Cyrus 3.6", .greeting = "Cyrus IMAP 3.6",
        .without = CAP_OBJECTID,
    }, {
        /* Its sessions number the messages of a folder without each other. */
        .key = "mailutils", .name = "GNU mailutils",
        .capability = "AUTH=SECURID", .connections = 1,
    },
};
/* clang-format on */

#define ROWS (sizeof(table) / sizeof(table[0]))

const struct quirks *quirks_none(void)
{
    static const struct quirks none = {.key = "none", .name = NULL};

    return &none;
}

const char *quirks_key(size_t index)
{
    return index < ROWS ? table[index].key : NULL;
}

const struct quirks *quirks_find(const char *key)
{
    if (strcmp(key, "none") == 0)
        return quirks_none();
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(table[i].key, key) == 0)
            return &table[i];
    }
    return NULL;
}

/* Is @host that name, or one below it? */
static bool host_fits(const char *suffix, const char *host)
{
    struct bytes name = bytes_of(host);
    struct bytes end = bytes_of(suffix);

    if (name.len < end.len)
        return false;
    if (!bytes_equal_nocase(bytes_skip(name, name.len - end.len), end))
        return false;
    return name.len == end.len || host[name.len - end.len - 1] == '.';
}

static bool capability_fits(const char *word, struct bytes words)
{
    struct bytes wanted = bytes_of(word);
    size_t n;

    while (words.len > 0) {
        for (n = 0; n < words.len && words.ptr[n] != ' '; n++)
            continue;
        if (bytes_equal_nocase((struct bytes){words.ptr, n}, wanted))
            return true;
        words = bytes_skip(words, n + 1);
    }
    return false;
}

const struct quirks *quirks_of_host(const struct quirks *found,
                                    const char *host)
{
    for (size_t i = 0; i < ROWS && found == quirks_none(); i++) {
        if (table[i].host != NULL && host_fits(table[i].host, host))
            found = &table[i];
    }
    return found;
}

const struct quirks *quirks_of_greeting(const struct quirks *found,
                                        struct bytes text)
{
    for (size_t i = 0; i < ROWS && found == quirks_none(); i++) {
        if (table[i].greeting != NULL &&
            bytes_has_nocase(text, bytes_of(table[i].greeting)))
            found = &table[i];
    }
    return found;
}

const struct quirks *quirks_of_capability(const struct quirks *found,
                                          struct bytes words)
{
    for (size_t i = 0; i < ROWS && found == quirks_none(); i++) {
        if (table[i].capability != NULL &&
            capability_fits(table[i].capability, words))
            found = &table[i];
    }
    return found;
}

struct quirks quirks_settle(const struct quirks *found,
                            const struct quirks_wish *wish)
{
    struct quirks quirks = *found;

    quirks.without |= wish->without;
    if (wish->command_bytes != 0)
        quirks.command_bytes = wish->command_bytes;
    if (quirks.command_bytes == 0)
        quirks.command_bytes = QUIRKS_COMMAND_BYTES;
    if (wish->has_window)
        quirks.window = wish->window;
    if (wish->has_trust_size && wish->trust_size)
        quirks.fidelity = FIDELITY_EXACT;
    if (wish->has_trust_size && !wish->trust_size &&
        quirks.fidelity == FIDELITY_EXACT)
        quirks.fidelity = FIDELITY_CONTENT;
    if (wish->skip != NULL)
        quirks.skip = strcmp(wish->skip, "none") == 0 ? NULL : wish->skip;
    return quirks;
}

/* The next item of a list with commas, without blanks around it. */
static struct bytes next_item(struct bytes *list)
{
    size_t n = 0;
    struct bytes item;

    while (n < list->len && list->ptr[n] != ',')
        n++;
    item = bytes_trim((struct bytes){list->ptr, n});
    *list = bytes_skip(*list, n + 1);
    return item;
}

/* A folder's own name, or one above it. */
static bool name_fits(struct bytes item, const char *name)
{
    return bytes_starts_nocase(bytes_of(name), item) &&
           (name[item.len] == '\0' || name[item.len] == '/');
}

struct bytes quirks_skips(const struct quirks *quirks, const char *name,
                          uint32_t attributes)
{
    struct bytes list = bytes_of(quirks->skip != NULL ? quirks->skip : "");

    while (list.len > 0) {
        struct bytes item = next_item(&list);
        bool is_use = item.len > 0 && item.ptr[0] == '\\';

        if (is_use ? (attributes & reply_list_attribute(item)) != 0
                   : name_fits(item, name))
            return item;
    }
    return B("");
}

struct bytes quirks_check_skip(const char *skip)
{
    struct bytes list = bytes_of(skip);

    while (list.len > 0) {
        struct bytes item = next_item(&list);

        if (item.len > 0 && item.ptr[0] == '\\' &&
            reply_list_attribute(item) == 0)
            return item;
    }
    return B("");
}

static enum special_use use_of(uint32_t attributes)
{
    static const struct {
        uint32_t attribute;
        enum special_use use;
    } uses[] = {
        {LIST_USE_ALL,     USE_ALL    },
        {LIST_USE_ARCHIVE, USE_ARCHIVE},
        {LIST_USE_DRAFTS,  USE_DRAFTS },
        {LIST_USE_FLAGGED, USE_FLAGGED},
        {LIST_USE_JUNK,    USE_JUNK   },
        {LIST_USE_SENT,    USE_SENT   },
        {LIST_USE_TRASH,   USE_TRASH  }
    };

    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if ((attributes & uses[i].attribute) != 0)
            return uses[i].use;
    }
    return USE_NONE;
}

enum special_use quirks_use(const struct quirks *quirks, const char *name,
                            uint32_t attributes)
{
    const struct quirks_use *use = quirks->uses;
    enum special_use told = use_of(attributes);

    if (told != USE_NONE)
        return told;
    for (; use != NULL && use->name != NULL; use++) {
        if (strcmp(use->name, name) == 0)
            return use->use;
    }
    return USE_NONE;
}
