/* All files below a directory, kept in memory: to put them back as they were. */
#ifndef TESTS_SIM_SNAPSHOT_H
#define TESTS_SIM_SNAPSHOT_H

#include <stdbool.h>

struct snapshot;

/* Of plain files and directories below @dir. */
struct snapshot *snapshot_take(const char *dir);

/* Nothing but these is there afterwards, in @dir, which stays; NULL: nothing at
 * all. Files have the times that they had, and directories, too, where
 * @dir_times. */
void snapshot_restore(const struct snapshot *snapshot, const char *dir,
                      bool dir_times);
void snapshot_free(struct snapshot *snapshot);

#endif
