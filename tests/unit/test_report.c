#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/report.h"
#include "tests/tap.h"

#define NOW ((time_t)1738367999)

struct fixture {
    struct keywords *keywords;
    struct report_scene scene;
    struct buf text;
};

static void set_up(struct fixture *f, bool plan)
{
    f->keywords = keywords_new();
    f->scene = (struct report_scene){
        .pair = "work",
        .account = {"mail", "disk"},
        .keywords = f->keywords,
        .plan = plan,
    };
    buf_init(&f->text, 0);
}

static void tear_down(struct fixture *f)
{
    keywords_free(f->keywords);
    buf_deinit(&f->text);
}

static void check_line(struct fixture *f, const struct report_event *event,
                       const char *expected)
{
    buf_clear(&f->text);
    report_line(&f->scene, event, &f->text);
    ok(strcmp(buf_text(&f->text), expected) == 0, "%s", buf_text(&f->text));
}

static void test_lines(void)
{
    struct fixture f;

    set_up(&f, false);
    check_line(&f,
               &(struct report_event){.kind = REPORT_COPY,
                                      .side = RIGHT,
                                      .folder = "Archive",
                                      .from = "INBOX",
                                      .uid = 7,
                                      .count = 1},
               "work: Archive: message 7 copied to disk, from INBOX there");
    check_line(&f,
               &(struct report_event){.kind = REPORT_COPY,
                                      .side = RIGHT,
                                      .folder = "INBOX",
                                      .uid = 12,
                                      .source = LEFT,
                                      .count = 1,
                                      .bytes = 3482},
               "work: INBOX: message 12 copied to disk (3.4 KB)");
    check_line(
        &f,
        &(struct report_event){
            .kind = REPORT_FLAG,
            .side = LEFT,
            .folder = "A/B",
            .count = 3,
            .change = {.add = {FLAG_SEEN,
                               keywords_intern(f.keywords, B("$Junk"))},
                       .remove = {FLAG_FLAGGED, 0}}
    },
        "work: A/B: 3 messages flagged on mail: +\\Seen +$Junk -\\Flagged");
    check_line(
        &f,
        &(struct report_event){
            .kind = REPORT_DELETE, .side = LEFT, .folder = "INBOX", .count = 1},
        "work: INBOX: 1 message deleted on mail");
    check_line(&f,
               &(struct report_event){.kind = REPORT_REMOVAL,
                                      .side = LEFT,
                                      .folder = "INBOX",
                                      .uid = 12,
                                      .twin = 34},
               "work: INBOX: message 12 on mail is to be deleted: its twin on "
               "disk, message 34, is gone from here");
    check_line(
        &f,
        &(struct report_event){.kind = REPORT_REMOVAL,
                               .side = RIGHT,
                               .folder = "INBOX",
                               .to = "A\033/B",
                               .uid = 34,
                               .twin = 12},
        "work: INBOX: message 34 on disk is to be moved to A\\x1B/B: its "
        "twin on mail, message 12, is gone from here");
    check_line(&f,
               &(struct report_event){
                   .kind = REPORT_PAIR, .folder = "INBOX", .count = 2},
               "work: INBOX: 2 messages found on both sides");
    check_line(&f,
               &(struct report_event){.kind = REPORT_FOLDER_CREATE,
                                      .side = RIGHT,
                                      .folder = "New"},
               "work: New: folder created on disk");
    check_line(&f,
               &(struct report_event){
                   .kind = REPORT_FOLDER_DELETE, .side = LEFT, .folder = "Old"},
               "work: Old: folder deleted on mail");
    tear_down(&f);
}

static void test_trouble_lines(void)
{
    struct fixture f;

    set_up(&f, false);
    check_line(&f,
               &(struct report_event){.kind = REPORT_FAILED,
                                      .side = RIGHT,
                                      .folder = "INBOX",
                                      .uid = 7,
                                      .source = LEFT,
                                      .reason = "[TOOBIG] no"},
               "work: INBOX: mail: message 7: [TOOBIG] no");
    check_line(&f,
               &(struct report_event){.kind = REPORT_FAILED,
                                      .side = LEFT,
                                      .folder = "INBOX",
                                      .uid = 7,
                                      .file = "17.M5.h\n",
                                      .source = RIGHT,
                                      .reason = "[TOOBIG] no"},
               "work: INBOX: disk: message 7 (17.M5.h\\x0A): [TOOBIG] no");
    check_line(&f,
               &(struct report_event){.kind = REPORT_HELD,
                                      .side = RIGHT,
                                      .count = 90,
                                      .reason = "too many deletions"},
               "work: held back: too many deletions");
    check_line(&f,
               &(struct report_event){.kind = REPORT_NOTICE,
                                      .folder = "x\033[2J",
                                      .reason = "r\033]0;\007"},
               "work: x\\x1B[2J: r\\x1B]0;\\x07");
    tear_down(&f);
}

