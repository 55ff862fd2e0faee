#include "tests/sim/model.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* --- scheduler ---------------------------------------------------------------- */

void sim_init(struct sim *sim, uint32_t seed)
{
    memset(sim, 0, sizeof(*sim));
    sim->seed = seed;
}

void sim_deinit(struct sim *sim)
{
    free(sim->tasks);
}

uint32_t sim_random(struct sim *sim, uint32_t below)
{
    sim->seed = sim->seed * 1664525u + 1013904223u;
    return (sim->seed >> 8) % below;
}

void sim_later(struct sim *sim, void (*run)(void *), void *owner)
{
    sim->tasks = mem_grow(sim->tasks, sim->n_tasks, &sim->tasks_cap,
                          sizeof(*sim->tasks));
    sim->tasks[sim->n_tasks++] = (struct sim_task){run, owner};
}

bool sim_step(struct sim *sim)
{
    struct sim_task task;
    size_t i;

    if (sim->n_tasks == 0)
        return false;
    i = sim_random(sim, (uint32_t)sim->n_tasks);
    task = sim->tasks[i];
    sim->tasks[i] = sim->tasks[--sim->n_tasks];
    sim->steps++;
    task.run(task.owner);
    return true;
}

void sim_run(struct sim *sim, const bool *over)
{
    while (!*over && sim_step(sim)) {
    }
}

/* --- mailbox -------------------------------------------------------------------- */

struct model_folder *model_folder(struct model *model, const char *name)
{
    for (size_t i = 0; i < model->n_folders; i++) {
        if (strcmp(model->folders[i]->name, name) == 0)
            return model->folders[i];
    }
    return NULL;
}

struct model_folder *model_make(struct model *model, const char *name)
{
    struct model_folder *folder = model_folder(model, name);

    if (folder != NULL)
        return folder;
    folder = MEM_NEW(struct model_folder);
    folder->name = mem_copy(name);
    folder->uidvalidity = 1 + sim_random(model->sim, 1u << 20);
    folder->uidnext = 1;
    folder->modseq = 1;
    model->folders = mem_grow(model->folders, model->n_folders,
                              &model->folders_cap, sizeof(*model->folders));
    model->folders[model->n_folders++] = folder;
    return folder;
}

static struct model_mail *put(struct model_folder *folder, const char *content,
                              struct flags flags, int64_t date)
{
    struct model_mail *mail;

    folder->mail = mem_grow(folder->mail, folder->n_mail, &folder->mail_cap,
                            sizeof(*folder->mail));
    mail = &folder->mail[folder->n_mail++];
    mail->uid = folder->uidnext++;
    mail->flags = flags;
    mail->modseq = ++folder->modseq;
    mail->date = date;
    mail->content = mem_copy(content);
    mail->told = false;
    return mail;
}

struct model_mail *model_deliver(struct model *model, const char *folder,
                                 const char *content, uint32_t system)
{
    return put(model_make(model, folder), content,
               (struct flags){.system = system}, 1000);
}

struct model_mail *model_find(struct model_folder *folder, uint32_t uid)
{
    for (size_t i = 0; folder != NULL && i < folder->n_mail; i++) {
        if (folder->mail[i].uid == uid)
            return &folder->mail[i];
    }
    return NULL;
}

void model_flag(struct model_folder *folder, struct model_mail *mail,
                uint32_t system)
{
    mail->flags.system = system;
    mail->modseq = ++folder->modseq;
}

void model_expunge(struct model_folder *folder, uint32_t uid)
{
    struct model_mail *mail = model_find(folder, uid);
    size_t i;

    if (mail == NULL)
        return;
    i = (size_t)(mail - folder->mail);
    free(mail->content);
    memmove(mail, mail + 1, (folder->n_mail - i - 1) * sizeof(*mail));
    folder->n_mail--;
    folder->expunged =
        mem_grow(folder->expunged, folder->n_expunged, &folder->expunged_cap,
                 sizeof(*folder->expunged));
    folder->expunged[folder->n_expunged].uid = uid;
    folder->expunged[folder->n_expunged++].modseq = ++folder->modseq;
}

