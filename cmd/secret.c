#include "cmd/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/secret_command.h"

static struct bytes first_line(struct bytes text)
{
    const char *end = memchr(text.ptr, '\n', text.len);

    if (end != NULL)
        text.len = (size_t)(end - text.ptr);
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    return text;
}

/* Take the secret from what was read, or say with @code what is wrong. */
static int take_line(struct bytes text, enum err_code code, char **out,
                     struct err *err)
{
    struct bytes line = first_line(text);

    if (line.len == 0)
        return err_set(err, code, "the first line is empty");
    if (memchr(line.ptr, '\0', line.len) != NULL)
        return err_set(err, code, "the first line holds a NUL byte");
    *out = mem_text(line);
    return 0;
}

static int from_command(const struct account *account, const char *key,
                        const char *command, char *space, char **out,
                        struct err *err)
{
    size_t n = 0;
    int r = secret_command_run(command, SECRET_TIMEOUT_MS, space,
                               SECRET_BYTES_MAX, &n, err);

    if (r == 0)
        r = take_line((struct bytes){space, n}, ERR_AUTH, out, err);
    if (r < 0)
        return err_wrap(err, r, "account %s: %s", account->name, key);
    return 0;
}

static int read_file(int fd, char *space, size_t *n, struct err *err)
{
    *n = 0;
    while (*n < SECRET_BYTES_MAX) {
        ssize_t got = read(fd, space + *n, SECRET_BYTES_MAX - *n);

        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return err_errno(err, ERR_USAGE, errno, "cannot be read");
        *n += got > 0 ? (size_t)got : 0;
    }
    return err_set(err, ERR_USAGE, "is not a password: more than %zu bytes",
                   SECRET_BYTES_MAX - 1);
}

static void warn_if_open(int fd, const struct account *account,
                         struct buf *warnings)
{
    struct stat about;

    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
        (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        buf_printf(warnings,
                   "account %s: others may read the password: run chmod 600 "
                   "%s\n",
                   account->name, account->password_file);
    }
}

static int from_file(const struct account *account, char *space, char **out,
                     struct buf *warnings, struct err *err)
{
    const char *path = account->password_file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    int r;

    if (fd < 0) {
        r = err_errno(err, ERR_USAGE, errno, "cannot be opened");
    } else {
        warn_if_open(fd, account, warnings);
        r = read_file(fd, space, &n, err);
        close(fd);
    }
    if (r == 0)
        r = take_line((struct bytes){space, n}, ERR_USAGE, out, err);
    if (r < 0) {
        return err_wrap(err, r, "account %s: password_file %s", account->name,
                        path);
    }
    return 0;
}

int secret_get(const struct account *account, char **out, struct buf *warnings,
               struct err *err)
{
    enum account_login login = conf_account_login(account);
    char *space;
    int r;

    if (login == LOGIN_BY_CERTIFICATE) {
        *out = NULL;
        return 0;
    }
    if (login == LOGIN_BY_PASSWORD && account->password != NULL) {
        *out = mem_copy(account->password);
        return 0;
    }
    space = mem_new(SECRET_BYTES_MAX, 1);
    if (login == LOGIN_BY_TOKEN) {
        r = from_command(account, "token_command", account->token_command,
                         space, out, err);
    } else if (account->password_command != NULL) {
        r = from_command(account, "password_command", account->password_command,
                         space, out, err);
    } else {
        r = from_file(account, space, out, warnings, err);
    }
    explicit_bzero(space, SECRET_BYTES_MAX);
    free(space);
    return r;
}

void secret_free(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
