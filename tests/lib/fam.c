/*
 * libfam for Courier's imapd, by inotify: the part of it that imapd uses, to see
 * that another session let go of a lock, or that mail came. Debian's own starts
 * a daemon for each user, and waits for seconds where there is none.
 *
 * One event is read at a time, by offering just enough room, so that the
 * descriptor tells all there is.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* As <fam.h> has them: imapd was compiled with it. */
typedef enum {
    FAMChanged = 1,
    FAMDeleted = 2,
    FAMCreated = 5,
    FAMAcknowledge = 7,
    FAMEndExist = 9
} FAMCodes;

typedef struct {
    int fd;
    void *client;
} FAMConnection;

typedef struct {
    int reqnum;
} FAMRequest;

typedef struct {
    FAMConnection *fc;
    FAMRequest fr;
    char *hostname;
    char filename[PATH_MAX];
    void *userdata;
    FAMCodes code;
} FAMEvent;

/* What inotify does not say itself: that a directory has been listed. */
struct client {
    int listed[64];
    int n_listed;
};

int FAMOpen(FAMConnection *fc)
{
    fc->client = calloc(1, sizeof(struct client));
    fc->fd = fc->client != NULL ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    return fc->fd < 0 ? -1 : 0;
}

int FAMClose(FAMConnection *fc)
{
    free(fc->client);
    return close(fc->fd);
}

int FAMMonitorDirectory(FAMConnection *fc, const char *path, FAMRequest *fr,
                        void *data)
{
    struct client *client = fc->client;

    (void)data;
    if (client->n_listed == 64)
        return -1;
    fr->reqnum = inotify_add_watch(
        fc->fd, path, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
    if (fr->reqnum >= 0)
        client->listed[client->n_listed++] = fr->reqnum;
    return fr->reqnum < 0 ? -1 : 0;
}

/* A file that is gone already is told by one that goes now. */
static int monitor_gone(FAMConnection *fc)
{
    char path[] = "/tmp/famXXXXXX";
    int fd = mkstemp(path);
    int watch = -1;

    if (fd < 0)
        return -1;
    watch = inotify_add_watch(fc->fd, path, IN_DELETE_SELF);
    unlink(path);
    close(fd);
    return watch;
}

int FAMMonitorFile(FAMConnection *fc, const char *path, FAMRequest *fr,
                   void *data)
{
    (void)data;
    fr->reqnum = inotify_add_watch(fc->fd, path, IN_DELETE_SELF);
    if (fr->reqnum < 0 && errno == ENOENT)
        fr->reqnum = monitor_gone(fc);
    return fr->reqnum < 0 ? -1 : 0;
}

/* The kernel acknowledges by IN_IGNORED, as it does after IN_DELETE_SELF. */
int FAMCancelMonitor(FAMConnection *fc, const FAMRequest *fr)
{
    inotify_rm_watch(fc->fd, fr->reqnum);
    return 0;
}

int FAMPending(FAMConnection *fc)
{
    const struct client *client = fc->client;
    struct pollfd pollfd = {.fd = fc->fd, .events = POLLIN};

    return client->n_listed > 0 || poll(&pollfd, 1, 0) > 0;
}

static FAMCodes code_of(uint32_t mask)
{
    if ((mask & IN_IGNORED) != 0)
        return FAMAcknowledge;
    if ((mask & (IN_DELETE_SELF | IN_DELETE | IN_MOVED_FROM)) != 0)
        return FAMDeleted;
    return (mask & (IN_CREATE | IN_MOVED_TO)) != 0 ? FAMCreated : FAMChanged;
}

int FAMNextEvent(FAMConnection *fc, FAMEvent *event)
{
    struct client *client = fc->client;
    struct pollfd pollfd = {.fd = fc->fd, .events = POLLIN};
    union {
        struct inotify_event event;
        char room[sizeof(struct inotify_event) + NAME_MAX + 1];
    } in;
    size_t size = sizeof(in.event);
    ssize_t got = -1;

    memset(event, 0, sizeof(*event));
    event->fc = fc;
    if (client->n_listed > 0) {
        event->fr.reqnum = client->listed[--client->n_listed];
        event->code = FAMEndExist;
        return 1;
    }
    poll(&pollfd, 1, -1);
    while (size <= sizeof(in) && (got = read(fc->fd, &in, size)) < 0 &&
           errno == EINVAL)
        size += sizeof(in.event);
    if (got < 0)
        return -1;
    event->fr.reqnum = in.event.wd;
    event->code = code_of(in.event.mask);
    if (in.event.len > 0)
        snprintf(event->filename, PATH_MAX, "%s", in.event.name);
    return 1;
}
