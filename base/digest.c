#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/mem.h"

#define ENTROPY_BYTES 256u /* at most, of one call */

struct digest {
    EVP_MD_CTX *context;
};

/* OpenSSL is installed without SHA-256, the system has no randomness: nothing
 * can be told apart any more. */
static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "mailtwin: there is no %s\n", what);
    _exit(EXIT_FAILURE);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return mem_malloc(size);
}

static void *take_again(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return mem_realloc(ptr, size);
}

static void give_back(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    free(ptr);
}

void digest_set_up(void)
{
    /* Refused only where something was taken already: then all is as before. */
    (void)CRYPTO_set_mem_functions(take, take_again, give_back);
}

struct digest *digest_new(void)
{
    struct digest *digest = MEM_NEW(struct digest);

    digest->context = EVP_MD_CTX_new();
    if (digest->context == NULL ||
        EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1)
        give_up("SHA-256");
    return digest;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_add(struct digest *digest, struct bytes text)
{
    if (EVP_DigestUpdate(digest->context, text.ptr, text.len) != 1)
        give_up("SHA-256");
}

void digest_final(struct digest *digest, uint8_t out[DIGEST_BYTES])
{
    /* A NULL type keeps the algorithm and only starts anew. */
    if (EVP_DigestFinal_ex(digest->context, out, NULL) != 1 ||
        EVP_DigestInit_ex(digest->context, NULL, NULL) != 1)
        give_up("SHA-256");
}

void digest_of(struct bytes text, uint8_t out[DIGEST_BYTES])
{
    if (EVP_Digest(text.ptr, text.len, out, NULL, EVP_sha256(), NULL) != 1)
        give_up("SHA-256");
}

/* Not OpenSSL's, which takes as much memory as a small run. */
void digest_random(uint8_t *out, size_t n)
{
    while (n > 0) {
        size_t some = n < ENTROPY_BYTES ? n : ENTROPY_BYTES;

        if (getentropy(out, some) != 0)
            give_up("randomness");
        out += some;
        n -= some;
    }
}
