#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cmd/conf.h"
#include "tests/tap.h"

#define MAIL "[account mail]\ntype=imap\nhost=h.example\nuser=me\npassword=x\n"
#define DISK "[account disk]\ntype=maildir\npath=/mail\n"
#define PAIR "[pair work]\nleft=mail\nright=disk\n"

/* Load @text from a file with @mode. The error has the file's name cut off:
 * it begins with ":LINE". */
static int load_as(const char *text, mode_t mode, struct conf **conf,
                   struct buf *warnings, struct err *err)
{
    char path[] = "/tmp/mailtwin-test-conf-XXXXXX";
    size_t len = strlen(text);
    int fd = mkstemp(path);
    int r;

    if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
        fchmod(fd, mode) != 0) {
        return err_set(err, ERR_DISK, "no temporary file");
    }
    close(fd);
    *conf = NULL;
    r = conf_load(path, conf, warnings, err);
    unlink(path);
    if (r != 0 && strncmp(err->text, path, strlen(path)) == 0) {
        memmove(err->text, err->text + strlen(path),
                strlen(err->text + strlen(path)) + 1);
    }
    return r;
}

static int load(const char *text, struct conf **conf, struct err *err)
{
    struct buf warnings;
    int r;

    buf_init(&warnings, 0);
    r = load_as(text, 0600, conf, &warnings, err);
    buf_deinit(&warnings);
    return r;
}

static void test_defaults(void)
{
    struct err err = {{0}};
    struct conf *conf = NULL;
    const struct account *mail;
    const struct account *disk;
    const struct policy *policy;

    if (!ok(load(PAIR MAIL DISK, &conf, &err) == 0,
            "a pair above its accounts %s", err.text)) {
        return;
    }
    mail = conf_account(conf, "mail");
    disk = conf_account(conf, "disk");
    policy = &conf_pair(conf, "work")->policy;
    ok(mail->tls == TLS_IMPLICIT && mail->port == 993 &&
           mail->connections == 4 && mail->auth == SESSION_AUTH_AUTO &&
           mail->compress == COMPRESS_AUTO && !mail->allow_plaintext,
       "the defaults of an IMAP account");
    ok(disk->layout == MAILDIR_NESTED && strcmp(disk->path, "/mail") == 0,
       "the defaults of a Maildir");
    ok(policy->direction == DIRECTION_BOTH && !policy->keep_deleted &&
           policy->folders == NULL && policy->on_conflict == LEFT &&
           policy->max_delete.kind == MAX_DELETE_PERCENT &&
           policy->max_delete.value == 50 && !policy->delete_to_trash &&
           policy->moves && policy->subscriptions && policy->special_use &&
           policy->max_size == 0 && policy->newer_than_seconds == 0,
       "the defaults of a pair");
    ok(conf_pair(conf, "work")->account[LEFT] == mail &&
           conf_pair(conf, "work")->account[RIGHT] == disk,
       "the pair has its accounts");
    ok(conf_pair(conf, "none") == NULL && conf_account(conf, "none") == NULL,
       "what is not there is not found");
    conf_free(conf);
}

