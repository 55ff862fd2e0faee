/* One section of the configuration as an account or a pair. Part of conf. */
#ifndef CMD_CONF_SECTION_H
#define CMD_CONF_SECTION_H

#include "cmd/conf.h"
#include "cmd/inifile.h"

/* Returns 0 with *@out set, or ERR_USAGE with "file:line: what: ...". */
int conf_account_read(const char *file, const struct inifile_section *section,
                      struct account **out, struct err *err);

/* The same; @conf has all accounts. */
int conf_pair_read(const struct conf *conf,
                   const struct inifile_section *section, struct pair **out,
                   struct err *err);

/* NULL is fine. */
void conf_account_free(struct account *account);
void conf_pair_free(struct pair *pair);

/* The entry of @key, or NULL. */
const struct inifile_entry *conf_section_entry(
    const struct inifile_section *section, const char *key);

/* A key that is in none of the @n keys of @names. Returns ERR_USAGE. */
int conf_section_unknown(const char *file, const struct inifile_entry *entry,
                         const char *const *names, size_t n, struct err *err);

/* What is wrong with a section as a whole: starts a failure as err_set(). */
#define conf_section_fault(err, file, section, ...)                         \
    err_wrap((err), err_set((err), ERR_USAGE, __VA_ARGS__), "%s:%u: %s %s", \
             (file), (section)->line, (section)->kind, (section)->name)

#endif
