#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/secret.h"
#include "tests/tap.h"

static const struct {
    const char *name;
    struct bytes text;
    const char *want; /* NULL: refused */
} lines[] = {
    {"a line",                     {"secret\n", 7},            "secret"     },
    {"a line without its end",     {"secret", 6},              "secret"     },
    {"the first of several lines", {"secret\nuser: me\n", 16}, "secret"     },
    {"a line of DOS",              {"secret\r\n", 8},          "secret"     },
    {"blanks belong to it",        {" a b \n", 6},             " a b "      },
    {"not ASCII",                  {"p\xc3\xa4ss\n", 6},       "p\xc3\xa4ss"},
    {"nothing",                    {"", 0},                    NULL         },
    {"an empty first line",        {"\nsecret\n", 8},          NULL         },
    {"a NUL",                      {"sec\0ret\n", 8},          NULL         },
};

static char path[] = "/tmp/test_secret.XXXXXX";

static void write_file(struct bytes text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fwrite(text.ptr, 1, text.len, file) != text.len ||
        fclose(file) != 0 || chmod(path, mode) != 0) {
        printf("Bail out! cannot write %s\n", path);
        exit(1);
    }
}

/* One account that gets its password in one of the three ways. */
static struct account account_with(const char *file, const char *command,
                                   const char *password)
{
    struct account account = {0};

    account.name = mem_copy("work");
    account.password_file = mem_copy(file);
    account.password_command = mem_copy(command);
    account.password = mem_copy(password);
    return account;
}

static void drop(struct account *account)
{
    free(account->name);
    free(account->password_file);
    free(account->password_command);
    free(account->password);
}

static void check_line(struct account account, const char *want, int want_code,
                       const char *name)
{
    struct buf warnings;
    struct err err = {""};
    char *got = NULL;
    int r;

    buf_init(&warnings, 0);
    r = secret_get(&account, &got, &warnings, &err);
    ok(want == NULL ? r == want_code && got == NULL
                    : r == 0 && strcmp(got, want) == 0,
       "%s, by %s: %s", name, account.password_file ? "file" : "command",
       err.text);
    ok(buf_len(&warnings) == 0, "no warning");
    secret_free(got);
    buf_deinit(&warnings);
    drop(&account);
}

/* The same text by a file and by a command. */
static void test_lines(void)
{
    char command[64];

    snprintf(command, sizeof(command), "cat %s", path);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        write_file(lines[i].text, S_IRUSR | S_IWUSR);
        check_line(account_with(path, NULL, NULL), lines[i].want, ERR_USAGE,
                   lines[i].name);
        check_line(account_with(NULL, command, NULL), lines[i].want, ERR_AUTH,
                   lines[i].name);
    }
}

static void test_open_file(void)
{
    struct account account = account_with(path, NULL, NULL);
    struct buf warnings;
    struct err err = {""};
    char *got = NULL;

    buf_init(&warnings, 0);
    write_file(B("secret\n"), S_IRUSR | S_IWUSR | S_IRGRP);
    ok(secret_get(&account, &got, &warnings, &err) == 0 &&
           strstr(buf_text(&warnings), "chmod 600") != NULL,
       "a file that the group may read is warned of");
    secret_free(got);
    buf_deinit(&warnings);
    drop(&account);
}

static void check_refused(struct account account, int code, const char *want)
{
    struct buf warnings;
    struct err err = {""};
    char *got = NULL;

    buf_init(&warnings, 0);
    ok(secret_get(&account, &got, &warnings, &err) == code && got == NULL &&
           strncmp(err.text, want, strlen(want)) == 0,
       "refused: %s", err.text);
    buf_deinit(&warnings);
    drop(&account);
}

static void test_refused(void)
{
    char *text = mem_new(SECRET_BYTES_MAX, 1);

    memset(text, 'x', SECRET_BYTES_MAX);
    write_file((struct bytes){text, SECRET_BYTES_MAX}, S_IRUSR | S_IWUSR);
    free(text);
    check_refused(account_with("/no/such/file", NULL, NULL), ERR_USAGE,
                  "account work: password_file /no/such/file: cannot be "
                  "opened");
    check_refused(account_with("/tmp", NULL, NULL), ERR_USAGE,
                  "account work: password_file /tmp: cannot be read");
    check_refused(account_with(path, NULL, NULL), ERR_USAGE,
                  "account work: password_file ");
    check_refused(account_with(NULL, "exit 2", NULL), ERR_AUTH,
                  "account work: password_command: failed with exit status 2");
    check_refused(account_with(NULL, "yes", NULL), ERR_AUTH,
                  "account work: password_command: printed more than");
}

static void test_plain(void)
{
    struct account account = account_with(NULL, NULL, "in the open");
    struct buf warnings;
    struct err err = {""};
    char *got = NULL;

    buf_init(&warnings, 0);
    ok(secret_get(&account, &got, &warnings, &err) == 0 &&
           strcmp(got, "in the open") == 0 && got != account.password,
       "of the configuration it is a copy");
    secret_free(got);
    secret_free(NULL);
    buf_deinit(&warnings);
    drop(&account);
}

static void test_token(void)
{
    struct account account = account_with(NULL, NULL, "a password");
    struct buf warnings;
    struct err err = {""};
    char *got = NULL;

    buf_init(&warnings, 0);
    account.token_command = mem_copy("printf 'a token\\nand more\\n'");
    ok(secret_get(&account, &got, &warnings, &err) == 0 &&
           strcmp(got, "a token") == 0,
       "a token goes before a password");
    secret_free(got);
    account.auth = SESSION_AUTH_PLAIN;
    ok(secret_get(&account, &got, &warnings, &err) == 0 &&
           strcmp(got, "a password") == 0,
       "but not where a password is asked for");
    secret_free(got);
    account.auth = SESSION_AUTH_EXTERNAL;
    ok(secret_get(&account, &got, &warnings, &err) == 0 && got == NULL,
       "a certificate needs no secret");
    free(account.token_command);
    account.token_command = mem_copy("exit 3");
    account.auth = SESSION_AUTH_XOAUTH2;
    ok(secret_get(&account, &got, &warnings, &err) == ERR_AUTH && got == NULL &&
           strcmp(err.text, "account work: token_command: failed with exit "
                            "status 3") == 0,
       "refused: %s", err.text);
    free(account.token_command);
    buf_deinit(&warnings);
    drop(&account);
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0) {
        printf("Bail out! cannot make %s\n", path);
        return 1;
    }
    close(fd);
    test_lines();
    test_open_file();
    test_refused();
    test_plain();
    test_token();
    unlink(path);
    return done_testing();
}
