/* Certificates made on the spot, for tests of TLS: P-256 keys, which are made
 * in no time. Everything is checked; a failure ends the test program. */
#ifndef TESTS_UNIT_CERTS_H
#define TESTS_UNIT_CERTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* OpenSSL has a type of this name, our enum err_code a value. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#define CERT_DAY 86400L

struct cert {
    X509 *x509;
    EVP_PKEY *key;
};

static void cert_require(bool good, const char *what)
{
    if (!good) {
        printf("Bail out! certificates: %s\n", what);
        exit(1);
    }
}

static void cert_extend(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    cert_require(extension != NULL && X509_add_ext(x509, extension, -1) == 1,
                 value);
    X509_EXTENSION_free(extension);
}

/**
 * Make a certificate.
 *
 * @issuer  who signs it; NULL: itself
 * @name    common name
 * @names   "DNS:a.example,IP:127.0.0.1"; NULL: it is an authority
 * @from_s  valid from, seconds from now
 * @until_s valid until, seconds from now
 */
static struct cert cert_make(const struct cert *issuer, const char *name,
                             const char *names, long from_s, long until_s)
{
    static long serial = 1;
    struct cert cert = {X509_new(), EVP_EC_gen("P-256")};
    const struct cert *signer = issuer == NULL ? &cert : issuer;
    X509_NAME *subject;

    cert_require(cert.x509 != NULL && cert.key != NULL, "key");
    X509_set_version(cert.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert.x509), from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert.x509), until_s);
    X509_set_pubkey(cert.x509, cert.key);
    subject = X509_get_subject_name(cert.x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert.x509, X509_get_subject_name(signer->x509));
    if (names == NULL)
        cert_extend(cert.x509, NID_basic_constraints, "critical,CA:TRUE");
    else
        cert_extend(cert.x509, NID_subject_alt_name, names);
    cert_require(X509_sign(cert.x509, signer->key, EVP_sha256()) > 0, "sign");
    return cert;
}

static void cert_free(struct cert *cert)
{
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
}

/* Write the certificate as PEM. */
static void cert_save(const struct cert *cert, const char *path)
{
    FILE *file = fopen(path, "w");

    cert_require(file != NULL && PEM_write_X509(file, cert->x509) == 1, path);
    fclose(file);
}

/* A server that shows @cert. */
static SSL_CTX *cert_server(const struct cert *cert)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());

    cert_require(server != NULL &&
                     SSL_CTX_use_certificate(server, cert->x509) == 1 &&
                     SSL_CTX_use_PrivateKey(server, cert->key) == 1,
                 "server");
    SSL_CTX_set_session_id_context(server, (const unsigned char *)"test", 4);
    return server;
}

#endif
