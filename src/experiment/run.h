/* One run of a study with every setting resolved: the unit that is trained, logged and hashed. */
#ifndef SP_EXPERIMENT_RUN_H
#define SP_EXPERIMENT_RUN_H

#include "core/hash.h"
#include "experiment/runlog.h"
#include "format/yaml.h"
#include "training/options.h"
#include "tuning/method.h"

/* Part of every run id. Raise it when a change of the program alters numbers. */
enum { SP_RESULTS_VERSION = 2, SP_RUN_ID = 16, SP_TRANSFERS = 8 };

typedef struct sp_run_spec {
    char experiment[SP_OPTION_TEXT];
    char entry[SP_OPTION_TEXT]; /* key under `methods:` */
    char label[SP_OPTION_TEXT]; /* printed name of the entry */
    char point[SP_OPTION_TEXT]; /* "length 10" on a grid, else "" */
    char model[SP_OPTION_TEXT], dataset[SP_OPTION_TEXT];
    const char *method; /* name in the registry */
    sp_method_options method_options;
    sp_train_options train;
    sp_decode_options decode;
    char precision[SP_OPTION_TEXT];         /* of the weights that do not train: fp32, bf16 */
    int threads;                            /* 0: by the size of the model */
    char output[SP_OPTION_TEXT];            /* form of the answer: auto, text, verbalizer, linear */
    int dev_limit, test_limit, train_limit; /* examples; 0: all */
    int subsample; /* of train_limit examples; 0: evenly spaced, k: a random subset drawn with k */
    char transfer[SP_TRANSFERS][SP_OPTION_TEXT]; /* other sets whose test split is tested on */
    size_t transfer_count;
    int seed;
    /* "file:line" that set method.length, and the last of decode, for messages */
    char length_place[SP_OPTION_TEXT], decode_place[SP_OPTION_TEXT];
    char *spec_yaml; /* resolved and canonical; owned by the list of runs */
    char id[SP_RUN_ID + 1];
    sp_digest model_sha256, data_sha256, transfer_sha256[SP_TRANSFERS];
} sp_run_spec;

/* Names the bytes a run depends on: the hashes of a model and of a data set. Either pointer may be
 * NULL: not wanted. SP_ERR_MISSING if there is none of that name. */
typedef sp_status sp_identify(void *user, const char *model, const char *dataset,
                              sp_digest *model_sha256, sp_digest *data_sha256);

/* Defaults of every option table. */
void sp_run_default(sp_run_spec *run, const sp_method *method);

/* Whether `name` is a setting at the top of a run: "model", "output", "transfer", ... */
bool sp_run_is_single(const char *name);

/* Sets "model", "dataset", "precision", "threads", "output", "dev.limit", "test.limit",
 * "data.limit", "data.subsample", "transfer", "train.X", "decode.X" or "method.X". *used is false
 * if only other methods have the option X; then nothing changes. SP_ERR_SPEC with the node's file
 * and line. */
sp_status sp_run_set(sp_run_spec *run, const char *path, const sp_yaml *value, bool *used);

/* `precision` as a number. */
sp_precision sp_run_precision(const sp_run_spec *run);

/* All paths sp_run_set knows, appended. */
void sp_run_paths(sp_strings *out);

/* Settings that are right each by itself but not together. SP_ERR_SPEC with file and line. */
sp_status sp_run_check(const sp_run_spec *run);

/* Fills spec_yaml and id from all other fields. */
void sp_run_finish(sp_run_spec *run);

/* Writes into the log which run it is: the attributes that finished and failed runs share. */
void sp_run_describe(const sp_run_spec *run, sp_runlog *log);

/* "prefix length 10", owned by the caller. */
char *sp_run_title(const sp_run_spec *run);

/* "seed 1" or "subsample 4 seed 1", owned by the caller. */
char *sp_run_replicate(const sp_run_spec *run);

/* <folder>/runs/<id>.h5, owned by the caller. */
char *sp_run_path(const sp_run_spec *run, const char *folder);

#endif
