/*
 * Takes this process's access to the disk away, but for named places, and all
 * ways to more privileges: whatever gets hold of it can then read and write no
 * more than mailtwin itself. For good, and for the threads that are started
 * afterwards: to be done before the first one.
 *
 *     confine_begin(&confine)
 *     confine_allow(&confine, path, what) for each place
 *     confine_enter(&confine, how)
 *
 * By Landlock, where the kernel has it; nothing fails where it has not. A build
 * with -DNO_CONFINEMENT has none, for tools that write files at the program's
 * end (gcov).
 */
#ifndef CMD_CONFINE_H
#define CMD_CONFINE_H

#include "base/buf.h"
#include "base/err.h"

enum confine_use {
    CONFINE_READ, /* files and directories */
    CONFINE_WRITE /* that too, and make, change, rename and remove them */
};

struct confine {
    int ruleset; /* -1: there will be no confinement */
    int abi;
    struct err why; /* there will be none */
};

void confine_begin(struct confine *confine);

/* Leave the file @path, or all below the directory, as usable as it is. What is
 * not there now stays out of reach; it is found by what it is, not by its
 * name. */
void confine_allow(struct confine *confine, const char *path,
                   enum confine_use use);

/* From now on. @how  gets "landlock ABI 7", or "none: why". */
void confine_enter(struct confine *confine, struct buf *how);

#endif
