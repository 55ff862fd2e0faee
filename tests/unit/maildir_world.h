/*
 * A Maildir endpoint with a root, a state and a loop of its own, and each
 * request as one call that returns when it is done.
 */
#ifndef TESTS_UNIT_MAILDIR_WORLD_H
#define TESTS_UNIT_MAILDIR_WORLD_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "store/maildir_endpoint.h"
#include "store/state.h"

#define WORLD_MESSAGES 64u

struct world {
    char dir[64]; /* holds "mail" and "state" */
    char *root;
    struct maildir_account account;
    uv_loop_t loop;
    struct state *state;
    struct endpoint *endpoint;
    bool done;
    struct err err; /* of the request that failed last */
    /* what a delta listed */
    struct listed listed[WORLD_MESSAGES];
    size_t n_listed;
    struct delta_request delta;
    /* what a read brought, or an identify */
    struct buf text;
    uint32_t uid;
    uint64_t size;
    unsigned begun;
    unsigned ended;
    int end_result;
    struct identity identity;
    /* what an add told */
    uint32_t added_uid;
    int added_result;
    size_t n_added;
    size_t n_bad;
    bool in_order;
    bool room;
};

__attribute__((unused)) static void world_die(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(1);
}

static void world_done(struct request *request)
{
    struct world *world = request->owner;

    world->done = true;
    if (request->result < 0) {
        world->err = request->err;
    }
}

static int world_wait(struct world *world, struct request *request)
{
    while (!world->done) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
    world->done = false;
    return request->result;
}

static struct request world_request(struct world *world)
{
    world->done = false;
    return (struct request){.done = world_done, .owner = world};
}

/* A fresh directory, nothing in it. */
__attribute__((unused)) static void world_make(struct world *world,
                                               enum maildir_layout layout)
{
    const char *tmp = getenv("TMPDIR");
    char *dir;
    struct err err;

    *world = (struct world){0};
    (void)snprintf(world->dir, sizeof(world->dir), "%s/test_maildir.XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(world->dir) == NULL || uv_loop_init(&world->loop) != 0) {
        world_die("no directory or loop");
    }
    world->root = mem_printf("%s/mail", world->dir);
    dir = mem_printf("%s/state", world->dir);
    world->account = (struct maildir_account){
        .name = "disk", .path = world->root, .layout = layout};
    if (state_open(
            &(struct state_open_options){
                .dir = dir, .pair = "test", .identity = {"a", "b"}
    },
            NULL, &world->state, &err) < 0) {
        world_die(err.text);
    }
    free(dir);
    buf_init(&world->text, 0);
}

__attribute__((unused)) static int world_open(struct world *world, bool dry)
{
    struct open_request request = {.base = world_request(world), .dry = dry};

    world->endpoint = maildir_endpoint_new(&world->loop, &world->account,
                                           world->state, LEFT, NULL);
    endpoint_open(world->endpoint, &request);
    return world_wait(world, &request.base);
}

__attribute__((unused)) static int world_close(struct world *world)
{
    struct close_request request = {.base = world_request(world)};
    int r;

    endpoint_close(world->endpoint, &request);
    r = world_wait(world, &request.base);
    endpoint_free(world->endpoint);
    world->endpoint = NULL;
    return r;
}

__attribute__((unused)) static void world_commit(struct world *world)
{
    struct err err;

    if (state_commit(world->state, &err) < 0) {
        world_die(err.text);
    }
}

__attribute__((unused)) static int world_shell(const struct world *world,
                                               const char *command)
{
    char *full = mem_printf("cd '%s' && %s", world->dir, command);
    int r = system(full);

    free(full);
    return r;
}

/* Close all and remove the directory; false where a handle was left open. */
__attribute__((unused)) static bool world_end(struct world *world)
{
    bool clean;

    if (world->endpoint != NULL) {
        (void)world_close(world);
    }
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    clean = uv_loop_close(&world->loop) == 0;
    state_close(world->state);
    buf_deinit(&world->text);
    clean =
        world_shell(world, "chmod -R u+rwx . && rm -rf mail* state*") == 0 &&
        rmdir(world->dir) == 0 && clean;
    free(world->root);
    return clean;
}

