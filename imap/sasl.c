#include "imap/sasl.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum sasl_state {
    STATE_BEGUN,    /* there is more to come */
    STATE_REFUSED,  /* the error was acknowledged: nothing but NO may come */
    STATE_COMPLETE, /* nothing but OK or NO may come */
};

struct sasl {
    enum sasl_mechanism mechanism;
    enum sasl_state state;
    struct buf first;
    bool counted;           /* SCRAM: the iterations were looked at */
    Gsasl *library;         /* libgsasl's mechanisms; NULL for the others */
    Gsasl_session *session; /* the same */
};

const char *sasl_name(enum sasl_mechanism mechanism)
{
    static const char *const names[] = {
        [SASL_OAUTHBEARER] = "OAUTHBEARER",
        [SASL_XOAUTH2] = "XOAUTH2",
        [SASL_SCRAM_SHA_256_PLUS] = "SCRAM-SHA-256-PLUS",
        [SASL_SCRAM_SHA_1_PLUS] = "SCRAM-SHA-1-PLUS",
        [SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
        [SASL_SCRAM_SHA_1] = "SCRAM-SHA-1",
        [SASL_PLAIN] = "PLAIN",
        [SASL_EXTERNAL] = "EXTERNAL",
        [SASL_CRAM_MD5] = "CRAM-MD5",
    };

    return names[mechanism];
}

bool sasl_takes_authzid(enum sasl_mechanism mechanism)
{
    return mechanism != SASL_XOAUTH2 && mechanism != SASL_CRAM_MD5;
}

bool sasl_is_bound(enum sasl_mechanism mechanism)
{
    return mechanism == SASL_SCRAM_SHA_256_PLUS ||
           mechanism == SASL_SCRAM_SHA_1_PLUS;
}

static void wipe(struct buf *buf)
{
    if (buf->ptr != NULL)
        explicit_bzero(buf->ptr, buf->cap);
    buf_deinit(buf);
}

/* Room for all that comes, so that no copy of a secret stays behind in memory
 * that was outgrown. */
static void put_base64(struct buf *out, struct bytes text)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    size_t i;

    (void)buf_reserve(out, (text.len + 2) / 3 * 4);
    for (i = 0; i < text.len; i += 3) {
        size_t n = text.len - i < 3 ? text.len - i : 3;
        uint32_t group = 0;
        size_t k;

        for (k = 0; k < 3; k++) {
            group = group << 8 |
                    (k < n ? (uint32_t)(unsigned char)text.ptr[i + k] : 0);
        }
        for (k = 0; k < 4; k++) {
            (void)buf_add_char(
                out, digits[k <= n ? group >> (18 - 6 * k) & 63 : 64]);
        }
    }
}

/* An empty message with room for the secrets of @options. */
static void message_init(struct buf *message,
                         const struct sasl_options *options)
{
    size_t host = bytes_of(options->host).len;

    buf_init(message, 0);
    (void)buf_reserve(message, 3 * strlen(options->user) +
                                   3 * bytes_of(options->authzid).len +
                                   bytes_of(options->password).len +
                                   bytes_of(options->token).len + host + 300);
}

/* Authorization identity, user, password. */
static void say_plain(struct buf *message, const struct sasl_options *options)
{
    (void)buf_add(message, bytes_of(options->authzid));
    (void)buf_add_char(message, '\0');
    (void)buf_add(message, bytes_of(options->user));
    (void)buf_add_char(message, '\0');
    (void)buf_add(message, bytes_of(options->password));
}

static const char *acts_for(const struct sasl_options *options)
{
    return options->authzid != NULL ? options->authzid : options->user;
}

/* Who we want to be is said, so that a certificate of somebody else's is
 * refused and does not open another mailbox. */
static void say_external(struct buf *message,
                         const struct sasl_options *options)
{
    (void)buf_add(message, bytes_of(acts_for(options)));
}

static void say_xoauth2(struct buf *message, const struct sasl_options *options)
{
    (void)buf_printf(message, "user=%s\001auth=Bearer %s\001\001",
                     options->user, options->token);
}

/* RFC 5801 section 4: "," and "=" have a meaning in the name. */
static void say_oauthbearer(struct buf *message,
                            const struct sasl_options *options)
{
    const char *c;

    (void)buf_add(message, B("n,a="));
    for (c = acts_for(options); *c != '\0'; c++) {
        if (*c == ',' || *c == '=') {
            (void)buf_add(message, *c == ',' ? B("=2C") : B("=3D"));
        } else {
            (void)buf_add_char(message, *c);
        }
    }
    (void)buf_add(message, B(",\001"));
    if (options->host != NULL) {
        (void)buf_printf(message, "host=%s\001port=%u\001", options->host,
                         (unsigned)options->port);
    }
    (void)buf_printf(message, "auth=Bearer %s\001\001", options->token);
}

static bool is_scram(const struct sasl *sasl)
{
    return sasl->mechanism == SASL_SCRAM_SHA_256 ||
           sasl->mechanism == SASL_SCRAM_SHA_1 ||
           sasl_is_bound(sasl->mechanism);
}

