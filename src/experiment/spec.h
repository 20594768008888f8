/* An experiment spec: what a YAML file of experiments/ says, checked, with a preset and --set
 * applied. Every complaint names file, line and, for an unknown key, the nearest known one. */
#ifndef SP_EXPERIMENT_SPEC_H
#define SP_EXPERIMENT_SPEC_H

#include "experiment/claim.h"
#include "experiment/cost_settings.h"
#include "experiment/figure.h"
#include "experiment/limits.h"
#include "experiment/model_settings.h"
#include "experiment/run.h"

/* A line of the table: a method with settings of its own. */
typedef struct sp_entry {
    const char *name, *label; /* live in the tree */
    const sp_method *method;
    const sp_yaml *settings;
    const sp_yaml *grid; /* its own axes: setting -> list; NULL if absent */
} sp_entry;

/* Published numbers: a block of the report. */
typedef struct sp_paper {
    const char *title;
    const char *note;       /* printed under the title; "": none */
    const sp_yaml *columns; /* list of texts */
    const sp_yaml *rows;    /* map: name -> list as long as columns; empty text: not reported */
    bool beside;            /* its columns also stand in the table, beside the entries' own */
} sp_paper;

/* A metric over "all" test examples or those of a group (experiment/groups.h). */
typedef struct sp_score {
    const sp_metric *metric;
    const char *group;
} sp_score;

typedef struct sp_spec {
    char *path;
    char *preset;       /* that was applied; NULL: none */
    sp_strings sets;    /* --set, as given */
    sp_yaml *root;      /* owns all texts below */
    sp_yaml *overrides; /* from --set: dotted path -> value; above everything else */
    char *folder;       /* below the folder of all studies: sp_spec_read */
    char *changed_model, *changed_dataset; /* that --set gave in place of the spec's; or NULL */
    const char *name, *title;
    const sp_yaml *base, *grid; /* NULL if absent */
    sp_entry *entries;
    size_t entry_count;
    sp_model_settings *models; /* what holds for one model only */
    size_t model_count;
    int *seeds;
    size_t seed_count;
    int *subsamples; /* NULL: what data.subsample says */
    size_t subsample_count;
    sp_strings groups; /* of test examples, whose scores its runs have */
    bool has_table;    /* false for a search: test is not looked at */
    const char *best;  /* series of dev by which an entry's best grid point is found; NULL: none */
    bool ensemble, neighbours; /* sections of the report: ensemble.h, persistence.h */
    sp_score *scores;          /* columns of the table */
    size_t score_count;
    bool scores_given; /* false: every metric there is, of which runs may have a part */
    sp_figure *figures;
    size_t figure_count;
    sp_cost_settings cost;
    sp_paper *papers;
    size_t paper_count;
    sp_limits limits;
    sp_claim *claims;
    size_t claim_count;
} sp_spec;

/* Reads and checks a spec. `preset` may be NULL; `sets` are texts like "train.steps=50". The path
 * of a setting may leave out `base.`: "model=gpt2-1m". Precedence, from the lowest: defaults, base,
 * the preset, `models`, an entry of `methods`, what `models` says of the entry, the grid, --set.
 *
 * The study's folder is its name; where --set gives it another model or data set than the spec,
 * "NAME-MODEL-DATASET" with the ones given, so that its tables do not replace those of the study
 * as written. SP_ERR_MISSING, SP_ERR_SPEC. */
sp_status sp_spec_read(const char *path, const char *preset, const sp_strings *sets, sp_spec *out);
void sp_spec_free(sp_spec *spec);

/* The printed name of an entry; `name` itself if there is no such entry. */
const char *sp_entry_label(const sp_spec *spec, const char *name);

#endif
