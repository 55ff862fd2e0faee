#include <string.h>

#include "cmd/suggest.h"
#include "tests/tap.h"

int main(void)
{
    static const char *const names[] = {"sync", "plan", "status", "probe",
                                        "password_command"};

    static const struct {
        const char *name;
        const char *word;
        const char *near; /* NULL: none */
    } cases[] = {
        {"a letter left out",   "syn",                                           "sync"            },
        {"two letters swapped", "stauts",                                        "status"          },
        {"a letter too many",   "plann",                                         "plan"            },
        {"capitals",            "STATUS",                                        "status"          },
        {"another sign",        "password-command",                              "password_command"},
        {"another word",        "restore",                                       NULL              },
        {"one letter",          "x",                                             NULL              },
        {"nothing",             "",                                              NULL              },
        {"an absurd length",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL              },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *near =
            suggest_of(cases[i].word, names, sizeof(names) / sizeof(names[0]));
        bool good = cases[i].near == NULL
                        ? near == NULL
                        : near != NULL && strcmp(near, cases[i].near) == 0;

        ok(good, "%s: %s", cases[i].name, near != NULL ? near : "none");
    }
    return done_testing();
}
