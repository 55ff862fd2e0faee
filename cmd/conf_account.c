#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/conf_quirks.h"
#include "cmd/conf_section.h"
#include "cmd/conf_value.h"

#define CONNECTIONS_MAX     64
#define CONNECTIONS_DEFAULT 4

typedef int (*set_fn)(struct account *account, const char *value,
                      struct err *err);

static const char *const type_names[] = {"imap", "maildir"};

static int set_type(struct account *account, const char *value, struct err *err)
{
    size_t i = 0;
    int r = conf_value_choice(value, type_names, 2, &i, err);

    account->type = i == 0 ? ACCOUNT_IMAP : ACCOUNT_MAILDIR;
    return r;
}

static int set_host(struct account *account, const char *value, struct err *err)
{
    if (strpbrk(value, " \t\"'/@[]") != NULL) {
        return err_set(err, ERR_USAGE,
                       "\"%s\" is no host: write its name or address alone, "
                       "like imap.example.org",
                       value);
    }
    account->host = mem_copy(value);
    return 0;
}

static int set_port(struct account *account, const char *value, struct err *err)
{
    uint64_t port = 0;
    int r = conf_value_number(value, 1, UINT16_MAX, &port, err);

    account->port = (uint16_t)port;
    return r;
}

static int set_tls(struct account *account, const char *value, struct err *err)
{
    static const char *const names[] = {"implicit", "starttls", "none"};

    static const enum tls_mode modes[] = {TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE};

    size_t i = 0;
    int r = conf_value_choice(value, names, 3, &i, err);

    account->tls = modes[i];
    return r;
}

static int set_allow_plaintext(struct account *account, const char *value,
                               struct err *err)
{
    return conf_value_bool(value, &account->allow_plaintext, err);
}

static int set_tls_ca_file(struct account *account, const char *value,
                           struct err *err)
{
    return conf_value_path(value, &account->tls_ca_file, err);
}

static int set_tls_fingerprint(struct account *account, const char *value,
                               struct err *err)
{
    account->tls_fingerprint = mem_copy(value);
    return conf_value_fingerprint(value, err);
}

static int set_tls_certificate(struct account *account, const char *value,
                               struct err *err)
{
    return conf_value_path(value, &account->tls_certificate, err);
}

static int set_tls_key(struct account *account, const char *value,
                       struct err *err)
{
    return conf_value_path(value, &account->tls_key, err);
}

static int set_user(struct account *account, const char *value, struct err *err)
{
    (void)err;
    account->user = mem_copy(value);
    return 0;
}

static int set_authzid(struct account *account, const char *value,
                       struct err *err)
{
    (void)err;
    account->authzid = mem_copy(value);
    return 0;
}

static int set_auth(struct account *account, const char *value, struct err *err)
{
    static const char *const names[] = {"auto",
                                        "plain",
                                        "login",
                                        "scram-sha-256-plus",
                                        "scram-sha-1-plus",
                                        "scram-sha-256",
                                        "scram-sha-1",
                                        "cram-md5",
                                        "xoauth2",
                                        "oauthbearer",
                                        "external"};

    static const enum session_auth values[] = {SESSION_AUTH_AUTO,
                                               SESSION_AUTH_PLAIN,
                                               SESSION_AUTH_LOGIN,
                                               SESSION_AUTH_SCRAM_SHA_256_PLUS,
                                               SESSION_AUTH_SCRAM_SHA_1_PLUS,
                                               SESSION_AUTH_SCRAM_SHA_256,
                                               SESSION_AUTH_SCRAM_SHA_1,
                                               SESSION_AUTH_CRAM_MD5,
                                               SESSION_AUTH_XOAUTH2,
                                               SESSION_AUTH_OAUTHBEARER,
                                               SESSION_AUTH_EXTERNAL};

    size_t i = 0;
    int r = conf_value_choice(value, names, sizeof(names) / sizeof(names[0]),
                              &i, err);

    account->auth = values[i];
    return r;
}

