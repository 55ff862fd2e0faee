/* Exchanges with a server that is played here. What SCRAM says with this user,
 * password, nonce and salt was calculated by another program. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/sasl.h"
#include "tests/tap.h"
#include "tests/unit/fixed_nonce.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STEPS_MAX    3

#define NONCE        "bWFpbHR3aW4gbWFpbHR3aW4g"
#define SCRAM_ASKS   "r=" NONCE "server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define SCRAM_BEGINS "n,,n=bob,r=" NONCE
#define SHA256_PROVES                  \
    "c=biws,r=" NONCE "server,p="      \
    "9Scuaqjsvoh71ZDXVT9ESheliFPluahz" \
    "dyxzhG2KTMM="
#define SHA256_SIGNS "v=UkLFJhah5/fHlEWdiGvBes0I9KvRE/v1RSBneZOELv8="
#define SHA1_PROVES  "c=biws,r=" NONCE "server,p=vUWV4DIkLCCDqZvH8BgH8XM+oBs="
#define SHA1_SIGNS   "v=CQPCmTomPpheJO26sVMZmybwZSg="
#define ERROR_JSON   "{\"status\":\"400\",\"schemes\":\"bearer\"}"

#define TEXT(lit)               \
    {                           \
        "" lit, sizeof(lit) - 1 \
    }

/* clang-format off */
static const struct exchange {
    const char *name;
    struct sasl_options options; /* user bob, password and token sesame */
    struct bytes first;          /* decoded, as all that follows */

    struct {
        const char *challenge; /* NULL: the end */
        const char *answer;
        int code;
    } steps[STEPS_MAX];

    bool complete;
} exchanges[] = {
    {"SCRAM-SHA-256", {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA256_PROVES, 0}, {SHA256_SIGNS, "", 0}}, true},
    {"SCRAM-SHA-1", {.mechanism = SASL_SCRAM_SHA_1}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA1_PROVES, 0}, {SHA1_SIGNS, "", 0}}, true},
    {"SCRAM without the server's signature",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA256_PROVES, 0}}, false},
    {"SCRAM with another's signature",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA256_PROVES, 0},
      {"v=UkLFJhah5/fHlEWdiGvBes0I9KvRE/v1RSBneZOELvA=", NULL, ERR_AUTH}},
     false},
    {"SCRAM with a signature that is cut",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA256_PROVES, 0}, {"v=UkLF", NULL, ERR_AUTH}}, false},
    {"SCRAM with an empty signature",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA256_PROVES, 0}, {"", NULL, ERR_PROTOCOL}}, false},
    {"SCRAM refused in its own words",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA256_PROVES, 0}, {"e=invalid-proof", "", 0},
      {"v=", NULL, ERR_PROTOCOL}}, false},
    {"SCRAM asked once more", {.mechanism = SASL_SCRAM_SHA_1}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS, SHA1_PROVES, 0}, {SHA1_SIGNS, "", 0},
      {SHA1_SIGNS, NULL, ERR_PROTOCOL}}, true},
    {"SCRAM refused before it began",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"e=other-error", NULL, ERR_PROTOCOL}}, false},
    {"SCRAM with another's nonce",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"r=bWFpbHR3aW4gserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", NULL,
       ERR_AUTH}}, false},
    {"SCRAM with too many iterations",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"r=" NONCE "server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001", NULL,
       ERR_LIMIT}}, false},
    {"SCRAM with 4294967295 iterations",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"r=" NONCE "server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967295", NULL,
       ERR_LIMIT}}, false},
    {"SCRAM with iterations that are no number",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"r=" NONCE "server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i= 9000000", NULL,
       ERR_LIMIT}}, false},
    {"SCRAM with a second number of iterations",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{SCRAM_ASKS ",i=9000000", NULL, ERR_LIMIT}}, false},
    {"SCRAM with too few iterations",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"r=" NONCE "server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", NULL,
       ERR_LIMIT}}, false},
    {"SCRAM without iterations",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"r=" NONCE "server,s=W22ZaJ0SNY7soEsUEjb6gQ==", NULL, ERR_PROTOCOL}},
     false},
    {"SCRAM with an extension it must know",
     {.mechanism = SASL_SCRAM_SHA_256}, TEXT(SCRAM_BEGINS),
     {{"m=x," SCRAM_ASKS, NULL, ERR_PROTOCOL}}, false},
    {"SCRAM with commas and equals signs in the name",
     {.mechanism = SASL_SCRAM_SHA_256, .user = "b,o=b"},
     TEXT("n,,n=b=2Co=3Db,r=" NONCE), {{NULL, NULL, 0}}, false},
    {"PLAIN", {.mechanism = SASL_PLAIN}, TEXT("\0bob\0sesame"),
     {{NULL, NULL, 0}}, true},
    {"PLAIN asked once more", {.mechanism = SASL_PLAIN}, TEXT("\0bob\0sesame"),
     {{"more", NULL, ERR_PROTOCOL}}, true},
    {"PLAIN for somebody else",
     {.mechanism = SASL_PLAIN, .authzid = "alice"},
     TEXT("alice\0bob\0sesame"), {{NULL, NULL, 0}}, true},
    {"EXTERNAL for somebody else",
     {.mechanism = SASL_EXTERNAL, .authzid = "alice"}, TEXT("alice"),
     {{NULL, NULL, 0}}, true},
    {"SCRAM for somebody else",
     {.mechanism = SASL_SCRAM_SHA_256, .authzid = "a,lice"},
     TEXT("n,a=a=2Clice,n=bob,r=" NONCE), {{NULL, NULL, 0}}, false},
    {"OAUTHBEARER for somebody else",
     {.mechanism = SASL_OAUTHBEARER, .authzid = "alice"},
     TEXT("n,a=alice,\001auth=Bearer sesame\001\001"), {{NULL, NULL, 0}},
     true},
    {"CRAM-MD5", {.mechanism = SASL_CRAM_MD5}, TEXT(""),
     {{"<1896.697170952@postoffice.example>",
       "bob d51fe293726266df00e15140c4803de0", 0},
      {"more", NULL, ERR_PROTOCOL}}, true},
    {"CRAM-MD5 that was not asked for anything", {.mechanism = SASL_CRAM_MD5},
     TEXT(""), {{NULL, NULL, 0}}, false},
    {"EXTERNAL", {.mechanism = SASL_EXTERNAL}, TEXT("bob"), {{NULL, NULL, 0}},
     true},
    {"XOAUTH2", {.mechanism = SASL_XOAUTH2},
     TEXT("user=bob\001auth=Bearer sesame\001\001"), {{NULL, NULL, 0}}, true},
    {"XOAUTH2 refused", {.mechanism = SASL_XOAUTH2},
     TEXT("user=bob\001auth=Bearer sesame\001\001"),
     {{ERROR_JSON, "", 0}, {ERROR_JSON, NULL, ERR_PROTOCOL}}, false},
    {"OAUTHBEARER", {.mechanism = SASL_OAUTHBEARER},
     TEXT("n,a=bob,\001auth=Bearer sesame\001\001"), {{NULL, NULL, 0}}, true},
    {"OAUTHBEARER with all it can say",
     {.mechanism = SASL_OAUTHBEARER, .user = "b,o=b", .host = "h.example",
      .port = 993},
     TEXT("n,a=b=2Co=3Db,\001host=h.example\001port=993\001"
       "auth=Bearer sesame\001\001"), {{NULL, NULL, 0}}, true},
    {"OAUTHBEARER refused", {.mechanism = SASL_OAUTHBEARER},
     TEXT("n,a=bob,\001auth=Bearer sesame\001\001"),
     {{ERROR_JSON, "\001", 0}, {ERROR_JSON, NULL, ERR_PROTOCOL}}, false},
};

