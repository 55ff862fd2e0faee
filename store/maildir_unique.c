#include "store/maildir_unique.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "store/maildir_name.h"

void maildir_unique_init(struct maildir_unique *unique)
{
    *unique = (struct maildir_unique){0};
    if (gethostname(unique->host, sizeof(unique->host) - 1) < 0 ||
        unique->host[0] == 0) {
        (void)memcpy(unique->host, "localhost", sizeof("localhost"));
    }
}

char *maildir_unique_name(struct maildir_unique *unique)
{
    struct timespec now;
    struct maildir_name_unique parts = {.pid = (uint64_t)getpid(),
                                        .counter = ++unique->counter,
                                        .host = bytes_of(unique->host)};
    struct buf buf;
    char *name;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    parts.seconds = now.tv_sec;
    parts.microseconds = (uint32_t)(now.tv_nsec / 1000);
    digest_random((uint8_t *)&parts.random, sizeof(parts.random));
    buf_init(&buf, 0);
    maildir_name_print_unique(&buf, &parts);
    name = mem_text(buf_peek(&buf));
    buf_deinit(&buf);
    return name;
}

bool maildir_unique_is_orphan(const char *name)
{
    struct maildir_unique here;
    uint64_t pid;

    maildir_unique_init(&here);
    return maildir_name_is_by(bytes_of(name), bytes_of(here.host), &pid) &&
           pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) < 0 &&
           errno == ESRCH;
}
