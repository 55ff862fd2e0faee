#include "store/maildir_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A name whose number may not be on record yet. */
struct fresh {
    uint32_t uid; /* 0: removed again */
    uint32_t hash;
    size_t name; /* where in names */
    size_t len;
};

struct maildir_files {
    struct state *state;
    enum side side;
    uint32_t folder;
    uint32_t first_uid;  /* of this run; 0: none was given */
    uint32_t next_uid;   /* 0: not asked yet */
    uint64_t commits;    /* of the state, when the first of fresh was queued */
    struct fresh *fresh; /* by rising UID, up to next_uid */
    size_t n_fresh;
    size_t cap_fresh;
    struct buf names;
    uint32_t *index; /* open addressing: 1 + place in fresh; 0: free */
    size_t n_index;  /* a power of two, at least twice n_fresh; or 0 */
    struct maildir_seen *seen;
    size_t n_seen;
    uint32_t letters;
};

struct maildir_files *maildir_files_new(struct state *state, enum side side,
                                        uint32_t folder)
{
    struct maildir_files *files = MEM_NEW(struct maildir_files);

    files->state = state;
    files->side = side;
    files->folder = folder;
    buf_init(&files->names, 0);
    return files;
}

void maildir_files_free(struct maildir_files *files)
{
    if (files != NULL) {
        buf_deinit(&files->names);
        free(files->fresh);
        free(files->index);
        free(files->seen);
        free(files);
    }
}

uint32_t maildir_files_folder(const struct maildir_files *files)
{
    return files->folder;
}

/* FNV-1a. Names are chosen by whoever may write to the Maildir; the worst they
 * gain is a slow run of their own. */
static uint32_t hash_of(struct bytes name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
    }
    return hash;
}

static struct bytes fresh_name(const struct maildir_files *files,
                               const struct fresh *fresh)
{
    return (struct bytes){buf_peek(&files->names).ptr + fresh->name,
                          fresh->len};
}

static void index_put(struct maildir_files *files, size_t place)
{
    size_t mask = files->n_index - 1;
    size_t at = files->fresh[place].hash & mask;

    while (files->index[at] != 0) {
        at = (at + 1) & mask;
    }
    files->index[at] = (uint32_t)place + 1;
}

static void index_grow(struct maildir_files *files)
{
    if (files->n_fresh * 2 < files->n_index) {
        return;
    }
    files->n_index = files->n_index == 0 ? 64 : files->n_index * 2;
    free(files->index);
    files->index = mem_new(files->n_index, sizeof(*files->index));
    for (size_t i = 0; i < files->n_fresh; i++) {
        index_put(files, i);
    }
}

static struct fresh *find_fresh(const struct maildir_files *files,
                                struct bytes name)
{
    uint32_t hash = hash_of(name);
    size_t mask = files->n_index - 1;

    if (files->n_index == 0) {
        return NULL;
    }
    for (size_t at = hash & mask; files->index[at] != 0; at = (at + 1) & mask) {
        struct fresh *fresh = &files->fresh[files->index[at] - 1];

        if (fresh->hash == hash && fresh->uid != 0 &&
            bytes_equal(fresh_name(files, fresh), name)) {
            return fresh;
        }
    }
    return NULL;
}

/* What the state has on record by now need not be here, too. */
static void drop_recorded(struct maildir_files *files)
{
    if (files->n_fresh == 0 || files->commits == state_commits(files->state)) {
        return;
    }
    free(files->fresh);
    free(files->index);
    buf_deinit(&files->names);
    files->fresh = NULL;
    files->n_fresh = files->cap_fresh = 0;
    files->index = NULL;
    files->n_index = 0;
}

static int give_uid(struct maildir_files *files, struct bytes base,
                    uint32_t *uid, struct err *err)
{
    struct fresh *fresh;

    if (files->next_uid == 0) {
        int r = state_file_next_uid(files->state, files->side, files->folder,
                                    &files->next_uid, err);

        if (r < 0) {
            return r;
        }
        files->first_uid = files->next_uid;
    }
    if (files->next_uid == UINT32_MAX) {
        return err_set(err, ERR_STATE, "all numbers for files are used up");
    }
    if (files->n_fresh == 0) {
        files->commits = state_commits(files->state);
    }
    index_grow(files);
    files->fresh = mem_grow(files->fresh, files->n_fresh, &files->cap_fresh,
                            sizeof(*files->fresh));
    fresh = &files->fresh[files->n_fresh];
    *fresh = (struct fresh){.uid = files->next_uid,
                            .hash = hash_of(base),
                            .name = buf_len(&files->names),
                            .len = base.len};
    buf_add(&files->names, base);
    index_put(files, files->n_fresh);
    files->n_fresh++;
    files->next_uid++;
    state_file_put(files->state, files->side, files->folder, fresh->uid, base);
    *uid = fresh->uid;
    return MAILDIR_FILES_FRESH;
}

int maildir_files_give(struct maildir_files *files, struct bytes base,
                       uint32_t *uid, struct err *err)
{
    const struct fresh *fresh;

    drop_recorded(files);
    fresh = find_fresh(files, base);
    if (fresh == NULL) {
        return give_uid(files, base, uid, err);
    }
    *uid = fresh->uid;
    return MAILDIR_FILES_FRESH;
}

int maildir_files_uid(struct maildir_files *files, struct bytes base,
                      uint32_t *uid, struct err *err)
{
    int r = state_file_uid(files->state, files->side, files->folder, base, uid,
                           err);

    return r == 1 ? maildir_files_give(files, base, uid, err) : r;
}

