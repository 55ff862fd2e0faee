/* SHA-256 against FIPS 180-2, streamed in any pieces. */
#include <string.h>

#include "base/digest.h"
#include "tests/tap.h"

static const struct {
    struct bytes in;
    const char *want;
} cases[] = {
    {{"", 0},
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {{"abc", 3},
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static bool is_hex(const uint8_t digest[DIGEST_BYTES], const char *want)
{
    char hex[DIGEST_BYTES * 2 + 1];

    for (size_t i = 0; i < DIGEST_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return strcmp(hex, want) == 0;
}

static void test_known(void)
{
    struct digest *digest = digest_new();
    uint8_t out[DIGEST_BYTES];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes in = cases[i].in;

        digest_of(in, out);
        ok(is_hex(out, cases[i].want), "%zu bytes at once", in.len);
        for (size_t j = 0; j < in.len; j++)
            digest_add(digest, (struct bytes){in.ptr + j, 1});
        digest_final(digest, out);
        ok(is_hex(out, cases[i].want), "%zu bytes one by one", in.len);
    }
    digest_add(digest, (struct bytes){NULL, 0});
    digest_final(digest, out);
    ok(is_hex(out, cases[0].want), "starts anew, and nothing adds nothing");
    digest_free(digest);
    digest_free(NULL);
}

static void test_million(void)
{
    struct digest *digest = digest_new();
    uint8_t out[DIGEST_BYTES];
    char block[1000];

    memset(block, 'a', sizeof(block));
    for (int i = 0; i < 1000; i++)
        digest_add(digest, (struct bytes){block, sizeof(block)});
    digest_final(digest, out);
    ok(is_hex(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7"
                   "112cd0"),
       "a million times \"a\"");
    digest_free(digest);
}

int main(void)
{
    uint8_t a[16] = {0};
    uint8_t b[16] = {0};
    uint8_t many[1000] = {0};
    const uint8_t zeros[16] = {0};

    test_known();
    test_million();
    digest_random(a, sizeof(a));
    digest_random(b, sizeof(b));
    ok(memcmp(a, b, sizeof(a)) != 0, "random bytes differ");
    digest_random(a, 0);
    ok(true, "no random bytes at all");
    digest_random(many, sizeof(many));
    ok(memcmp(many, many + 500, 500) != 0 && memcmp(many + 984, zeros, 16) != 0,
       "more random bytes than the system gives at once");
    return done_testing();
}
