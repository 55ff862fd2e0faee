/* All files below a directory, kept in memory: to put them back as they were. */
#ifndef TESTS_SIM_SNAPSHOT_H
#define TESTS_SIM_SNAPSHOT_H

struct snapshot;

/* Of plain files in @dir, without directories below it. */
struct snapshot *snapshot_take(const char *dir);

/* Nothing but these files is there afterwards; NULL: nothing at all. */
void snapshot_restore(const struct snapshot *snapshot, const char *dir);
void snapshot_free(struct snapshot *snapshot);

#endif