size_t model_count(struct model *model, const char *name, const char *content)
{
    struct model_folder *folder = model_folder(model, name);
    size_t n = 0;

    for (size_t i = 0; folder != NULL && i < folder->n_mail; i++)
        n += strcmp(folder->mail[i].content, content) == 0;
    return n;
}

void model_rename(struct model *model, const char *name, const char *new_name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < model->n_folders; i++) {
        struct model_folder *folder = model->folders[i];
        char *old = folder->name;

        if (strncmp(old, name, n) != 0 || (old[n] != '\0' && old[n] != '/'))
            continue;
        folder->name = mem_printf("%s%s", new_name, old + n);
        folder->subscribed = false;
        free(old);
    }
}

static void free_folder(struct model_folder *folder)
{
    for (size_t i = 0; i < folder->n_mail; i++)
        free(folder->mail[i].content);
    free(folder->mail);
    free(folder->expunged);
    free(folder->name);
    free(folder);
}

static void drop_folder(struct model *model, struct model_folder *folder)
{
    for (size_t i = 0; i < model->n_folders; i++) {
        if (model->folders[i] == folder)
            model->folders[i] = model->folders[--model->n_folders];
    }
    free_folder(folder);
}

void model_remove(struct model *model, const char *name)
{
    struct model_folder *folder = model_folder(model, name);

    if (folder != NULL)
        drop_folder(model, folder);
}

static struct folder_token token_of(const struct model_folder *folder)
{
    return (struct folder_token){
        .uidvalidity = folder->uidvalidity,
        .uidnext = folder->uidnext,
        .messages = (uint32_t)folder->n_mail,
        .highestmodseq = folder->modseq,
    };
}

/* --- requests ------------------------------------------------------------------- */

struct work {
    struct model *model;
    struct request *request;
    void (*act)(struct work *work);
    struct work *next;
    /* adding */
    struct message_meta meta;
    struct buf body;
    size_t n_added;
    bool owes_room;
    bool broken; /* what comes for it still goes nowhere */
    bool began;  /* it has acted at least once */
    /* reading */
    struct uidset_walk walk;
    bool paused;
    bool stalled;
    uint32_t uid;
    size_t offset;
};

static struct model *model_of(struct endpoint *endpoint)
{
    return (struct model *)endpoint;
}

static void unlink_work(struct work *work)
{
    struct work **at = (struct work **)&work->model->busy;

    while (*at != work)
        at = &(*at)->next;
    *at = work->next;
}

static void finish_work(struct work *work, int result, const char *text)
{
    struct request *request = work->request;

    unlink_work(work);
    buf_deinit(&work->body);
    free(work);
    request->result = result;
    err_set(&request->err, ERR_CONNECT, "%s", text);
    request->done(request);
}

static void again(struct work *work);

static void step(void *owner)
{
    struct work *work = owner;

    if (work->model->closing)
        finish_work(work, ERR_CANCELLED, "cancelled");
    else if (work->model->is_cut)
        finish_work(work, ERR_CONNECT, "connection lost");
    else if (!work->began && work->model->n_late > 0)
        again(work); /* until what the server still does is done */
    else {
        work->began = true;
        work->act(work);
    }
}

static void again(struct work *work)
{
    sim_later(work->model->sim, step, work);
}

static struct work *begin(struct endpoint *endpoint, struct request *request,
                          void (*act)(struct work *))
{
    struct work *work = MEM_NEW(struct work);

    work->model = model_of(endpoint);
    work->request = request;
    work->act = act;
    work->next = work->model->busy;
    work->model->busy = work;
    buf_init(&work->body, 0);
    again(work);
    return work;
}

static struct work *find_work(struct endpoint *endpoint,
                              struct request *request)
{
    struct work *work = model_of(endpoint)->busy;

    while (work != NULL && work->request != request)
        work = work->next;
    return work;
}

/* One change to the mailbox. Returns false where the connection is lost before
 * it; is_cut is set where it is lost just behind. */
static bool may_change(struct model *model)
{
    model->n_changes++;
    if (model->cut_after == 0 || model->n_changes < model->cut_after)
        return true;
    model->is_cut = true;
    return model->lose_answer;
}

/* Is the connection lost at this very moment? */
static bool is_shaken(struct model *model)
{
    if (model->shaky == 0 || sim_random(model->sim, model->shaky) > 0)
        return false;
    model->n_shaken++;
    return true;
}

