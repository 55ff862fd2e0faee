/* Goal of this test: a confined process can do all that a run needs inside of
 * its places, and nothing outside of them. Each attempt is a process of its
 * own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include "base/mem.h"
#include "cmd/confine.h"
#include "tests/tap.h"

static char top[] = "/tmp/test_confine.XXXXXX";

struct path {
    char text[128];
};

static struct path in(const char *dir, const char *name)
{
    struct path path;

    (void)snprintf(path.text, sizeof(path.text), "%s/%s", dir, name);
    return path;
}

static int code_of(int r)
{
    return r < 0 ? errno : 0;
}

/* --- attempts: each returns 0 or its errno ------------------------------------ */

static int try_read(const char *dir)
{
    return code_of(open(in(dir, "file").text, O_RDONLY));
}

static int try_list(const char *dir)
{
    return opendir(dir) == NULL ? errno : 0;
}

static int try_write(const char *dir)
{
    return code_of(open(in(dir, "file").text, O_WRONLY));
}

static int try_truncate(const char *dir)
{
    return code_of(truncate(in(dir, "file").text, 0));
}

static int try_create(const char *dir)
{
    return code_of(
        open(in(dir, "new").text, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int try_unlink(const char *dir)
{
    return code_of(unlink(in(dir, "file").text));
}

static int try_mkdir(const char *dir)
{
    return code_of(mkdir(in(dir, "newdir").text, 0700));
}

static int try_rmdir(const char *dir)
{
    return code_of(rmdir(in(dir, "empty").text));
}

static int try_rename(const char *dir)
{
    return code_of(rename(in(dir, "file").text, in(dir, "empty/file").text));
}

static int try_rename_out(const char *dir)
{
    return code_of(rename(in(dir, "file").text, in(top, "other/stolen").text));
}

static int try_rename_in(const char *dir)
{
    return code_of(rename(in(top, "other/file").text, in(dir, "stolen").text));
}

static int try_link(const char *dir)
{
    return code_of(link(in(dir, "file").text, in(dir, "empty/link").text));
}

static int try_link_in(const char *dir)
{
    return code_of(link(in(top, "other/file").text, in(dir, "stolen").text));
}

static int try_symlink(const char *dir)
{
    return code_of(symlink("/etc/passwd", in(dir, "newlink").text));
}

static int try_fifo(const char *dir)
{
    return code_of(mkfifo(in(dir, "pipe").text, 0600));
}

static int try_socket(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
                   dir);
    return code_of(
        bind(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int try_follow(const char *dir)
{
    return code_of(open(in(dir, "way-out").text, O_WRONLY));
}

static int try_dots(const char *dir)
{
    return code_of(open(in(dir, "../other/file").text, O_WRONLY));
}

static int try_exec(const char *dir)
{
    execl(in(dir, "program").text, "program", (char *)NULL);
    return errno;
}

struct work {
    const char *dir;
    int code;
};

static void in_thread(uv_work_t *handle)
{
    struct work *work = handle->data;

    work->code = try_create(work->dir);
}

static void after_thread(uv_work_t *handle, int status)
{
    (void)handle;
    (void)status;
}

static int try_thread(const char *dir)
{
    struct work work = {.dir = dir, .code = -1};
    uv_work_t handle = {.data = &work};
    uv_loop_t loop;

    uv_loop_init(&loop);
    uv_queue_work(&loop, &handle, in_thread, after_thread);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return work.code;
}

static int try_privileges(const char *dir)
{
    (void)dir;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EACCES : 0;
}

/* What comes of it where all may be done, where reading may, and elsewhere. */
static const struct {
    const char *name;
    int (*attempt)(const char *dir);
    int writable;
    int readable;
    int outside;
} attempts[] = {
    {"read a file",             try_read,       0,      0,      EACCES},
    {"list a directory",        try_list,       0,      0,      EACCES},
    {"write to a file",         try_write,      0,      EACCES, EACCES},
    {"truncate a file",         try_truncate,   0,      EACCES, EACCES},
    {"create a file",           try_create,     0,      EACCES, EACCES},
    {"the same from a worker",  try_thread,     0,      EACCES, EACCES},
    {"unlink a file",           try_unlink,     0,      EACCES, EACCES},
    {"make a directory",        try_mkdir,      0,      EACCES, EACCES},
    {"remove a directory",      try_rmdir,      0,      EACCES, EACCES},
    {"rename across it",        try_rename,     0,      EACCES, EACCES},
    {"link across it",          try_link,       0,      EACCES, EACCES},
    {"rename a file out of it", try_rename_out, EACCES, EACCES, EACCES},
    {"rename a file into it",   try_rename_in,  EACCES, EACCES, EACCES},
    {"link a file into it",     try_link_in,    EXDEV,  EACCES, EACCES},
    {"make a symbolic link",    try_symlink,    0, EACCES, EACCES},
    {"make a pipe",             try_fifo,       0, EACCES, EACCES},
    {"make a socket",           try_socket,     EACCES, EACCES, EACCES},
    {"follow a link out of it", try_follow,     EACCES, EACCES, EACCES},
    {"climb out of it",         try_dots,       EACCES, EACCES, EACCES},
    {"run a program",           try_exec,       EACCES, EACCES, EACCES},
    {"gain privileges",         try_privileges, EACCES, EACCES, EACCES},
};

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 ||
        chmod(path, mode) != 0) {
        printf("Bail out! cannot write %s\n", path);
        exit(1);
    }
}

static void lay_out(const char *name)
{
    struct path path = in(top, name);
    const char *dir = path.text;

    mkdir(dir, 0700);
    mkdir(in(dir, "empty").text, 0700);
    write_file(in(dir, "file").text, "text", 0600);
    write_file(in(dir, "program").text, "#!/bin/sh\nexit 0\n", 0700);
    if (symlink("../other/file", in(dir, "way-out").text) != 0)
        exit(1);
}

static void remove_all(void)
{
    char *command = mem_printf("rm -rf '%s'", top);

    if (system(command) != 0)
        printf("# %s stays\n", top);
    free(command);
}

static void enter(struct buf *how)
{
    struct confine confine;

    confine_begin(&confine);
    confine_allow(&confine, in(top, "writable").text, CONFINE_WRITE);
    confine_allow(&confine, in(top, "readable").text, CONFINE_READ);
    confine_allow(&confine, in(top, "missing").text, CONFINE_WRITE);
    /* What programs are started from is not what hinders them. */
    confine_allow(&confine, "/proc", CONFINE_READ);
    confine_enter(&confine, how);
}

/* The attempt's code, of a fresh layout and a process of its own. */
static int attempt(int (*what)(const char *dir), const char *where)
{
    int status = 0;
    pid_t pid;

    lay_out("writable");
    lay_out("readable");
    lay_out("outside");
    lay_out("other");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct buf how;

        buf_init(&how, 0);
        enter(&how);
        _exit(what(in(top, where).text));
    }
    waitpid(pid, &status, 0);
    remove_all();
    mkdir(top, 0700);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check(const char *name, int (*what)(const char *dir),
                  const char *where, int want)
{
    int got = attempt(what, where);

    ok(got == want, "%s, %s: %s", where, name,
       got == 0 ? "done" : strerror(got));
}

/* Is there any? Said by a process of its own, too. */
static bool has_landlock(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct buf how;

        buf_init(&how, 0);
        enter(&how);
        printf("# %s\n", buf_text(&how));
        fflush(stdout);
        _exit(strncmp(buf_text(&how), "landlock ABI ", 13) != 0);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

int main(void)
{
    if (mkdtemp(top) == NULL) {
        printf("Bail out! cannot make %s\n", top);
        return 1;
    }
    if (!has_landlock()) {
        ok(true, "confinement # SKIP no Landlock in this kernel");
        rmdir(top);
        return done_testing();
    }
    for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
        check(attempts[i].name, attempts[i].attempt, "writable",
              attempts[i].writable);
        check(attempts[i].name, attempts[i].attempt, "readable",
              attempts[i].readable);
        check(attempts[i].name, attempts[i].attempt, "outside",
              attempts[i].outside);
    }
    rmdir(top);
    return done_testing();
}