__attribute__((unused)) static int world_folder(struct world *world,
                                                enum folder_action action,
                                                const char *name)
{
    struct folder_request request = {
        .base = world_request(world), .action = action, .name = name};

    endpoint_folder(world->endpoint, &request);
    return world_wait(world, &request.base);
}

__attribute__((unused)) static int world_list(struct world *world,
                                              struct list_request *request)
{
    *request = (struct list_request){.base = world_request(world)};
    endpoint_list(world->endpoint, request);
    return world_wait(world, &request->base);
}

static void world_item(struct delta_request *request,
                       const struct listed *listed)
{
    struct world *world = request->base.owner;

    if (world->n_listed < WORLD_MESSAGES) {
        world->listed[world->n_listed] = *listed;
    }
    world->n_listed++;
}

__attribute__((unused)) static int world_delta(struct world *world,
                                               const char *name, uint32_t id,
                                               bool has_since)
{
    world->n_listed = 0;
    world->delta = (struct delta_request){
        .base = world_request(world),
        .folder = {.name = name, .id = id},
        .has_since = has_since,
        .item = world_item
    };
    endpoint_delta(world->endpoint, &world->delta);
    return world_wait(world, &world->delta.base);
}

/* The entry of @uid in the last delta, or NULL. */
__attribute__((unused)) static const struct listed *world_listed(
    const struct world *world, uint32_t uid)
{
    for (size_t i = 0; i < world->n_listed && i < WORLD_MESSAGES; i++) {
        if (world->listed[i].uid == uid) {
            return &world->listed[i];
        }
    }
    return NULL;
}

static void world_begin(struct read_request *request, uint32_t uid,
                        uint64_t size)
{
    struct world *world = request->base.owner;

    world->begun++;
    world->uid = uid;
    world->size = size;
}

static void world_data(struct read_request *request, struct bytes data)
{
    struct world *world = request->base.owner;

    buf_add(&world->text, data);
}

static void world_message_end(struct read_request *request, int result,
                              const struct err *err)
{
    struct world *world = request->base.owner;

    world->ended++;
    world->end_result = result;
    if (result < 0) {
        world->err = *err;
    }
}

__attribute__((unused)) static struct read_request world_read_request(
    struct world *world, const char *name, uint32_t id,
    const struct uidset *uids)
{
    world->begun = 0;
    world->ended = 0;
    world->end_result = 0;
    buf_clear(&world->text);
    return (struct read_request){
        .base = world_request(world),
        .folder = {.name = name, .id = id},
        .uids = uids,
        .begin = world_begin,
        .data = world_data,
        .end = world_message_end
    };
}

__attribute__((unused)) static int world_read(struct world *world,
                                              const char *name, uint32_t id,
                                              uint32_t uid)
{
    struct uidset uids = {0};
    struct read_request request = world_read_request(world, name, id, &uids);
    int r;

    uidset_add(&uids, uid);
    endpoint_read(world->endpoint, &request);
    r = world_wait(world, &request.base);
    uidset_deinit(&uids);
    return r;
}

static void world_identity(struct identify_request *request, uint32_t uid,
                           const struct identity *identity)
{
    struct world *world = request->base.owner;

    world->uid = uid;
    world->identity = *identity;
    world->begun++;
}

__attribute__((unused)) static int world_identify(struct world *world,
                                                  const char *name, uint32_t id,
                                                  uint32_t uid,
                                                  enum identify_level level)
{
    struct uidset uids = {0};
    struct identify_request request = {
        .base = world_request(world),
        .folder = {.name = name, .id = id},
        .uids = &uids,
        .level = level,
        .item = world_identity
    };
    int r;

    world->begun = 0;
    uidset_add(&uids, uid);
    endpoint_identify(world->endpoint, &request);
    r = world_wait(world, &request.base);
    uidset_deinit(&uids);
    return r;
}

static void world_room(struct add_request *request)
{
    ((struct world *)request->base.owner)->room = true;
}

