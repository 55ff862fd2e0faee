#include <stdlib.h>
#include <string.h>

#include "cmd/conf_value.h"
#include "tests/tap.h"

static void test_sizes(void)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } cases[] = {
        {"1",               1           },
        {"50M",             50ull << 20 },
        {"1g",              1ull << 30  },
        {"100K",            100ull << 10},
        {"2T",              2ull << 40  },
        {"0",               0           },
        {"0M",              0           },
        {"",                0           },
        {"M",               0           },
        {"-1M",             0           },
        {"1.5G",            0           },
        {"50MB",            0           },
        {"50 M",            0           },
        {"99999999999999T", 0           },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};
        uint64_t bytes = 0;
        int r = conf_value_size(cases[i].text, &bytes, &err);

        ok(bytes == cases[i].bytes && (r == 0) == (bytes != 0),
           "size \"%s\" is %llu", cases[i].text, (unsigned long long)bytes);
    }
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        uint64_t seconds; /* 0: refused */
    } cases[] = {
        {"90d",                  90 * 86400 },
        {"12h",                  12 * 3600  },
        {"2w",                   14 * 86400 },
        {"1y",                   365 * 86400},
        {"90",                   0          },
        {"d",                    0          },
        {"0d",                   0          },
        {"5m",                   0          },
        {"9999999999999999999d", 0          },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};
        uint64_t seconds = 0;
        int r = conf_value_duration(cases[i].text, &seconds, &err);

        ok(seconds == cases[i].seconds && (r == 0) == (seconds != 0),
           "duration \"%s\" is %llu", cases[i].text,
           (unsigned long long)seconds);
    }
}

static void test_max_delete(void)
{
    static const struct {
        const char *text;
        int result;
        struct max_delete value;
    } cases[] = {
        {"50%",  0,         {MAX_DELETE_PERCENT, 50} },
        {"0%",   0,         {MAX_DELETE_PERCENT, 0}  },
        {"100%", 0,         {MAX_DELETE_PERCENT, 100}},
        {"200",  0,         {MAX_DELETE_COUNT, 200}  },
        {"0",    0,         {MAX_DELETE_COUNT, 0}    },
        {"off",  0,         {MAX_DELETE_OFF, 0}      },
        {"101%", ERR_USAGE, {0}                      },
        {"%",    ERR_USAGE, {0}                      },
        {"-5",   ERR_USAGE, {0}                      },
        {"all",  ERR_USAGE, {0}                      },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct max_delete value = {0};
        struct err err = {{0}};
        int r = conf_value_max_delete(cases[i].text, &value, &err);

        ok(r == cases[i].result && value.kind == cases[i].value.kind &&
               value.value == cases[i].value.value,
           "max_delete \"%s\"", cases[i].text);
    }
}

static void test_paths(void)
{
    static const struct {
        const char *text;
        const char *path; /* NULL: refused */
    } cases[] = {
        {"/mail",                  "/mail"        },
        {"/mail///",               "/mail"        },
        {"/",                      "/"            },
        {"~",                      "/home/me"     },
        {"~/Mail",                 "/home/me/Mail"},
        {"$MAILTWIN_TEST/x",       "/srv/x"       },
        {"${MAILTWIN_TEST}y",      "/srvy"        },
        {"/a/$MAILTWIN_TEST/b",    "/a//srv/b"    },
        {"Mail",                   NULL           },
        {"./Mail",                 NULL           },
        {"~other/Mail",            NULL           },
        {"$MAILTWIN_TEST_UNSET/x", NULL           },
        {"${MAILTWIN_TEST",        NULL           },
        {"/a$",                    NULL           },
    };

    setenv("HOME", "/home/me", 1);
    setenv("MAILTWIN_TEST", "/srv", 1);
    unsetenv("MAILTWIN_TEST_UNSET");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};
        char *path = NULL;
        int r = conf_value_path(cases[i].text, &path, &err);
        bool good = cases[i].path == NULL
                        ? r == ERR_USAGE && path == NULL
                        : r == 0 && strcmp(path, cases[i].path) == 0;

        ok(good, "path \"%s\": %s%s", cases[i].text, path != NULL ? path : "",
           err.text);
        free(path);
    }
}

static void test_names(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"work",    true },
        {"my work", true },
        {"a.b",     true },
        {"",        false},
        {".",       false},
        {"..",      false},
        {".x",      false},
        {"a/b",     false},
        {"-work",   false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};

        ok((conf_value_name(cases[i].text, &err) == 0) == cases[i].good,
           "name \"%s\": %s", cases[i].text, err.text);
    }
}

static void test_fingerprints(void)
{
    static const char plain[] = "sha256:00112233445566778899aabbccddeeff"
                                "00112233445566778899AABBCCDDEEFF";
    static const char colons[] =
        "sha256:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:"
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
    struct err err;

    ok(conf_value_fingerprint(plain, &err) == 0, "a fingerprint");
    ok(conf_value_fingerprint(colons, &err) == 0, "a fingerprint with colons");
    ok(conf_value_fingerprint(plain + 7, &err) == ERR_USAGE,
       "none without sha256:");
    ok(conf_value_fingerprint("sha256:0011", &err) == ERR_USAGE,
       "none that is too short");
    ok(conf_value_fingerprint("sha1:0011", &err) == ERR_USAGE, "no SHA-1");
}

static void test_choices(void)
{
    static const char *const names[] = {"implicit", "starttls", "none"};
    struct err err;
    size_t i = 9;

    ok(conf_value_choice("starttls", names, 3, &i, &err) == 0 && i == 1,
       "a choice");
    ok(conf_value_choice("STARTLS", names, 3, &i, &err) == ERR_USAGE &&
           strstr(err.text, "did you mean starttls?") != NULL,
       "a misspelled choice: %s", err.text);
    ok(conf_value_choice("maybe", names, 3, &i, &err) == ERR_USAGE &&
           strstr(err.text, "write implicit, starttls or none") != NULL,
       "another choice: %s", err.text);
}

int main(void)
{
    test_sizes();
    test_durations();
    test_max_delete();
    test_paths();
    test_names();
    test_fingerprints();
    test_choices();
    return done_testing();
}
