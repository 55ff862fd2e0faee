#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_keywords.h"
#include "store/maildir_name.h"
#include "tests/tap.h"

static bool text_is(const struct buf *buf, const char *want)
{
    return bytes_equal(buf_peek(buf), bytes_of(want));
}

static const struct {
    const char *what;
    const char *in;
    const char *out;
} files[] = {
    {"as Dovecot writes it", "0 $Junk\n1 work\n",        "0 $Junk\n1 work\n"},
    {"without the last LF",  "0 a\n1 b",                 "0 a\n1 b\n"       },
    {"with a gap",           "3 d\n0 a\n",               "0 a\n3 d\n"       },
    {"the last letter",      "25 z\n",                   "25 z\n"           },
    {"an index too large",   "26 x\n0 a\n",              "0 a\n"            },
    {"nonsense between",     "x\n\n 1\n-1 y\n2 \n1 b\n", "1 b\n"            },
    {"a letter given twice", "0 a\n0 b\n",               "0 b\n"            },
    {"nothing",              "",                         ""                 },
};

static void test_parse(void)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct maildir_keywords keywords = {0};
        struct buf out;

        buf_init(&out, 0);
        maildir_keywords_parse(&keywords, bytes_of(files[i].in));
        maildir_keywords_print(&keywords, &out);
        ok(text_is(&out, files[i].out), "file: %s", files[i].what);
        buf_deinit(&out);
        maildir_keywords_deinit(&keywords);
    }
}

static void test_letters(void)
{
    struct maildir_keywords keywords = {0};
    struct buf out;
    unsigned missing;

    buf_init(&out, 0);
    maildir_keywords_parse(&keywords, B("0 $Junk\n2 Work\n"));
    ok(maildir_keywords_letters(&keywords, B("work $JUNK"), &missing) == 5 &&
           missing == 0,
       "names to letters, whatever the case");
    ok(maildir_keywords_letters(&keywords, B("other  Work"), &missing) == 4 &&
           missing == 1,
       "a keyword without a letter is missing");
    ok(maildir_keywords_letters(&keywords, B("$forwarded"), &missing) ==
               MAILDIR_NAME_PASSED &&
           missing == 0,
       "$Forwarded is P");
    maildir_keywords_names(&keywords, 5 | 2 | MAILDIR_NAME_PASSED, &out);
    ok(text_is(&out, "$Forwarded $Junk Work"),
       "letters to names; one without a name is left out");
    ok(maildir_keywords_free(&keywords, 0) == 24, "24 letters are free");
    maildir_keywords_parse(&keywords, B("1 $Forwarded\n"));
    ok(maildir_keywords_letters(&keywords, B("$Forwarded"), NULL) ==
           (MAILDIR_NAME_PASSED | 2),
       "$Forwarded is P and its letter, where Dovecot gave it one");
    buf_deinit(&out);
    maildir_keywords_deinit(&keywords);
}

static void write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t n = strlen(text);

    if (fd < 0 || write(fd, text, n) != (ssize_t)n || close(fd) < 0) {
        printf("Bail out! cannot write %s\n", name);
        exit(1);
    }
}

static bool is_there(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, 0) == 0;
}

static void test_allocate(int dir)
{
    struct maildir_keywords keywords = {0};
    struct maildir_keywords again = {0};
    struct buf names;
    struct err err;

    ok(maildir_keywords_load(&keywords, dir, &err) == 0 &&
           maildir_keywords_free(&keywords, 0) == 26,
       "no file, no keywords");
    ok(maildir_keywords_allocate(&keywords, dir, B("one two $Forwarded"), 1,
                                 &err) == 0 &&
           maildir_keywords_letters(&keywords, B("one two"), NULL) == 6,
       "letters are given, but not one that files carry");
    ok(maildir_keywords_load(&again, dir, &err) == 0 &&
           maildir_keywords_letters(&again, B("one two"), NULL) == 6,
       "and they are on disk");
    ok(!is_there(dir, "dovecot-keywords.lock"), "no lock is left");
    buf_init(&names, 0);
    for (unsigned i = 0; i < 30; i++) {
        buf_printf(&names, "many%u ", i);
    }
    ok(maildir_keywords_allocate(&keywords, dir, buf_peek(&names), 0, &err) ==
               0 &&
           maildir_keywords_free(&keywords, 0) == 0,
       "what finds no letter stays without one");
    buf_deinit(&names);
    maildir_keywords_deinit(&keywords);
    maildir_keywords_deinit(&again);
}

static void test_locks(int dir)
{
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 500},
                                    {.tv_sec = time(NULL) - 500}};
    struct maildir_keywords keywords = {0};
    struct err err;

    (void)unlinkat(dir, "dovecot-keywords", 0);
    write_file(dir, "dovecot-uidlist", "3 V1 N1\n");
    write_file(dir, "dovecot-uidlist.lock", "");
    write_file(dir, "dovecot-keywords.lock", "");
    (void)utimensat(dir, "dovecot-uidlist.lock", old, 0);
    (void)utimensat(dir, "dovecot-keywords.lock", old, 0);
    ok(maildir_keywords_allocate(&keywords, dir, B("k"), 0, &err) == 0,
       "stale locks are broken");
    ok(!is_there(dir, "dovecot-uidlist.lock"), "Dovecot's lock is released");
    ok(symlinkat("/etc/passwd", dir, "link") == 0 &&
           renameat(dir, "link", dir, "dovecot-keywords") == 0 &&
           maildir_keywords_load(&keywords, dir, &err) == ERR_DISK,
       "a symbolic link is not followed");
    maildir_keywords_deinit(&keywords);
}

int main(void)
{
    char path[] = "/tmp/test_maildir_keywords.XXXXXX";
    char *command;
    int dir;

    test_parse();
    test_letters();
    if (mkdtemp(path) == NULL || (dir = open(path, O_RDONLY)) < 0 ||
        mkdirat(dir, "tmp", 0700) < 0) {
        printf("Bail out! no directory\n");
        return 1;
    }
    test_allocate(dir);
    test_locks(dir);
    close(dir);
    command = mem_printf("rm -rf '%s'", path);
    ok(system(command) == 0, "cleaned up");
    free(command);
    return done_testing();
}
