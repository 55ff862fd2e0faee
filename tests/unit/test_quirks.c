#include <string.h>

#include "imap/caps.h"
#include "imap/quirks.h"
#include "imap/session.h"
#include "tests/tap.h"

static void test_found(void)
{
    const struct quirks *none = quirks_none();
    const struct quirks *gmail = quirks_find("gmail");

    ok(quirks_of_capability(none, B("IMAP4rev1 x-gm-ext-1 MOVE")) == gmail,
       "found by a capability, in any case");
    ok(quirks_of_capability(none, B("X-GM-EXT-10 XX-GM-EXT-1")) == none,
       "a part of a word is none");
    ok(quirks_of_capability(none, B("")) == none, "no capabilities");
    ok(quirks_of_greeting(none, B("hi, Gimap READY for you")) == gmail,
       "found by a part of the greeting");
    ok(quirks_of_greeting(none, B("Gimap")) == none, "by all of that part");
    ok(quirks_of_host(none, "imap.Gmail.com") == gmail, "found by its host");
    ok(quirks_of_host(none, "gmail.com") == gmail, "by the domain itself");
    ok(quirks_of_host(none, "notgmail.com") == none, "not by half a label");
    ok(quirks_of_host(none, "com") == none, "not by less than the domain");
    ok(quirks_of_host(gmail, "imap.mail.me.com") == gmail,
       "what is found stays");
    ok(quirks_find("nobody") == NULL && quirks_find("none") == none,
       "by key, or not");
}

static void test_keys(void)
{
    size_t n = 0;
    bool good = true;

    for (; quirks_key(n) != NULL; n++) {
        const struct quirks *quirks = quirks_find(quirks_key(n));

        good = good && quirks != NULL && quirks->name != NULL &&
               strcmp(quirks->key, quirks_key(n)) == 0 &&
               (quirks->skip == NULL ||
                quirks_check_skip(quirks->skip).len == 0) &&
               (quirks->capability != NULL || quirks->greeting != NULL ||
                quirks->host != NULL);
    }
    ok(good && n > 5, "every row has a key of its own, and something it shows");
}

static void test_settled(void)
{
    struct quirks_wish nothing = {0};
    struct quirks_wish wish = {.without = CAP_MOVE,
                               .command_bytes = 700,
                               .has_window = true,
                               .window = 0,
                               .has_trust_size = true,
                               .trust_size = true,
                               .skip = "none"};
    struct quirks quirks = quirks_settle(quirks_none(), &nothing);

    ok(quirks.command_bytes == QUIRKS_COMMAND_BYTES && quirks.without == 0 &&
           quirks.window == 0 && quirks.skip == NULL &&
           quirks.fidelity == FIDELITY_EXACT,
       "nothing known, nothing wished");
    quirks = quirks_settle(quirks_find("icloud"), &wish);
    ok(quirks.without == (CAP_QRESYNC | CAP_MOVE), "what is shunned adds up");
    quirks = quirks_settle(quirks_find("yahoo"), &wish);
    ok(quirks.command_bytes == 700 && quirks.window == 0,
       "wishes go before the table");
    quirks = quirks_settle(quirks_find("exchange"), &wish);
    ok(quirks.fidelity == FIDELITY_EXACT && quirks.skip == NULL,
       "also where they lift a limit");
    wish.trust_size = false;
    quirks = quirks_settle(quirks_none(), &wish);
    ok(quirks.fidelity == FIDELITY_CONTENT, "sizes are not trusted");
    quirks = quirks_settle(quirks_find("exchange"), &wish);
    ok(quirks.fidelity == FIDELITY_ENVELOPE, "which does not raise trust");
}

static bool skips(const char *list, const char *name, uint32_t attributes)
{
    struct quirks quirks = {.skip = list};

    return quirks_skips(&quirks, name, attributes).len > 0;
}

static void test_skipped(void)
{
    ok(skips("\\All, \\Important", "x", LIST_USE_ALL), "by a special use");
    ok(skips("\\All, \\Important", "x", LIST_IMPORTANT | LIST_SUBSCRIBED),
       "by another");
    ok(!skips("\\All, \\Important", "All", LIST_USE_SENT), "not by a third");
    ok(skips("Notes, RSS Feeds", "rss feeds", 0), "by name, in any case");
    ok(skips("Notes", "Notes/Deep/er", 0), "with what lies below");
    ok(!skips("Notes", "Notes2", 0) && !skips("Notes", "My/Notes", 0) &&
           !skips("Notes", "Note", 0),
       "and nothing else");
    ok(!skips(NULL, "x", LIST_USE_ALL), "no list, nothing left out");
    ok(bytes_equal(quirks_check_skip("Notes, \\Alles, x"), B("\\Alles")),
       "a use that is none is found");
}

int main(void)
{
    test_found();
    test_keys();
    test_settled();
    test_skipped();
    ok(quirks_use(quirks_find("icloud"), "Sent Messages", 0) == USE_SENT &&
           quirks_use(quirks_find("icloud"), "Sent", 0) == USE_NONE &&
           quirks_use(quirks_none(), "Sent Messages", 0) == USE_NONE,
       "names stand for special uses where there are none");
    ok(quirks_use(quirks_find("icloud"), "Sent Messages", LIST_USE_TRASH) ==
               USE_TRASH &&
           quirks_use(quirks_none(), "x", LIST_NOSELECT | LIST_USE_ALL) ==
               USE_ALL,
       "what the server says goes before them");
    return done_testing();
}
