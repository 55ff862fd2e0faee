#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a person can do about @error_number, or nothing. */
static const char *hint(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return " (free some space and run again)";
    case EROFS:
        return " (the file system is read-only: mount it writable and run "
               "again)";
    case EACCES:
        return " (check the permissions)";
    default:
        return "";
    }
}

/* Put @text behind what is there, as far as there is room. */
static void append(struct err *err, const char *text)
{
    size_t len = strlen(err->text);
    size_t n = strnlen(text, sizeof(err->text) - 1 - len);

    memcpy(err->text + len, text, n);
    err->text[len + n] = '\0';
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    struct err fresh; /* an argument may lie in @err */
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    (void)vsnprintf(fresh.text, sizeof(fresh.text), format, args);
    va_end(args);
    *err = fresh;
    return code;
}

int err_wrap(struct err *err, int code, const char *format, ...)
{
    struct err fresh;
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    (void)vsnprintf(fresh.text, sizeof(fresh.text), format, args);
    va_end(args);
    append(&fresh, ": ");
    append(&fresh, err->text);
    *err = fresh;
    return code;
}

int err_errno(struct err *err, enum err_code code, int error_number,
              const char *format, ...)
{
    char system[128];
    struct err fresh;
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    (void)vsnprintf(fresh.text, sizeof(fresh.text), format, args);
    va_end(args);
    append(&fresh, ": ");
    /* The GNU form: it returns the text, in @system or elsewhere. */
    append(&fresh, strerror_r(error_number, system, sizeof(system)));
    append(&fresh, hint(error_number));
    *err = fresh;
    return code;
}
