#include "base/endpoint.h"

#include <stdlib.h>

#include "base/mem.h"

/* A settled Maildir token has both times, an IMAP token none. */
static bool has_half(const struct folder_token *token)
{
    return (token->cur_mtime_ns == 0) != (token->new_mtime_ns == 0);
}

bool folder_token_equal(const struct folder_token *a,
                        const struct folder_token *b)
{
    return a->uidvalidity != 0 && a->uidvalidity == b->uidvalidity &&
           (a->object == b->object || a->object == 0 || b->object == 0) &&
           a->uidnext == b->uidnext && a->messages == b->messages &&
           a->highestmodseq == b->highestmodseq &&
           a->cur_mtime_ns == b->cur_mtime_ns &&
           a->new_mtime_ns == b->new_mtime_ns && !has_half(a);
}

char *folder_kept_name(const char *name, unsigned n)
{
    return n == 1 ? mem_printf("%s" FOLDER_KEPT, name)
                  : mem_printf("%s" FOLDER_KEPT "-%u", name, n);
}

void folder_list_free(struct folder_entry *folders, size_t n_folders)
{
    for (size_t i = 0; i < n_folders; i++) {
        free(folders[i].name);
        free(folders[i].problem);
        free(folders[i].skipped);
    }
    free(folders);
}

void endpoint_open(struct endpoint *endpoint, struct open_request *request)
{
    endpoint->class->open(endpoint, request);
}

void endpoint_list(struct endpoint *endpoint, struct list_request *request)
{
    endpoint->class->list(endpoint, request);
}

void endpoint_delta(struct endpoint *endpoint, struct delta_request *request)
{
    endpoint->class->delta(endpoint, request);
}

void endpoint_identify(struct endpoint *endpoint,
                       struct identify_request *request)
{
    endpoint->class->identify(endpoint, request);
}

void endpoint_read(struct endpoint *endpoint, struct read_request *request)
{
    endpoint->class->read(endpoint, request);
}

void endpoint_read_pause(struct endpoint *endpoint,
                         struct read_request *request, bool pause)
{
    endpoint->class->read_pause(endpoint, request, pause);
}

void endpoint_add_open(struct endpoint *endpoint, struct add_request *request)
{
    endpoint->class->add_open(endpoint, request);
}

void endpoint_add_message(struct endpoint *endpoint,
                          struct add_request *request,
                          const struct message_meta *meta)
{
    endpoint->class->add_message(endpoint, request, meta);
}

bool endpoint_add_data(struct endpoint *endpoint, struct add_request *request,
                       struct bytes data)
{
    return endpoint->class->add_data(endpoint, request, data);
}

void endpoint_add_close(struct endpoint *endpoint, struct add_request *request)
{
    endpoint->class->add_close(endpoint, request);
}

void endpoint_add_abort(struct endpoint *endpoint, struct add_request *request)
{
    endpoint->class->add_abort(endpoint, request);
}

void endpoint_flag(struct endpoint *endpoint, struct flag_request *request)
{
    endpoint->class->flag(endpoint, request);
}

void endpoint_remove(struct endpoint *endpoint, struct remove_request *request)
{
    endpoint->class->remove(endpoint, request);
}

void endpoint_place(struct endpoint *endpoint, struct place_request *request)
{
    endpoint->class->place(endpoint, request);
}

void endpoint_folder(struct endpoint *endpoint, struct folder_request *request)
{
    endpoint->class->folder(endpoint, request);
}

void endpoint_close(struct endpoint *endpoint, struct close_request *request)
{
    endpoint->class->close(endpoint, request);
}

void endpoint_describe(struct endpoint *endpoint, struct buf *out)
{
    endpoint->class->describe(endpoint, out);
}

void endpoint_free(struct endpoint *endpoint)
{
    if (endpoint != NULL)
        endpoint->class->free(endpoint);
}
