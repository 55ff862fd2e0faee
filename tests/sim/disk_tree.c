/* The journal: what programs see, what is durable, and what is in between. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/disk_parts.h"

struct disk_node *disk_tree_node(struct disk_tree *tree, bool is_dir)
{
    struct disk_node *node = MEM_NEW(struct disk_node);

    node->id = 1000 + tree->next_id++;
    node->is_dir = is_dir;
    node->mtime = tree->now;
    tree->nodes = mem_grow(tree->nodes, tree->n_nodes, &tree->nodes_cap,
                           sizeof(struct disk_node *));
    tree->nodes[tree->n_nodes++] = node;
    return node;
}

/* --- names -------------------------------------------------------------------- */

static struct disk_name *find(const struct disk_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (strcmp(names->names[i].name, name) == 0)
            return &names->names[i];
    }
    return NULL;
}

struct disk_node *disk_names_get(const struct disk_names *names,
                                 const char *name)
{
    const struct disk_name *found = find(names, name);

    return found != NULL ? found->node : NULL;
}

void disk_names_set(struct disk_names *names, const char *name,
                    struct disk_node *node)
{
    struct disk_name *found = find(names, name);

    if (found != NULL && node != NULL) {
        found->node = node;
    } else if (found != NULL) {
        free(found->name);
        *found = names->names[--names->n];
    } else if (node != NULL) {
        names->names = mem_grow(names->names, names->n, &names->cap,
                                sizeof(struct disk_name));
        names->names[names->n].name = mem_copy(name);
        names->names[names->n++].node = node;
    }
}

static void free_names(struct disk_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->names[i].name);
    free(names->names);
    *names = (struct disk_names){0};
}

/* The last change to a name that is not durable yet. */
static struct disk_change *last_change(const struct disk_tree *tree,
                                       const struct disk_node *dir,
                                       const char *name)
{
    for (size_t i = tree->n_changes; i > 0; i--) {
        struct disk_change *change = tree->changes[i - 1];

        if (change->dir == dir && strcmp(change->name, name) == 0)
            return change;
    }
    return NULL;
}

struct disk_change *disk_tree_set(struct disk_tree *tree, struct disk_node *dir,
                                  const char *name, struct disk_node *node)
{
    struct disk_change *change = MEM_NEW(struct disk_change);

    change->dir = dir;
    change->name = mem_copy(name);
    change->node = node;
    change->mtime = tree->now;
    change->needs[0] = last_change(tree, dir, name);
    tree->changes = mem_grow(tree->changes, tree->n_changes, &tree->changes_cap,
                             sizeof(struct disk_change *));
    tree->changes[tree->n_changes++] = change;
    disk_names_set(&dir->seen, name, node);
    if (node != NULL)
        node->parent = dir;
    return change;
}

void disk_tree_rename(struct disk_tree *tree, struct disk_node *from,
                      const char *from_name, struct disk_node *to,
                      const char *to_name)
{
    struct disk_node *node = disk_names_get(&from->seen, from_name);
    struct disk_change *came;
    struct disk_change *went;

    if (node == NULL || node == disk_names_get(&to->seen, to_name))
        return;
    came = disk_tree_set(tree, to, to_name, node);
    went = disk_tree_set(tree, from, from_name, NULL);
    node->parent = to;
    went->needs[1] = came;
    came->needs[1] = went;
}

/* --- files ---------------------------------------------------------------------- */

void disk_tree_write(const struct disk_tree *tree, struct disk_node *node,
                     enum disk_write_kind kind, int64_t at, const void *bytes,
                     size_t n)
{
    struct disk_write *write;

    node->writes = mem_grow(node->writes, node->n_writes, &node->writes_cap,
                            sizeof(struct disk_write));
    write = &node->writes[node->n_writes++];
    *write =
        (struct disk_write){.kind = kind, .at = at, .mtime = tree->now, .n = n};
    if (n > 0) {
        write->bytes = mem_new(n, 1);
        memcpy(write->bytes, bytes, n);
    }
}