static int set_password(struct account *account, const char *value,
                        struct err *err)
{
    (void)err;
    account->password = mem_copy(value);
    return 0;
}

static int set_password_file(struct account *account, const char *value,
                             struct err *err)
{
    return conf_value_path(value, &account->password_file, err);
}

static int set_password_command(struct account *account, const char *value,
                                struct err *err)
{
    (void)err;
    account->password_command = mem_copy(value);
    return 0;
}

static int set_token_command(struct account *account, const char *value,
                             struct err *err)
{
    (void)err;
    account->token_command = mem_copy(value);
    return 0;
}

static int set_connections(struct account *account, const char *value,
                           struct err *err)
{
    uint64_t n = 0;
    int r = conf_value_number(value, 1, CONNECTIONS_MAX, &n, err);

    account->connections = (unsigned)n;
    return r;
}

static int set_compress(struct account *account, const char *value,
                        struct err *err)
{
    static const char *const names[] = {"auto", "yes", "no"};

    static const enum account_compress values[] = {COMPRESS_AUTO, COMPRESS_YES,
                                                   COMPRESS_NO};

    size_t i = 0;
    int r = conf_value_choice(value, names, 3, &i, err);

    account->compress = values[i];
    return r;
}

static int set_path(struct account *account, const char *value, struct err *err)
{
    return conf_value_path(value, &account->path, err);
}

static int set_layout(struct account *account, const char *value,
                      struct err *err)
{
    static const char *const names[] = {"nested", "maildir++"};
    size_t i = 0;
    int r = conf_value_choice(value, names, 2, &i, err);

    account->layout = i == 0 ? MAILDIR_NESTED : MAILDIR_PLUSPLUS;
    return r;
}

enum { FOR_IMAP = 1 << ACCOUNT_IMAP, FOR_MAILDIR = 1 << ACCOUNT_MAILDIR };

struct key {
    const char *name;
    unsigned types; /* FOR_ */
    set_fn set;
};

