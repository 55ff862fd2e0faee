/* mailtwin: keeps two mailboxes the same. Chooses and runs one command. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/paths.h"
#include "cmd/version.h"
#ifdef __linux__
#include <sys/prctl.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define HAS_LEAK_CHECKER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LEAK_CHECKER 1
#endif
#endif

/* Passwords will be in memory: neither a core dump nor another process of this
 * user is to see them. */
static void keep_secrets(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && !defined(HAS_LEAK_CHECKER)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* A file that gets the number of a stream that its caller has closed would be
 * written to by all who mean the stream. /dev/null takes its place, the wrong way
 * round: to read or write there is the error that it would have been. */
static bool hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

static void set_up_process(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    /* A peer that goes away is an error of a write, not our end; so is a file
     * that may not be so large. */
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    digest_set_up();
    /* Mail and state are the user's alone. */
    umask(077);
    keep_secrets();
}

static void print_help(enum options_command command, FILE *file)
{
    struct buf text;

    buf_init(&text, 0);
    options_help(command, &text);
    (void)fputs(buf_text(&text), file);
    buf_deinit(&text);
}

static enum exitcode run_command(const struct command *command)
{
    switch (command->options->command) {
    case OPTIONS_SYNC:
    case OPTIONS_PLAN:
    case OPTIONS_CHECK:
        return cmd_sync(command);
    case OPTIONS_STATUS:
        return cmd_status(command);
    case OPTIONS_PROBE:
        return cmd_probe(command);
    case OPTIONS_NONE:
        break;
    }
    return EXITCODE_USAGE;
}

/* With the configuration read. */
static int configure_and_run(struct command *command, const char *file,
                             enum exitcode *code, struct err *err)
{
    struct conf *conf = NULL;
    struct buf warnings;
    int r;

    buf_init(&warnings, 0);
    r = conf_load(file, &conf, &warnings, err);
    console_warnings(command->console, &warnings);
    buf_deinit(&warnings);
    if (r == 0) {
        command->conf = conf;
        *code = run_command(command);
        conf_free(conf);
    }
    return r;
}

/* With the default places filled in. */
static enum exitcode run(const struct options *options, struct console *console)
{
    struct command command = {.options = options, .console = console};
    enum exitcode code = EXITCODE_USAGE;
    char *config = mem_copy(options->config);
    char *state_dir = mem_copy(options->state_dir);
    struct err err = {{0}};
    int r = 0;

    if (config == NULL) {
        r = paths_config(&config, &err);
    }
    if (r == 0 && state_dir == NULL) {
        r = paths_state(&state_dir, &err);
    }
    if (r == 0) {
        command.state_dir = state_dir;
        r = configure_and_run(&command, config, &code, &err);
    }
    if (r != 0) {
        console_complain(console, err.text);
        code = exitcode_of_error(r);
    }
    free(config);
    free(state_dir);
    return code;
}

/* Results that did not reach their reader are no success. */
static enum exitcode finish(struct console *console, enum exitcode code)
{
    struct err err = {{0}};
    int r = console_finish(console, &err);

    if (r < 0) {
        console_complain(console, err.text);
        return exitcode_worse(code, exitcode_of_error(r));
    }
    return code;
}

static enum exitcode start(int argc, char **argv, struct options *options,
                           struct console *console)
{
    struct err err = {{0}};
    int r = options_parse(argc, argv, options, &err);

    console_init(console, options);
    if (argc <= 1) {
        print_help(OPTIONS_NONE, stderr);
        return EXITCODE_USAGE;
    }
    if (r != 0) {
        console_complain(console, err.text);
        return EXITCODE_USAGE;
    }
    if (options->help) {
        print_help(options->command, stdout);
        return EXITCODE_DONE;
    }
    if (options->version) {
        printf("mailtwin %s\n", VERSION);
        return EXITCODE_DONE;
    }
    return run(options, console);
}

int main(int argc, char **argv)
{
    struct options options;
    struct console console;
    enum exitcode code;

    if (!hold_streams())
        return EXITCODE_STATE;
    set_up_process();
    code = start(argc, argv, &options, &console);
    code = finish(&console, code);
    options_deinit(&options);
    return (int)code;
}
