/* An experiment spec: what a YAML file of experiments/ says, checked, with a preset and --set
 * applied. Every complaint names file, line and, for an unknown key, the nearest known one. */
#ifndef SP_EXPERIMENT_SPEC_H
#define SP_EXPERIMENT_SPEC_H

#include "experiment/run.h"
#include "metrics/metric.h"

/* A line of the table: a method with settings of its own. */
typedef struct sp_entry {
    const char *name, *label; /* live in the tree */
    const sp_method *method;
    const sp_yaml *settings;
} sp_entry;

typedef enum sp_figure_kind { SP_LEARNING_CURVE, SP_LINE, SP_SCATTER } sp_figure_kind;

typedef struct sp_figure {
    sp_figure_kind kind;
    const char *name;  /* of the files, without extension */
    const char *title; /* "" for none */
    const char *x;     /* SP_LINE: a grid path such as "method.length" */
    const char *y;     /* "train.loss", "dev.bleu", "test.all.bleu" */
    bool logx;
} sp_figure;

/* Published numbers: a block of the report. */
typedef struct sp_paper {
    const char *title;
    const sp_yaml *columns; /* list of texts */
    const sp_yaml *rows;    /* map: name -> list as long as columns; empty text: not reported */
    bool beside;            /* its columns also stand in the table, beside the entries' own */
} sp_paper;

typedef struct sp_spec {
    char *path;
    sp_yaml *root;      /* owns all texts below */
    sp_yaml *overrides; /* from --set: dotted path -> value; above everything else */
    const char *name, *title;
    const sp_yaml *base, *grid; /* NULL if absent */
    sp_entry *entries;
    size_t entry_count;
    int *seeds;
    size_t seed_count;
    const sp_metric **metrics; /* columns of the table */
    size_t metric_count;
    const char **groups; /* "all" or a category */
    size_t group_count;
    sp_figure *figures;
    size_t figure_count;
    sp_paper *papers;
    size_t paper_count;
    const sp_yaml *claims; /* list of {id, text, source, test}, or NULL */
} sp_spec;

/* Reads and checks a spec. `preset` may be NULL; `sets` are texts like "train.steps=50". The path
 * of a setting may leave out `base.`: "model=gpt2-1m". Precedence, from the lowest: defaults, base,
 * the preset, an entry of `methods`, the grid, --set. SP_ERR_MISSING, SP_ERR_SPEC. */
sp_status sp_spec_read(const char *path, const char *preset, const sp_strings *sets, sp_spec *out);
void sp_spec_free(sp_spec *spec);

#endif
