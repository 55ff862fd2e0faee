#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cmd/conf_section.h"
#include "cmd/conf_value.h"
#include "cmd/suggest.h"
#include "sync/filter.h"

typedef int (*set_fn)(struct policy *policy, const char *value,
                      struct err *err);

static const char *const side_names[SIDES] = {"left", "right"};

static int set_direction(struct policy *policy, const char *value,
                         struct err *err)
{
    static const char *const names[] = {"both", "left-to-right",
                                        "right-to-left"};

    static const enum direction values[] = {
        DIRECTION_BOTH, DIRECTION_LEFT_TO_RIGHT, DIRECTION_RIGHT_TO_LEFT};

    size_t i = 0;
    int r = conf_value_choice(value, names, 3, &i, err);

    policy->direction = values[i];
    return r;
}

static int set_deletes(struct policy *policy, const char *value,
                       struct err *err)
{
    static const char *const names[] = {"propagate", "keep"};
    size_t i = 0;
    int r = conf_value_choice(value, names, 2, &i, err);

    policy->keep_deleted = i == 1;
    return r;
}

static int set_folders(struct policy *policy, const char *value,
                       struct err *err)
{
    struct filter *filter = NULL;
    int r = filter_new(value, &filter, err);

    filter_free(filter);
    policy->folders = mem_copy(value);
    return r;
}

static int set_max_delete(struct policy *policy, const char *value,
                          struct err *err)
{
    return conf_value_max_delete(value, &policy->max_delete, err);
}

static int set_on_conflict(struct policy *policy, const char *value,
                           struct err *err)
{
    size_t i = 0;
    int r = conf_value_choice(value, side_names, SIDES, &i, err);

    policy->on_conflict = i == 0 ? LEFT : RIGHT;
    return r;
}

static int set_delete_mode(struct policy *policy, const char *value,
                           struct err *err)
{
    static const char *const names[] = {"expunge", "trash"};
    size_t i = 0;
    int r = conf_value_choice(value, names, 2, &i, err);

    policy->delete_to_trash = i == 1;
    return r;
}

static int set_moves(struct policy *policy, const char *value, struct err *err)
{
    return conf_value_bool(value, &policy->moves, err);
}

static int set_subscriptions(struct policy *policy, const char *value,
                             struct err *err)
{
    return conf_value_bool(value, &policy->subscriptions, err);
}

static int set_special_use(struct policy *policy, const char *value,
                           struct err *err)
{
    return conf_value_bool(value, &policy->special_use, err);
}

static int set_max_size(struct policy *policy, const char *value,
                        struct err *err)
{
    return conf_value_size(value, &policy->max_size, err);
}

static int set_newer_than(struct policy *policy, const char *value,
                          struct err *err)
{
    return conf_value_duration(value, &policy->newer_than_seconds, err);
}

static const struct {
    const char *name;
    set_fn set; /* NULL: an account, see find_side() */
} keys[] = {
    {"left",          NULL             },
    {"right",         NULL             },
    {"direction",     set_direction    },
    {"deletes",       set_deletes      },
    {"folders",       set_folders      },
    {"max_delete",    set_max_delete   },
    {"on_conflict",   set_on_conflict  },
    {"delete_mode",   set_delete_mode  },
    {"moves",         set_moves        },
    {"subscriptions", set_subscriptions},
    {"special_use",   set_special_use  },
    {"max_size",      set_max_size     },
    {"newer_than",    set_newer_than   },
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static int apply(const char *file, struct pair *pair,
                 const struct inifile_entry *entry, struct err *err)
{
    const char *names[N_KEYS];
    int r;

    for (size_t i = 0; i < N_KEYS; i++) {
        names[i] = keys[i].name;
        if (strcmp(keys[i].name, entry->key) != 0) {
            continue;
        }
        if (keys[i].set == NULL) {
            return 0;
        }
        r = keys[i].set(&pair->policy, entry->value, err);
        return r == 0 ? 0
                      : err_wrap(err, r, "%s:%u: %s", file, entry->line,
                                 entry->key);
    }
    return conf_section_unknown(file, entry, names, N_KEYS, err);
}

static const char *account_name_at(const void *owner, size_t i)
{
    return ((const struct conf *)owner)->accounts[i]->name;
}

static int find_side(const struct conf *conf,
                     const struct inifile_section *section, enum side side,
                     struct pair *pair, struct err *err)
{
    const struct inifile_entry *entry =
        conf_section_entry(section, side_names[side]);
    const char *near;

    if (entry == NULL) {
        return conf_section_fault(err, conf->file, section,
                                  "no %s side: write %s = ACCOUNT",
                                  side_names[side], side_names[side]);
    }
    pair->account[side] = conf_account(conf, entry->value);
    if (pair->account[side] != NULL) {
        return 0;
    }
    near = suggest(entry->value, account_name_at, conf, conf->n_accounts);
    if (near != NULL) {
        return err_set(err, ERR_USAGE,
                       "%s:%u: %s: there is no account \"%s\": did you mean "
                       "%s?",
                       conf->file, entry->line, entry->key, entry->value, near);
    }
    return err_set(err, ERR_USAGE,
                   "%s:%u: %s: there is no account \"%s\": add a section "
                   "[account %s]",
                   conf->file, entry->line, entry->key, entry->value,
                   entry->value);
}

static bool is_same_directory(const char *a, const char *b)
{
    struct stat one;
    struct stat two;

    return strcmp(a, b) == 0 ||
           (stat(a, &one) == 0 && stat(b, &two) == 0 &&
            one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

static bool is_same_store(const struct account *a, const struct account *b)
{
    if (a == b) {
        return true;
    }
    if (a->type != b->type) {
        return false;
    }
    if (a->type == ACCOUNT_MAILDIR) {
        return is_same_directory(a->path, b->path);
    }
    return strcasecmp(a->host, b->host) == 0 && a->port == b->port &&
           strcmp(conf_account_owner(a), conf_account_owner(b)) == 0;
}

static int read_pair(const struct conf *conf,
                     const struct inifile_section *section, struct pair *pair,
                     struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < section->n_entries && r == 0; i++) {
        r = apply(conf->file, pair, &section->entries[i], err);
    }
    if (r == 0) {
        r = find_side(conf, section, LEFT, pair, err);
    }
    if (r == 0) {
        r = find_side(conf, section, RIGHT, pair, err);
    }
    if (r == 0 && is_same_store(pair->account[LEFT], pair->account[RIGHT])) {
        r = conf_section_fault(err, conf->file, section,
                               "left and right are one and the same mail "
                               "store: write two different accounts");
    }
    return r;
}

int conf_pair_read(const struct conf *conf,
                   const struct inifile_section *section, struct pair **out,
                   struct err *err)
{
    struct pair *pair = MEM_NEW(struct pair);
    int r;

    pair->name = mem_copy(section->name);
    pair->line = section->line;
    pair->policy = (struct policy){
        .direction = DIRECTION_BOTH,
        .max_delete = {MAX_DELETE_PERCENT, 50},
        .on_conflict = LEFT,
        .moves = true,
        .subscriptions = true,
        .special_use = true,
    };
    r = read_pair(conf, section, pair, err);
    if (r != 0) {
        conf_pair_free(pair);
        return r;
    }
    *out = pair;
    return 0;
}

void conf_pair_free(struct pair *pair)
{
    if (pair == NULL) {
        return;
    }
    free(pair->name);
    free(pair->policy.folders);
    free(pair);
}