static const struct {
    const char *name;
    struct sasl_options options;
} impossible[] = {
    {"a token with a line break",
     {.mechanism = SASL_XOAUTH2, .user = "bob", .token = "se\nsame"}},
    {"a token that goes on",
     {.mechanism = SASL_OAUTHBEARER, .user = "bob",
      .token = "sesame\001auth=Bearer x"}},
    {"a user that goes on",
     {.mechanism = SASL_XOAUTH2, .user = "bob\001", .token = "sesame"}},
    {"a user that SCRAM does not allow",
     {.mechanism = SASL_SCRAM_SHA_256, .user = "bob\007", .password = "x"}},
};

/* clang-format on */

static struct sasl_options fill(struct sasl_options options)
{
    if (options.user == NULL)
        options.user = "bob";
    options.password = "sesame";
    options.token = "sesame";
    return options;
}

/* Is @coded what @plain is in base64? */
static bool codes(struct bytes coded, struct bytes plain)
{
    char *want = NULL;
    size_t n = 0;
    bool same = gsasl_base64_to(plain.ptr, plain.len, &want, &n) == GSASL_OK &&
                bytes_equal(coded, (struct bytes){want, n});

    gsasl_free(want);
    return same;
}

static int step(struct sasl *sasl, const char *challenge, struct buf *out,
                struct err *err)
{
    char *coded = NULL;
    size_t n = 0;
    int r = gsasl_base64_to(challenge, strlen(challenge), &coded, &n);

