#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/options.h"
#include "tests/tap.h"

#define ARGS_MAX 12

/* Parse the blank-separated words of @line. The copy of it in *@text lives as
 * long as @options. */
static int parse(const char *line, char **text, struct options *options,
                 struct err *err)
{
    char *argv[ARGS_MAX + 1] = {NULL};
    int argc = 0;
    char *rest;
    char *word;

    *text = mem_copy(line);
    rest = *text;
    while (argc < ARGS_MAX && (word = strtok_r(rest, " ", &rest)) != NULL) {
        argv[argc++] = word;
    }
    return options_parse(argc, argv, options, err);
}

static void test_good(void)
{
    static const struct {
        const char *line;
        enum options_command command;
        const char *words; /* each followed by a comma */
        unsigned verbose;
        bool quiet, json, force;
        unsigned wait;
    } cases[] = {
        {"mailtwin sync",                OPTIONS_SYNC,   "",        0, 0, 0, 0, 0 },
        {"mailtwin -v sync a b",         OPTIONS_SYNC,   "a,b,",    1, 0, 0, 0, 0 },
        {"mailtwin sync a -vv b",        OPTIONS_SYNC,   "a,b,",    2, 0, 0, 0, 0 },
        {"mailtwin -v -v -v sync",       OPTIONS_SYNC,   "",        2, 0, 0, 0, 0 },
        {"mailtwin sync -q --json a",    OPTIONS_SYNC,   "a,",      0, 1, 1, 0, 0 },
        {"mailtwin --json status",       OPTIONS_STATUS, "",        0, 0, 1, 0, 0 },
        {"mailtwin sync -n",             OPTIONS_PLAN,   "",        0, 0, 0, 0, 0 },
        {"mailtwin --dry-run sync a",    OPTIONS_PLAN,   "a,",      0, 0, 0, 0, 0 },
        {"mailtwin plan --force-delete", OPTIONS_PLAN,   "",        0, 0, 0, 1, 0 },
        {"mailtwin sync --wait 60",      OPTIONS_SYNC,   "",        0, 0, 0, 0, 60},
        {"mailtwin sync --wait=5 a",     OPTIONS_SYNC,   "a,",      0, 0, 0, 0, 5 },
        {"mailtwin sync -- -a --b",      OPTIONS_SYNC,   "-a,--b,", 0, 0, 0, 0, 0 },
        {"mailtwin probe work",          OPTIONS_PROBE,  "work,",   0, 0, 0, 0, 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options o;
        struct err err = {{0}};
        struct buf words;
        char *text;
        int r = parse(cases[i].line, &text, &o, &err);

        buf_init(&words, 0);
        for (size_t j = 0; j < o.n_words; j++) {
            buf_printf(&words, "%s,", o.words[j]);
        }
        ok(r == 0 && o.command == cases[i].command &&
               strcmp(buf_text(&words), cases[i].words) == 0 &&
               o.verbose == cases[i].verbose && o.quiet == cases[i].quiet &&
               o.json == cases[i].json && o.force_delete == cases[i].force &&
               o.wait_seconds == cases[i].wait,
           "%s %s", cases[i].line, err.text);
        buf_deinit(&words);
        options_deinit(&o);
        free(text);
    }
}

static void test_bad(void)
{
    static const struct {
        const char *line;
        const char *hint; /* part of the error */
    } cases[] = {
        {"mailtwin",                        "mailtwin --help"                },
        {"mailtwin -v",                     "mailtwin --help"                },
        {"mailtwin snyc",                   "did you mean sync?"             },
        {"mailtwin frobnicate",             "mailtwin --help"                },
        {"mailtwin sync --force-deletes",   "did you mean --force-delete?"   },
        {"mailtwin sync -z",                "there is no option -z"          },
        {"mailtwin sync --frobnicate",      "there is no option --frobnicate"},
        {"mailtwin sync --json=1",          "takes no value"                 },
        {"mailtwin sync --wait",            "a value is missing"             },
        {"mailtwin sync -c",                "a value is missing"             },
        {"mailtwin sync --wait soon",       "a number of seconds"            },
        {"mailtwin sync --wait -1",         "a number of seconds"            },
        {"mailtwin status -n",              "--dry-run is for sync"          },
        {"mailtwin plan --wait 5",          "--wait is for sync"             },
        {"mailtwin probe a --force-delete", "--force-delete is for sync"     },
        {"mailtwin probe",                  "one account"                    },
        {"mailtwin probe a b",              "one account"                    },
        {"mailtwin sync -q -v",             "contradict"                     },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options o;
        struct err err = {{0}};
        char *text;
        int r = parse(cases[i].line, &text, &o, &err);

        ok(r == ERR_USAGE && strstr(err.text, cases[i].hint) != NULL, "%s: %s",
           cases[i].line, err.text);
        options_deinit(&o);
        free(text);
    }
}

static void test_files(void)
{
    struct options o;
    struct err err;
    char *text;

    ok(parse("mailtwin sync -c x.conf --state-dir /s", &text, &o, &err) == 0 &&
           strcmp(o.config, "x.conf") == 0 && strcmp(o.state_dir, "/s") == 0,
       "configuration and state are where they are said to be");
    options_deinit(&o);
    free(text);
}

static void test_help(void)
{
    static const char *const lines[] = {
        "mailtwin --help",      "mailtwin -h",
        "mailtwin sync --help", "mailtwin --help probe",
        "mailtwin --version",   "mailtwin sync --version",
    };
    struct buf text;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct options o;
        struct err err = {{0}};
        char *copy;
        int r = parse(lines[i], &copy, &o, &err);

        ok(r == 0 && (o.help || o.version), "%s %s", lines[i], err.text);
        options_deinit(&o);
        free(copy);
    }
    buf_init(&text, 0);
    options_help(OPTIONS_NONE, &text);
    ok(strstr(buf_text(&text), "  sync ") != NULL &&
           strstr(buf_text(&text), "--state-dir") != NULL,
       "the overview names commands and options");
    buf_clear(&text);
    options_help(OPTIONS_SYNC, &text);
    ok(strstr(buf_text(&text), "--force-delete") != NULL,
       "the help of sync names its options");
    buf_deinit(&text);
}

int main(void)
{
    test_good();
    test_bad();
    test_files();
    test_help();
    return done_testing();
}