static void world_added(struct add_request *request, size_t index, int result,
                        uint32_t uid, const struct err *err)
{
    struct world *world = request->base.owner;

    world->in_order = world->in_order && index == world->n_added;
    world->n_added++;
    world->n_bad += result < 0;
    world->added_result = result;
    world->added_uid = uid;
    if (result < 0) {
        world->err = *err;
    }
}

__attribute__((unused)) static struct add_request world_add_request(
    struct world *world, const char *name, uint32_t id)
{
    world->n_added = 0;
    world->n_bad = 0;
    world->in_order = true;
    world->room = false;
    return (struct add_request){
        .base = world_request(world),
        .folder = {.name = name, .id = id},
        .room = world_room,
        .added = world_added
    };
}

/* Add one message; its UID is world->added_uid. */
__attribute__((unused)) static int world_add(struct world *world,
                                             const char *name, uint32_t id,
                                             struct bytes text,
                                             struct flags flags)
{
    struct add_request request = world_add_request(world, name, id);
    struct message_meta meta = {
        .size = text.len, .date = 1234567890, .flags = flags};

    endpoint_add_open(world->endpoint, &request);
    endpoint_add_message(world->endpoint, &request, &meta);
    while (text.len > 0) {
        struct bytes piece = {text.ptr, text.len < 5000 ? text.len : 5000};

        if (!endpoint_add_data(world->endpoint, &request, piece)) {
            while (!world->room) {
                (void)uv_run(&world->loop, UV_RUN_ONCE);
            }
            world->room = false;
        }
        text = bytes_skip(text, piece.len);
    }
    endpoint_add_close(world->endpoint, &request);
    return world_wait(world, &request.base);
}

__attribute__((unused)) static int world_flag(struct world *world,
                                              const char *name, uint32_t id,
                                              uint32_t uid, struct flags add,
                                              struct flags remove)
{
    struct uidset uids = {0};
    struct flag_request request = {
        .base = world_request(world),
        .folder = {.name = name, .id = id},
        .uids = &uids,
        .change = {add,          remove  }
    };
    int r;

    uidset_add(&uids, uid);
    endpoint_flag(world->endpoint, &request);
    r = world_wait(world, &request.base);
    uidset_deinit(&uids);
    return r;
}

__attribute__((unused)) static int world_remove(struct world *world,
                                                const char *name, uint32_t id,
                                                const struct uidset *uids)
{
    struct remove_request request = {
        .base = world_request(world),
        .folder = {.name = name, .id = id},
        .uids = uids
    };

    endpoint_remove(world->endpoint, &request);
    return world_wait(world, &request.base);
}

/* The number of entries of a directory below the root that are no dot files;
 * the name of the last one into @name, where that is not NULL. */
__attribute__((unused)) static unsigned world_count(const struct world *world,
                                                    const char *below,
                                                    char name[256])
{
    char *path = mem_printf("%s/%s", world->root, below);
    DIR *stream = opendir(path);
    struct dirent *entry;
    unsigned n = 0;

    free(path);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        n++;
        if (name != NULL) {
            (void)snprintf(name, 256, "%s", entry->d_name);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    return n;
}

/* Write a file below the root. */
__attribute__((unused)) static void world_put(const struct world *world,
                                              const char *below,
                                              struct bytes text)
{
    char *path = mem_printf("%s/%s", world->root, below);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len ||
        close(fd) < 0) {
        world_die(path);
    }
    free(path);
}

/* The content of a file below the root; free() it. */
__attribute__((unused)) static char *world_get(const struct world *world,
                                               const char *below, size_t *len)
{
    char *path = mem_printf("%s/%s", world->root, below);
    int fd = open(path, O_RDONLY);
    struct stat st;
    char *text;

    if (fd < 0 || fstat(fd, &st) < 0) {
        world_die(path);
    }
    text = mem_new((size_t)st.st_size + 1, 1);
    if (read(fd, text, (size_t)st.st_size) != st.st_size) {
        world_die(path);
    }
    close(fd);
    free(path);
    *len = (size_t)st.st_size;
    return text;
}

#endif