static void test_plan_lines(void)
{
    struct fixture f;

    set_up(&f, true);
    check_line(&f,
               &(struct report_event){.kind = REPORT_COPY,
                                      .side = RIGHT,
                                      .folder = "INBOX",
                                      .uid = 12,
                                      .source = LEFT,
                                      .count = 1,
                                      .bytes = 3482},
               "work: INBOX: copy message 12 to disk (3.4 KB)");
    check_line(
        &f,
        &(struct report_event){
            .kind = REPORT_DELETE, .side = LEFT, .folder = "INBOX", .count = 2},
        "work: INBOX: delete 2 messages on mail");
    check_line(&f,
               &(struct report_event){.kind = REPORT_FOLDER_CREATE,
                                      .side = RIGHT,
                                      .folder = "New"},
               "work: New: create the folder on disk");
    check_line(&f,
               &(struct report_event){.kind = REPORT_FOLDER_RENAME,
                                      .side = RIGHT,
                                      .folder = "New",
                                      .from = "Old"},
               "work: New: rename the folder on disk, from Old");
    check_line(&f,
               &(struct report_event){.kind = REPORT_MOVE,
                                      .side = RIGHT,
                                      .folder = "New",
                                      .from = "Old",
                                      .uid = 7,
                                      .count = 1},
               "work: New: move message 7 on disk, from Old");
    f.scene.check = true;
    check_line(&f,
               &(struct report_event){.kind = REPORT_COPY,
                                      .side = RIGHT,
                                      .source = LEFT,
                                      .folder = "New",
                                      .uid = 7,
                                      .count = 1},
               "work: New: message 7 of mail is not on disk");
    check_line(&f,
               &(struct report_event){.kind = REPORT_DIFFERS,
                                      .side = RIGHT,
                                      .source = LEFT,
                                      .folder = "New",
                                      .uid = 7,
                                      .count = 1,
                                      .reason = "the bytes differ"},
               "work: New: message 7 of mail: the bytes differ");
    tear_down(&f);
}

static void check_summary(struct fixture *f,
                          const struct report_summary *summary,
                          const char *expected)
{
    buf_clear(&f->text);
    report_summary_line(&f->scene, summary, &f->text);
    ok(strcmp(buf_text(&f->text), expected) == 0, "%s", buf_text(&f->text));
}

static void test_summary_lines(void)
{
    struct report_summary nothing = {.seconds = 0.3};
    struct report_summary one = {
        .seconds = 1.94,
        .counts = {[RIGHT] = {.copied = 120,
                              .copied_bytes = 1048576,
                              .flagged = 3,
                              .deleted = 1}},
    };
    struct report_summary both = {
        .seconds = 61,
        .counts = {{.flagged = 1, .folders_created = 1},
                   {.deleted = 2, .folders_created = 4}},
        .failed = 2,
        .held = 5,
    };
    struct report_summary failed = {.seconds = 0.1, .failed = 1};
    struct fixture f;

    set_up(&f, false);
    check_summary(&f, &nothing, "work: in step, nothing to do");
    check_summary(&f, &one,
                  "work: 120 copied to disk, 3 flagged, 1 deleted in 1.9 s "
                  "(1.0 MB)");
    check_summary(&f, &both,
                  "work: 1 flagged on mail, 1 folder created; 2 deleted on "
                  "disk, 4 folders created, 2 failed, 5 held back in 1:01");
    check_summary(&f, &failed, "work: nothing done, 1 failed in 0.1 s");
    f.scene.plan = true;
    check_summary(&f, &nothing, "work: in step, nothing to do");
    check_summary(&f, &one,
                  "work: 120 to copy to disk, 3 to flag, 1 to delete "
                  "(1.0 MB)");
    tear_down(&f);
}

static void test_void(void)
{
    struct report_summary summary = {.error = "no connection"};

    ok(report_is_void(&summary), "a run that ended before it did anything");
    summary.counts[LEFT].flagged = 1;
    ok(!report_is_void(&summary), "a run that ended early");
    summary = (struct report_summary){0};
    ok(!report_is_void(&summary), "a run that had nothing to do");
}

static void test_counts(void)
{
    struct run_counts counts[SIDES] = {{0}, {0}};

    report_count(
        &(struct report_event){
            .kind = REPORT_COPY, .side = RIGHT, .count = 1, .bytes = 10},
        counts);
    report_count(
        &(struct report_event){.kind = REPORT_FLAG, .side = LEFT, .count = 3},
        counts);
    report_count(
        &(struct report_event){.kind = REPORT_HELD, .side = LEFT, .count = 9},
        counts);
    ok(counts[RIGHT].copied == 1 && counts[RIGHT].copied_bytes == 10 &&
           counts[LEFT].flagged == 3 && counts[LEFT].deleted == 0,
       "a plan's events are counted");
}

