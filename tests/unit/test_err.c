/* Errors: texts, context, hints, and that nothing overflows. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "tests/tap.h"

static void test_set_and_wrap(void)
{
    struct err err;

    ok(err_set(&err, ERR_REFUSED, "APPEND refused: %s", "full") == ERR_REFUSED,
       "set returns the code");
    ok(strcmp(err.text, "APPEND refused: full") == 0, "and the text");
    ok(err_wrap(&err, ERR_REFUSED, "%s", "INBOX") == ERR_REFUSED,
       "wrap returns the code");
    err_wrap(&err, ERR_REFUSED, "work: right");
    ok(strcmp(err.text, "work: right: INBOX: APPEND refused: full") == 0,
       "outermost context first");
    err_set(&err, ERR_GONE, "again: %s", err.text);
    ok(strncmp(err.text, "again: work: right", 18) == 0,
       "an argument may be the text itself");
    err_set(&err, ERR_GONE, "x");
    err_wrap(&err, ERR_GONE, "in %s", err.text);
    ok(strcmp(err.text, "in x: x") == 0, "in a context too");
}

static void test_nobody_listens(void)
{
    ok(err_set(NULL, ERR_GONE, "x") == ERR_GONE, "set without a text");
    ok(err_wrap(NULL, ERR_GONE, "x") == ERR_GONE, "wrap without a text");
    ok(err_errno(NULL, ERR_DISK, EIO, "x") == ERR_DISK, "errno without a text");
}

static void test_long(void)
{
    char large[2000];
    struct err err;

    memset(large, 'a', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    err_set(&err, ERR_LIMIT, "%s", large);
    ok(strlen(err.text) == sizeof(err.text) - 1, "a long text is cut");
    err_wrap(&err, ERR_LIMIT, "context");
    ok(strlen(err.text) == sizeof(err.text) - 1 &&
           strncmp(err.text, "context: aaa", 12) == 0,
       "its context stays");
    err_wrap(&err, ERR_LIMIT, "%s", large);
    ok(strlen(err.text) == sizeof(err.text) - 1, "a long context is cut");
    err_errno(&err, ERR_DISK, ENOSPC, "%s", large);
    ok(strlen(err.text) == sizeof(err.text) - 1, "so is one before errno");
    large[sizeof(err.text) - 2] = '\0';
    err_set(&err, ERR_LIMIT, "b");
    err_wrap(&err, ERR_LIMIT, "%s", large);
    ok(strlen(err.text) == sizeof(err.text) - 1 &&
           err.text[sizeof(err.text) - 2] == ':',
       "cut within the separator");
}

static void test_errno(void)
{
    static const struct {
        int number;
        const char *want;
        const char *hint;
    } cases[] = {
        {ENOSPC, "write a: No space left on device (",
         "free some space and run again"                                      },
        {EDQUOT, "write a: Disk quota exceeded (",
         "free some space and run again"                                      },
        {EROFS,  "write a: Read-only file system (",
         "the file system is read-only"                                       },
        {EACCES, "write a: Permission denied (",       "check the permissions"},
    };
    struct err err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code = err_errno(&err, ERR_DISK, cases[i].number, "write %s", "a");

        ok(code == ERR_DISK && strstr(err.text, cases[i].want) == err.text,
           "errno %d has its words", cases[i].number);
        ok(strstr(err.text, cases[i].hint) != NULL, "and what to do");
    }
    err_errno(&err, ERR_DISK, ENOENT, "open a");
    ok(strcmp(err.text, "open a: No such file or directory") == 0,
       "others have no hint");
    err_errno(&err, ERR_DISK, 99999, "open a");
    ok(strncmp(err.text, "open a: Unknown error 99999", 27) == 0,
       "an unknown number");
}

int main(void)
{
    test_set_and_wrap();
    test_nobody_listens();
    test_long();
    test_errno();
    return done_testing();
}
