/*
 * Goal: any bytes are a configuration or an error that says file and line; no
 * error repeats a password.
 */
#include "cmd/conf.h"
#include "cmd/conf_value.h"
#include "sync/filter.h"
#include "tests/fuzz/fuzz.h"

#define SECRET "0pen-sesame"
#define LINE   "\npassword = "

static void check_filter(const char *text)
{
    static const char *const names[] = {"INBOX", "a/b/c", "Old stuff", "%", ""};
    struct filter *filter;

    if (filter_new(text, &filter, NULL) != 0)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)filter_accepts(filter, names[i]);
    filter_free(filter);
}

static void check_conf(const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_accounts; i++)
        must(conf_account(conf, conf->accounts[i]->name) == conf->accounts[i]);
    for (size_t i = 0; i < conf->n_pairs; i++) {
        const struct pair *pair = conf->pairs[i];

        must(conf_pair(conf, pair->name) == pair);
        must(pair->account[LEFT] != NULL && pair->account[RIGHT] != NULL);
        must(pair->account[LEFT] != pair->account[RIGHT]);
        check_filter(pair->policy.folders);
    }
}

/* Is a secret in @text that only a line of a password put there? */
static bool tells(const char *text, struct bytes input)
{
    const char *at =
        memmem(input.ptr, input.len, LINE SECRET, strlen(LINE SECRET));
    const char *end = input.ptr + input.len;

    if (at == NULL || strstr(text, SECRET) == NULL)
        return false;
    at += strlen(LINE SECRET);
    return memmem(input.ptr, (size_t)(at - input.ptr) - strlen(SECRET), SECRET,
                  strlen(SECRET)) == NULL &&
           memmem(at, (size_t)(end - at), SECRET, strlen(SECRET)) == NULL;
}

void fuzz_one(struct bytes input)
{
    struct bytes text = fuzz_copy(input);
    struct conf *conf = NULL;
    struct err err = {{0}};

    if (conf_read("file", text, &conf, &err) == 0) {
        check_conf(conf);
        conf_free(conf);
    } else {
        must(strncmp(err.text, "file:", 5) == 0);
        must(!tells(err.text, text));
    }
    fuzz_free(text);
}
