#include <string.h>

#include "cmd/progress.h"
#include "tests/tap.h"

static void check(const char *name, const struct run_progress *progress,
                  const struct progress_rate *rate, size_t columns,
                  const char *expected)
{
    struct buf line;

    buf_init(&line, 0);
    progress_line(strncmp(expected, "work", 4) == 0 ? "work" : "3/9 pairs",
                  progress, rate, columns, &line);
    ok(strcmp(buf_text(&line), expected) == 0, "%s: %s", name, buf_text(&line));
    buf_deinit(&line);
}

static void test_lines(void)
{
    struct progress_rate still = {0};
    struct progress_rate rate = {.bytes_per_second = 1048576.0,
                                 .messages_per_second = 10.0};
    struct run_progress progress = {0};

    check("before the first phase", &progress, &still, 80, "work: starting");
    progress.phase = "listing";
    check("a phase alone", &progress, &still, 80, "work: listing");
    progress.waits_for = "far";
    check("a server that has no time", &progress, &still, 80,
          "work: listing, waiting for far");
    progress.waits_for = NULL;
    progress.phase = "comparing";
    progress.folders_total = 20;
    progress.folders_done = 3;
    check("folders", &progress, &still, 80, "work: comparing, 3/20 folders");
    progress.phase = "copying";
    progress.messages_total = 100;
    progress.messages_done = 40;
    check("messages, and their pace", &progress,
          &(struct progress_rate){.messages_per_second = 10.0}, 80,
          "work: copying, 3/20 folders, 40/100 messages, 0:06 left");
    progress.bytes_total = 131ull << 20;
    progress.bytes_done = 6ull << 20;
    check("bytes go before messages", &progress, &rate, 200,
          "work: copying, 3/20 folders, 40/100 messages, 6.0 MB of 131.0 MB, "
          "1.0 MB/s, 2:05 left");
    check("cut to the screen", &progress, &rate, 20, "work: copying, 3/20 ");
    progress.folders_done = 20;
    check("all folders are open: room for the rest", &progress, &rate, 80,
          "work: copying, 40/100 messages, 6.0 MB of 131.0 MB, 1.0 MB/s, "
          "2:05 left");
    progress.folders_done = 3;
    progress.bytes_total = 1ull << 50;
    check("no guess at what is far off", &progress, &rate, 200,
          "work: copying, 3/20 folders, 40/100 messages, 6.0 MB of 1.0 PB, "
          "1.0 MB/s");
}

static void test_sum(void)
{
    struct progress_rate still = {0};
    struct run_progress sum = {0};
    struct run_progress one = {
        .phase = "listing",
        .waits_for = "far",
        .folders_total = 4,
        .folders_done = 1,
        .messages_total = 10,
        .messages_done = 2,
    };

    progress_add(&sum, &one);
    check("one alone", &sum, &still, 80,
          "3/9 pairs: listing, waiting for far, 1/4 folders, 2/10 messages");
    one.waits_for = NULL;
    one.bytes_total = 2048;
    one.bytes_done = 1024;
    progress_add(&sum, &one);
    check("two at the same, of which one gets on", &sum, &still, 80,
          "3/9 pairs: listing, 2/8 folders, 4/20 messages, 1.0 KB of 2.0 KB");
    one = (struct run_progress){.phase = "copying", .waits_for = "near"};
    progress_add(&sum, &one);
    check("one further on", &sum, &still, 80,
          "3/9 pairs: working, 2/8 folders, 4/20 messages, 1.0 KB of 2.0 KB");
}

static void test_names(void)
{
    struct progress_rate still = {0};
    struct run_progress progress = {.phase = "listing"};
    struct buf line;

    buf_init(&line, 0);
    progress_line("B\xc3\xbcro", &progress, &still, 4, &line);
    ok(strcmp(buf_text(&line), "B\xc3\xbcro") == 0,
       "it is cut between characters, not bytes");
    buf_clear(&line);
    progress_line("a\033[2J", &progress, &still, 80, &line);
    ok(strchr(buf_text(&line), '\033') == NULL, "escapes are made harmless: %s",
       buf_text(&line));
    buf_deinit(&line);
}

static bool is_about(double value, double expected)
{
    return value > expected * 0.98 && value < expected * 1.02;
}

static void test_rate(void)
{
    struct progress_rate rate = {0};
    struct run_progress progress = {0};

    progress_measure(&rate, &progress, 100.0);
    ok(rate.bytes_per_second <= 0.0, "no pace at the start");
    progress.bytes_done = 1000;
    progress.messages_done = 2;
    progress_measure(&rate, &progress, 100.5);
    ok(is_about(rate.bytes_per_second, 2000.0) &&
           is_about(rate.messages_per_second, 4.0),
       "the first step gives the pace");
    progress.bytes_done = 5000;
    progress_measure(&rate, &progress, 100.55);
    ok(is_about(rate.bytes_per_second, 2000.0),
       "a step that is too short is no step");
    for (int i = 1; i <= 200; i++) {
        progress.bytes_done += 100;
        progress_measure(&rate, &progress, 101.0 + i * 0.2);
    }
    ok(is_about(rate.bytes_per_second, 500.0), "a new pace takes over: %.0f",
       rate.bytes_per_second);
    progress.bytes_done = 0;
    progress_measure(&rate, &progress, 200.0);
    ok(rate.bytes_per_second <= 0.0, "it starts anew where the count does");
}

int main(void)
{
    test_lines();
    test_sum();
    test_names();
    test_rate();
    return done_testing();
}