/* What each account logs in with. */
static void test_logins(void)
{
    static const struct {
        const char *lines;
        enum session_auth auth;
        enum account_login login;
    } cases[] = {
        {"password=p\n",                                            SESSION_AUTH_AUTO,          LOGIN_BY_PASSWORD   },
        {"password=p\nauth=plain\n",                                SESSION_AUTH_PLAIN,         LOGIN_BY_PASSWORD   },
        {"password=p\nauth=login\n",                                SESSION_AUTH_LOGIN,         LOGIN_BY_PASSWORD   },
        {"password=p\nauth=scram-sha-256\n",                        SESSION_AUTH_SCRAM_SHA_256,
         LOGIN_BY_PASSWORD                                                                                          },
        {"token_command=t\n",                                       SESSION_AUTH_AUTO,          LOGIN_BY_TOKEN      },
        {"token_command=t\npassword=p\n",                           SESSION_AUTH_AUTO,          LOGIN_BY_TOKEN      },
        {"token_command=t\npassword=p\nauth=plain\n",               SESSION_AUTH_PLAIN,
         LOGIN_BY_PASSWORD                                                                                          },
        {"token_command=t\nauth=xoauth2\n",                         SESSION_AUTH_XOAUTH2,
         LOGIN_BY_TOKEN                                                                                             },
        {"token_command=t\nauth=oauthbearer\n",                     SESSION_AUTH_OAUTHBEARER,
         LOGIN_BY_TOKEN                                                                                             },
        {"auth=external\ntls_certificate=/c.pem\ntls_key=/c.key\n",
         SESSION_AUTH_EXTERNAL,                                                                 LOGIN_BY_CERTIFICATE},
        {"password=p\ntls_certificate=/c.pem\ntls_key=/c.key\n",
         SESSION_AUTH_AUTO,                                                                     LOGIN_BY_PASSWORD   },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf *conf = NULL;
        struct err err = {{0}};
        char *text = mem_printf("[account a]\ntype=imap\nhost=h\nuser=u\n%s",
                                cases[i].lines);
        int r = load(text, &conf, &err);
        const struct account *a = r == 0 ? conf_account(conf, "a") : NULL;

        ok(a != NULL && a->auth == cases[i].auth &&
               conf_account_login(a) == cases[i].login,
           "login %zu%s", i + 1, err.text);
        conf_free(conf);
        free(text);
    }
}

static void test_all_account_keys(void)
{
    struct err err = {{0}};
    struct conf *conf = NULL;
    const struct account *a;
    int r = load("[account work]\n"
                 "host = imap.example.org  # the server\n"
                 "type = imap\n"
                 "port = 1143\n"
                 "tls = none\n"
                 "allow_plaintext = yes\n"
                 "tls_ca_file = /ca.pem\n"
                 "user = me@example.org\n"
                 "auth = login\n"
                 "tls_certificate = /me.pem\n"
                 "tls_key = /me.key\n"
                 "token_command = token me\n"
                 "password_command = pass show 'work' # first line\n"
                 "connections = 2\n"
                 "compress = no\n"
                 "provider = yahoo\n"
                 "without = QRESYNC, move\n"
                 "trust_size = no\n"
                 "command_length = 900\n"
                 "window = off\n"
                 "skip_folders = \\All, Notes\n"
                 "[account disk]\n"
                 "type = maildir\n"
                 "path = /mail/\n"
                 "layout = maildir++\n",
                 &conf, &err);

    if (!ok(r == 0, "all keys of accounts %s", err.text)) {
        return;
    }
    a = conf_account(conf, "work");
    ok(strcmp(a->host, "imap.example.org") == 0 && a->port == 1143 &&
           a->tls == TLS_NONE && a->allow_plaintext &&
           strcmp(a->tls_ca_file, "/ca.pem") == 0 &&
           strcmp(a->user, "me@example.org") == 0 &&
           a->auth == SESSION_AUTH_LOGIN &&
           strcmp(a->tls_certificate, "/me.pem") == 0 &&
           strcmp(a->tls_key, "/me.key") == 0 &&
           strcmp(a->token_command, "token me") == 0 &&
           strcmp(a->password_command, "pass show 'work'") == 0 &&
           a->connections == 2 && a->compress == COMPRESS_NO,
       "an IMAP account has what was written");
    ok(strcmp(a->quirks.provider, "yahoo") == 0 &&
           a->quirks.without == (CAP_QRESYNC | CAP_MOVE) &&
           a->quirks.has_trust_size && !a->quirks.trust_size &&
           a->quirks.command_bytes == 900 && a->quirks.has_window &&
           a->quirks.window == 0 && strcmp(a->quirks.skip, "\\All, Notes") == 0,
       "and what it says of its server");
    a = conf_account(conf, "disk");
    ok(strcmp(a->path, "/mail") == 0 && a->layout == MAILDIR_PLUSPLUS,
       "a Maildir has what was written");
    conf_free(conf);
    ok(load("[account a]\ntype=imap\nhost=h\nuser=u\npassword=p\n"
            "tls=starttls\n",
            &conf, &err) == 0 &&
           conf->accounts[0]->port == 143,
       "STARTTLS goes to port 143");
    conf_free(conf);
}

