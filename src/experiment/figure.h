/* A figure as a spec describes it: kind, axes, what tells its lines apart, and a filter. */
#ifndef SP_EXPERIMENT_FIGURE_H
#define SP_EXPERIMENT_FIGURE_H

#include "format/yaml.h"
#include "metrics/metric.h"

typedef enum sp_figure_kind { SP_LEARNING_CURVE, SP_LINE, SP_SCATTER, SP_BAR } sp_figure_kind;

typedef struct sp_figure {
    sp_figure_kind kind;
    const char *name;  /* of the files, without extension */
    const char *title; /* "" for none */
    /* Line: a setting such as "method.length", or "model" for the number of its parameters. Bar:
     * the setting, or "entry", whose values are the groups. "" for the others. */
    const char *x;
    const char *y; /* "train.loss", "dev.bleu", "dev.best.bleu", "test.all.bleu" */
    /* "entry" (a learning curve: each row), or a setting of which each value is a line */
    const char *series;
    const sp_yaml *where; /* map: setting or "entry" -> value or list of values; or NULL */
    bool logx, logy;      /* logarithmic axes */
    double y_low, y_high; /* NaN: from the data */
} sp_figure;

/* Reads and checks one figure; its texts live in the tree. `groups` are those of the spec's runs
 * (experiment/groups.h). SP_ERR_SPEC with file and line. */
sp_status sp_figure_read(const sp_yaml *node, const sp_strings *groups, sp_figure *out);

/* Whether `y` stands for one number of a run ("test.GROUP.METRIC", "dev.best.SERIES").
 * SP_ERR_SPEC at `node`. */
sp_status sp_check_score(const sp_yaml *node, const char *y, const sp_strings *groups);
/* Whether a score, or a series of dev, is better when lower: a loss, an error rate. */
bool sp_lower_is_better(const char *score);

/* A metric by the name at `node`, and a group (the first `len` bytes of `name`). *out is the
 * registry's own, or that of `groups`. SP_ERR_SPEC with file and line. */
sp_status sp_check_metric(const sp_yaml *node, const char *name, const sp_metric **out);
sp_status sp_check_group(const sp_yaml *node, const char *name, size_t len,
                         const sp_strings *groups, const char **out);
/* `path`, found under `key`, is a setting of a run or one of the words in `extra`
 * (NULL-terminated). SP_ERR_SPEC with the nearest one. */
sp_status sp_check_setting(const sp_yaml *node, const char *key, const char *path,
                           const char *const *extra);
/* `name` is a series that a run logs on dev. SP_ERR_SPEC. */
sp_status sp_check_dev(const sp_yaml *node, const char *name);

#endif
