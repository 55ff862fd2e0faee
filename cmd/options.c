#include "cmd/options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "cmd/suggest.h"

/* What getopt_long() returns for options that have no letter. */
enum {
    ONLY_LONG = 256,
    OPTION_STATE_DIR,
    OPTION_JSON,
    OPTION_VERSION,
    OPTION_FORCE_DELETE,
    OPTION_WAIT,
    OPTION_DEEP
};

/* clang-format off */
static const struct option long_options[] = {
    {"config",       required_argument, NULL, 'c'},
    {"state-dir",    required_argument, NULL, OPTION_STATE_DIR},
    {"quiet",        no_argument,       NULL, 'q'},
    {"verbose",      no_argument,       NULL, 'v'},
    {"json",         no_argument,       NULL, OPTION_JSON},
    {"help",         no_argument,       NULL, 'h'},
    {"version",      no_argument,       NULL, OPTION_VERSION},
    {"dry-run",      no_argument,       NULL, 'n'},
    {"force-delete", no_argument,       NULL, OPTION_FORCE_DELETE},
    {"wait",         required_argument, NULL, OPTION_WAIT},
    {"deep",         no_argument,       NULL, OPTION_DEEP},
    {NULL,           0,                 NULL, 0},
};
/* clang-format on */

#define N_LONG (sizeof(long_options) / sizeof(long_options[0]) - 1)

static const struct {
    const char *name;
    enum options_command command;
    const char *summary;
    const char *help;
} commands[] = {
    {"sync",   OPTIONS_SYNC,   "bring pairs into step, once",
     "usage: mailtwin sync [OPTIONS] [PAIR ...]\n"
     "\n"
     "Brings the pairs into step, once; all pairs of the configuration where\n"
     "none is named.\n"
     "\n"
     "  -n, --dry-run        the same as plan\n"
     "      --force-delete   let the deletions through that the guard holds\n"
     "                       back, this once\n"
     "      --wait SECONDS   wait for another run of the same pair to end\n"},
    {"plan",   OPTIONS_PLAN,   "say what sync would do, and change nothing",
     "usage: mailtwin plan [OPTIONS] [PAIR ...]\n"
     "\n"
     "Says what sync would do, and changes nothing. Ends with 8 where there "
     "is\n"
     "anything to do, with 3 where only held work is left, else with 0.\n"
     "\n"
     "      --force-delete   as if given to sync\n"                         },
    {"check",  OPTIONS_CHECK,  "compare both sides, and change nothing",
     "usage: mailtwin check [OPTIONS] [PAIR ...]\n"
     "\n"
     "Looks at every message on both sides: folders, flags, sizes, dates and\n"
     "headers. Lists what differs, and ends with 8 where anything does.\n"
     "\n"
     "      --deep           read and compare every byte\n"                 },
    {"status", OPTIONS_STATUS, "last runs, and what is held back",
     "usage: mailtwin status [OPTIONS] [PAIR ...]\n"
     "\n"
     "Tells of the last run and the last success of the pairs, what was held\n"
     "back or failed, and which messages stay apart. Needs no network.\n"
     "\n"
     "  -v                   name every message that stays apart\n"         },
    {"probe",  OPTIONS_PROBE,  "what an account can do, and its folders",
     "usage: mailtwin probe [OPTIONS] ACCOUNT\n"
     "\n"
     "Connects, and prints capabilities, the sync tier that will be used,\n"
     "limits, and the folders with counts and sizes.\n"                     },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char global_help[] =
    "\n"
    "Options for all commands:\n"
    "  -c, --config FILE    default ~/.config/mailtwin/mailtwin.conf\n"
    "      --state-dir DIR  default ~/.local/state/mailtwin\n"
    "  -q, --quiet          nothing but errors and held work\n"
    "  -v, --verbose        one line per action; twice: the protocol too\n"
    "      --json           one JSON object per line on standard output\n"
    "      --version\n"
    "  -h, --help           also behind a command\n";

void options_help(enum options_command command, struct buf *out)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (commands[i].command == command) {
            buf_printf(out, "%s%s", commands[i].help, global_help);
            return;
        }
    }
    buf_printf(out, "usage: mailtwin [OPTIONS] COMMAND [OPTIONS] [PAIR ...]\n"
                    "\n"
                    "Keeps two mailboxes the same: IMAP accounts and Maildirs, "
                    "in any pairing.\n"
                    "\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        buf_printf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    }
    buf_printf(out,
               "%s\n"
               "Read mailtwin(1) and mailtwin.conf(5) for more.\n",
               global_help);
}

static const char *command_name_at(const void *owner, size_t i)
{
    (void)owner;
    return commands[i].name;
}

static int find_command(const char *word, struct options *options,
                        struct err *err)
{
    const char *near;

    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            options->command = commands[i].command;
            return 0;
        }
    }
    near = suggest(word, command_name_at, NULL, N_COMMANDS);
    if (near != NULL) {
        return err_set(err, ERR_USAGE,
                       "\"%s\" is not a command: did you mean %s?", word, near);
    }
    return err_set(err, ERR_USAGE,
                   "\"%s\" is not a command: see mailtwin --help", word);
}