static void do_nothing(struct work *work)
{
    finish_work(work, 0, "");
}

static void on_open(struct endpoint *endpoint, struct open_request *request)
{
    ((struct model *)endpoint)->on_its_way = request->on_its_way;
    begin(endpoint, &request->base, do_nothing);
}

static bool is_called(const struct model_folder *folder, const char *name)
{
    return name != NULL && strcmp(folder->name, name) == 0;
}

static void act_list(struct work *work)
{
    struct list_request *list = (struct list_request *)work->request;
    struct model *model = work->model;

    list->n_folders = model->n_folders;
    list->doubtful = model->doubtful;
    list->folders = mem_new(model->n_folders, sizeof(*list->folders));
    for (size_t i = 0; i < model->n_folders; i++) {
        const struct model_folder *folder = model->folders[i];
        struct folder_entry *entry = &list->folders[i];

        entry->name = mem_copy(folder->name);
        entry->selectable = !is_called(folder, model->hides);
        entry->subscribed = folder->subscribed;
        if (is_called(folder, model->untold))
            continue;
        entry->has_token = true;
        entry->token = token_of(folder);
        if (model->has_objects)
            entry->token.object = folder->uidvalidity;
    }
    finish_work(work, 0, "");
}

static void on_list(struct endpoint *endpoint, struct list_request *request)
{
    begin(endpoint, &request->base, act_list);
}

static void act_delta(struct work *work)
{
    struct delta_request *delta = (struct delta_request *)work->request;
    struct model *model = work->model;
    struct model_folder *folder = model_folder(model, delta->folder.name);
    bool changes =
        delta->has_since && model->tier == MODEL_CHANGES && !delta->want_full;

    if (folder == NULL) {
        finish_work(work, ERR_GONE, "no such folder");
        return;
    }
    model->n_opened++;
    if (delta->has_since && (delta->since.uidvalidity != folder->uidvalidity ||
                             delta->since.uidnext > token_of(folder).uidnext)) {
        delta->uids_void = true;
        changes = false;
    }
    delta->kind = changes ? LISTING_CHANGES : LISTING_FULL;
    delta->complete = true;
    delta->token = token_of(folder);
    delta->storable.system = FLAGS_SYSTEM;
    delta->storable.any_keyword = true;
    for (size_t i = 0; i < folder->n_mail; i++) {
        struct model_mail *mail = &folder->mail[i];
        struct listed listed = {.uid = mail->uid, .flags = mail->flags};

        if (changes && mail->modseq <= delta->since.highestmodseq)
            continue;
        listed.has_meta = !model->tells_once || !mail->told ||
                          !delta->has_since || delta->want_full;
        if (listed.has_meta) {
            listed.size = strlen(mail->content);
            listed.date = mail->date;
        }
        mail->told = true;
        delta->item(delta, &listed);
    }
    for (size_t i = 0; changes && i < folder->n_expunged; i++) {
        if (folder->expunged[i].modseq > delta->since.highestmodseq)
            uidset_add(&delta->vanished, folder->expunged[i].uid);
    }
    finish_work(work, 0, "");
}

static void on_delta(struct endpoint *endpoint, struct delta_request *request)
{
    begin(endpoint, &request->base, act_delta);
}

static void identify(const struct model *model, enum identify_level level,
                     struct bytes content, struct identity *identity)
{
    struct identity_reader *reader;

    if (!model->has_headers || level == IDENTIFY_BODY) {
        identity->has_header = !model->has_headers;
        digest_of(content, identity->digest);
        return;
    }
    reader = identity_reader_new(
        level == IDENTIFY_ENVELOPE ? IDENTITY_BY_ENVELOPE : IDENTITY_BY_FIELDS);
    identity_reader_add(reader, content);
    identity_reader_final(reader, identity);
    identity_reader_free(reader);
}

