/* UTF-8 as far as folder names and log lines need it. RFC 3629. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Take one code point from the front of @text: sets @code and returns how many
 * bytes it has, or 0 where @text is empty or not valid there (overlong forms,
 * surrogates and values above U+10FFFF are not valid). */
size_t utf8_take(struct bytes text, uint32_t *code);

/* Write @code (valid) to @out; returns 1 to 4. */
size_t utf8_put(uint32_t code, char out[4]);

/* Is all of @text valid? */
bool utf8_valid(struct bytes text);

#endif
