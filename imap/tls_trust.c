#include "imap/tls_trust.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/mem.h"

struct trusted {
    char *ca_file; /* NULL: the system's */
    X509_STORE *store;
};

struct tls_trust {
    struct trusted *kept;
    size_t n;
    size_t cap;
};

struct tls_trust *tls_trust_new(void)
{
    return MEM_NEW(struct tls_trust);
}

void tls_trust_free(struct tls_trust *trust)
{
    if (trust == NULL)
        return;
    for (size_t i = 0; i < trust->n; i++) {
        free(trust->kept[i].ca_file);
        X509_STORE_free(trust->kept[i].store);
    }
    free(trust->kept);
    free(trust);
}

static X509_STORE *load(const char *ca_file)
{
    X509_STORE *store = X509_STORE_new();
    int r = 0;

    if (store != NULL && ca_file != NULL)
        r = X509_STORE_load_file(store, ca_file);
    else if (store != NULL)
        r = X509_STORE_set_default_paths(store);
    if (r == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static bool is_same(const char *one, const char *two)
{
    return one == two || (one != NULL && two != NULL && strcmp(one, two) == 0);
}

static X509_STORE *find(const struct tls_trust *trust, const char *ca_file)
{
    for (size_t i = 0; i < trust->n; i++) {
        if (is_same(trust->kept[i].ca_file, ca_file))
            return trust->kept[i].store;
    }
    return NULL;
}

X509_STORE *tls_trust_get(struct tls_trust *trust, const char *ca_file)
{
    X509_STORE *store = trust != NULL ? find(trust, ca_file) : NULL;

    if (store == NULL) {
        store = load(ca_file);
        if (store == NULL || trust == NULL)
            return store;
        trust->kept =
            mem_grow(trust->kept, trust->n, &trust->cap, sizeof(*trust->kept));
        trust->kept[trust->n++] = (struct trusted){mem_copy(ca_file), store};
    }
    return X509_STORE_up_ref(store) == 1 ? store : NULL;
}
