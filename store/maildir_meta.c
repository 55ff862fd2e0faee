#include "store/maildir_meta.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_eol.h"
#include "store/maildir_name.h"

#define PIECE_BYTES 65536u

/* One piece of a file at @offset. Returns its length, 0 at the end, -1 with
 * errno. */
static ssize_t read_piece(int fd, char *piece, off_t offset)
{
    ssize_t n;

    do {
        n = pread(fd, piece, PIECE_BYTES, offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

bool maildir_meta_of_name(struct bytes base, const struct stat *st,
                          struct maildir_meta *out)
{
    struct maildir_name_sizes sizes;

    maildir_name_parse_sizes(base, &sizes);
    *out = (struct maildir_meta){.date = st->st_mtim.tv_sec};
    /* The name is only believed about the file that it was given to. */
    if (!sizes.has_file || sizes.file != (uint64_t)st->st_size) {
        return false;
    }
    out->verbatim = sizes.verbatim;
    if (sizes.verbatim) {
        out->size = sizes.file;
        return true;
    }
    out->size = sizes.crlf;
    return sizes.has_crlf && sizes.crlf >= sizes.file &&
           sizes.crlf <= 2 * sizes.file;
}

int maildir_meta_count(int fd, uint64_t *octets, uint64_t *bare)
{
    char *piece = mem_new(PIECE_BYTES, 1);
    char last = 0;
    off_t offset = 0;
    ssize_t n;

    *bare = 0;
    while ((n = read_piece(fd, piece, offset)) > 0) {
        *bare +=
            maildir_eol_count_bare((struct bytes){piece, (size_t)n}, &last);
        offset += n;
    }
    free(piece);
    *octets = (uint64_t)offset;
    return n < 0 ? -1 : 0;
}

int maildir_meta_of_file(int fd, struct bytes base, struct maildir_meta *out)
{
    struct stat st;
    uint64_t octets;
    uint64_t bare;

    if (fstat(fd, &st) < 0) {
        return -1;
    }
    if (maildir_meta_of_name(base, &st, out)) {
        return 0;
    }
    if (maildir_meta_count(fd, &octets, &bare) < 0) {
        return -1;
    }
    out->size = octets + bare;
    return 0;
}

/* The digest of the fields that count. */
static int read_header(int fd, enum identity_set set, struct identity *out)
{
    struct identity_reader *reader = identity_reader_new(set);
    char *piece = mem_new(PIECE_BYTES, 1);
    off_t offset = 0;
    ssize_t n = 0;

    while (!identity_reader_done(reader) &&
           offset < (off_t)IDENTITY_HEADER_BYTES_MAX &&
           (n = read_piece(fd, piece, offset)) > 0) {
        identity_reader_add(reader, (struct bytes){piece, (size_t)n});
        offset += n;
    }
    identity_reader_final(reader, out);
    identity_reader_free(reader);
    free(piece);
    return n < 0 ? -1 : 0;
}

/* The digest of the message with CRLF line ends. */
static int read_body(int fd, bool verbatim, struct identity *out)
{
    struct digest *digest = digest_new();
    char *piece = mem_new(PIECE_BYTES, 1);
    struct buf crlf;
    char last = 0;
    off_t offset = 0;
    ssize_t n;

    buf_init(&crlf, 0);
    while ((n = read_piece(fd, piece, offset)) > 0) {
        struct bytes text = {piece, (size_t)n};

        offset += n;
        if (!verbatim) {
            buf_clear(&crlf);
            maildir_eol_to_crlf(text, &last, &crlf);
            text = buf_peek(&crlf);
        }
        digest_add(digest, text);
    }
    digest_final(digest, out->digest);
    digest_free(digest);
    buf_deinit(&crlf);
    free(piece);
    return n < 0 ? -1 : 0;
}

int maildir_meta_identify(int fd, struct bytes base, enum identify_level level,
                          struct identity *out)
{
    struct maildir_meta meta;
    int r = maildir_meta_of_file(fd, base, &meta);

    *out = (struct identity){0};
    if (r < 0) {
        return r;
    }
    out->size = meta.size;
    out->date = meta.date;
    switch (level) {
    case IDENTIFY_ENVELOPE:
        return read_header(fd, IDENTITY_BY_ENVELOPE, out);
    case IDENTIFY_HEADER:
        return read_header(fd, IDENTITY_BY_FIELDS, out);
    case IDENTIFY_BODY:
        return read_body(fd, meta.verbatim, out);
    case IDENTIFY_META:
        break;
    }
    return 0;
}
