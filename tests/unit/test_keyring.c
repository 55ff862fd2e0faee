#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/keyring.h"
#include "tests/tap.h"

static char path[] = "/tmp/test_keyring.XXXXXX";

/* Each call of the command prints one letter more, but the third fails. */
static char *counting_command(void)
{
    return mem_printf("printf x >>%s; grep -v xxx %s", path, path);
}

static const char *get(struct keyring *keyring, const struct account *account)
{
    const char *secret = NULL;
    struct err err = {""};

    ok(keyring_get(keyring, account, &secret, NULL, &err) == 0, "a secret %s",
       err.text);
    return secret;
}

static void test_renew(void)
{
    struct account account = {.type = ACCOUNT_IMAP,
                              .name = mem_copy("work"),
                              .token_command = counting_command()};
    struct account other = {.type = ACCOUNT_IMAP, .password = mem_copy("p")};
    struct account disk = {.type = ACCOUNT_MAILDIR};
    struct account stranger = {.type = ACCOUNT_IMAP,
                               .name = mem_copy("stranger"),
                               .token_command = mem_copy("echo no")};
    struct account *accounts[] = {&other, &account, &disk};
    struct keyring *keyring = keyring_new(accounts, 3);
    struct err err = {""};
    const char *first = get(keyring, &account);
    const char *second = NULL;

    ok(strcmp(first, "x") == 0 && get(keyring, &account) == first,
       "it is asked for once");
    ok(strcmp(get(keyring, &other), "p") == 0, "each account has its own");
    ok(get(keyring, &disk) == NULL, "a Maildir has none");
    ok(keyring_renew(keyring, &account, &second, &err) == 0 &&
           strcmp(second, "xx") == 0,
       "it is renewed");
    ok(get(keyring, &account) == second, "and stays so");
    ok(strcmp(first, "x") == 0, "the one before is not taken away");
    ok(keyring_renew(keyring, &stranger, &second, &err) == ERR_USAGE,
       "no other account can be asked for: %s", err.text);
    ok(keyring_renew(keyring, &account, &second, &err) == ERR_AUTH,
       "a command that fails says so: %s", err.text);
    ok(strcmp(get(keyring, &account), "xx") == 0, "the newest stays");
    keyring_free(keyring);
    keyring_free(NULL);
    free(account.token_command);
    free(account.name);
    free(other.password);
    free(stranger.name);
    free(stranger.token_command);
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0) {
        printf("Bail out! cannot make %s\n", path);
        return 1;
    }
    close(fd);
    test_renew();
    unlink(path);
    return done_testing();
}
