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

/* Start a failure of a section as a whole. Returns ERR_USAGE. */
int conf_section_fault(struct err *err, const char *file,
                       const struct inifile_section *section,
                       const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
