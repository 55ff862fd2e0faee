/*
 * The secrets of a command's accounts: each is asked for once, unless its token
 * is refused. Commands and files are asked one after the other, for a command
 * may talk to the user; nobody else has to wait for that.
 */
#ifndef CMD_KEYRING_H
#define CMD_KEYRING_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd/conf.h"
#include "cmd/loop.h"

struct keyring;

/* One question. The asker's memory until granted(). */
struct keyring_wish {
    const struct account *account;
    /* The answer is there; @warnings as of secret_get(). */
    void (*granted)(struct keyring_wish *wish, struct buf *warnings);
    void *owner;
    int result; /* as of secret_get() */
    struct err err;
    const char *secret; /* borrowed while the keyring lives; NULL for a Maildir
                           and where there is none */
    /* The keyring's. */
    bool anew;
    bool waits;
    struct keyring_wish *next;
};

/* The keyring of @accounts, borrowed while it lives, as they are now. Starts a
 * process where one of them has a command or a file to ask
 * (cmd/secret_helper.h): to be called before any thread is started. */
struct keyring *keyring_new(struct account *const *accounts, size_t n);

/* Wipes the secrets, ends the process; NULL is fine. Nothing is asked for any
 * more. */
void keyring_free(struct keyring *keyring);

/* Answer on @loop, to be called once and first. */
void keyring_serve(struct keyring *keyring, struct loop *loop);

/* Ask for the secret of wish->account, one of the accounts; granted() may be
 * called from inside. */
void keyring_ask(struct keyring *keyring, struct keyring_wish *wish);

/* The same for another token, which takes the place of the one before from then
 * on; that one stays valid. */
void keyring_renew(struct keyring *keyring, struct keyring_wish *wish);

/* There will be no granted(); fine where nothing was asked, too. */
void keyring_forget(struct keyring *keyring, struct keyring_wish *wish);

/* Is a command or a file being asked? A command may have the terminal then. */
bool keyring_is_asking(const struct keyring *keyring);

#endif