static void act_identify(struct work *work)
{
    struct identify_request *ask = (struct identify_request *)work->request;
    struct model_folder *folder = model_folder(work->model, ask->folder.name);
    struct uidset_walk walk = {.set = ask->uids};
    const char *mute = work->model->mute;
    uint32_t uid;

    if (mute != NULL && strcmp(ask->folder.name, mute) == 0) {
        finish_work(work, ERR_REFUSED, "not now");
        return;
    }
    while (uidset_next(&walk, &uid)) {
        const struct model_mail *mail = model_find(folder, uid);
        struct identity identity = {0};

        if (mail == NULL)
            continue;
        work->model->n_identified++;
        identity.size = strlen(mail->content);
        identity.date = mail->date;
        identify(work->model, ask->level, bytes_of(mail->content), &identity);
        ask->item(ask, uid, &identity);
    }
    finish_work(work, 0, "");
}

static void on_identify(struct endpoint *endpoint,
                        struct identify_request *request)
{
    begin(endpoint, &request->base, act_identify);
}

/* Messages go out in pieces of three octets, a task each. */
static void act_read(struct work *work)
{
    struct read_request *read = (struct read_request *)work->request;
    struct model *model = work->model;
    struct model_folder *folder = model_folder(model, read->folder.name);
    const struct model_mail *mail;
    struct bytes rest;

    if (work->paused) {
        work->stalled = true;
        return;
    }
    if (work->uid == 0) {
        if (!uidset_next(&work->walk, &work->uid)) {
            finish_work(work, 0, "");
            return;
        }
        mail = model_find(folder, work->uid);
        model->n_read += mail != NULL;
        if (mail != NULL)
            read->begin(read, work->uid, strlen(mail->content));
        else
            work->uid = 0;
        work->offset = 0;
        again(work);
        return;
    }
    mail = model_find(folder, work->uid);
    if (is_shaken(model)) {
        struct err err;

        err_set(&err, ERR_RETRY, "connection lost");
        read->end(read, ERR_RETRY, &err);
        finish_work(work, ERR_RETRY, "connection lost");
        return;
    }
    rest =
        bytes_skip(bytes_of(mail != NULL ? mail->content : ""), work->offset);
    if (mail == NULL) {
        struct err err;

        err_set(&err, ERR_BUSY, "expunged while it was read");
        read->end(read, ERR_BUSY, &err);
        work->uid = 0;
    } else if (rest.len > 0) {
        rest.len = rest.len > 3 ? 3 : rest.len;
        read->data(read, rest);
        work->offset += rest.len;
    } else {
        read->end(read, 0, NULL);
        work->uid = 0;
    }
    again(work);
}

static void on_read(struct endpoint *endpoint, struct read_request *request)
{
    struct work *work = begin(endpoint, &request->base, act_read);

    work->walk.set = request->uids;
}

static void on_read_pause(struct endpoint *endpoint,
                          struct read_request *request, bool pause)
{
    struct work *work = find_work(endpoint, &request->base);

    if (work == NULL)
        return;
    work->paused = pause;
    if (!pause && work->stalled) {
        work->stalled = false;
        again(work);
    }
}

static void wait_for_close(struct work *work)
{
    struct add_request *add = (struct add_request *)work->request;

    if (work->owes_room) {
        work->owes_room = false;
        add->room(add);
    }
    again(work); /* until it is closed */
}

static void on_add_open(struct endpoint *endpoint, struct add_request *request)
{
    begin(endpoint, &request->base, wait_for_close);
}

/* A message that the server stores behind our back. */
struct late {
    struct model *model;
    char *folder;
    char *content;
    struct message_meta meta;
};

static void act_late(void *owner)
{
    struct late *late = owner;
    struct model_folder *folder = model_folder(late->model, late->folder);

    if (folder != NULL)
        put(folder, late->content, late->meta.flags, late->meta.date);
    late->model->n_late--;
    free(late->folder);
    free(late->content);
    free(late);
}

static void store_late(struct work *work, const char *folder)
{
    struct late *late = MEM_NEW(struct late);

    late->model = work->model;
    late->folder = mem_copy(folder);
    late->content = mem_copy(buf_text(&work->body));
    late->meta = work->meta;
    work->model->n_late++;
    sim_later(work->model->sim, act_late, late);
}

static size_t count_mail(const struct model *model)
{
    size_t n = 0;

    for (size_t i = 0; i < model->n_folders; i++)
        n += model->folders[i]->n_mail;
    return n;
}

static void break_off(struct work *work)
{
    finish_work(work, ERR_RETRY, "connection lost");
}

