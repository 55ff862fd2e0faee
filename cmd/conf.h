/*
 * The configuration: an INI file to accounts and pairs. Every mistake is an
 * error with file, line and what to write instead.
 */
#ifndef CMD_CONF_H
#define CMD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "imap/conn.h"
#include "store/maildir_endpoint.h"
#include "sync/policy.h"

enum account_type { ACCOUNT_IMAP, ACCOUNT_MAILDIR };

/* What an account logs in with. */
enum account_login { LOGIN_BY_PASSWORD, LOGIN_BY_TOKEN, LOGIN_BY_CERTIFICATE };

struct account {
    char *name;
    unsigned line; /* of its section */
    enum account_type type;
    /* imap; strings are this struct's */
    char *host;
    uint16_t port;
    enum tls_mode tls;
    bool allow_plaintext;
    char *tls_ca_file;
    char *tls_fingerprint;
    char *tls_certificate;
    char *tls_key;
    char *user;
    char *authzid;
    enum session_auth auth;
    char *password;
    char *password_file;
    char *password_command;
    char *token_command;
    unsigned connections;
    enum account_compress compress;
    struct quirks_wish quirks; /* its strings are the next two */
    char *provider;
    char *skip_folders;
    /* maildir */
    char *path;
    enum maildir_layout layout;
};

struct pair {
    char *name;
    unsigned line;
    struct account *account[SIDES]; /* borrowed from the configuration */
    struct policy policy;           /* its strings are this struct's */
};

struct conf {
    char *file;
    struct account **accounts;
    size_t n_accounts;
    struct pair **pairs;
    size_t n_pairs;
};

/**
 * Read the configuration.
 *
 * @file      path, as given or the default
 * @out       conf_free() it
 * @warnings  lines for standard error, e.g. of a password in a file that
 *            others may read
 *
 * Returns 0 or ERR_USAGE with "file:line: what: what to write instead".
 */
int conf_load(const char *file, struct conf **out, struct buf *warnings,
              struct err *err);

/* The same of a text that is there; @file is its name, for errors. */
int conf_read(const char *file, struct bytes text, struct conf **out,
              struct err *err);

void conf_free(struct conf *conf);

/* Of ACCOUNT_IMAP. Where auth = auto, a token goes before a password. */
enum account_login conf_account_login(const struct account *account);

/* Of ACCOUNT_IMAP: the user whose mail it is. */
const char *conf_account_owner(const struct account *account);

/* By name, or NULL. */
struct account *conf_account(const struct conf *conf, const char *name);
struct pair *conf_pair(const struct conf *conf, const char *name);

#endif
