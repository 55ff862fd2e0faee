#include "store/maildir_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_eol.h"
#include "store/maildir_name.h"

#define PIECE_BYTES 65536u

void maildir_write_init(struct maildir_write *write, int tmp, char *name)
{
    *write = (struct maildir_write){.tmp = tmp, .fd = -1};
    write->name = name;
}

static int create(int tmp, const char *name)
{
    return openat(tmp, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
}

static int put(int fd, struct bytes text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.ptr, text.len);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            text = bytes_skip(text, (size_t)n);
        }
    }
    return 0;
}

static int store(struct maildir_write *write, struct bytes text)
{
    if (put(write->fd, text) < 0) {
        return -1;
    }
    write->stored += text.len;
    return 0;
}

static int open_file(struct maildir_write *write)
{
    if (!write->there) {
        write->fd = create(write->tmp, write->name);
        write->there = write->fd >= 0;
    }
    return write->fd >= 0 ? 0 : -1;
}

/* What was stored with LF so far goes to @to with CRLF again. */
static int copy_back(struct maildir_write *write, int to, struct buf *scratch)
{
    char *piece = mem_new(PIECE_BYTES, 1);
    char last = 0;
    off_t offset = 0;
    ssize_t n;
    int r = 0;

    while (r == 0 && (n = pread(write->fd, piece, PIECE_BYTES, offset)) != 0) {
        if (n < 0) {
            r = -1;
            break;
        }
        offset += n;
        buf_clear(scratch);
        maildir_eol_to_crlf((struct bytes){piece, (size_t)n}, &last, scratch);
        r = put(to, buf_peek(scratch));
        write->stored += buf_len(scratch);
    }
    buf_clear(scratch);
    free(piece);
    return r;
}

/* From here on as it came. */
static int go_verbatim(struct maildir_write *write, bool held,
                       struct buf *scratch)
{
    char *name;
    int fd;
    int r;

    write->verbatim = true;
    if (write->stored > 0) {
        name = mem_printf("%s.v", write->name);
        fd = create(write->tmp, name);
        write->stored = 0;
        r = fd < 0 ? -1 : copy_back(write, fd, scratch);
        if (r == 0) {
            r = renameat(write->tmp, name, write->tmp, write->name);
        }
        if (r < 0) {
            int error_number = errno;

            (void)unlinkat(write->tmp, name, 0);
            errno = error_number;
        }
        free(name);
        if (fd >= 0) {
            close(write->fd);
            write->fd = fd;
        }
        if (r < 0) {
            return r;
        }
    }
    return held ? store(write, B("\r")) : 0;
}

int maildir_write_add(struct maildir_write *write, struct bytes piece,
                      struct buf *scratch)
{
    bool held = write->held;
    int r = open_file(write);

    if (r < 0 || piece.len == 0) {
        return r;
    }
    buf_clear(scratch);
    if (!write->verbatim && maildir_eol_to_lf(piece, &write->held, scratch)) {
        r = store(write, buf_peek(scratch));
    } else {
        write->held = false;
        write->bare += maildir_eol_count_bare(piece, &write->last);
        if (!write->verbatim) {
            r = go_verbatim(write, held, scratch);
        }
        if (r == 0) {
            r = store(write, piece);
        }
    }
    buf_clear(scratch);
    write->last = piece.ptr[piece.len - 1];
    write->octets += piece.len;
    return r;
}

int maildir_write_finish(struct maildir_write *write, int64_t date,
                         struct buf *scratch)
{
    struct timespec times[2] = {{.tv_sec = (time_t)date},
                                {.tv_sec = (time_t)date}};
    int fd;

    if (open_file(write) < 0 ||
        (write->held && go_verbatim(write, true, scratch) < 0) ||
        futimens(write->fd, times) < 0) {
        return -1;
    }
    fd = write->fd;
    write->fd = -1;
    return close(fd);
}

void maildir_write_print_base(const struct maildir_write *write,
                              struct buf *out)
{
    /* W is what Dovecot would count: every LF as CRLF. */
    const struct maildir_name_sizes sizes = {
        .has_file = true,
        .has_crlf = true,
        .file = write->stored,
        .crlf = write->verbatim ? write->octets + write->bare : write->octets,
        .verbatim = write->verbatim};

    buf_add(out, bytes_of(write->name));
    maildir_name_print_sizes(out, &sizes);
}

void maildir_write_deinit(struct maildir_write *write)
{
    if (write->fd >= 0) {
        close(write->fd);
        write->fd = -1;
    }
    if (write->there) {
        (void)unlinkat(write->tmp, write->name, 0);
        write->there = false;
    }
    free(write->name);
    write->name = NULL;
}

static int copy_octets(int from, int to)
{
    char *piece = mem_new(PIECE_BYTES, 1);
    ssize_t n;
    int r = 0;

    while (r == 0 && (n = read(from, piece, PIECE_BYTES)) != 0) {
        r = n < 0 ? -1 : put(to, (struct bytes){piece, (size_t)n});
    }
    free(piece);
    return r;
}

static int copy_into(int from, int tmp, const char *tmp_name)
{
    struct stat st;
    int to;
    int r = -1;

    if (fstat(from, &st) < 0) {
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    to = create(tmp, tmp_name);
    if (to < 0) {
        return -1;
    }
    if (copy_octets(from, to) == 0) {
        const struct timespec times[2] = {st.st_mtim, st.st_mtim};

        r = futimens(to, times) == 0 && fsync(to) == 0 ? 0 : -1;
    }
    if (close(to) < 0) {
        r = -1;
    }
    if (r < 0) {
        int error_number = errno;

        (void)unlinkat(tmp, tmp_name, 0);
        errno = error_number;
    }
    return r;
}

int maildir_write_copy(int dir, const char *name, int tmp, const char *tmp_name)
{
    int from =
        openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int error_number;
    int r;

    if (from < 0) {
        return -1;
    }
    r = copy_into(from, tmp, tmp_name);
    error_number = errno;
    close(from);
    errno = error_number;
    return r;
}
