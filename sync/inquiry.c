#include "sync/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* One folder's part. */
struct question {
    struct identify_request request;
    struct inquiry *inquiry;
    enum side side;
    struct uidset uids;
    struct inquiry_item *items; /* by UID */
    size_t n;
};

static int by_place(const void *a, const void *b)
{
    const struct inquiry_item *one = a;
    const struct inquiry_item *two = b;

    if (one->work != two->work)
        return one->work->row.id < two->work->row.id ? -1 : 1;
    if (one->uid != two->uid)
        return one->uid < two->uid ? -1 : 1;
    return one->number < two->number ? -1 : one->number > two->number;
}

static int by_uid(const void *a, const void *b)
{
    const struct inquiry_item *one = a;
    const struct inquiry_item *two = b;

    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static void on_item(struct identify_request *request, uint32_t uid,
                    const struct identity *identity)
{
    struct question *question = request->base.owner;
    struct inquiry *inquiry = question->inquiry;
    struct inquiry_item key = {.uid = uid};
    const struct inquiry_item *end = question->items + question->n;
    const struct inquiry_item *found =
        bsearch(&key, question->items, question->n, sizeof(key), by_uid);

    if (found == NULL)
        return;
    while (found > question->items && found[-1].uid == uid)
        found--;
    for (; found < end && found->uid == uid; found++)
        inquiry->item(inquiry, question->side, found->number, identity);
}

static void on_answered(struct request *base)
{
    struct question *question = base->owner;
    struct inquiry *inquiry = question->inquiry;
    struct run *run = inquiry->run;

    run_is_over(run, question->side, base->result, &base->err);
    uidset_deinit(&question->uids);
    free(question->items);
    free(question);
    if (--inquiry->pending == 0)
        inquiry->over(inquiry);
}

static void send_one(struct inquiry *inquiry, enum side side,
                     const struct inquiry_item *items, size_t n)
{
    struct question *question = MEM_NEW(struct question);

    question->inquiry = inquiry;
    question->side = side;
    question->items = mem_new(n, sizeof(*items));
    question->n = n;
    memcpy(question->items, items, n * sizeof(*items));
    for (size_t i = 0; i < n; i++)
        uidset_add(&question->uids, items[i].uid);
    question->request.base.done = on_answered;
    question->request.base.owner = question;
    question->request.folder = run_folder_ref(items[0].work, side);
    question->request.uids = &question->uids;
    question->request.level = inquiry->level;
    question->request.item = on_item;
    inquiry->pending++;
    endpoint_identify(inquiry->run->options.endpoint[side], &question->request);
}

void inquiry_send(struct inquiry *inquiry, enum side side,
                  struct inquiry_item *items, size_t n)
{
    size_t first = 0;

    if (n > 1)
        qsort(items, n, sizeof(*items), by_place);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && items[i].work == items[first].work)
            continue;
        send_one(inquiry, side, items + first, i - first);
        first = i;
    }
}