    if (r == GSASL_OK)
        r = sasl_step(sasl, (struct bytes){coded, n}, out, err);
    gsasl_free(coded);
    return r;
}

static void check_exchange(const struct exchange *exchange)
{
    struct sasl_options options = fill(exchange->options);
    struct sasl *sasl = NULL;
    struct err err = {""};

    if (!ok(sasl_new(&options, &sasl, &err) == 0, "%s", exchange->name)) {
        printf("# %s\n", err.text);
        return;
    }
    ok(codes(sasl_first(sasl), exchange->first), "%s: begins as it should",
       exchange->name);
    for (size_t i = 0; i < STEPS_MAX && exchange->steps[i].challenge != NULL;
         i++) {
        struct buf out;
        int r;

        buf_init(&out, 0);
        r = step(sasl, exchange->steps[i].challenge, &out, &err);
        ok(r == exchange->steps[i].code &&
               (r < 0 ? buf_len(&out) == 0
                      : codes(buf_peek(&out),
                              bytes_of(exchange->steps[i].answer))),
           "%s: step %zu: %s", exchange->name, i + 1, r < 0 ? err.text : "");
        buf_deinit(&out);
    }
    ok(sasl_is_complete(sasl) == exchange->complete, "%s: %scomplete",
       exchange->name, exchange->complete ? "" : "not ");
    sasl_free(sasl);
}

/* Challenges of any size and any kind. */
static void check_junk(enum sasl_mechanism mechanism, struct bytes challenge,
                       int code, size_t answer)
{
    struct sasl_options options =
        fill((struct sasl_options){.mechanism = mechanism});
    struct sasl *sasl = NULL;
    struct err err = {""};
    struct buf out;

    buf_init(&out, 0);
    ok(sasl_new(&options, &sasl, &err) == 0 &&
           sasl_step(sasl, challenge, &out, &err) == code &&
           buf_len(&out) == answer,
       "%s with %zu bytes of junk: %s", sasl_name(mechanism), challenge.len,
       err.text);
    sasl_free(sasl);
    buf_deinit(&out);
}

static void test_junk(void)
{
    size_t n = (size_t)1 << 20;
    char *junk = mem_new(n, 1);

    memset(junk, 'A', n);
    check_junk(SASL_XOAUTH2, (struct bytes){junk, n}, 0, 0);
    check_junk(SASL_OAUTHBEARER, (struct bytes){junk, n}, 0, strlen("AQ=="));
    check_junk(SASL_SCRAM_SHA_256, (struct bytes){junk, n}, ERR_LIMIT, 0);
    check_junk(SASL_SCRAM_SHA_256,
               (struct bytes){junk, SASL_CHALLENGE_BYTES_MAX}, ERR_PROTOCOL, 0);
    check_junk(SASL_SCRAM_SHA_256, B("no base64!"), ERR_PROTOCOL, 0);
    check_junk(SASL_SCRAM_SHA_256, B(""), ERR_PROTOCOL, 0);
    check_junk(SASL_EXTERNAL, (struct bytes){junk, n}, ERR_PROTOCOL, 0);
    free(junk);
}

static void test_impossible(void)
{
    for (size_t i = 0; i < COUNT(impossible); i++) {
        struct sasl *sasl = NULL;
        struct err err = {""};

        ok(sasl_new(&impossible[i].options, &sasl, &err) == ERR_AUTH &&
               sasl == NULL,
           "%s: %s", impossible[i].name, err.text);
    }
}

/* A token of any size goes out whole. */
static void test_long_token(void)
{
    struct sasl_options options = {
        .mechanism = SASL_XOAUTH2, .user = "bob", .token = NULL};
    size_t n = 60000;
    char *token = mem_new(n + 1, 1);
    char *plain;
    struct sasl *sasl = NULL;

    memset(token, 't', n);
    plain = mem_printf("user=bob\001auth=Bearer %s\001\001", token);
    options.token = token;
    ok(sasl_new(&options, &sasl, NULL) == 0 &&
           codes(sasl_first(sasl), bytes_of(plain)),
       "a token of 60,000 bytes");
    sasl_free(sasl);
    sasl_free(NULL);
    free(plain);
    free(token);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(exchanges); i++)
        check_exchange(&exchanges[i]);
    test_junk();
    test_impossible();
    test_long_token();
    return done_testing();
}