/* Is it libgsasl's? */
static bool is_foreign(const struct sasl *sasl)
{
    return is_scram(sasl) || sasl->mechanism == SASL_CRAM_MD5;
}

static bool is_oauth(const struct sasl *sasl)
{
    return sasl->mechanism == SASL_OAUTHBEARER ||
           sasl->mechanism == SASL_XOAUTH2;
}

static int library_failed(const struct sasl *sasl, int code, struct err *err)
{
    const char *name = sasl_name(sasl->mechanism);

    switch (code) {
    case GSASL_SASLPREP_ERROR:
        return err_set(err, ERR_AUTH,
                       "the user name or the password holds characters that "
                       "%s does not allow: set auth = plain",
                       name);
    case GSASL_AUTHENTICATION_ERROR:
        return err_set(err, ERR_AUTH,
                       "%s: the server does not prove that it knows the "
                       "password: somebody may be in its place",
                       name);
    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_MECHANISM_CALLED_TOO_MANY_TIMES:
        return err_set(err, ERR_PROTOCOL,
                       "%s: the server's challenge cannot be understood", name);
    default:
        return err_set(err, ERR_AUTH, "%s: %s", name, gsasl_strerror(code));
    }
}

/* One step of libgsasl, from @text to base64 at the end of @out. */
static int library_talk(struct sasl *sasl, struct bytes text, struct buf *out,
                        struct err *err)
{
    char *answer = NULL;
    size_t n = 0;
    int code = gsasl_step(sasl->session, text.ptr, text.len, &answer, &n);

    if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
        return library_failed(sasl, code, err);
    put_base64(out, (struct bytes){answer, n});
    gsasl_free(answer);
    if (code == GSASL_OK)
        sasl->state = STATE_COMPLETE;
    return 0;
}

/* Returns GSASL_OK, or a code of the library's. */
static int set_binding(Gsasl_session *session, const struct binding *binding)
{
    struct buf text;
    int code;

    if (binding->kind == BINDING_NONE)
        return GSASL_OK;
    buf_init(&text, 0);
    put_base64(&text,
               (struct bytes){(const char *)binding->octets, binding->len});
    code = gsasl_property_set(session,
                              binding->kind == BINDING_TLS_EXPORTER
                                  ? GSASL_CB_TLS_EXPORTER
                                  : GSASL_CB_TLS_UNIQUE,
                              buf_text(&text));
    wipe(&text);
    return code;
}

static int set_properties(struct sasl *sasl, const struct sasl_options *options)
{
    Gsasl_session *session = sasl->session;
    int code = gsasl_property_set(session, GSASL_AUTHID, options->user);

    if (code == GSASL_OK)
        code = gsasl_property_set(session, GSASL_PASSWORD, options->password);
    if (code == GSASL_OK && options->authzid != NULL)
        code = gsasl_property_set(session, GSASL_AUTHZID, options->authzid);
    if (code == GSASL_OK && sasl_is_bound(sasl->mechanism))
        code = set_binding(session, &options->binding);
    return code;
}

static int library_begin(struct sasl *sasl, const struct sasl_options *options,
                         struct err *err)
{
    int code = gsasl_init(&sasl->library);

    if (code == GSASL_OK) {
        code = gsasl_client_start(sasl->library, sasl_name(sasl->mechanism),
                                  &sasl->session);
    }
    if (code == GSASL_OK)
        code = set_properties(sasl, options);
    if (code != GSASL_OK)
        return library_failed(sasl, code, err);
    return sasl_begins(sasl) ? library_talk(sasl, B(""), &sasl->first, err) : 0;
}

/* The library frees its copies without wiping them. */
static void library_wipe(Gsasl_session *session)
{
    static const Gsasl_property secrets[] = {GSASL_PASSWORD,
                                             GSASL_SCRAM_SALTED_PASSWORD};
    size_t i;

    for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const char *text = gsasl_property_fast(session, secrets[i]);

        if (text != NULL)
            explicit_bzero((char *)(uintptr_t)text, strlen(text));
    }
}

/* The next of "r=NONCE,s=SALT,i=4096"; @text is moved behind it. */
static struct bytes next_attribute(struct bytes *text)
{
    const char *comma = memchr(text->ptr, ',', text->len);
    size_t n = comma != NULL ? (size_t)(comma - text->ptr) : text->len;
    struct bytes attribute = {text->ptr, n};

    *text = bytes_skip(*text, comma != NULL ? n + 1 : n);
    return attribute;
}

/* The library would hash as often as the server says. */
static int check_iterations(struct bytes text, struct err *err)
{
    bool good = true;
    bool found = false;

    while (text.len > 0) {
        struct bytes attribute = next_attribute(&text);
        uint64_t count = 0;

        if (!bytes_starts_nocase(attribute, B("i=")))
            continue;
        found = true;
        good &= bytes_to_u64(bytes_skip(attribute, 2), SASL_ITERATIONS_MAX,
                             &count) &&
                count >= SASL_ITERATIONS_MIN;
    }
    if (!found) {
        return err_set(err, ERR_PROTOCOL,
                       "SCRAM: the server's challenge cannot be understood");
    }
    if (!good) {
        return err_set(err, ERR_LIMIT,
                       "SCRAM: the server wants the password hashed other than "
                       "%u to %u times",
                       SASL_ITERATIONS_MIN, SASL_ITERATIONS_MAX);
    }
    return 0;
}