/* The connection is lost with the answer, or before the message was sent. */
static void lose_one(struct work *work, struct model_folder *folder,
                     size_t index)
{
    struct add_request *add = (struct add_request *)work->request;
    struct model *model = work->model;
    int result = ERR_UNSURE;
    struct err err;

    switch (sim_random(model->sim, 4)) {
    case 0:
        result = ERR_RETRY;
        break;
    case 1:
        put(folder, buf_text(&work->body), work->meta.flags, work->meta.date);
        break;
    case 2:
        store_late(work, folder->name);
        break;
    default:
        break;
    }
    work->broken = true;
    work->act = break_off;
    err_set(&err, ERR_CONNECT, "connection lost");
    add->added(add, index, result, 0, &err);
}

/* What was added under @uid may not stay. */
static void drop_added(struct model *model, struct model_folder *folder,
                       uint32_t uid, const char *content)
{
    if (model->keeps_one && model_count(model, folder->name, content) > 1) {
        model_expunge(folder, uid);
    } else if (model->n_loses > 0 && strcmp(content, model->loses) == 0) {
        model->n_loses--;
        model_expunge(folder, uid);
    }
}

static struct flags kept(const struct model *model, struct flags flags)
{
    flags.system &= ~model->drops;
    return flags;
}

/* A message is complete: it is there, unless it is refused or the connection
 * is lost. */
static void add_one(struct work *work)
{
    struct add_request *add = (struct add_request *)work->request;
    struct model *model = work->model;
    struct model_folder *folder = model_folder(model, add->folder.name);
    const char *content = buf_text(&work->body);
    size_t index = work->n_added++;
    struct err err;

    if (folder != NULL && is_shaken(model)) {
        model->n_changes++;
        lose_one(work, folder, index);
    } else if (model->poison != NULL && strcmp(content, model->poison) == 0) {
        int result = model->poison_unsure ? ERR_UNSURE : ERR_RETRY;

        work->broken = true;
        work->act = break_off;
        err_set(&err, ERR_CONNECT, "connection lost");
        add->added(add, index, result, 0, &err);
    } else if (model->room > 0 && count_mail(model) >= model->room) {
        err_set(&err, ERR_FULL, "APPEND refused: [OVERQUOTA] no room");
        add->added(add, index, ERR_FULL, 0, &err);
    } else if (model->refuses != NULL && strcmp(content, model->refuses) == 0) {
        err_set(&err, ERR_REFUSED, "APPEND refused: not that one");
        add->added(add, index, ERR_REFUSED, 0, &err);
    } else if (folder != NULL && !model->is_cut && may_change(model)) {
        uint32_t uid =
            put(folder, content, kept(model, work->meta.flags), work->meta.date)
                ->uid;

        drop_added(model, folder, uid, content);
        add->uidvalidity = folder->uidvalidity;
        if (!model->is_cut)
            add->added(add, index, 0, model->no_uids ? 0 : uid, NULL);
    }
    buf_clear(&work->body);
}

static void on_add_message(struct endpoint *endpoint,
                           struct add_request *request,
                           const struct message_meta *meta)
{
    struct work *work = find_work(endpoint, &request->base);

    if (work == NULL || work->broken)
        return;
    work->meta = *meta;
    if (meta->size == 0)
        add_one(work);
}

static bool on_add_data(struct endpoint *endpoint, struct add_request *request,
                        struct bytes data)
{
    struct work *work = find_work(endpoint, &request->base);

    if (work == NULL || work->broken)
        return true;
    buf_add(&work->body, data);
    if (buf_len(&work->body) == work->meta.size)
        add_one(work);
    work->owes_room = sim_random(work->model->sim, 4) == 0;
    return !work->owes_room;
}

static void on_add_close(struct endpoint *endpoint, struct add_request *request)
{
    struct work *work = find_work(endpoint, &request->base);

    if (work != NULL && !work->broken)
        work->act = do_nothing;
}

static void cancel_work(struct work *work)
{
    finish_work(work, ERR_CANCELLED, "aborted");
}

static void on_add_abort(struct endpoint *endpoint, struct add_request *request)
{
    struct work *work = find_work(endpoint, &request->base);

    if (work != NULL)
        work->act = cancel_work;
}

