#include "tests/sim/half.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void half_look(struct half *half, struct look *look)
{
    memset(look, 0, sizeof(*look));
    half->class->look(half, look);
}

void look_free(struct look *look)
{
    for (size_t i = 0; i < look->n_folders; i++)
        free(look->folders[i]);
    for (size_t i = 0; i < look->n_mail; i++)
        free(look->mail[i].file);
    free(look->folders);
    free(look->mail);
}

uint32_t look_count(const struct look *look, uint32_t content,
                    const char *folder)
{
    uint32_t n = 0;

    for (size_t i = 0; i < look->n_mail; i++)
        n += look->mail[i].content == content &&
             (folder == NULL ||
              strcmp(look->folders[look->mail[i].folder], folder) == 0);
    return n;
}

size_t look_folder(struct look *look, const char *name)
{
    look->folders = mem_grow(look->folders, look->n_folders, &look->cap_folders,
                             sizeof(*look->folders));
    look->folders[look->n_folders] = mem_copy(name);
    return look->n_folders++;
}

struct look_mail *look_mail_add(struct look *look, size_t folder)
{
    struct look_mail *mail;

    look->mail = mem_grow(look->mail, look->n_mail, &look->cap_mail,
                          sizeof(*look->mail));
    mail = &look->mail[look->n_mail++];
    memset(mail, 0, sizeof(*mail));
    mail->folder = folder;
    return mail;
}
