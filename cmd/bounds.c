#include "cmd/bounds.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/confine.h"
#include "cmd/env.h"
#include "imap/tls.h"

/* What the resolver with the modules that it loads, OpenSSL, libuv and the
 * sanitizers open late, on any distribution. Whole directories where their
 * files are replaced, not rewritten, while a run lasts. */
static const char *const system_places[] = {
    "/etc",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/var/lib/ca-certificates",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/connman",
    "/run/netconfig",
    "/run/nscd",
    "/var/lib/sss",
    "/sys/devices/system/cpu",
    "/proc",
    "/dev/null",
    "/dev/urandom",
};

/* Files and directories, with ":" between them, that the same libraries are
 * told of. */
static const char *const variables[] = {
    "SSL_CERT_FILE",   "SSL_CERT_DIR",    "OPENSSL_CONF",
    "OPENSSL_MODULES", "LD_LIBRARY_PATH", "HOSTALIASES",
};

static void allow_variable(struct confine *confine, const char *name)
{
    char *list = mem_copy(env_get(name));
    char *rest = NULL;
    const char *path = list != NULL ? strtok_r(list, ":", &rest) : NULL;

    while (path != NULL) {
        confine_allow(confine, path, CONFINE_READ);
        path = strtok_r(NULL, ":", &rest);
    }
    free(list);
}

static void allow_system(struct confine *confine)
{
    for (size_t i = 0; i < sizeof(system_places) / sizeof(*system_places); i++)
        confine_allow(confine, system_places[i], CONFINE_READ);
    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        allow_variable(confine, variables[i]);
    confine_allow(confine, tls_system_ca_file(), CONFINE_READ);
    confine_allow(confine, tls_system_ca_dir(), CONFINE_READ);
    /* A sanitizer's report names the lines. */
    confine_allow(confine, "/proc/self/exe", CONFINE_READ);
}

static void allow_file(struct confine *confine, const char *path)
{
    if (path != NULL)
        confine_allow(confine, path, CONFINE_READ);
}

static void allow_account(struct confine *confine,
                          const struct account *account, bool dry)
{
    if (account->type == ACCOUNT_MAILDIR) {
        confine_allow(confine, account->path,
                      dry ? CONFINE_READ : CONFINE_WRITE);
        return;
    }
    allow_file(confine, account->tls_ca_file);
    allow_file(confine, account->tls_certificate);
    allow_file(confine, account->tls_key);
}

void bounds_set(const struct bounds *bounds, struct buf *how)
{
    struct confine confine;

    confine_begin(&confine);
    allow_system(&confine);
    for (size_t i = 0; i < bounds->n_accounts; i++)
        allow_account(&confine, bounds->accounts[i], bounds->dry);
    if (bounds->state_dir != NULL)
        confine_allow(&confine, bounds->state_dir, CONFINE_WRITE);
    confine_enter(&confine, how);
}
