#undef _FORTIFY_SOURCE /* its inline bodies of what is defined here */

#include "tests/sim/chance.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <unistd.h>

static struct chance {
    bool is_told;
    uint64_t state;
} chance;

void chance_start(uint64_t seed)
{
    chance = (struct chance){.is_told = true, .state = seed};
}

void chance_stop(void)
{
    chance.is_told = false;
}

int getentropy(void *buffer, size_t n)
{
    unsigned char *out = buffer;

    if (!chance.is_told)
        return getrandom(buffer, n, 0) == (ssize_t)n ? 0 : -1;
    for (size_t i = 0; i < n; i++) {
        chance.state =
            chance.state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(chance.state >> 56);
    }
    return 0;
}

pid_t getpid(void)
{
    return chance.is_told ? 4711 : (pid_t)syscall(SYS_getpid);
}

int gethostname(char *name, size_t size)
{
    struct utsname real;
    const char *host = "host";

    if (!chance.is_told) {
        if (uname(&real) < 0)
            return -1;
        host = real.nodename;
    }
    strncpy(name, host, size);
    return 0;
}