static void resize(struct disk_node *node, size_t len)
{
    if (len > node->cap) {
        size_t cap = node->cap * 2 > len ? node->cap * 2 : len;
        char *data = mem_new(cap, 1);

        if (node->len > 0)
            memcpy(data, node->data, node->len);
        free(node->data);
        node->data = data;
        node->cap = cap;
    }
    if (len > node->len)
        memset(node->data + node->len, 0, len - node->len);
    node->len = len;
}

void disk_tree_apply(struct disk_node *node, const struct disk_write *write)
{
    size_t at = (size_t)write->at;

    node->mtime = write->kind == DISK_TIMES ? write->at : write->mtime;
    switch (write->kind) {
    case DISK_DATA:
        if (node->len < at + write->n)
            resize(node, at + write->n);
        if (!write->lost && write->n > 0)
            memcpy(node->data + at, write->bytes, write->n);
        break;
    case DISK_SIZE:
        resize(node, at);
        break;
    case DISK_TIMES:
        break;
    }
}

static void drop_writes(struct disk_node *node)
{
    for (size_t i = 0; i < node->n_writes; i++)
        free(node->writes[i].bytes);
    node->n_writes = 0;
}

/* --- durable ---------------------------------------------------------------------- */

static void make_durable(struct disk_change *change)
{
    if (change->chosen)
        return;
    change->chosen = true;
    for (int i = 0; i < 2; i++) {
        if (change->needs[i] != NULL)
            make_durable(change->needs[i]);
    }
}

/* Do what was chosen, in its order, and forget it. */
static void settle_chosen(struct disk_tree *tree)
{
    size_t n = 0;

    for (size_t i = 0; i < tree->n_changes; i++) {
        struct disk_change *change = tree->changes[i];

        if (change->chosen) {
            disk_names_set(&change->dir->durable, change->name, change->node);
            change->dir->mtime = change->mtime;
        }
    }
    for (size_t i = 0; i < tree->n_changes; i++) {
        struct disk_change *change = tree->changes[i];

        for (int k = 0; k < 2; k++) {
            if (change->needs[k] != NULL && change->needs[k]->chosen)
                change->needs[k] = NULL;
        }
    }
    for (size_t i = 0; i < tree->n_changes; i++) {
        struct disk_change *change = tree->changes[i];

        if (change->chosen) {
            free(change->name);
            free(change);
        } else {
            tree->changes[n++] = change;
        }
    }
    tree->n_changes = n;
}

void disk_tree_sync(struct disk_tree *tree, struct disk_node *node)
{
    if (node->is_dir) {
        for (size_t i = 0; i < tree->n_changes; i++) {
            if (tree->changes[i]->dir == node)
                make_durable(tree->changes[i]);
        }
        settle_chosen(tree);
    }
    for (size_t i = 0; i < node->n_writes; i++) {
        disk_tree_apply(node, &node->writes[i]);
        node->spoilt |= node->writes[i].lost;
    }
    drop_writes(node);
}

void disk_tree_sync_all(struct disk_tree *tree)
{
    for (size_t i = 0; i < tree->n_changes; i++)
        make_durable(tree->changes[i]);
    settle_chosen(tree);
    for (size_t i = 0; i < tree->n_nodes; i++)
        disk_tree_sync(tree, tree->nodes[i]);
}

void disk_tree_sync_failed(struct disk_node *node)
{
    for (size_t i = 0; i < node->n_writes; i++)
        node->writes[i].lost = node->writes[i].kind == DISK_DATA;
}

void disk_tree_free(struct disk_tree *tree)
{
    for (size_t i = 0; i < tree->n_changes; i++) {
        free(tree->changes[i]->name);
        free(tree->changes[i]);
    }
    for (size_t i = 0; i < tree->n_nodes; i++) {
        struct disk_node *node = tree->nodes[i];

        drop_writes(node);
        free(node->writes);
        free(node->data);
        free_names(&node->seen);
        free_names(&node->durable);
        free(node);
    }
    free(tree->changes);
    free(tree->nodes);
    *tree = (struct disk_tree){0};
}
