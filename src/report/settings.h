/* The resolved settings of several runs beside each other: what they share, and where they differ.
 */
#ifndef SP_REPORT_SETTINGS_H
#define SP_REPORT_SETTINGS_H

#include "format/yaml.h"

/* Appends the dotted paths of all values ("train.lr") that any of the trees has, in the order they
 * come up. */
void sp_settings_paths(const sp_yaml *const *trees, size_t count, sp_strings *out);

/* The value at a path on one line, lists as "[1, 2]"; NULL if there is none. The caller's. */
char *sp_settings_value(const sp_yaml *tree, const char *path);

/* Whether the trees have different values at a path, or some have none. */
bool sp_settings_differ(const sp_yaml *const *trees, size_t count, const char *path);

#endif
