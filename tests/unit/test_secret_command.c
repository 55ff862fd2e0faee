#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/secret_command.h"
#include "tests/tap.h"

#define SIZE    16
#define LONG_MS 60000

static const struct {
    const char *name;
    const char *command;
    uint64_t timeout_ms;
    const char *want; /* output; NULL: fails */
    const char *want_err;
} cases[] = {
    {"prints a line",                            "echo pass word",                     LONG_MS, "pass word\n", NULL                       },
    {"prints nothing",                           "true",                               LONG_MS, "",            NULL                       },
    {"prints in pieces",                         "printf a; printf b | cat; printf c", LONG_MS, "abc",
     NULL                                                                                                                                 },
    {"fills the room to the end",                "printf 0123456789abcdef",            LONG_MS,
     "0123456789abcdef",                                                                                       NULL                       },
    {"prints one byte too many",                 "printf 0123456789abcdefg",           LONG_MS, NULL,
     "printed more than 16 bytes"                                                                                                         },
    {"never stops to print",                     "exec yes",                           LONG_MS, NULL,
     "printed more than 16 bytes"                                                                                                         },
    {"fails",                                    "echo half; exit 3",                  LONG_MS, NULL,          "failed with exit status 3"},
    {"is not there",                             "/no/such/helper 2>/dev/null",        LONG_MS, NULL,
     "failed with exit status 127"                                                                                                        },
    {"is killed",                                "kill -9 $$",                         LONG_MS, NULL,          "was killed by signal 9"   },
    {"dies of a broken pipe as everywhere else", "kill -PIPE $$",                      LONG_MS, NULL,
     "was killed by signal 13"                                                                                                            },
    {"hangs",                                    "exec tail -f /dev/null",             100,     NULL,          "did not end within 1 s"   },
    {"hangs with its output closed",             "exec tail -f /dev/null >/dev/null",  100,
     NULL,                                                                                                     "did not end within 1 s"   },
};

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as main does */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[SIZE];
        size_t n = 0;
        struct err err = {""};
        int r = secret_command_run(cases[i].command, cases[i].timeout_ms, out,
                                   sizeof(out), &n, &err);

        if (cases[i].want != NULL)
            ok(r == 0 && n == strlen(cases[i].want) &&
                   memcmp(out, cases[i].want, n) == 0,
               "a command that %s: %.*s", cases[i].name, (int)n, out);
        else
            ok(r == ERR_AUTH && strcmp(err.text, cases[i].want_err) == 0,
               "a command that %s: %s", cases[i].name, err.text);
    }
    ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
       "no command is left behind");
    return done_testing();
}