static void check_json(struct fixture *f, json_t *json, const char *expected)
{
    buf_clear(&f->text);
    report_print(json, &f->text);
    json_decref(json);
    ok(strcmp(buf_text(&f->text), expected) == 0, "%s", buf_text(&f->text));
}

#define HEAD(event)       \
    "{\"event\":\"" event \
    "\",\"time\":\"2025-01-31T23:59:59Z\",\"pair\":\"work\""

static void test_json(void)
{
    struct report_event copied = {.kind = REPORT_COPY,
                                  .side = RIGHT,
                                  .folder = "INBOX",
                                  .uid = 12,
                                  .source = LEFT,
                                  .count = 1,
                                  .bytes = 3482};
    struct report_event failed = {.kind = REPORT_FAILED,
                                  .side = LEFT,
                                  .folder = "a\xff\"\n",
                                  .reason = "[TOOBIG]"};
    struct report_event flagged = {.kind = REPORT_FLAG,
                                   .side = LEFT,
                                   .folder = "A",
                                   .count = 2,
                                   .change = {.add = {FLAG_SEEN, 0}}};
    struct report_event removal = {.kind = REPORT_REMOVAL,
                                   .side = RIGHT,
                                   .folder = "A",
                                   .to = "B",
                                   .uid = 34,
                                   .twin = 12,
                                   .count = 1};
    struct fixture f;

    set_up(&f, false);
    check_json(&f, report_json(&f.scene, &removal, NOW),
               HEAD("removing") ",\"side\":\"right\",\"account\":\"disk\","
                                "\"folder\":\"A\",\"to\":\"B\",\"uid\":34,"
                                "\"uid_side\":\"right\",\"twin\":12,"
                                "\"count\":1}");
    check_json(&f, report_json(&f.scene, &copied, NOW),
               HEAD("copied") ",\"side\":\"right\",\"account\":\"disk\","
                              "\"folder\":\"INBOX\",\"uid\":12,\"uid_side\":"
                              "\"left\",\"count\":1,\"bytes\":3482}");
    check_json(&f, report_json(&f.scene, &failed, NOW),
               HEAD("failed") ",\"side\":\"left\",\"account\":\"mail\","
                              "\"folder\":\"a\xef\xbf\xbd\\\"\\n\","
                              "\"reason\":\"[TOOBIG]\"}");
    check_json(&f, report_json(&f.scene, &flagged, NOW),
               HEAD("flagged") ",\"side\":\"left\",\"account\":\"mail\","
                               "\"folder\":\"A\",\"count\":2,"
                               "\"added\":[\"\\\\Seen\"],\"removed\":[]}");
    tear_down(&f);
}

#define COUNTS(copied, bytes, deleted)                \
    "{\"copied\":" copied ",\"copied_bytes\":" bytes  \
    ",\"flagged\":0,\"moved\":0,\"deleted\":" deleted \
    ",\"folders_created\":0,\"folders_renamed\":0,\"folders_deleted\":0}"

static void test_summary_json(void)
{
    struct report_summary summary = {
        .exit = 1,
        .seconds = 1.9004,
        .counts = {{.deleted = 1}, {.copied = 120, .copied_bytes = 1048576}},
        .failed = 2,
        .held = 0,
        .wire = {{.sent = 2210,
                  .received = 1100321,
                  .round_trips = 7,
                  .connections = 2}             },
    };
    struct fixture f;

    set_up(&f, false);
    check_json(
        &f, report_summary_json(&f.scene, &summary, NOW),
        HEAD(
            "summary") ",\"exit\":1,\"seconds\":1.9,"
                       "\"left\":" COUNTS(
                           "0", "0",
                           "1") ","
                                "\"right\":" COUNTS(
                                    "120", "1048576",
                                    "0") ","
                                         "\"failed\":2,\"held\":0,\"wire\":{"
                                         "\"left\":"
                                         "{\"sent\":2210,\"received\":1100321,"
                                         "\"round_trips\":7,\"connections\":2},"
                                         "\"right\":{\"sent\":0,\"received\":0,"
                                         "\"round_trips\":0,\"connections\":0}}"
                                         "}");
    tear_down(&f);
}

int main(void)
{
    test_lines();
    test_trouble_lines();
    test_plan_lines();
    test_summary_lines();
    test_void();
    test_counts();
    test_json();
    test_summary_json();
    return done_testing();
}