static const struct key keys[] = {
    {"type",             FOR_IMAP | FOR_MAILDIR, set_type                  },
    {"host",             FOR_IMAP,               set_host                  },
    {"port",             FOR_IMAP,               set_port                  },
    {"tls",              FOR_IMAP,               set_tls                   },
    {"allow_plaintext",  FOR_IMAP,               set_allow_plaintext       },
    {"tls_ca_file",      FOR_IMAP,               set_tls_ca_file           },
    {"tls_fingerprint",  FOR_IMAP,               set_tls_fingerprint       },
    {"tls_certificate",  FOR_IMAP,               set_tls_certificate       },
    {"tls_key",          FOR_IMAP,               set_tls_key               },
    {"user",             FOR_IMAP,               set_user                  },
    {"authzid",          FOR_IMAP,               set_authzid               },
    {"auth",             FOR_IMAP,               set_auth                  },
    {"password",         FOR_IMAP,               set_password              },
    {"password_file",    FOR_IMAP,               set_password_file         },
    {"password_command", FOR_IMAP,               set_password_command      },
    {"token_command",    FOR_IMAP,               set_token_command         },
    {"connections",      FOR_IMAP,               set_connections           },
    {"compress",         FOR_IMAP,               set_compress              },
    {"provider",         FOR_IMAP,               conf_quirks_provider      },
    {"without",          FOR_IMAP,               conf_quirks_without       },
    {"trust_size",       FOR_IMAP,               conf_quirks_trust_size    },
    {"command_length",   FOR_IMAP,               conf_quirks_command_length},
    {"window",           FOR_IMAP,               conf_quirks_window        },
    {"skip_folders",     FOR_IMAP,               conf_quirks_skip_folders  },
    {"path",             FOR_MAILDIR,            set_path                  },
    {"layout",           FOR_MAILDIR,            set_layout                },
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static int no_such_key(const char *file, enum account_type type,
                       const struct inifile_entry *entry, struct err *err)
{
    const char *names[N_KEYS];
    size_t n = 0;

    for (size_t i = 0; i < N_KEYS; i++) {
        if (strcmp(keys[i].name, entry->key) == 0) {
            return err_set(err, ERR_USAGE,
                           "%s:%u: %s: this key is not for type = %s: remove "
                           "the line",
                           file, entry->line, entry->key, type_names[type]);
        }
        if (keys[i].types & 1u << type) {
            names[n++] = keys[i].name;
        }
    }
    return conf_section_unknown(file, entry, names, n, err);
}

static int apply(const char *file, struct account *account,
                 const struct inifile_entry *entry, struct err *err)
{
    int r;

    for (size_t i = 0; i < N_KEYS; i++) {
        if (strcmp(keys[i].name, entry->key) == 0 &&
            (keys[i].types & 1u << account->type)) {
            r = keys[i].set(account, entry->value, err);
            return r == 0 ? 0
                          : err_wrap(err, r, "%s:%u: %s", file, entry->line,
                                     entry->key);
        }
    }
    return no_such_key(file, account->type, entry, err);
}

/* A secret must not be cut without a word. */
static int check_password_line(const char *file,
                               const struct inifile_section *section,
                               struct err *err)
{
    const struct inifile_entry *entry = conf_section_entry(section, "password");

    if (entry == NULL || !entry->commented) {
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "%s:%u: password: \" #\" begins a comment: write the "
                   "comment on a line of its own, or a password that holds "
                   "\" #\" into a password_file",
                   file, entry->line);
}

const char *conf_account_owner(const struct account *account)
{
    return account->authzid != NULL ? account->authzid : account->user;
}

enum account_login conf_account_login(const struct account *account)
{
    switch (account->auth) {
    case SESSION_AUTH_AUTO:
        return account->token_command != NULL ? LOGIN_BY_TOKEN
                                              : LOGIN_BY_PASSWORD;
    case SESSION_AUTH_XOAUTH2:
    case SESSION_AUTH_OAUTHBEARER:
        return LOGIN_BY_TOKEN;
    case SESSION_AUTH_EXTERNAL:
        return LOGIN_BY_CERTIFICATE;
    case SESSION_AUTH_PLAIN:
    case SESSION_AUTH_LOGIN:
    case SESSION_AUTH_SCRAM_SHA_256_PLUS:
    case SESSION_AUTH_SCRAM_SHA_1_PLUS:
    case SESSION_AUTH_SCRAM_SHA_256:
    case SESSION_AUTH_SCRAM_SHA_1:
    case SESSION_AUTH_CRAM_MD5:
        break;
    }
    return LOGIN_BY_PASSWORD;
}

static int check_certificate(const char *file,
                             const struct inifile_section *section,
                             const struct account *account, struct err *err)
{
    bool wanted = conf_account_login(account) == LOGIN_BY_CERTIFICATE;

    if ((account->tls_certificate == NULL) != (account->tls_key == NULL)) {
        return conf_section_fault(err, file, section,
                                  "tls_certificate and tls_key belong "
                                  "together: write both");
    }
    if (wanted && account->tls_certificate == NULL) {
        return conf_section_fault(err, file, section,
                                  "auth = external is by a certificate: write "
                                  "tls_certificate = PATH and tls_key = PATH");
    }
    if (wanted && account->tls == TLS_NONE) {
        return conf_section_fault(err, file, section,
                                  "auth = external is by TLS: write tls = "
                                  "implicit or starttls");
    }
    return 0;
}

static int check_password(const char *file,
                          const struct inifile_section *section,
                          const struct account *account, struct err *err)
{
    int given = (account->password != NULL) + (account->password_file != NULL) +
                (account->password_command != NULL);

    if (given == 0 && conf_account_login(account) == LOGIN_BY_PASSWORD) {
        return conf_section_fault(err, file, section,
                                  "no password: write password_command = "
                                  "COMMAND, password_file = PATH or password "
                                  "= PASSWORD");
    }
    if (given > 1) {
        return conf_section_fault(err, file, section,
                                  "more than one of password_command, "
                                  "password_file and password: keep one");
    }
    return check_password_line(file, section, err);
}

static int check_login(const char *file, const struct inifile_section *section,
                       const struct account *account, struct err *err)
{
    int r = check_certificate(file, section, account, err);

    if (r == 0 && account->authzid != NULL &&
        (account->auth == SESSION_AUTH_LOGIN ||
         account->auth == SESSION_AUTH_XOAUTH2 ||
         account->auth == SESSION_AUTH_CRAM_MD5)) {
        return conf_section_fault(err, file, section,
                                  "this auth cannot act for another user: "
                                  "write auth = plain, or leave authzid out");
    }
    if (r == 0 && account->token_command == NULL &&
        conf_account_login(account) == LOGIN_BY_TOKEN) {
        return conf_section_fault(err, file, section,
                                  "no token: write token_command = COMMAND, "
                                  "which prints an OAuth access token");
    }
    return r == 0 ? check_password(file, section, account, err) : r;
}

static int check_imap(const char *file, const struct inifile_section *section,
                      struct account *account, struct err *err)
{
    if (account->host == NULL) {
        return conf_section_fault(err, file, section,
                                  "no host: write host = imap.example.org");
    }
    if (account->user == NULL) {
        return conf_section_fault(err, file, section,
                                  "no user: write user = me@example.org");
    }
    if (account->tls == TLS_NONE && !account->allow_plaintext) {
        return conf_section_fault(err, file, section,
                                  "tls = none sends the password in the "
                                  "clear: write tls = implicit or starttls, or "
                                  "add allow_plaintext = yes");
    }
    if (account->port == 0) {
        account->port = account->tls == TLS_IMPLICIT ? 993 : 143;
    }
    return check_login(file, section, account, err);
}

static int check(const char *file, const struct inifile_section *section,
                 struct account *account, struct err *err)
{
    if (account->type == ACCOUNT_IMAP) {
        return check_imap(file, section, account, err);
    }
    if (account->path == NULL) {
        return conf_section_fault(err, file, section,
                                  "no path: write path = ~/Mail/%s",
                                  section->name);
    }
    return 0;
}

int conf_account_read(const char *file, const struct inifile_section *section,
                      struct account **out, struct err *err)
{
    const struct inifile_entry *type = conf_section_entry(section, "type");
    struct account *account;
    int r = 0;

    if (type == NULL) {
        return conf_section_fault(err, file, section,
                                  "no type: write type = imap or type = "
                                  "maildir");
    }
    account = MEM_NEW(struct account);
    account->name = mem_copy(section->name);
    account->line = section->line;
    account->connections = CONNECTIONS_DEFAULT;
    /* First: it says which keys there are. */
    r = apply(file, account, type, err);
    for (size_t i = 0; i < section->n_entries && r == 0; i++) {
        if (&section->entries[i] != type) {
            r = apply(file, account, &section->entries[i], err);
        }
    }
    if (r == 0) {
        r = check(file, section, account, err);
    }
    if (r != 0) {
        conf_account_free(account);
        return r;
    }
    *out = account;
    return 0;
}

void conf_account_free(struct account *account)
{
    if (account == NULL) {
        return;
    }
    if (account->password != NULL) {
        explicit_bzero(account->password, strlen(account->password));
    }
    free(account->password);
    free(account->name);
    free(account->host);
    free(account->tls_ca_file);
    free(account->tls_fingerprint);
    free(account->tls_certificate);
    free(account->tls_key);
    free(account->authzid);
    free(account->user);
    free(account->password_file);
    free(account->password_command);
    free(account->token_command);
    free(account->provider);
    free(account->skip_folders);
    free(account->path);
    free(account);
}
