/* SCRAM with the same nonce every time, "bWFpbHR3aW4gbWFpbHR3aW4g": this takes
 * the place of libgsasl's own. */
#ifndef TESTS_UNIT_FIXED_NONCE_H
#define TESTS_UNIT_FIXED_NONCE_H

#include <gsasl.h>
#include <string.h>

int gsasl_nonce(char *data, size_t size)
{
    static const char text[] = "mailtwin ";

    for (size_t i = 0; i < size; i++)
        data[i] = text[i % (sizeof(text) - 1)];
    return GSASL_OK;
}

#endif
