#include "imap/caps.h"

/* Names of which RFC 9051 needs no extra word when the server speaks nothing
 * older; beside IMAP4rev1 they are not in force before ENABLE IMAP4rev2. */
#define CAPS_OF_REV2                                                         \
    (CAP_NAMESPACE | CAP_UNSELECT | CAP_UIDPLUS | CAP_ESEARCH | CAP_ENABLE | \
     CAP_SASL_IR | CAP_LIST_EXTENDED | CAP_LIST_STATUS | CAP_MOVE |          \
     CAP_LITERAL_MINUS | CAP_SPECIAL_USE | CAP_STATUS_SIZE)

#define NAME(text)                \
    {                             \
        "" text, sizeof(text) - 1 \
    }

static const struct {
    struct bytes name;
    uint32_t bit;
} names[] = {
    {NAME("IMAP4REV1"),          CAP_IMAP4REV1         },
    {NAME("STARTTLS"),           CAP_STARTTLS          },
    {NAME("LOGINDISABLED"),      CAP_LOGINDISABLED     },
    {NAME("SASL-IR"),            CAP_SASL_IR           },
    {NAME("AUTH=PLAIN"),         CAP_AUTH_PLAIN        },
    {NAME("ENABLE"),             CAP_ENABLE            },
    {NAME("CONDSTORE"),          CAP_CONDSTORE         },
    {NAME("QRESYNC"),            CAP_QRESYNC           },
    {NAME("UIDPLUS"),            CAP_UIDPLUS           },
    {NAME("MOVE"),               CAP_MOVE              },
    {NAME("LITERAL+"),           CAP_LITERAL_PLUS      },
    {NAME("LITERAL-"),           CAP_LITERAL_MINUS     },
    {NAME("MULTIAPPEND"),        CAP_MULTIAPPEND       },
    {NAME("LIST-EXTENDED"),      CAP_LIST_EXTENDED     },
    {NAME("LIST-STATUS"),        CAP_LIST_STATUS       },
    {NAME("SPECIAL-USE"),        CAP_SPECIAL_USE       },
    {NAME("CREATE-SPECIAL-USE"), CAP_CREATE_SPECIAL_USE},
    {NAME("ESEARCH"),            CAP_ESEARCH           },
    {NAME("UNSELECT"),           CAP_UNSELECT          },
    {NAME("NAMESPACE"),          CAP_NAMESPACE         },
    {NAME("ID"),                 CAP_ID                },
    {NAME("COMPRESS=DEFLATE"),   CAP_COMPRESS          },
    {NAME("OBJECTID"),           CAP_OBJECTID          },
    {NAME("STATUS=SIZE"),        CAP_STATUS_SIZE       },
    {NAME("IMAP4REV2"),          CAP_IMAP4REV2         },
    {NAME("CHILDREN"),           CAP_CHILDREN          },
    {NAME("AUTH=SCRAM-SHA-256"), CAP_AUTH_SCRAM_SHA_256},
    {NAME("AUTH=SCRAM-SHA-1"),   CAP_AUTH_SCRAM_SHA_1  },
    {NAME("AUTH=OAUTHBEARER"),   CAP_AUTH_OAUTHBEARER  },
    {NAME("AUTH=XOAUTH2"),       CAP_AUTH_XOAUTH2      },
    {NAME("AUTH=EXTERNAL"),      CAP_AUTH_EXTERNAL     },
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

static void add_word(struct caps *caps, struct bytes word)
{
    const struct bytes limit = B("APPENDLIMIT=");
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (bytes_equal_nocase(word, names[i].name)) {
            caps->bits |= names[i].bit;
            return;
        }
    }
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
