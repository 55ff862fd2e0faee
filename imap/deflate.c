#include "imap/deflate.h"

#include <stdlib.h>
#include <string.h>
/* It may change nothing that we lend it. */
#define ZLIB_CONST
#include <zlib.h>

#include "base/mem.h"

/* Negative: raw, without a header and a checksum. The server may use all of
 * the window that there is; ours is half of that, which makes 128 KiB less of
 * memory and 4 % more bytes of text (none more of base64). */
#define IN_WINDOW_BITS  (-15)
#define OUT_WINDOW_BITS (-14)
#define OUT_MEM_LEVEL   7

/* Compressed, waiting to be sent. */
#define OUTPUT_BYTES ((size_t)16 << 10)
/* zlib repeats the mark of a flush that it finds no room for. */
#define FLUSH_ROOM 64u

struct deflate {
    z_stream in;
    z_stream out;
    bool ended;   /* in: by the server */
    bool garbled; /* in: what came is no stream */
    bool flushed; /* out: nothing is held back */
    size_t taken; /* of output */
    size_t filled;
    Bytef output[OUTPUT_BYTES];
};

static voidpf allocate(voidpf unused, uInt count, uInt size)
{
    (void)unused;
    return mem_calloc(count, size);
}

static void release(voidpf unused, voidpf ptr)
{
    (void)unused;
    free(ptr);
}

struct deflate *deflate_new(void)
{
    struct deflate *self = MEM_NEW(struct deflate);

    self->in.zalloc = self->out.zalloc = allocate;
    self->in.zfree = self->out.zfree = release;
    self->flushed = true;
    /* They fail for want of memory, which does not return, and for numbers
     * that they do not know. */
    (void)inflateInit2(&self->in, IN_WINDOW_BITS);
    (void)deflateInit2(&self->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                       OUT_WINDOW_BITS, OUT_MEM_LEVEL, Z_DEFAULT_STRATEGY);
    return self;
}

void deflate_free(struct deflate *self)
{
    if (self == NULL)
        return;
    inflateEnd(&self->in);
    deflateEnd(&self->out);
    free(self);
}

void deflate_feed(struct deflate *self, struct bytes in)
{
    self->in.next_in = (const Bytef *)in.ptr;
    self->in.avail_in = (uInt)in.len;
}

static int garbled(struct deflate *self, struct err *err)
{
    const char *why = self->in.msg;

    self->garbled = true;
    return err_set(err, ERR_CONNECT,
                   "the server's compressed stream is broken%s%s",
                   why != NULL ? ": " : "", why != NULL ? why : "");
}

bool deflate_is_garbled(const struct deflate *self)
{
    return self->garbled;
}

int deflate_read(struct deflate *self, char *out, size_t size, size_t *n,
                 struct err *err)
{
    z_stream *in = &self->in;
    int r;

    *n = 0;
    if (self->ended)
        return 1;
    in->next_out = (Bytef *)out;
    in->avail_out = (uInt)size;
    r = inflate(in, Z_SYNC_FLUSH);
    *n = size - in->avail_out;
    if (r == Z_STREAM_END) {
        self->ended = true;
        return *n > 0 ? 0 : 1;
    }
    /* No progress is no error: it needs more. */
    return r == Z_OK || r == Z_BUF_ERROR ? 0 : garbled(self, err);
}

/* Let zlib write to the output. Returns whether it left room, so that nothing
 * of what it wanted to write is held back. */
static bool run(struct deflate *self, int flush)
{
    z_stream *out = &self->out;

    if (self->taken > 0) {
        self->filled -= self->taken;
        memmove(self->output, self->output + self->taken, self->filled);
        self->taken = 0;
    }
    if (OUTPUT_BYTES - self->filled < FLUSH_ROOM)
        return false;
    out->next_out = self->output + self->filled;
    out->avail_out = (uInt)(OUTPUT_BYTES - self->filled);
    (void)deflate(out, flush);
    self->filled = OUTPUT_BYTES - out->avail_out;
    return out->avail_out > 0;
}

size_t deflate_write(struct deflate *self, struct bytes plain)
{
    z_stream *out = &self->out;

    if (plain.len == 0)
        return 0;
    self->flushed = false;
    out->next_in = (const Bytef *)plain.ptr;
    out->avail_in = (uInt)plain.len;
    (void)run(self, Z_NO_FLUSH);
    return plain.len - out->avail_in;
}

bool deflate_flush(struct deflate *self)
{
    self->out.avail_in = 0;
    if (!self->flushed)
        self->flushed = run(self, Z_SYNC_FLUSH);
    return self->flushed;
}

struct bytes deflate_output(const struct deflate *self)
{
    return (struct bytes){(const char *)self->output + self->taken,
                          self->filled - self->taken};
}

void deflate_sent(struct deflate *self, size_t n)
{
    self->taken += n;
}

struct deflate_sums deflate_sums(const struct deflate *self)
{
    return (struct deflate_sums){
        .in_wire = self->in.total_in,
        .in_plain = self->in.total_out,
        .out_plain = self->out.total_in,
        .out_wire = self->out.total_out,
    };
}
