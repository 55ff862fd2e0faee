#include "cmd/command.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/suggest.h"

static const char *pair_name_at(const void *owner, size_t i)
{
    return ((const struct conf *)owner)->pairs[i]->name;
}

static int no_pair(const struct conf *conf, const char *name, struct err *err)
{
    const char *near = suggest(name, pair_name_at, conf, conf->n_pairs);

    if (near != NULL) {
        return err_set(err, ERR_USAGE,
                       "%s: there is no pair \"%s\": did you mean %s?",
                       conf->file, name, near);
    }
    return err_set(err, ERR_USAGE,
                   "%s: there is no pair \"%s\": add a section [pair %s]",
                   conf->file, name, name);
}

static void add_once(struct pair **pairs, size_t *n, struct pair *pair)
{
    for (size_t i = 0; i < *n; i++) {
        if (pairs[i] == pair) {
            return;
        }
    }
    pairs[(*n)++] = pair;
}

int command_pairs(const struct command *command, struct pair ***out, size_t *n,
                  struct err *err)
{
    const struct options *options = command->options;
    const struct conf *conf = command->conf;
    struct pair **pairs;

    if (conf->n_pairs == 0) {
        return err_set(err, ERR_USAGE,
                       "%s: there is no pair: add a section [pair NAME] with "
                       "left = ACCOUNT and right = ACCOUNT",
                       conf->file);
    }
    pairs = mem_new(conf->n_pairs, sizeof(struct pair *));
    *n = 0;
    for (size_t i = 0; i < conf->n_pairs && options->n_words == 0; i++) {
        pairs[(*n)++] = conf->pairs[i];
    }
    for (size_t i = 0; i < options->n_words; i++) {
        struct pair *pair = conf_pair(conf, options->words[i]);

        if (pair == NULL) {
            free(pairs);
            return no_pair(conf, options->words[i], err);
        }
        add_once(pairs, n, pair);
    }
    *out = pairs;
    return 0;
}