static void test_all_pair_keys(void)
{
    struct err err = {{0}};
    struct conf *conf = NULL;
    const struct policy *p;
    int r = load(MAIL DISK PAIR "direction = left-to-right\n"
                                "deletes = keep\n"
                                "folders = *, !Junk, !\"Old # stuff\" # x\n"
                                "max_delete = 200\n"
                                "on_conflict = right\n"
                                "delete_mode = trash\n"
                                "moves = no\n"
                                "subscriptions = no\n"
                                "special_use = no\n"
                                "max_size = 50M\n"
                                "newer_than = 90d\n",
                 &conf, &err);

    if (!ok(r == 0, "all keys of a pair %s", err.text)) {
        return;
    }
    p = &conf->pairs[0]->policy;
    ok(p->direction == DIRECTION_LEFT_TO_RIGHT && p->keep_deleted &&
           strcmp(p->folders, "*, !Junk, !\"Old # stuff\"") == 0 &&
           p->max_delete.kind == MAX_DELETE_COUNT &&
           p->max_delete.value == 200 && p->on_conflict == RIGHT &&
           p->delete_to_trash && !p->moves && !p->subscriptions &&
           !p->special_use && p->max_size == 50u << 20 &&
           p->newer_than_seconds == 90u * 86400u,
       "a pair has what was written");
    conf_free(conf);
}

static void test_one_administrator(void)
{
    struct err err = {{0}};
    struct conf *conf = NULL;
    int r = load(MAIL "authzid = ann\n"
                      "[account m2]\ntype=imap\nhost=h.example\nuser=me\n"
                      "authzid=bob\npassword=x\n"
                      "[pair p]\nleft=mail\nright=m2\n",
                 &conf, &err);

    ok(r == 0, "an administrator has many mail stores %s", err.text);
    if (r == 0) {
        ok(strcmp(conf_account_owner(conf->accounts[0]), "ann") == 0 &&
               strcmp(conf_account_owner(conf->accounts[1]), "bob") == 0,
           "each is its owner's");
    }
    conf_free(conf);
}

struct mistake {
    const char *name;
    const char *text;
    const char *start; /* how the error begins */
    const char *hint;  /* what is in it */
};

static void check_mistakes(const struct mistake *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = {{0}};
        struct conf *conf = NULL;
        int r = load(cases[i].text, &conf, &err);

        ok(r == ERR_USAGE && conf == NULL &&
               strncmp(err.text, cases[i].start, strlen(cases[i].start)) == 0 &&
               strstr(err.text, cases[i].hint) != NULL,
           "%s: FILE%s", cases[i].name, err.text);
    }
}

