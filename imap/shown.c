#include "imap/shown.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"

struct shown shown_line(struct bytes line)
{
    struct shown shown;
    struct buf clean;
    bool cut = line.len > SHOWN_BYTES_MAX;
    size_t n;

    if (cut)
        line.len = SHOWN_BYTES_MAX;
    buf_init(&clean, 0);
    log_clean(&clean, line);
    (void)buf_add(&clean, cut ? B("...") : B(""));
    n = buf_len(&clean); /* "\xNN" is the longest form of a byte */
    memcpy(shown.text, buf_text(&clean), n + 1);
    buf_deinit(&clean);
    return shown;
}
