#include "cmd/env.h"

#include <stdlib.h>

const char *env_get(const char *name)
{
    /* Nobody here changes the environment. NOLINTNEXTLINE(*-mt-unsafe) */
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}