static void act_flag(struct work *work)
{
    struct flag_request *flag = (struct flag_request *)work->request;
    struct model_folder *folder = model_folder(work->model, flag->folder.name);
    struct uidset_walk walk = {.set = flag->uids};
    uint32_t uid;

    while (uidset_next(&walk, &uid)) {
        struct model_mail *mail = model_find(folder, uid);

        if (mail == NULL || !may_change(work->model))
            continue;
        model_flag(
            folder, mail,
            (mail->flags.system | kept(work->model, flag->change.add).system) &
                ~flag->change.remove.system);
    }
    finish_work(work, work->model->is_cut ? ERR_CONNECT : 0, "cut");
}

static void on_flag(struct endpoint *endpoint, struct flag_request *request)
{
    begin(endpoint, &request->base, act_flag);
}

/* As without UIDPLUS, where another message carries \Deleted. */
static bool keep_flagged(struct model_folder *folder, uint32_t uid)
{
    struct model_mail *mail = model_find(folder, uid);

    if (mail != NULL)
        model_flag(folder, mail, mail->flags.system | FLAG_DELETED);
    return true;
}

static void act_remove(struct work *work)
{
    struct remove_request *remove = (struct remove_request *)work->request;
    struct model_folder *folder =
        model_folder(work->model, remove->folder.name);
    struct uidset_walk walk = {.set = remove->uids};
    uint32_t uid;

    while (uidset_next(&walk, &uid)) {
        if (folder == NULL || !may_change(work->model))
            continue;
        if (work->model->keeps_flagged)
            remove->kept = keep_flagged(folder, uid);
        else
            model_expunge(folder, uid);
    }
    finish_work(work, work->model->is_cut ? ERR_CONNECT : 0, "cut");
}

static void on_remove(struct endpoint *endpoint, struct remove_request *request)
{
    begin(endpoint, &request->base, act_remove);
}

/* Copy, then expunge: the connection may be lost in between. */
static void place_one(struct work *work, struct model_folder *from,
                      struct model_folder *to, uint32_t uid)
{
    struct place_request *place = (struct place_request *)work->request;
    struct model *model = work->model;
    const struct model_mail *mail = model_find(from, uid);
    uint32_t to_uid;

    if (mail == NULL || model->is_cut || !may_change(model))
        return;
    to_uid = put(to, mail->content, mail->flags, mail->date)->uid;
    if (model->is_cut)
        return;
    if (place->move && model->keeps_flagged)
        place->kept = keep_flagged(from, uid);
    else if (place->move)
        model_expunge(from, uid);
    model->n_placed++;
    place->uidvalidity = to->uidvalidity;
    place->placed(place, uid, model->no_uids ? 0 : to_uid);
}

/* Copied at most, or moved, and nobody is told. */
static void lose_placing(struct work *work, struct model_folder *from,
                         struct model_folder *to, uint32_t uid)
{
    const struct place_request *place = (struct place_request *)work->request;
    const struct model_mail *mail = model_find(from, uid);
    uint32_t far = sim_random(work->model->sim, 3);

    if (mail == NULL || far == 0)
        return;
    put(to, mail->content, mail->flags, mail->date);
    if (place->move && far == 2)
        model_expunge(from, uid);
}

static void act_place(struct work *work)
{
    struct place_request *place = (struct place_request *)work->request;
    struct model *model = work->model;
    struct model_folder *from = model_folder(model, place->from.name);
    struct model_folder *to = model_folder(model, place->to.name);
    struct uidset_walk walk = {.set = place->uids};
    uint32_t uid;

    if (from == NULL || to == NULL) {
        finish_work(work, ERR_GONE, "no such folder");
        return;
    }
    while (uidset_next(&walk, &uid)) {
        if (is_shaken(model)) {
            lose_placing(work, from, to, uid);
            finish_work(work, ERR_UNSURE, "connection lost");
            return;
        }
        place_one(work, from, to, uid);
    }
    finish_work(work, model->is_cut ? ERR_CONNECT : 0, "cut");
}

static void on_place(struct endpoint *endpoint, struct place_request *request)
{
    begin(endpoint, &request->base, act_place);
}

