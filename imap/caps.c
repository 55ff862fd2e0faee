#include "imap/caps.h"

#include "imap/sasl.h"

/* Names of which RFC 9051 needs no extra word when the server speaks nothing
 * older; beside IMAP4rev1 they are not in force before ENABLE IMAP4rev2. */
#define CAPS_OF_REV2                                                         \
    (CAP_NAMESPACE | CAP_UNSELECT | CAP_UIDPLUS | CAP_ESEARCH | CAP_ENABLE | \
     CAP_SASL_IR | CAP_LIST_EXTENDED | CAP_LIST_STATUS | CAP_MOVE |          \
     CAP_LITERAL_MINUS | CAP_SPECIAL_USE | CAP_STATUS_SIZE)

static const struct {
    struct bytes name;
    uint32_t bit;
} names[] = {
    {B_INIT("IMAP4REV1"),          CAP_IMAP4REV1         },
    {B_INIT("STARTTLS"),           CAP_STARTTLS          },
    {B_INIT("LOGINDISABLED"),      CAP_LOGINDISABLED     },
    {B_INIT("SASL-IR"),            CAP_SASL_IR           },
    {B_INIT("ENABLE"),             CAP_ENABLE            },
    {B_INIT("CONDSTORE"),          CAP_CONDSTORE         },
    {B_INIT("QRESYNC"),            CAP_QRESYNC           },
    {B_INIT("UIDPLUS"),            CAP_UIDPLUS           },
    {B_INIT("MOVE"),               CAP_MOVE              },
    {B_INIT("LITERAL+"),           CAP_LITERAL_PLUS      },
    {B_INIT("LITERAL-"),           CAP_LITERAL_MINUS     },
    {B_INIT("MULTIAPPEND"),        CAP_MULTIAPPEND       },
    {B_INIT("LIST-EXTENDED"),      CAP_LIST_EXTENDED     },
    {B_INIT("LIST-STATUS"),        CAP_LIST_STATUS       },
    {B_INIT("SPECIAL-USE"),        CAP_SPECIAL_USE       },
    {B_INIT("CREATE-SPECIAL-USE"), CAP_CREATE_SPECIAL_USE},
    {B_INIT("ESEARCH"),            CAP_ESEARCH           },
    {B_INIT("UNSELECT"),           CAP_UNSELECT          },
    {B_INIT("NAMESPACE"),          CAP_NAMESPACE         },
    {B_INIT("ID"),                 CAP_ID                },
    {B_INIT("COMPRESS=DEFLATE"),   CAP_COMPRESS          },
    {B_INIT("OBJECTID"),           CAP_OBJECTID          },
    {B_INIT("STATUS=SIZE"),        CAP_STATUS_SIZE       },
    {B_INIT("IMAP4REV2"),          CAP_IMAP4REV2         },
    {B_INIT("CHILDREN"),           CAP_CHILDREN          },
};

void caps_clear(struct caps *caps)
{
    *caps = (struct caps){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of @text, which is moved behind it; empty at the end. */
static struct bytes next_word(struct bytes *text)
{
    struct bytes word;
    size_t n = 0;

    while (n < text->len && is_blank(text->ptr[n]))
        n++;
    *text = bytes_skip(*text, n);
    n = 0;
    while (n < text->len && !is_blank(text->ptr[n]))
        n++;
    word = (struct bytes){text->ptr, n};
    *text = bytes_skip(*text, n);
    return word;
}

uint32_t caps_bit(struct bytes name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (bytes_equal_nocase(name, names[i].name))
            return names[i].bit;
    }
    return 0;
}

/* "AUTH=" and the name of a mechanism, as a bit, or 0. */
static uint32_t auth_bit(struct bytes word)
{
    const struct bytes prefix = B("AUTH=");

    if (!bytes_starts_nocase(word, prefix))
        return 0;
    word = bytes_skip(word, prefix.len);
    for (unsigned i = 0; i < SASL_MECHANISMS; i++) {
        if (bytes_equal_nocase(word, bytes_of(sasl_name(i))))
            return 1u << i;
    }
    return 0;
}

static void add_word(struct caps *caps, struct bytes word)
{
    const struct bytes limit = B("APPENDLIMIT=");

    caps->bits |= caps_bit(word);
    caps->auth |= auth_bit(word);
    if (bytes_starts_nocase(word, limit)) {
        (void)bytes_to_u64(bytes_skip(word, limit.len), UINT64_MAX,
                           &caps->append_max);
    }
}

/* Seen in the field: "LITERAL +". */
static void mend_literal(struct caps *caps, struct bytes before,
                         struct bytes word)
{
    if (!bytes_equal_nocase(before, B("LITERAL")))
        return;
    if (bytes_equal(word, B("+")))
        caps->bits |= CAP_LITERAL_PLUS;
    if (bytes_equal(word, B("-")))
        caps->bits |= CAP_LITERAL_MINUS;
}

void caps_parse(struct caps *caps, struct bytes text)
{
    struct bytes before = B("");
    struct bytes word;

    caps_clear(caps);
    caps->known = true;
    while ((word = next_word(&text)).len > 0) {
        add_word(caps, word);
        mend_literal(caps, before, word);
        before = word;
    }
    if ((caps->bits & CAP_IMAP4REV2) != 0 && (caps->bits & CAP_IMAP4REV1) == 0)
        caps->bits |= CAPS_OF_REV2;
}