static const char *option_name_at(const void *owner, size_t i)
{
    return ((const struct option *)owner)[i].name;
}

static int unknown_option(const char *word, int letter, struct err *err)
{
    const char *near;
    char *name;
    int r;

    if (letter != 0 && letter < ONLY_LONG) {
        return err_set(err, ERR_USAGE,
                       "there is no option -%c: see mailtwin --help", letter);
    }
    if (letter >= ONLY_LONG || strncmp(word, "--", 2) != 0) {
        return err_set(err, ERR_USAGE, "%s: this option takes no value", word);
    }
    name = mem_text((struct bytes){word + 2, strcspn(word + 2, "=")});
    near = suggest(name, option_name_at, long_options, N_LONG);
    if (near != NULL) {
        r = err_set(err, ERR_USAGE,
                    "there is no option --%s: did you mean --%s?", name, near);
    } else {
        r = err_set(err, ERR_USAGE,
                    "there is no option --%s: see mailtwin --help", name);
    }
    free(name);
    return r;
}

static int set_wait(struct options *options, const char *text, struct err *err)
{
    uint64_t seconds = 0;

    if (!bytes_to_u64(bytes_of(text), OPTIONS_WAIT_SECONDS_MAX, &seconds)) {
        return err_set(err, ERR_USAGE,
                       "--wait %s: write a number of seconds up to %u", text,
                       OPTIONS_WAIT_SECONDS_MAX);
    }
    options->wait_seconds = (unsigned)seconds;
    return 0;
}

/* What was given that only some commands know. */
struct given {
    bool dry_run;
    bool wait;
};

static int take_word(struct options *options, const char *word, struct err *err)
{
    if (options->command == OPTIONS_NONE) {
        return find_command(word, options, err);
    }
    options->words[options->n_words++] = word;
    return 0;
}

static int take(struct options *options, struct given *given, int option,
                char **argv, struct err *err)
{
    switch (option) {
    case 1: /* no option at all */
        return take_word(options, optarg, err);
    case 'c':
        options->config = optarg;
        return 0;
    case OPTION_STATE_DIR:
        options->state_dir = optarg;
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case 'v':
        options->verbose += options->verbose < 2 ? 1 : 0;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case 'h':
        options->help = true;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    case 'n':
        given->dry_run = true;
        return 0;
    case OPTION_FORCE_DELETE:
        options->force_delete = true;
        return 0;
    case OPTION_DEEP:
        options->deep = true;
        return 0;
    case OPTION_WAIT:
        given->wait = true;
        return set_wait(options, optarg, err);
    case ':':
        return err_set(err, ERR_USAGE, "%s: a value is missing behind it",
                       argv[optind - 1]);
    default:
        return unknown_option(argv[optind - 1], optopt, err);
    }
}

static int check(struct options *options, const struct given *given,
                 struct err *err)
{
    bool syncs = options->command == OPTIONS_SYNC;
    bool plans = options->command == OPTIONS_PLAN;

    if (options->command == OPTIONS_NONE) {
        return err_set(err, ERR_USAGE,
                       "no command is given: see mailtwin --help");
    }
    if ((given->dry_run && !syncs && !plans) || (given->wait && !syncs)) {
        return err_set(err, ERR_USAGE, "%s is for sync only",
                       given->wait ? "--wait" : "--dry-run");
    }
    if (options->force_delete && !syncs && !plans) {
        return err_set(err, ERR_USAGE, "--force-delete is for sync only");
    }
    if (options->deep && options->command != OPTIONS_CHECK) {
        return err_set(err, ERR_USAGE, "--deep is for check only");
    }
    if (options->quiet && options->verbose > 0) {
        return err_set(err, ERR_USAGE,
                       "--quiet and --verbose contradict each other");
    }
    if (options->command == OPTIONS_PROBE && options->n_words != 1) {
        return err_set(err, ERR_USAGE,
                       "probe takes the name of one account: mailtwin probe "
                       "ACCOUNT");
    }
    if (given->dry_run) {
        options->command = OPTIONS_PLAN;
    }
    return 0;
}

static int next_option(int argc, char **argv)
{
    /* "-": words come as they stand, between options as well. There is one
     * thread so far. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    return getopt_long(argc, argv, "-:c:qvhn", long_options, NULL);
}

int options_parse(int argc, char **argv, struct options *out, struct err *err)
{
    struct given given = {0};
    int option;
    int r = 0;

    *out = (struct options){0};
    out->words = mem_new((size_t)argc + 1, sizeof(*out->words));
    optind = 0; /* start anew, in every libc */
    opterr = 0;
    while (r == 0 && (option = next_option(argc, argv)) != -1) {
        r = take(out, &given, option, argv, err);
    }
    /* Behind "--" all are words. */
    while (r == 0 && optind < argc) {
        r = take_word(out, argv[optind++], err);
    }
    if (r == 0 && !out->help && !out->version) {
        r = check(out, &given, err);
    }
    return r;
}

void options_deinit(struct options *options)
{
    free(options->words);
    options->words = NULL;
    options->n_words = 0;
}