/* A challenge that is decoded. */
static int library_answer(struct sasl *sasl, struct bytes text, struct buf *out,
                          struct err *err)
{
    int r;

    if (!is_scram(sasl))
        return library_talk(sasl, text, out, err);
    /* RFC 5802 section 5.1: the server refuses. It will say so in words. */
    if (sasl->counted && bytes_starts_nocase(text, B("e="))) {
        sasl->state = STATE_REFUSED;
        return 0;
    }
    if (!sasl->counted) {
        r = check_iterations(text, err);
        if (r < 0)
            return r;
        sasl->counted = true;
    }
    return library_talk(sasl, text, out, err);
}

static int library_step(struct sasl *sasl, struct bytes challenge,
                        struct buf *out, struct err *err)
{
    char *text = NULL;
    size_t n = 0;
    int r;

    if (challenge.len > SASL_CHALLENGE_BYTES_MAX) {
        return err_set(err, ERR_LIMIT,
                       "%s: the server's challenge is longer than %u bytes",
                       sasl_name(sasl->mechanism), SASL_CHALLENGE_BYTES_MAX);
    }
    if (gsasl_base64_from(challenge.ptr, challenge.len, &text, &n) !=
        GSASL_OK) {
        return err_set(err, ERR_PROTOCOL,
                       "%s: the server's challenge is no base64",
                       sasl_name(sasl->mechanism));
    }
    r = library_answer(sasl, (struct bytes){text, n}, out, err);
    gsasl_free(text);
    return r;
}

/* The server tells in JSON why it refuses the token, and then waits for a word
 * from us before it says NO. What it tells is not looked at. */
static int oauth_step(struct sasl *sasl, struct buf *out)
{
    if (sasl->mechanism == SASL_OAUTHBEARER)
        put_base64(out, B("\001")); /* RFC 7628 section 3.2.3 */
    sasl->state = STATE_REFUSED;
    return 0;
}

int sasl_step(struct sasl *sasl, struct bytes challenge, struct buf *out,
              struct err *err)
{
    if (is_foreign(sasl) && sasl->state == STATE_BEGUN)
        return library_step(sasl, challenge, out, err);
    if (is_oauth(sasl) && sasl->state == STATE_COMPLETE)
        return oauth_step(sasl, out);
    return err_set(err, ERR_PROTOCOL,
                   "the server asks for more than %s has to say",
                   sasl_name(sasl->mechanism));
}

/* Control characters take the messages apart; of the token RFC 6750 says the
 * same. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ' || c == 127)
            return false;
    }
    return true;
}

static int begin(struct sasl *sasl, const struct sasl_options *options,
                 struct err *err)
{
    static void (*const say[])(struct buf *, const struct sasl_options *) = {
        [SASL_OAUTHBEARER] = say_oauthbearer,
        [SASL_XOAUTH2] = say_xoauth2,
        [SASL_PLAIN] = say_plain,
        [SASL_EXTERNAL] = say_external,
    };
    struct buf message;

    if (is_foreign(sasl))
        return library_begin(sasl, options, err);
    if (is_oauth(sasl) &&
        (!is_printable(options->user) || !is_printable(options->token))) {
        return err_set(err, ERR_AUTH,
                       "a control character in the user name or the token");
    }
    message_init(&message, options);
    say[sasl->mechanism](&message, options);
    put_base64(&sasl->first, buf_peek(&message));
    wipe(&message);
    sasl->state = STATE_COMPLETE;
    return 0;
}

int sasl_new(const struct sasl_options *options, struct sasl **out,
             struct err *err)
{
    struct sasl *sasl = MEM_NEW(struct sasl);
    int r;

    sasl->mechanism = options->mechanism;
    buf_init(&sasl->first, 0);
    r = begin(sasl, options, err);
    if (r < 0) {
        sasl_free(sasl);
        return r;
    }
    *out = sasl;
    return 0;
}

void sasl_free(struct sasl *sasl)
{
    if (sasl == NULL)
        return;
    wipe(&sasl->first);
    if (sasl->session != NULL) {
        library_wipe(sasl->session);
        gsasl_finish(sasl->session);
    }
    if (sasl->library != NULL)
        gsasl_done(sasl->library);
    free(sasl);
}

bool sasl_begins(const struct sasl *sasl)
{
    return sasl->mechanism != SASL_CRAM_MD5;
}

struct bytes sasl_first(const struct sasl *sasl)
{
    return buf_peek(&sasl->first);
}

bool sasl_is_complete(const struct sasl *sasl)
{
    return sasl->state == STATE_COMPLETE;
}

bool sasl_is_telling(const struct sasl *sasl)
{
    return is_foreign(sasl);
}