void maildir_files_walk_begin(const struct maildir_files *files,
                              struct maildir_files_walk *walk)
{
    *walk = (struct maildir_files_walk){
        .commits = state_commits(files->state),
        .next = {.side = files->side, .folder = files->folder}
    };
}

bool maildir_files_walk_stands(const struct maildir_files *files,
                               const struct maildir_files_walk *walk)
{
    return walk->commits == state_commits(files->state);
}

int maildir_files_walk(const struct maildir_files *files,
                       struct maildir_files_walk *walk, size_t rows,
                       void (*each)(void *owner, uint32_t uid,
                                    struct bytes base),
                       void *owner, struct err *err)
{
    if (!maildir_files_walk_stands(files, walk)) {
        return 0;
    }
    return state_file_walk(files->state, &walk->next, rows, each, owner, err);
}

int maildir_files_knows(const struct maildir_files *files, struct bytes base,
                        struct err *err)
{
    uint32_t uid;

    if (find_fresh(files, base) != NULL) {
        return 0;
    }
    return state_file_uid(files->state, files->side, files->folder, base, &uid,
                          err);
}

/* By its place: numbers are given one after the other. */
static struct fresh *fresh_by_uid(const struct maildir_files *files,
                                  uint32_t uid)
{
    uint32_t first;

    if (files->n_fresh == 0) {
        return NULL;
    }
    first = files->next_uid - (uint32_t)files->n_fresh;
    if (uid < first || uid >= files->next_uid) {
        return NULL;
    }
    return &files->fresh[uid - first];
}

int maildir_files_base(struct maildir_files *files, uint32_t uid,
                       struct buf *out, struct err *err)
{
    const struct fresh *fresh;

    drop_recorded(files);
    fresh = fresh_by_uid(files, uid);
    if (fresh == NULL) {
        return state_file_name(files->state, files->side, files->folder, uid,
                               out, err);
    }
    if (fresh->uid == 0) {
        return MAILDIR_FILES_NONE;
    }
    buf_add(out, fresh_name(files, fresh));
    return 0;
}

void maildir_files_remove(struct maildir_files *files, uint32_t uid,
                          struct bytes base)
{
    struct fresh *fresh = fresh_by_uid(files, uid);

    state_file_del(files->state, files->side, files->folder, uid, base);
    if (fresh != NULL) {
        fresh->uid = 0;
    }
}

uint32_t maildir_files_mark(const struct maildir_files *files)
{
    return files->next_uid;
}

bool maildir_files_is_since(const struct maildir_files *files, uint32_t mark,
                            uint32_t uid)
{
    return files->first_uid != 0 && uid >= files->first_uid && uid >= mark &&
           uid < files->next_uid;
}

void maildir_files_forget(struct maildir_files *files, uint32_t mark)
{
    uint32_t uid = mark > files->first_uid ? mark : files->first_uid;
    struct buf base;

    buf_init(&base, 0);
    for (; uid < files->next_uid; uid++) {
        buf_clear(&base);
        /* What cannot be read stays a number without a file. */
        if (maildir_files_base(files, uid, &base, NULL) == 0) {
            maildir_files_remove(files, uid, buf_peek(&base));
        }
    }
    buf_deinit(&base);
}

static int by_uid(const void *a, const void *b)
{
    const struct maildir_seen *left = a;
    const struct maildir_seen *right = b;

    if (left->uid != right->uid) {
        return left->uid < right->uid ? -1 : 1;
    }
    /* One message under two names: the one in cur, then the one with more
     * letters. */
    if (left->in_new != right->in_new) {
        return left->in_new ? 1 : -1;
    }
    return (left->letters < right->letters) - (left->letters > right->letters);
}

size_t maildir_files_sort_seen(struct maildir_seen *seen, size_t n,
                               struct uidset *doubled)
{
    size_t kept = 0;
    bool sorted = true;

    for (size_t i = 1; i < n && sorted; i++) {
        sorted = by_uid(&seen[i - 1], &seen[i]) <= 0;
    }
    if (!sorted) {
        qsort(seen, n, sizeof(*seen), by_uid);
    }
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || seen[kept - 1].uid != seen[i].uid) {
            seen[kept++] = seen[i];
        } else {
            uidset_add(doubled, seen[i].uid);
        }
    }
    return kept;
}

void maildir_files_keep_take(struct maildir_files *files,
                             struct maildir_seen *seen, size_t n)
{
    free(files->seen);
    files->seen = seen;
    files->n_seen = n;
    files->letters = 0;
    for (size_t i = 0; i < n; i++) {
        files->letters |= seen[i].letters;
    }
}

static int compare_seen(const void *key, const void *element)
{
    const uint32_t *uid = key;
    const struct maildir_seen *seen = element;

    return (*uid > seen->uid) - (*uid < seen->uid);
}

static struct maildir_seen *find_seen(const struct maildir_files *files,
                                      uint32_t uid)
{
    if (files->n_seen == 0) {
        return NULL;
    }
    return bsearch(&uid, files->seen, files->n_seen, sizeof(*files->seen),
                   compare_seen);
}

void maildir_files_moved(struct maildir_files *files,
                         const struct maildir_seen *seen)
{
    struct maildir_seen *known = find_seen(files, seen->uid);

    if (known != NULL) {
        *known = *seen;
    }
    files->letters |= seen->letters;
}

const struct maildir_seen *maildir_files_seen(const struct maildir_files *files,
                                              uint32_t uid)
{
    return find_seen(files, uid);
}

const struct maildir_seen *maildir_files_all(const struct maildir_files *files,
                                             size_t *n)
{
    *n = files->n_seen;
    return files->seen;
}

uint32_t maildir_files_letters(const struct maildir_files *files)
{
    return files->letters;
}