static void act_folder(struct work *work)
{
    struct folder_request *change = (struct folder_request *)work->request;
    struct model *model = work->model;
    struct model_folder *folder = model_folder(model, change->name);

    if (!may_change(model)) {
        finish_work(work, ERR_CONNECT, "cut");
        return;
    }
    for (size_t i = 0; model->folds_case && i < model->n_folders; i++) {
        const char *taken = model->folders[i]->name;

        if (change->action != FOLDER_CREATE ||
            strcasecmp(taken, change->name) != 0 ||
            strcmp(taken, change->name) == 0)
            continue;
        change->taken_by = mem_copy(taken);
        finish_work(work, ERR_REFUSED, "the same as another folder");
        return;
    }
    if (change->action == FOLDER_CREATE)
        model_make(model, change->name);
    if (change->action == FOLDER_RENAME && model->keeps != NULL &&
        strcmp(change->name, model->keeps) == 0) {
        finish_work(work, ERR_REFUSED, "it keeps its name");
        return;
    }
    if (change->action == FOLDER_RENAME && folder != NULL)
        model_rename(model, change->name, change->new_name);
    if ((change->action == FOLDER_SUBSCRIBE ||
         change->action == FOLDER_UNSUBSCRIBE) &&
        folder != NULL)
        folder->subscribed = change->action == FOLDER_SUBSCRIBE;
    if (change->action == FOLDER_DELETE && folder != NULL) {
        if (folder->n_mail > 0) {
            finish_work(work, ERR_REFUSED, "not empty");
            return;
        }
        drop_folder(model, folder);
    }
    finish_work(work, model->is_cut ? ERR_CONNECT : 0, "cut");
}

static void on_folder(struct endpoint *endpoint, struct folder_request *request)
{
    begin(endpoint, &request->base, act_folder);
}

static void close_when_idle(void *owner)
{
    struct model *model = owner;
    struct work *work = model->busy;

    /* What waits for its caller would wait for ever. */
    while (work != NULL) {
        if (work->stalled) {
            work->stalled = false;
            again(work);
        }
        work = work->next;
    }
    if (model->busy != NULL) {
        sim_later(model->sim, close_when_idle, model);
        return;
    }
    model->close->base.result = 0;
    model->close->base.done(&model->close->base);
}

static void on_close(struct endpoint *endpoint, struct close_request *request)
{
    struct model *model = model_of(endpoint);

    model->closing = true;
    model->close = request;
    sim_later(model->sim, close_when_idle, model);
}

static void on_describe(struct endpoint *endpoint, struct buf *out)
{
    (void)endpoint;
    buf_printf(out, "server: model\n");
}

static void on_free(struct endpoint *endpoint)
{
    (void)endpoint; /* the test's */
}

static const struct endpoint_class model_class = {
    .open = on_open,
    .list = on_list,
    .delta = on_delta,
    .identify = on_identify,
    .read = on_read,
    .read_pause = on_read_pause,
    .add_open = on_add_open,
    .add_message = on_add_message,
    .add_data = on_add_data,
    .add_close = on_add_close,
    .add_abort = on_add_abort,
    .flag = on_flag,
    .remove = on_remove,
    .place = on_place,
    .folder = on_folder,
    .close = on_close,
    .describe = on_describe,
    .free = on_free,
};

void model_init(struct model *model, struct sim *sim, const char *name)
{
    memset(model, 0, sizeof(*model));
    model->sim = sim;
    model->endpoint.class = &model_class;
    model->endpoint.name = name;
    model->endpoint.tokens_prove = true;
    model->endpoint.keeps_subscriptions = true;
    model->endpoint.lanes = 2;
    model->endpoint.small_lanes = 3;
    model->endpoint.batch_messages = 3;
    model->endpoint.batch_bytes = 1u << 20;
}

void model_reconnect(struct model *model)
{
    model->closing = false;
    model->is_cut = false;
    model->n_shaken = 0;
    model->cut_after = 0;
    model->lose_answer = false;
    model->n_opened = 0;
    model->n_changes = 0;
    model->n_placed = 0;
    model->n_identified = 0;
    model->n_read = 0;
}

void model_deinit(struct model *model)
{
    while (model->n_folders > 0)
        drop_folder(model, model->folders[0]);
    free(model->folders);
}
