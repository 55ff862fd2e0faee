/*
 * Goal: any text is a date or none; a date is printed as a text that is read as
 * the same date, and numbers are read within their limit.
 *
 * The input: eight bytes of a time, then the text.
 */
#include "base/buf.h"
#include "imap/date.h"
#include "tests/fuzz/fuzz.h"

/* The first and the last second of the years that are printed. */
#define YEAR_1    (-62135596800)
#define YEAR_9999 253402300799

static void check_time(int64_t seconds)
{
    char text[DATE_TEXT_BYTES];
    int64_t back = 0;

    date_print(seconds, text);
    must(strlen(text) == DATE_TEXT_BYTES - 1);
    must(date_parse(bytes_of(text), &back));
    must(back == seconds || seconds < YEAR_1 || seconds > YEAR_9999);
}

void fuzz_one(struct bytes input)
{
    int64_t time = (int64_t)fuzz_number(&input, 8);
    struct bytes text = fuzz_copy(input);
    int64_t seconds = 0;
    uint64_t number = 0;

    check_time(time);
    check_time(time % YEAR_9999);
    if (date_parse(text, &seconds))
        check_time(seconds);
    must(!bytes_to_u64(text, 1000000, &number) || number <= 1000000);
    fuzz_free(text);
}
