#include "imap/date.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS   86400
#define SECONDS_FIRST (-62135596800) /* 0001-01-01 00:00:00 */
#define SECONDS_LAST  253402300799   /* 9999-12-31 23:59:59 */

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted
 * from March on, so that the leap day is a year's last; 146097 days are 400
 * years.
 */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;

    /* 719468: from March 1st of the year 0 to 1970. */
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 -
           719468;
}

static int64_t month_days(int64_t year, int64_t month)
{
    return month == 12 ? 31
                       : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

/* A decimal number of exactly @n digits from the front of @text. */
static bool take_digits(struct bytes *text, size_t n, int64_t *out)
{
    uint64_t value;

    if (text->len < n ||
        !bytes_to_u64((struct bytes){text->ptr, n}, 9999, &value))
        return false;
    *out = (int64_t)value;
    *text = bytes_skip(*text, n);
    return true;
}

static bool take_char(struct bytes *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = bytes_skip(*text, 1);
    return true;
}

/* 1 to 12. */
static bool take_month(struct bytes *text, int64_t *month)
{
    int i;

    for (i = 0; i < 12; i++) {
        if (bytes_starts_nocase(*text, bytes_of(months[i]))) {
            *text = bytes_skip(*text, 3);
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* "dd-Mon-yyyy" as days since 1970; the day has one digit, two, or a blank
 * and one. */
static bool take_day(struct bytes *text, int64_t *days)
{
    int64_t day;
    int64_t month;
    int64_t year;
    bool padded = take_char(text, ' ');

    if (!(!padded && take_digits(text, 2, &day)) && !take_digits(text, 1, &day))
        return false;
    if (!take_char(text, '-') || !take_month(text, &month) ||
        !take_char(text, '-') || !take_digits(text, 4, &year))
        return false;
    if (year < 1 || day < 1 || day > month_days(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* "hh:mm:ss"; a leap second counts as the first of the next minute. */
static bool take_time(struct bytes *text, int64_t *seconds)
{
    int64_t hour;
    int64_t minute;
    int64_t second;

    if (!take_digits(text, 2, &hour) || !take_char(text, ':') ||
        !take_digits(text, 2, &minute) || !take_char(text, ':') ||
        !take_digits(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* "+zzzz" as seconds east of Greenwich. */
static bool take_zone(struct bytes *text, int64_t *seconds)
{
    int64_t hours;
    int64_t minutes;
    bool west = take_char(text, '-');

    if ((!west && !take_char(text, '+')) || !take_digits(text, 2, &hours) ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

bool date_parse(struct bytes text, int64_t *seconds)
{
    int64_t days;
    int64_t time;
    int64_t zone;

    if (!take_day(&text, &days) || !take_char(&text, ' ') ||
        !take_time(&text, &time) || !take_char(&text, ' ') ||
        !take_zone(&text, &zone) || text.len != 0)
        return false;
    *seconds = days * DAY_SECONDS + time - zone;
    return true;
}

/* The reverse of days_of(). */
static void civil_of(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468; /* 1 or more: the year 1 is the first */
    int64_t era = z / 146097;
    int64_t of_era = z - era * 146097;
    int64_t y =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2 ? 1 : 0));
}

void date_print(int64_t seconds, char out[DATE_TEXT_BYTES])
{
    char text[64];
    int64_t days;
    int year;
    int month;
    int day;
    int rest;

    if (seconds < SECONDS_FIRST) {
        seconds = SECONDS_FIRST;
    } else if (seconds > SECONDS_LAST) {
        seconds = SECONDS_LAST;
    }
    days = seconds / DAY_SECONDS;
    rest = (int)(seconds % DAY_SECONDS);
    if (rest < 0) {
        rest += DAY_SECONDS;
        days--;
    }
    civil_of(days, &year, &month, &day);
    (void)snprintf(text, sizeof(text), "%2d-%s-%04d %02d:%02d:%02d +0000", day,
                   months[month - 1], year, rest / 3600, rest / 60 % 60,
                   rest % 60);
    memcpy(out, text, DATE_TEXT_BYTES - 1);
    out[DATE_TEXT_BYTES - 1] = '\0';
}
