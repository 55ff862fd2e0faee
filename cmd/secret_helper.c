#include "cmd/secret_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/secret.h"

struct secret_helper {
    pid_t pid;
    int line;         /* to it; -1: it was not started */
    int error_number; /* why not */
    bool owes;        /* an answer */
};

/* Its answer to an account's number; the secret, the warnings and the reason of
 * a failure follow, without NULs. */
struct answer {
    int32_t result;
    uint32_t has_secret;
    uint32_t secret;
    uint32_t warnings;
    uint32_t reason;
};

/* The loop that watches our end of the line makes it one that does not wait by
 * itself. */
static bool goes_on(int fd, short what)
{
    struct pollfd ready = {.fd = fd, .events = what};

    if (errno == EAGAIN)
        return poll(&ready, 1, -1) >= 0 || errno == EINTR;
    return errno == EINTR;
}

static bool send_all(int fd, const void *from, size_t n)
{
    const char *at = from;

    while (n > 0) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);

        if (done < 0 && !goes_on(fd, POLLOUT))
            return false;
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* False at the end, too. */
static bool receive_all(int fd, void *to, size_t n)
{
    char *at = to;

    while (n > 0) {
        ssize_t done = recv(fd, at, n, 0);

        if (done == 0 || (done < 0 && !goes_on(fd, POLLIN)))
            return false;
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* --- the helper --------------------------------------------------------------- */

static bool answer_one(int line, const struct account *account)
{
    struct answer answer = {0};
    struct err err = {{0}};
    struct buf warnings;
    char *secret = NULL;
    bool sent;

    buf_init(&warnings, 0);
    answer.result = secret_get(account, &secret, &warnings, &err);
    answer.has_secret = secret != NULL;
    answer.secret = secret != NULL ? (uint32_t)strlen(secret) : 0;
    answer.warnings = (uint32_t)buf_len(&warnings);
    answer.reason = (uint32_t)strlen(err.text);
    sent = send_all(line, &answer, sizeof(answer)) &&
           send_all(line, secret, answer.secret) &&
           send_all(line, buf_text(&warnings), answer.warnings) &&
           send_all(line, err.text, answer.reason);
    secret_free(secret);
    buf_deinit(&warnings);
    return sent;
}

static void serve(int line, struct account *const *accounts, size_t n)
{
    uint32_t i;

    while (receive_all(line, &i, sizeof(i)) && i < n &&
           answer_one(line, accounts[i]))
        ;
}

/* --- we ----------------------------------------------------------------------- */

struct secret_helper *secret_helper_start(struct account *const *accounts,
                                          size_t n)
{
    struct secret_helper *helper = MEM_NEW(struct secret_helper);
    int ends[2];

    helper->line = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        helper->error_number = errno;
        return helper;
    }
    helper->pid = fork();
    if (helper->pid == 0) {
        close(ends[0]);
        serve(ends[1], accounts, n);
        _exit(0);
    }
    helper->error_number = errno;
    close(ends[1]);
    if (helper->pid > 0)
        helper->line = ends[0];
    else
        close(ends[0]);
    return helper;
}

/* @n bytes of the answer as a text, at most @max. */
static char *receive_text(int line, size_t n, size_t max)
{
    char *text = n <= max ? mem_new(n + 1, 1) : NULL;

    if (text != NULL && !receive_all(line, text, n)) {
        secret_free(text);
        text = NULL;
    }
    return text;
}

static int gone(struct err *err)
{
    return err_set(err, ERR_AUTH,
                   "the process that gets passwords and tokens is gone");
}

int secret_helper_ask(struct secret_helper *helper, size_t i, struct err *err)
{
    uint32_t number = (uint32_t)i;

    if (helper->line < 0) {
        return err_errno(err, ERR_AUTH, helper->error_number,
                         "cannot start a process that gets passwords and "
                         "tokens");
    }
    if (!send_all(helper->line, &number, sizeof(number)))
        return gone(err);
    helper->owes = true;
    return 0;
}

int secret_helper_line(const struct secret_helper *helper)
{
    return helper->line;
}

int secret_helper_answer(struct secret_helper *helper, char **out,
                         struct buf *warnings, struct err *err)
{
    struct answer answer;
    char *texts[3] = {NULL, NULL, NULL};
    int r = 0;

    helper->owes = false;
    *out = NULL;
    if (!receive_all(helper->line, &answer, sizeof(answer)))
        return gone(err);
    texts[0] = receive_text(helper->line, answer.secret, SECRET_BYTES_MAX);
    texts[1] = receive_text(helper->line, answer.warnings, SECRET_BYTES_MAX);
    texts[2] = receive_text(helper->line, answer.reason, sizeof(err->text));
    if (texts[0] == NULL || texts[1] == NULL || texts[2] == NULL) {
        r = gone(err);
    } else if (answer.result != 0) {
        r = err_set(err, answer.result, "%s", texts[2]);
    } else if (answer.has_secret != 0) {
        *out = texts[0];
        texts[0] = NULL;
    }
    if (r == 0)
        buf_add(warnings, bytes_of(texts[1]));
    for (size_t j = 0; j < 3; j++)
        secret_free(texts[j]);
    return r;
}

void secret_helper_stop(struct secret_helper *helper)
{
    if (helper == NULL)
        return;
    if (helper->line >= 0)
        close(helper->line);
    /* Who is at a command yet ends with it: nobody waits for that. */
    if (helper->line >= 0 && !helper->owes) {
        while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(helper);
}
