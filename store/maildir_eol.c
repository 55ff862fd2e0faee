#include "store/maildir_eol.h"

#include <string.h>

#include "base/sabotage.h"

uint64_t maildir_eol_count_bare(struct bytes text, char *last)
{
    const char *end = text.ptr + text.len;
    const char *at = text.ptr;
    uint64_t bare = 0;

    if (text.len == 0) {
        return 0;
    }
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if ((at == text.ptr ? *last : at[-1]) != '\r') {
            bare++;
        }
        at++;
        if (at == end) {
            break;
        }
    }
    *last = end[-1];
    return bare;
}

void maildir_eol_to_crlf(struct bytes text, char *last, struct buf *out)
{
    while (text.len > 0) {
        const char *lf = memchr(text.ptr, '\n', text.len);
        size_t n = lf == NULL ? text.len : (size_t)(lf - text.ptr);

        if (lf == NULL) {
            buf_add(out, text);
            *last = text.ptr[n - 1];
            return;
        }
        buf_add(out, (struct bytes){text.ptr, n});
        if ((n == 0 ? *last : lf[-1]) != '\r') {
            buf_add_char(out, '\r');
        }
        buf_add_char(out, '\n');
        *last = '\n';
        text = bytes_skip(text, n + 1);
    }
}

bool maildir_eol_to_lf(struct bytes text, bool *held, struct buf *out)
{
    if (*held && text.len > 0) {
        if (text.ptr[0] != '\n' && !SABOTAGED(bare_cr_lost)) {
            return false;
        }
        buf_add_char(out, '\n');
        text = bytes_skip(text, 1);
        *held = false;
    }
    while (text.len > 0) {
        const char *cr = memchr(text.ptr, '\r', text.len);
        size_t n = cr == NULL ? text.len : (size_t)(cr - text.ptr);

        if (n > 0 && memchr(text.ptr, '\n', n) != NULL) {
            return false;
        }
        buf_add(out, (struct bytes){text.ptr, n});
        if (cr == NULL) {
            return true;
        }
        if (n + 1 == text.len) {
            *held = true;
            return true;
        }
        if (cr[1] != '\n') {
            return false;
        }
        buf_add_char(out, '\n');
        text = bytes_skip(text, n + 2);
    }
    return true;
}
