#include "base/err.h"
#include "cmd/exitcode.h"
#include "tests/tap.h"

static void test_errors(void)
{
    static const struct {
        const char *name;
        int result;
        enum exitcode code;
    } cases[] = {
        {"success is 0",                      0,             EXITCODE_DONE       },
        {"a configuration error is 2",        ERR_USAGE,     EXITCODE_USAGE      },
        {"a guard is 3",                      ERR_GUARD,     EXITCODE_HELD       },
        {"no connection is 4",                ERR_CONNECT,   EXITCODE_CONNECT    },
        {"an unavailable server is 4",        ERR_BUSY,      EXITCODE_CONNECT    },
        {"a server that makes no sense is 4", ERR_PROTOCOL,  EXITCODE_CONNECT    },
        {"a server without bounds is 4",      ERR_LIMIT,     EXITCODE_CONNECT    },
        {"a refused user is 5",               ERR_AUTH,      EXITCODE_AUTH       },
        {"another run is 6",                  ERR_LOCKED,    EXITCODE_LOCKED     },
        {"an unusable state is 7",            ERR_STATE,     EXITCODE_STATE      },
        {"a full disk is 7",                  ERR_DISK,      EXITCODE_STATE      },
        {"an interruption is 130",            ERR_CANCELLED, EXITCODE_INTERRUPTED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(exitcode_of_error(cases[i].result) == cases[i].code, "%s",
           cases[i].name);
    }
}

static void test_runs(void)
{
    static const struct {
        const char *name;
        int result;
        uint32_t failed, held, todo;
        bool dry;
        enum exitcode code;
    } cases[] = {
        {"all in step is 0",                    0,           0, 0, 0, false, EXITCODE_DONE},
        {"a failed message is 1",               0,           2, 0, 0, false, EXITCODE_PART},
        {"held work is 3",                      0,           0, 1, 0, false, EXITCODE_HELD},
        {"held work goes before failures",      0,           2, 1, 0, false, EXITCODE_HELD},
        {"what ended the run goes before all",  ERR_CONNECT, 2, 1, 0, false,
         EXITCODE_CONNECT                                                                 },
        {"a plan with nothing to do is 0",      0,           0, 0, 0, true,  EXITCODE_DONE},
        {"a plan with something to do is 8",    0,           0, 0, 3, true,
         EXITCODE_DIFFERENT                                                               },
        {"a plan with work and held work is 8", 0,           0, 2, 3, true,
         EXITCODE_DIFFERENT                                                               },
        {"a plan with held work alone is 3",    0,           0, 2, 0, true,  EXITCODE_HELD},
        {"a plan that could not connect is 4",  ERR_CONNECT, 0, 0, 3, true,
         EXITCODE_CONNECT                                                                 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run_result result = {.result = cases[i].result,
                                    .failed = cases[i].failed,
                                    .held = cases[i].held,
                                    .todo = cases[i].todo};

        ok(exitcode_of_run(&result, cases[i].dry) == cases[i].code, "%s",
           cases[i].name);
    }
}

static void test_order(void)
{
    static const enum exitcode order[] = {130, 7, 2, 5, 4, 6, 8, 3, 1, 0};

    size_t n = sizeof(order) / sizeof(order[0]);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++) {
            ok(exitcode_worse(order[i], order[j]) == order[i] &&
                   exitcode_worse(order[j], order[i]) == order[i],
               "%d is no less severe than %d", (int)order[i], (int)order[j]);
        }
    }
}

int main(void)
{
    test_errors();
    test_runs();
    test_order();
    return done_testing();
}
