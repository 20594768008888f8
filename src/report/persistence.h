/* Whether a learned prompt still says the words of the classes, which class-label initialisation
 * gave it (Prompt Tuning, section 7). */
#ifndef SP_REPORT_PERSISTENCE_H
#define SP_REPORT_PERSISTENCE_H

#include "data/dataset.h"
#include "experiment/assets.h"
#include "report/results.h"
#include "report/sheet.h"
#include "tuning/neighbours.h"

/* The virtual tokens that a run's file keeps, [n, n_embd], owned by the caller (sp_leaf_free).
 * SP_ERR_SPEC with the reason if the method has none or trained the embedding along, SP_ERR_FORMAT
 * if they are not of this model, SP_ERR_NUMERIC if one is not finite. */
sp_status sp_virtual_rows_read(sp_h5 *file, const sp_model *model, sp_var *out);

/* A word of a class and how near a virtual token comes to it. */
typedef struct sp_class_word {
    const char *label, *word; /* live in the data set's labels */
    sp_ints tokens;
    long rank, row; /* of that of its tokens which comes nearest; row from 0 */
    float cosine;
    bool found; /* rank <= top */
} sp_class_word;

typedef struct sp_persistence {
    sp_class_word *words; /* [count] */
    size_t count, found;
    /* How many words would be found if their tokens were drawn from the vocabulary: a word of t
     * tokens with probability 1 - (1 - s)^t, where s is sp_neighbours_share. */
    double chance;
} sp_persistence;

/* All words of all labels [label_count] among the neighbours. SP_ERR_FORMAT if a word cannot be
 * tokenized. Release with sp_persistence_free, also after an error. */
sp_status sp_persistence_measure(const sp_neighbours *n, const sp_tokenizer *tokenizer,
                                 const sp_label *labels, size_t label_count, sp_persistence *out);
void sp_persistence_free(sp_persistence *p);

/* How many percent of the class words a finished run's prompt has among its nearest tokens; NaN if
 * it keeps no virtual tokens or its data set no classes. Errors of opening model, data and file. */
sp_status sp_class_words_found(const sp_run_spec *run, const char *folder, sp_assets *assets,
                               double *out);

/* For a study whose spec has report: neighbours: true: a line for each row whose runs keep virtual
 * tokens, means over its finished runs: nearest tokens, clusters, class words. A section of the
 * report. Errors of opening models, data sets and run files. */
sp_status sp_neighbours_sheet(const sp_results *results, const char *folder, sp_sheet *out);

#endif
