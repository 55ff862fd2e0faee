/* Log lines: levels, and text from outside made harmless. */
#include <string.h>

#include "base/log.h"
#include "tests/tap.h"

struct seen {
    int lines;
    enum log_level level;
    char text[256];
};

static void on_line(void *owner, enum log_level level, const char *line)
{
    struct seen *seen = owner;

    seen->lines++;
    seen->level = level;
    (void)snprintf(seen->text, sizeof(seen->text), "%s", line);
}

/* clang-format off */
static const struct {
    const char *name;
    struct bytes in;
    const char *want;
} cases[] = {
    {"plain text", {"INBOX: 3 copied", 15}, "INBOX: 3 copied"},
    {"nothing", {"", 0}, ""},
    {"umlauts and emoji", {"\xC3\xA4 \xF0\x9F\x93\xA7", 7}, "\xC3\xA4 \xF0\x9F\x93\xA7"},
    {"a forged line", {"a\r\nb", 4}, "a\\x0D\\x0A" "b"},
    {"a tab", {"a\tb", 3}, "a\\x09" "b"},
    {"NUL", {"a\0b", 3}, "a\\x00" "b"},
    {"a terminal escape", {"\033[2J", 4}, "\\x1B[2J"},
    {"DEL", {"\177", 1}, "\\x7F"},
    {"C1 as one byte", {"\x9B" "2J", 3}, "\\x9B2J"},
    {"C1 in UTF-8", {"\xC2\x9B" "2J", 4}, "\\xC2\\x9B2J"},
    {"no-break space is printable", {"\xC2\xA0", 2}, "\xC2\xA0"},
    {"Latin-1", {"caf\xE9", 4}, "caf\\xE9"},
    {"a sequence cut short", {"\xE2\x82", 2}, "\\xE2\\x82"},
    {"an overlong slash", {"\xC0\xAF", 2}, "\\xC0\\xAF"},
    {"a surrogate", {"\xED\xA0\x80", 3}, "\\xED\\xA0\\x80"},
    {"text turned around", {"\xE2\x80\xAE" "x", 4}, "\\xE2\\x80\\xAEx"},
    {"a line separator", {"\xE2\x80\xA8", 3}, "\\xE2\\x80\\xA8"},
    {"a percent sign", {"%s%n", 4}, "%s%n"},
};

/* clang-format on */

static void test_clean(void)
{
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&out);
        log_clean(&out, cases[i].in);
        ok(strcmp(buf_text(&out), cases[i].want) == 0, "%s", cases[i].name);
    }
    buf_clear(&out);
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;

        log_clean(&out, (struct bytes){&byte, 1});
    }
    ok(buf_len(&out) == 95 + 4 * (256 - 95), "95 single bytes are printable");
    buf_deinit(&out);
}

static void test_line(void)
{
    struct seen seen = {0};
    struct log log = {.level = LOG_NOTICE, .sink = on_line, .owner = &seen};

    ok(log_shows(&log, LOG_ERROR) && log_shows(&log, LOG_NOTICE) &&
           !log_shows(&log, LOG_ACTION) && !log_shows(&log, LOG_WIRE),
       "shows up to its level");
    ok(!log_shows(NULL, LOG_ERROR), "no log shows nothing");
    log_line(NULL, LOG_ERROR, "x");
    log_line(&log, LOG_ACTION, "hidden");
    ok(seen.lines == 0, "what is not shown is not written");
    log_line(&log, LOG_ERROR, "%s: %d", "bad\nname", 5);
    ok(seen.lines == 1 && seen.level == LOG_ERROR &&
           strcmp(seen.text, "bad\\x0Aname: 5") == 0,
       "one line, cleaned");
    log.sink = NULL;
    log_line(&log, LOG_ERROR, "x");
    ok(seen.lines == 1, "no sink, no line");
}

int main(void)
{
    test_clean();
    test_line();
    return done_testing();
}
