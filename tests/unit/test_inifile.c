#include <string.h>

#include "base/buf.h"
#include "cmd/inifile.h"
#include "tests/tap.h"

/* "[kind name]key=value;key=value" of what was read. */
static void print(const struct inifile *ini, struct buf *out)
{
    for (size_t i = 0; i < ini->n_sections; i++) {
        const struct inifile_section *section = &ini->sections[i];

        buf_printf(out, "[%s %s]", section->kind, section->name);
        for (size_t j = 0; j < section->n_entries; j++) {
            buf_printf(out, "%s=%s;", section->entries[j].key,
                       section->entries[j].value);
        }
    }
}

static void test_good(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *expected;
    } cases[] = {
        {"nothing",                      "",                                  ""                       },
        {"comments and empty lines",     "# a\n; b\n\n  # c\n",               ""                       },
        {"a section",                    "[account work]\n",                  "[account work]"         },
        {"a section without a name",     "[account]",                         "[account ]"             },
        {"a name with a blank",          "[ pair  my  work ]\n",              "[pair my  work]"        },
        {"a comment behind a section",   "[a b]  # it is \"b\"\n",            "[a b]"                  },
        {"keys",                         "[a b]\nx=1\n y = 2 \nz\t=\t3",      "[a b]x=1;y=2;z=3;"      },
        {"an equals sign in a value",    "[a b]\nx = a=b\n",                  "[a b]x=a=b;"            },
        {"a comment behind a value",     "[a b]\nx = 1   # one\n",            "[a b]x=1;"              },
        {"a hash within a word",         "[a b]\nx = p#ss;word\n",            "[a b]x=p#ss;word;"      },
        {"a semicolon behind a blank",   "[a b]\nx = cd / ; pwd\n",
         "[a b]x=cd / ; pwd;"                                                                          },
        {"a hash in quotes",             "[a b]\nx = !\"Old #1\", * # old\n",
         "[a b]x=!\"Old #1\", *;"                                                                      },
        {"a quote that is not closed",   "[a b]\nx = 5\" disk # big\n",
         "[a b]x=5\" disk;"                                                                            },
        {"CRLF line ends",               "[a b]\r\nx = 1\r\n\r\n",            "[a b]x=1;"              },
        {"a byte order mark",            "\xef\xbb\xbf[a b]\nx = 1",          "[a b]x=1;"              },
        {"UTF-8",                        "[a b]\nx = Entw\xc3\xbcrfe\n",      "[a b]x=Entw\xc3\xbcrfe;"},
        {"the same key in two sections", "[a b]\nx=1\n[a c]\nx=2\n",
         "[a b]x=1;[a c]x=2;"                                                                          },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct inifile *ini = NULL;
        struct err err = {{0}};
        struct buf text;
        int r = inifile_parse("f", bytes_of(cases[i].text), &ini, &err);

        buf_init(&text, 0);
        if (r == 0) {
            print(ini, &text);
        }
        ok(r == 0 && strcmp(buf_text(&text), cases[i].expected) == 0,
           "%s: %s%s", cases[i].name, buf_text(&text), err.text);
        buf_deinit(&text);
        inifile_free(ini);
    }
}

static void test_bad(void)
{
    const struct {
        const char *name;
        struct bytes text;
        const char *expected; /* how the error begins */
    } cases[] = {
        {"a key before all sections", B("x = 1\n"),                "f:1: x: it stands"              },
        {"no section end",            B("\n[account work\n"),      "f:2: this section"              },
        {"no equals sign",            B("[a b]\nhost\n"),          "f:2: this is neither"           },
        {"no key",                    B("[a b]\n= 1\n"),           "f:2: this is neither"           },
        {"no value",                  B("[a b]\n\nx =\n"),         "f:3: x: it has no value"        },
        {"a comment for a value",     B("[a b]\nx = # y\n"),       "f:2: x: it has no"              },
        {"the same key twice",        B("[a b]\nx=1\nx=2\n"),      "f:3: x: it is there"            },
        {"a NUL",                     B("[a b]\nx=\0\n"),          "f:2: a control character (0x00)"},
        {"UTF-16",                    B("\xff\xfe[\0a\0"),         "f:1: a control"                 },
        {"an escape",                 B("[a b]\nx=\033[1m\n"),     "f:2: a control"                 },
        {"Latin-1",                   B("[a b]\nx=Entw\xfcrfe\n"), "f:2: not valid UTF-8"           },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct inifile *ini = NULL;
        struct err err = {{0}};
        int r = inifile_parse("f", cases[i].text, &ini, &err);

        ok(r == ERR_USAGE && ini == NULL &&
               strncmp(err.text, cases[i].expected,
                       strlen(cases[i].expected)) == 0,
           "%s: %s", cases[i].name, err.text);
    }
}

static void test_limits(void)
{
    struct inifile *ini = NULL;
    struct err err = {{0}};
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text, "[a b]\nx = ");
    for (size_t i = 0; i < INIFILE_LINE_BYTES_MAX - 4; i++) {
        buf_add_char(&text, 'x');
    }
    ok(inifile_parse("f", buf_peek(&text), &ini, &err) == 0,
       "a line of %u bytes", INIFILE_LINE_BYTES_MAX);
    inifile_free(ini);
    buf_add_char(&text, 'x');
    ok(inifile_parse("f", buf_peek(&text), &ini, &err) == ERR_USAGE,
       "and not of one more: %s", err.text);
    buf_clear(&text);
    buf_printf(&text, "[a b]\n");
    for (size_t i = 0; i <= INIFILE_ENTRIES_MAX; i++) {
        buf_printf(&text, "k%zu = v\n", i);
    }
    ok(inifile_parse("f", buf_peek(&text), &ini, &err) == ERR_USAGE,
       "too many keys: %s", err.text);
    buf_deinit(&text);
}

int main(void)
{
    test_good();
    test_bad();
    test_limits();
    return done_testing();
}