static void test_account_mistakes(void)
{
    static const struct mistake cases[] = {
        {"an unknown section",                    "\n[acount x]\n",                               ":2: [acount]: ",     "account?"                                 },
        {"a section without a name",              "[account]\n",                                  ":1: [account]: ",    "name"                                     },
        {"a name with a slash",                   "[account a/b]\n",                              ":1: [account]: ",    "/"                                        },
        {"a name with a dot",                     "[pair .x]\n",                                  ":1: [pair]: ",       ".x"                                       },
        {"a name that is taken",                  MAIL "[account mail]\ntype=imap\n",
         ":6: account mail: ",                                                                                          "line 1"                                   },
        {"no type",                               "[account x]\nhost=h\n",                        ":1: account x: ",    "type = imap"                              },
        {"a wrong type",                          "[account x]\ntype = pop3\n",
         ":2: type: ",                                                                                                  "imap or maildir"                          },
        {"a misspelled key",                      MAIL "passwrd_file = /x\n",
         ":6: passwrd_file: ",                                                                                          "did you mean password_file?"              },
        {"an unknown key",                        MAIL "colour = blue\n",
         ":6: colour: ",                                                                                                "mailtwin.conf(5)"                         },
        {"a Maildir's key in an IMAP account",    MAIL "path = /x\n",
         ":6: path: ",                                                                                                  "not for type = imap"                      },
        {"an IMAP key in a Maildir",              DISK "host = h\n",
         ":4: host: ",                                                                                                  "not for type = maildir"                   },
        {"no host",                               "[account x]\ntype=imap\nuser=u\npassword=p\n",
         ":1: account x: ",                                                                                             "host ="                                   },
        {"an URL for a host",                     "[account x]\ntype=imap\nhost=imaps://h\n",
         ":3: host: ",                                                                                                  "alone"                                    },
        {"no user",                               "[account x]\ntype=imap\nhost=h\npassword=p\n",
         ":1: account x: ",                                                                                             "user ="                                   },
        {"no password",                           "[account x]\ntype=imap\nhost=h\nuser=u\n",
         ":1: account x: ",                                                                                             "password_command ="                       },
        {"two passwords",                         MAIL "password_file = /p\n",
         ":1: account mail: ",                                                                                          "keep one"                                 },
        {"a comment behind a password",
         "[account x]\ntype=imap\nhost=h\nuser=u\npassword = a #b\n",                             ":5: password: ",     "password_file"                            },
        {"no path",                               "[account x]\ntype=maildir\n",                  ":1: account x: ",    "path ="                                   },
        {"a relative path",                       "[account x]\ntype=maildir\npath = Mail\n",
         ":3: path: ",                                                                                                  "~/"                                       },
        {"a port that is none",                   MAIL "port = 99999\n",                          ":6: port: ",         "65535"                                    },
        {"no plaintext by accident",              MAIL "tls = none\n",
         ":1: account mail: ",                                                                                          "allow_plaintext = yes"                    },
        {"an authentication that is none",        MAIL "auth = digest-md5\n",
         ":6: auth: ",                                                                                                  "write auto, plain, login, scram-sha-256-" },
        {"an authzid that nobody can say",
         MAIL "auth = cram-md5\nauthzid = x\n",
         ":1: account mail: ",                                                                                          "auth = plain"                             },
        {"a token that nobody prints",            MAIL "auth = xoauth2\n",
         ":1: account mail: ",                                                                                          "token_command = COMMAND"                  },
        {"a token where a password is due",
         "[account x]\ntype=imap\nhost=h\nuser=u\nauth=plain\n"
         "token_command=t\n",                                                                     ":1: account x: ",    "password_command ="                       },
        {"a certificate to come",                 MAIL "auth = external\n",
         ":1: account mail: ",                                                                                          "tls_certificate = PATH and tls_key = PATH"},
        {"a certificate without its key",         MAIL "tls_certificate = /c.pem\n",
         ":1: account mail: ",                                                                                          "belong together"                          },
        {"a key without its certificate",         MAIL "tls_key = /c.key\n",
         ":1: account mail: ",                                                                                          "belong together"                          },
        {"a certificate that nobody gets to see",
         MAIL "auth = external\ntls_certificate = /c.pem\ntls_key = /c.key\n"
              "tls = none\nallow_plaintext = yes\n",                                              ":1: account mail: ", "write tls = implicit or starttls"         },
        {"a bad fingerprint",                     MAIL "tls_fingerprint = 12:34\n",
         ":6: tls_fingerprint: ",                                                                                       "sha256:"                                  },
        {"a provider that is none",               MAIL "provider = hotmale\n",
         ":6: provider: ",                                                                                              "write auto, none, gmail"                  },
        {"an extension that is none",             MAIL "without = QRESYNC MVOE\n",
         ":6: without: ",                                                                                               "\"MVOE\" is no extension"                 },
        {"a special use that is none",            MAIL "skip_folders = \\Al\n",
         ":6: skip_folders: ",                                                                                          "\"\\Al\" is no special use"               },
        {"a command length too short to be one",  MAIL "command_length = 100\n",
         ":6: command_length: ",                                                                                        "from 500 to"                              },
        {"too many connections",                  MAIL "connections = 1000\n",
         ":6: connections: ",                                                                                           "from 1 to"                                },
    };

    check_mistakes(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_pair_mistakes(void)
{
    static const struct mistake cases[] = {
        {"an unknown account",              MAIL DISK "[pair p]\nleft=mial\nright=disk\n",
         ":10: left: ",                                                                                     "did you mean mail?"   },
        {"an account that nothing is like",
         MAIL DISK "[pair p]\nleft=mail\nright=elsewhere\n",
         ":11: right: ",                                                                                    "[account elsewhere]"  },
        {"a side left out",                 MAIL DISK "[pair p]\nleft=mail\n",
         ":9: pair p: ",                                                                                    "right ="              },
        {"a pair with itself",              MAIL "[pair p]\nleft=mail\nright=mail\n",
         ":6: pair p: ",                                                                                    "one and the same"     },
        {"two names for one Maildir",
         DISK "[account d2]\ntype=maildir\npath=/mail/\n"
              "[pair p]\nleft=disk\nright=d2\n",                                           ":7: pair p: ",  "one and the same"     },
        {"two names for one account",
         MAIL "[account m2]\ntype=imap\nhost=H.Example\nuser=me\npassword=y\n"
              "[pair p]\nleft=mail\nright=m2\n",                                           ":11: pair p: ", "one and the same"     },
        {"an administrator for that user",
         MAIL
         "[account "
         "m2]\ntype=imap\nhost=h.example\nuser=admin\nauthzid=me\npassword=y\n"
         "[pair p]\nleft=mail\nright=m2\n",                                                ":12: pair p: ", "one and the same"     },
        {"a pair's name that is taken",     MAIL DISK PAIR PAIR,
         ":12: pair work: ",                                                                                "line 9"               },
        {"a misspelled key of a pair",      MAIL DISK PAIR "folder = *\n",
         ":12: folder: ",                                                                                   "did you mean folders?"},
        {"a folder list that is none",      MAIL DISK PAIR "folders = !\"Old\n",
         ":12: folders: ",                                                                                  ""                     },
        {"a direction that is none",        MAIL DISK PAIR "direction = up\n",
         ":12: direction: ",                                                                                "left-to-right"        },
        {"neither yes nor no",              MAIL DISK PAIR "moves = maybe\n",
         ":12: moves: ",                                                                                    "no or yes"            },
        {"a size that is none",             MAIL DISK PAIR "max_size = big\n",
         ":12: max_size: ",                                                                                 "50M"                  },
        {"a time that is none",             MAIL DISK PAIR "newer_than = 90\n",
         ":12: newer_than: ",                                                                               "90d"                  },
        {"a limit that is none",            MAIL DISK PAIR "max_delete = half\n",
         ":12: max_delete: ",                                                                               "50%"                  },
    };

    check_mistakes(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_warnings(void)
{
    static const struct {
        const char *name;
        const char *text;
        mode_t mode;
        bool warned;
    } cases[] = {
        {"a password that others may read",    MAIL, 0644, true },
        {"a password that the group may read", MAIL, 0640, true },
        {"a password of one's own",            MAIL, 0600, false},
        {"no password",                        DISK, 0644, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};
        struct buf warnings;
        struct conf *conf = NULL;
        int r;

        buf_init(&warnings, 0);
        r = load_as(cases[i].text, cases[i].mode, &conf, &warnings, &err);
        ok(r == 0 && (buf_len(&warnings) > 0) == cases[i].warned, "%s: %s",
           cases[i].name, buf_text(&warnings));
        buf_deinit(&warnings);
        conf_free(conf);
    }
}

static void test_files(void)
{
    struct conf *conf = NULL;
    struct err err = {{0}};
    struct buf warnings;

    buf_init(&warnings, 0);
    ok(conf_load("/nonexistent/x.conf", &conf, &warnings, &err) == ERR_USAGE &&
           strstr(err.text, "-c FILE") != NULL,
       "no file: %s", err.text);
    ok(conf_load("/", &conf, &warnings, &err) == ERR_USAGE, "a directory: %s",
       err.text);
    ok(conf_load("/dev/zero", &conf, &warnings, &err) == ERR_USAGE,
       "a file without end: %s", err.text);
    ok(conf_load("sample.conf", &conf, &warnings, &err) == 0,
       "the sample is valid %s", err.text);
    conf_free(conf);
    buf_deinit(&warnings);
}

int main(void)
{
    test_defaults();
    test_all_account_keys();
    test_logins();
    test_all_pair_keys();
    test_one_administrator();
    test_account_mistakes();
    test_pair_mistakes();
    test_warnings();
    test_files();
    return done_testing();
}
