#include "store/maildir_count.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/maildir_name.h"
#include "store/maildir_path.h"
#include "store/maildir_tree.h"

/* Octets of one message; the file's own size where its name tells nothing. */
static bool octets_of(int dir, const char *file, uint64_t *octets)
{
    struct maildir_name name;
    struct maildir_name_sizes sizes;
    struct stat st;

    maildir_name_parse(bytes_of(file), &name);
    maildir_name_parse_sizes(name.base, &sizes);
    if (sizes.has_crlf) {
        *octets = sizes.crlf;
        return true;
    }
    if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode)) {
        return false;
    }
    *octets = (uint64_t)st.st_size;
    return true;
}

static bool count_directory(int dir, struct folder_entry *folder)
{
    DIR *stream = maildir_tree_stream(dir);
    struct dirent *entry;
    uint64_t octets;

    if (stream == NULL) {
        return false;
    }
    while ((entry = maildir_tree_next(stream)) != NULL) {
        if (entry->d_name[0] == '.' ||
            !octets_of(dir, entry->d_name, &octets)) {
            continue;
        }
        folder->messages++;
        folder->octets += octets;
    }
    closedir(stream);
    return true;
}

static void count_folder(int root, const char *path,
                         struct folder_entry *folder)
{
    struct maildir_dirs dirs;
    struct err err;

    if (maildir_tree_open(root, path, false, &dirs, &err) < 0) {
        return;
    }
    folder->has_counts =
        count_directory(dirs.cur, folder) && count_directory(dirs.new, folder);
    maildir_tree_close(&dirs);
}

void maildir_count(int root, enum maildir_layout layout,
                   struct folder_entry *folders, size_t n)
{
    struct buf path;
    struct err err;

    buf_init(&path, 0);
    for (size_t i = 0; i < n; i++) {
        if (!folders[i].selectable || folders[i].problem != NULL) {
            continue;
        }
        buf_clear(&path);
        if (maildir_path_encode(layout, bytes_of(folders[i].name), &path,
                                &err) == 0) {
            count_folder(root, buf_text(&path), &folders[i]);
        }
    }
    buf_deinit(&path);
}
