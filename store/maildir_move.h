/* Rename without ever replacing a file. */
#ifndef STORE_MAILDIR_MOVE_H
#define STORE_MAILDIR_MOVE_H

/* As renameat(), but fails with EEXIST where @to_name is there. Returns 0 or
 * -1 with errno. */
int maildir_move(int from, const char *from_name, int to, const char *to_name);

#endif
