#include "cmd/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cmd/conf_value.h"
#include "cmd/env.h"

/* @name below the directory that @variable names, or below @fallback. */
static int find(const char *variable, const char *fallback, const char *name,
                char **out, struct err *err)
{
    const char *base = env_get(variable);
    char *path;
    int r;

    /* "If an implementation encounters a relative path in any of these
     * variables it should consider the path invalid and ignore it." */
    if (base == NULL || base[0] != '/') {
        path = mem_printf("%s/%s", fallback, name);
        r = conf_value_path(path, out, err);
        free(path);
        return r;
    }
    *out = mem_printf("%s/%s", base, name);
    return 0;
}

int paths_config(char **out, struct err *err)
{
    return find("XDG_CONFIG_HOME", "~/.config", "mailtwin/mailtwin.conf", out,
                err);
}

int paths_state(char **out, struct err *err)
{
    return find("XDG_STATE_HOME", "~/.local/state", "mailtwin", out, err);
}
